//! The objective of full-parameter training: every weight of a model.

use candle_core::{Device, Error, Result, Tensor, Var};
use harness_model::FullModel;

use crate::batch::PackedBatch;
use crate::gradients::Gradients;
use crate::objective::{DropoutKey, Objective, add};

/// A model all of whose weights are trained. It has no dropout.
#[derive(Debug)]
pub struct FullObjective<'a> {
    /// What is trained.
    pub model: &'a FullModel,
}

impl Objective for FullObjective<'_> {
    fn named_vars(&self) -> Vec<(String, Var)> {
        self.model.named_vars()
    }

    fn loss(&self, batch: &PackedBatch) -> Result<f64> {
        // The backward pass is thrown away: losses alone are asked for now and then, on a few examples.
        let (loss, _) = self
            .model
            .gradients(&batch.sequences())
            .map_err(Error::wrap)?;
        Ok(loss)
    }

    fn gradients(
        &self,
        batch: &PackedBatch,
        _: Option<DropoutKey>,
        into: &mut Gradients,
    ) -> Result<f64> {
        let (loss, mut found) = self
            .model
            .gradients(&batch.sequences())
            .map_err(Error::wrap)?;
        for (name, var) in self.model.named_vars() {
            if let Some(gradient) = found.remove(&name) {
                let gradient = Tensor::from_vec(gradient, var.shape(), &Device::Cpu)?;
                add(into, name, gradient)?;
            }
        }
        Ok(loss)
    }
}
