//! The objective of `LoRA` training: a frozen decoder with an adapter.

use std::cell::RefCell;

use candle_core::{Device, Error, Result, Tensor, Var};
use harness_model::{Adapter, Decoder, LoraGradients, Sweep, Workspace};

use crate::batch::PackedBatch;
use crate::gradients::Gradients;
use crate::objective::{DropoutKey, Objective, add};

/// A frozen decoder and the adapter that is trained.
#[derive(Debug)]
pub struct LoraObjective<'a> {
    sweep: Sweep<'a>,
    adapter: &'a Adapter,
    /// Taken once, used by every micro-batch.
    space: RefCell<Workspace>,
}

impl<'a> LoraObjective<'a> {
    /// Trains `adapter` on the frozen weights of `decoder`. With `recompute` a layer's forward pass is run again when its
    /// backward pass needs it: about a third more time, and of each layer's activations only the input is in memory.
    pub fn new(decoder: &'a Decoder, adapter: &'a Adapter, recompute: bool) -> Self {
        Self {
            sweep: Sweep::new(decoder, Some(adapter)).recompute(recompute),
            adapter,
            space: RefCell::new(Workspace::new(decoder.precision())),
        }
    }
}

impl Objective for LoraObjective<'_> {
    fn named_vars(&self) -> Vec<(String, Var)> {
        self.adapter.named_vars()
    }

    fn loss(&self, batch: &PackedBatch) -> Result<f64> {
        self.sweep
            .loss(&batch.sequences(), &mut self.space.borrow_mut())
            .map_err(Error::wrap)
    }

    fn gradients(
        &self,
        batch: &PackedBatch,
        dropout: Option<DropoutKey>,
        into: &mut Gradients,
    ) -> Result<f64> {
        let mut found = LoraGradients::new();
        let mut space = self.space.borrow_mut();
        let key = dropout.map(|key| key.seed);
        let loss = self
            .sweep
            .gradients(&batch.sequences(), key, &mut space, &mut found)
            .map_err(Error::wrap)?;
        let mut found = found.into_named();
        for (name, var) in self.adapter.named_vars() {
            if let Some(gradient) = found.remove(&name) {
                let gradient = Tensor::from_vec(gradient, var.shape(), &Device::Cpu)?;
                add(into, name, gradient)?;
            }
        }
        Ok(loss)
    }
}
