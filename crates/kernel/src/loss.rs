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
    let top = maximum_of(logits);
    let sum = exponentials_and_sum(logits, top, gradient);
    let inverse = (1.0 / sum) as f32;
    scale(gradient, inverse);
    gradient[target as usize] -= 1.0;
    f64::from(top) + sum.ln() - f64::from(logits[target as usize])
}

dispatched! {
    fn maximum_of(row: &[f32]) -> f32 {
        maximum(row)
    }
}

/// Lanes of a sum, and values of a stretch that are summed in `f32`: few enough for its precision.
const LANES: usize = 32;
const STRETCH: usize = 16 * LANES;

dispatched! {
    /// Writes `exp(x − top)` and returns the sum: in `f32` over stretches, in `f64` over the stretches.
    fn exponentials_and_sum(row: &[f32], top: f32, out: &mut [f32]) -> f64 {
        let mut total = 0f64;
        for (row, out) in row.chunks(STRETCH).zip(out.chunks_mut(STRETCH)) {
            let mut sums = [0f32; LANES];
            let mut outs = out.chunks_exact_mut(LANES);
            let rows = row.chunks_exact(LANES);
            let rest = rows.remainder();
            for (row, out) in rows.zip(&mut outs) {
                for ((x, y), sum) in row.iter().zip(out).zip(&mut sums) {
                    *y = exp(x - top);
                    *sum += *y;
                }
            }
            for ((x, y), sum) in rest.iter().zip(outs.into_remainder()).zip(&mut sums) {
                *y = exp(x - top);
                *sum += *y;
            }
            total += sums.iter().map(|sum| f64::from(*sum)).sum::<f64>();
        }
        total
    }
}

dispatched! {
    /// The sum of [`exponentials_and_sum`], to the bit.
    fn sum_of_exponentials(row: &[f32], top: f32) -> f64 {
        let mut total = 0f64;
        for row in row.chunks(STRETCH) {
            let mut sums = [0f32; LANES];
            for row in row.chunks(LANES) {
                for (x, sum) in row.iter().zip(&mut sums) {
                    *sum += exp(x - top);
                }
            }
            total += sums.iter().map(|sum| f64::from(*sum)).sum::<f64>();
        }
        total
    }
}

dispatched! {
    fn scale(row: &mut [f32], factor: f32) {
        for value in row {
            *value *= factor;
        }
    }
}

dispatched! {
    /// `exp(x − shift)` for each.
    fn exponentials(row: &mut [f32], shift: f32) {
        for value in row {
            *value = exp(*value - shift);
        }
    }
}

/// `ln Σ exp(row)`, stably.
pub fn log_sum_exp(row: &[f32]) -> f64 {
    let top = maximum_of(row);
    f64::from(top) + sum_of_exponentials(row, top).ln()
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
