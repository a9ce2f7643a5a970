//! Final norm, output head and cross-entropy: logits exist for a stretch of rows at a time only.

use std::sync::atomic::{AtomicU64, Ordering};

use harness_kernel::{Init, cross_entropy_row, log_sum_exp, product, rms_norm_row};
use rayon::prelude::*;

use super::backward::norm_backward;
use super::{Scratch, Sweep};
use crate::buffer::fit;
use crate::decoder::Sequences;

/// Logits that are in memory at a time at most, unless those of [`ROWS`] rows are more: 64 MiB.
const LOGITS: usize = 1 << 24;
/// Rows that are computed together at least: fewer would make the products wait for the weights.
const ROWS: usize = 64;

impl Sweep<'_> {
    /// `Σ −ln p(target)` in nats from the last layer's output `x`, `[t, hidden]`; its gradient is written to `d`.
    pub(super) fn cross_entropy(
        &self,
        batch: &Sequences<'_>,
        x: &[f32],
        scratch: &mut Scratch,
        mut d: Option<&mut Vec<f32>>,
    ) -> f64 {
        let (decoder, epsilon) = (self.decoder, self.epsilon());
        let hidden = decoder.config.hidden;
        let vocabulary = decoder.head.outputs();
        let stretch = (LOGITS / vocabulary).max(ROWS) / ROWS * ROWS;
        let Scratch {
            rows, logits, dh, ..
        } = scratch;
        if let Some(d) = &mut d {
            d.clear();
            d.resize(x.len(), 0.0);
        }
        let mut total = 0f64;
        for (index, targets) in batch.targets.chunks(stretch).enumerate() {
            let first = index * stretch;
            let x = &x[first * hidden..][..targets.len() * hidden];
            rows.fill(targets.len(), hidden, |row, into| {
                rms_norm_row(&x[row * hidden..][..hidden], &decoder.norm, epsilon, into);
            });
            let logits = fit(logits, targets.len() * vocabulary);
            product(rows, decoder.head.packed(), logits, Init::Zero);
            let logits = &*logits;
            let of = |row: usize| &logits[row * vocabulary..][..vocabulary];
            let Some(d) = &mut d else {
                let losses: Vec<f64> = targets
                    .par_iter()
                    .enumerate()
                    .map(|(row, (_, id))| log_sum_exp(of(row)) - f64::from(of(row)[*id as usize]))
                    .collect();
                total += losses.iter().sum::<f64>();
                continue;
            };
            // Rows are filled in any order, so each puts its loss where it belongs, and the sum is taken in order.
            let losses: Vec<AtomicU64> = targets.iter().map(|_| AtomicU64::new(0)).collect();
            rows.fill(targets.len(), vocabulary, |row, gradient| {
                let loss = cross_entropy_row(of(row), targets[row].1, gradient);
                losses[row].store(loss.to_bits(), Ordering::Relaxed);
            });
            total += losses
                .into_iter()
                .map(|loss| f64::from_bits(loss.into_inner()))
                .sum::<f64>();
            let dh = fit(dh, targets.len() * hidden);
            product(rows, decoder.head.packed_backward(), dh, Init::Zero);
            let d = &mut d[first * hidden..][..targets.len() * hidden];
            norm_backward(x, &decoder.norm, epsilon, dh, d);
        }
        total
    }
}
