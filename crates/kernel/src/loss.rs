//! Cross-entropy over rows of logits, and what generation reads off a row.

use rayon::prelude::*;

use crate::exp::exp;

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
            let shift = normaliser as f32;
            for value in row.iter_mut() {
                *value = exp(*value - shift);
            }
            row[target as usize] -= 1.0;
            loss
        })
        .collect()
}

/// `ln Σ exp(row)`, stably; the sum is in `f64`.
pub fn log_sum_exp(row: &[f32]) -> f64 {
    let top = row.iter().copied().fold(f32::NEG_INFINITY, f32::max);
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
