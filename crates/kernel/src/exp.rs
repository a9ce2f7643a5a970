//! The exponential, in a form that the compiler vectorises.

use crate::simd::dispatched;

/// `eˣ` to about two units in the last place for −87.3 ≤ x ≤ 88; 0 below, infinity above.
/// Range reduction by powers of two and a polynomial of degree 6 (the coefficients of Cephes' `expf`).
#[inline(always)]
#[allow(clippy::inline_always)] // Has to take on the target features of its callers.
pub fn exp(x: f32) -> f32 {
    const LOG2_E: f32 = std::f32::consts::LOG2_E;
    // ln 2 in two parts, so that x − n·ln 2 keeps its low bits.
    const LN2_HIGH: f32 = 0.693_359_4;
    const LN2_LOW: f32 = -2.121_944_4e-4;
    // Adding it leaves the nearest whole number, ties to even, in the lowest bits of the sum.
    const MAGIC: f32 = 12_582_912.0;
    let clamped = x.clamp(-87.336_54, 88.0);
    let shifted = clamped * LOG2_E + MAGIC;
    let n = shifted - MAGIC;
    let r = clamped - n * LN2_HIGH - n * LN2_LOW;
    let mut p = 1.987_569_1e-4_f32;
    p = p * r + 1.398_199_9e-3;
    p = p * r + 8.333_452e-3;
    p = p * r + 4.166_579_6e-2;
    p = p * r + 1.666_666_5e-1;
    p = p * r + 0.5;
    let y = p * r * r + r + 1.0;
    let power = f32::from_bits((shifted.to_bits() << 23).wrapping_add(127 << 23));
    let value = y * power;
    if x < -87.336_54 {
        0.0
    } else if x > 88.0 {
        f32::INFINITY
    } else {
        value
    }
}

/// Lanes of a sum: value `i` always goes to lane `i mod LANES`, so a longer row of zeros changes nothing.
const LANES: usize = 16;

dispatched! {
    /// Replaces `row` by `exp(scale · row) / Σ exp(scale · row)`, computed stably; returns nothing for an empty row.
    pub fn softmax_in_place(row: &mut [f32], scale: f32) {
        let top = maximum(row) * scale;
        let mut sums = [0f32; LANES];
        let mut chunks = row.chunks_exact_mut(LANES);
        for chunk in &mut chunks {
            for (value, sum) in chunk.iter_mut().zip(&mut sums) {
                *value = exp(*value * scale - top);
                *sum += *value;
            }
        }
        let rest = chunks.into_remainder();
        if !rest.is_empty() {
            // As a whole chunk, whose other values add nothing: one by one they would cost as much as all before them.
            let mut chunk = [f32::NEG_INFINITY; LANES];
            chunk[..rest.len()].copy_from_slice(rest);
            for (value, sum) in chunk.iter_mut().zip(&mut sums) {
                *value = exp(*value * scale - top);
                *sum += *value;
            }
            rest.copy_from_slice(&chunk[..rest.len()]);
        }
        let inverse = 1.0 / sums.iter().sum::<f32>();
        for value in row {
            *value *= inverse;
        }
    }
}

#[inline(always)]
#[allow(clippy::inline_always)] // As above.
pub(crate) fn maximum(row: &[f32]) -> f32 {
    let mut tops = [f32::NEG_INFINITY; LANES];
    let chunks = row.chunks_exact(LANES);
    let rest = chunks.remainder();
    for chunk in chunks {
        for (top, value) in tops.iter_mut().zip(chunk) {
            *top = if *value > *top { *value } else { *top };
        }
    }
    for (top, value) in tops.iter_mut().zip(rest) {
        *top = if *value > *top { *value } else { *top };
    }
    tops.iter().copied().fold(f32::NEG_INFINITY, f32::max)
}
