//! The objective of training in plain differentiable operations: slow, of any float type, on any device.

use candle_core::{Error, Result, Tensor, Var};
use harness_model::Adapter;
use harness_model::graph::GraphModel;

use crate::batch::PackedBatch;
use crate::objective::{Differentiable, DropoutKey};

/// A decoder as a graph, and what of it is trained: the adapter where there is one, else the model's own variables.
#[derive(Debug)]
pub struct GraphObjective<'a> {
    /// The weights.
    pub model: &'a GraphModel,
    /// The adapter, of the model's type.
    pub adapter: Option<&'a Adapter>,
}

impl Differentiable for GraphObjective<'_> {
    fn named_vars(&self) -> Vec<(String, Var)> {
        match self.adapter {
            Some(adapter) => adapter.named_vars(),
            None => self.model.named_vars(),
        }
    }

    fn summed_loss(&self, batch: &PackedBatch, dropout: Option<DropoutKey>) -> Result<Tensor> {
        self.model
            .summed_loss(
                self.adapter,
                &batch.sequences(),
                dropout.map(|key| key.seed),
            )
            .map_err(Error::wrap)
    }
}
