//! The objective of full-parameter training: every weight of a model.

use candle_core::{Result, Tensor, Var};
use harness_model::{FullModel, Sequences};

use crate::batch::PackedBatch;
use crate::objective::{Differentiable, DropoutKey};

/// A model all of whose weights are trained. It has no dropout.
#[derive(Debug)]
pub struct FullObjective<'a> {
    /// What is trained.
    pub model: &'a FullModel,
}

impl Differentiable for FullObjective<'_> {
    fn named_vars(&self) -> Vec<(String, Var)> {
        self.model.named_vars()
    }

    fn summed_loss(&self, batch: &PackedBatch, _: Option<DropoutKey>) -> Result<Tensor> {
        let sequences = Sequences {
            tokens: &batch.tokens,
            starts: &batch.starts,
            targets: &batch.targets,
        };
        self.model
            .summed_loss(&sequences)
            .map_err(candle_core::Error::wrap)
    }
}
