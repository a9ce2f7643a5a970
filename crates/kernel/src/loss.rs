//! Cross-entropy over rows of logits, and what generation reads off a row.

use rayon::prelude::*;

use crate::exp::{exp, maximum};
use crate::simd::dispatched;

/// Replaces each row of `logits` (`[targets.len(), vocabulary]`) by the gradient of its loss, `softmax − onehot`, and
/// returns the losses `−ln p(target)` in nats, a row each.
///
/// # Panics
/// If a target lies outside the vocabulary or the shapes disagree.
pub fn cross_entropy_rows(logits: &mut [f32], targets: &[u32]) -> Vec<f64> {
    if targets.is_empty() {
        return Vec::new();
    }
    let vocabulary = logits.len() / targets.len();
    assert_eq!(vocabulary * targets.len(), logits.len());
    logits
        .par_chunks_exact_mut(vocabulary)
        .zip(targets)
        .map(|(row, &target)| {
            let normaliser = log_sum_exp(row);
            let loss = normaliser - f64::from(row[target as usize]);
            exponentials(row, normaliser as f32);
            row[target as usize] -= 1.0;
            loss
        })
        .collect()
}

/// One row: the gradient of its loss goes to `gradient`, and the loss, in nats, is returned.
///
/// # Panics
/// If the target lies outside the row.
pub fn cross_entropy_row(logits: &[f32], target: u32, gradient: &mut [f32]) -> f64 {
    let normaliser = log_sum_exp(logits);
    gradient.copy_from_slice(logits);
    exponentials(gradient, normaliser as f32);
    gradient[target as usize] -= 1.0;
    normaliser - f64::from(logits[target as usize])
}

dispatched! {
    /// `exp(x − shift)` for each.
    fn exponentials(row: &mut [f32], shift: f32) {
        for value in row {
            *value = exp(*value - shift);
        }
    }
}

dispatched! {
    /// `ln Σ exp(row)`, stably; the sum is in `f64`.
    pub fn log_sum_exp(row: &[f32]) -> f64 {
        let top = maximum(row);
        let mut lanes = [0f64; 16];
        let chunks = row.chunks_exact(16);
        let rest: f64 = chunks
            .remainder()
            .iter()
            .map(|value| f64::from(exp(value - top)))
            .sum();
        for chunk in chunks {
            for (lane, value) in lanes.iter_mut().zip(chunk) {
                *lane += f64::from(exp(value - top));
            }
        }
        f64::from(top) + (lanes.iter().sum::<f64>() + rest).ln()
    }
}

/// Index of the largest value, the first of equals; 0 for an empty row.
pub fn argmax(row: &[f32]) -> usize {
    let mut best = 0;
    for (index, value) in row.iter().enumerate() {
        if *value > row[best] {
            best = index;
        }
    }
    best
}
