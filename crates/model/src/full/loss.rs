//! The loss of a micro-batch and its gradients: embedding, layers, head, and back.
//! Dimension letters: `m` tokens laid end to end, `t` rows that carry loss.

use std::collections::BTreeMap;

use candle_core::Result;
use harness_kernel::{Init, Packed, Precision, add_at_b, cross_entropy_rows, matmul};

use super::layer::Plan;
use super::sweep::{Sweep, add};
use super::{EMBEDDING, FullModel, HEAD, NORM};
use crate::decoder::Sequences;
use crate::decoder::attention_shapes;
use crate::error::ModelError;
use crate::values::with_values;

/// Logits that are in memory at a time: 4 MB, which stay in the cache from the product to the gradients.
const LOGITS: usize = 1 << 20;

impl FullModel {
    /// `Σ −ln p(target)` in nats over all targets, and its gradients by the weights' names, each as long as its weight,
    /// row-major.
    ///
    /// # Errors
    /// If a token does not fit the vocabulary, or a sequence the context, or a target stands at no token.
    pub fn gradients(
        &self,
        batch: &Sequences<'_>,
    ) -> std::result::Result<(f64, BTreeMap<String, Vec<f32>>), ModelError> {
        let plan = Plan {
            positions: batch.positions(&self.config, self.rope.positions())?,
            attention: attention_shapes(&self.config, batch.starts),
            rows: batch.targets.iter().map(|(row, _)| *row).collect(),
        };
        let mut sweep = Sweep {
            model: self,
            gradients: BTreeMap::new(),
        };
        let loss = sweep.run(&plan, batch)?;
        Ok((loss, sweep.gradients))
    }

    /// The name of the output head, `[vocabulary, hidden]`.
    fn head(&self) -> &'static str {
        if self.config.tied { EMBEDDING } else { HEAD }
    }
}

impl Sweep<'_> {
    /// The loss in nats; leaves the gradients of all weights.
    fn run(&mut self, plan: &Plan, batch: &Sequences<'_>) -> Result<f64> {
        let hidden = self.model.config.hidden;
        let mut x = vec![0f32; batch.tokens.len() * hidden];
        with_values(self.model.weight(EMBEDDING), |table| {
            for (row, id) in x.chunks_exact_mut(hidden).zip(batch.tokens) {
                row.copy_from_slice(&table[*id as usize * hidden..][..hidden]);
            }
        })?;
        let mut layers = Vec::with_capacity(self.model.config.layers);
        for index in 0..self.model.config.layers {
            let (layer, out) = self.layer(plan, index, x)?;
            layers.push(layer);
            x = out;
        }
        let h = self.norm(NORM, &x)?;
        let targets: Vec<u32> = batch.targets.iter().map(|(_, id)| *id).collect();
        let (loss, dh) = self.cross_entropy(&h, &targets)?;

        let mut d = vec![0f32; x.len()];
        self.norm_backward(NORM, &x, &dh, &mut d)?;
        while let Some(layer) = layers.pop() {
            d = self.layer_backward(plan, &layer, d)?;
        }
        let table = self.gradient(EMBEDDING);
        for (row, id) in d.chunks_exact(hidden).zip(batch.tokens) {
            add(&mut table[*id as usize * hidden..][..hidden], row);
        }
        Ok(loss)
    }

    /// `Σ −ln softmax(h · Wᵀ)[target]` over the rows of `h`, `[t, hidden]`, and the gradient of `h`.
    fn cross_entropy(&mut self, h: &[f32], targets: &[u32]) -> Result<(f64, Vec<f32>)> {
        let name = self.model.head();
        let weight = self.model.weight(name);
        let (vocabulary, hidden) = weight.dims2()?;
        let (forward, backward) = with_values(weight, |w| {
            (
                Packed::rows(w, vocabulary, hidden, Precision::F32),
                Packed::columns(w, vocabulary, hidden, Precision::F32),
            )
        })?;
        let dw = self.gradient(name);
        let mut dh = vec![0f32; h.len()];
        let block = (LOGITS / vocabulary).max(1);
        let mut logits = vec![0f32; block.min(targets.len()) * vocabulary];
        let mut total = 0f64;
        let stretches = h.chunks(block * hidden).zip(dh.chunks_mut(block * hidden));
        for ((h, dh), targets) in stretches.zip(targets.chunks(block)) {
            let count = targets.len();
            let logits = &mut logits[..count * vocabulary];
            matmul(h, count, &forward, logits, Init::Zero);
            total += cross_entropy_rows(logits, targets).iter().sum::<f64>();
            matmul(logits, count, &backward, dh, Init::Zero);
            add_at_b(dw, (vocabulary, hidden, count), logits, h, 1.0);
        }
        Ok((total, dh))
    }
}
