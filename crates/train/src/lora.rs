//! The objective of LoRA fine-tuning: a frozen decoder and the adapter that is trained on it.

use candle_core::{Result, Tensor, Var};
use harness_model::{Adapter, Decoder, Sequences};

use crate::batch::PackedBatch;
use crate::objective::{DropoutKey, Objective};

/// A decoder whose adapter is trained; the decoder itself stays as it is.
#[derive(Debug)]
pub struct LoraObjective<'a> {
    /// The frozen weights.
    pub decoder: &'a Decoder,
    /// What is trained.
    pub adapter: &'a Adapter,
}

impl Objective for LoraObjective<'_> {
    fn named_vars(&self) -> Vec<(String, Var)> {
        self.adapter.named_vars()
    }

    fn summed_loss(&self, batch: &PackedBatch, dropout: Option<DropoutKey>) -> Result<Tensor> {
        let sequences = Sequences {
            tokens: &batch.tokens,
            starts: &batch.starts,
            targets: &batch.targets,
        };
        self.decoder
            .summed_loss(Some(self.adapter), &sequences, dropout.map(|key| key.seed))
            .map_err(candle_core::Error::wrap)
    }
}
