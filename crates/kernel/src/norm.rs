//! RMS normalisation: `y = x / √(mean(x²) + ε) · w` (Zhang and Sennrich 2019), row by row.

use rayon::prelude::*;

use crate::simd::dispatched;
use crate::threads::for_each_row_block;

/// Sum of `a · b` in `f64`-free fixed order: sixteen lanes, then the lanes in order.
#[inline(always)]
#[allow(clippy::inline_always)] // Small, and has to vectorise inside its callers.
fn dot(a: &[f32], b: &[f32]) -> f32 {
    let mut lanes = [0f32; 16];
    let (a_chunks, b_chunks) = (a.chunks_exact(16), b.chunks_exact(16));
    let rest: f32 = a_chunks
        .remainder()
        .iter()
        .zip(b_chunks.remainder())
        .map(|(x, y)| x * y)
        .sum();
    for (x, y) in a_chunks.zip(b_chunks) {
        for i in 0..16 {
            lanes[i] += x[i] * y[i];
        }
    }
    lanes.iter().sum::<f32>() + rest
}

/// `1 / √(mean(x²) + ε)`.
#[inline(always)]
#[allow(clippy::inline_always)] // As above.
fn inverse_rms(x: &[f32], epsilon: f32) -> f32 {
    1.0 / (dot(x, x) / x.len() as f32 + epsilon).sqrt()
}

dispatched! {
    /// Normalises one row of `x` into `out`; both are as long as `weight`.
    pub fn rms_norm_row(x: &[f32], weight: &[f32], epsilon: f32, out: &mut [f32]) {
        let scale = inverse_rms(x, epsilon);
        for ((y, x), w) in out.iter_mut().zip(x).zip(weight) {
            *y = x * scale * w;
        }
    }
}

/// Normalises each row of `x` (`[m, weight.len()]`) into `out`.
///
/// # Panics
/// If `out` and `x` differ in length.
pub fn rms_norm(x: &[f32], weight: &[f32], epsilon: f32, out: &mut [f32]) {
    let width = weight.len();
    assert_eq!(x.len(), out.len());
    for_each_row_block(out, width, |first, block| {
        for (offset, y) in block.chunks_exact_mut(width).enumerate() {
            let x = &x[(first + offset) * width..][..width];
            rms_norm_row(x, weight, epsilon, y);
        }
    });
}

dispatched! {
    /// The gradient with respect to one row of `x`, written over `dy`, the one with respect to `y`; see [`rms_norm_backward`].
    pub fn rms_norm_backward_row(x: &[f32], weight: &[f32], epsilon: f32, dy: &mut [f32]) {
        let r = inverse_rms(x, epsilon);
        for (dy, w) in dy.iter_mut().zip(weight) {
            *dy *= w;
        }
        let pull = r * r * r * dot(dy, x) / weight.len() as f32;
        for (dx, x) in dy.iter_mut().zip(x) {
            *dx = *dx * r - x * pull;
        }
    }
}

/// The gradient with respect to `x`, written to `dx`, from that with respect to `y`; the weight is frozen.
/// With `r = 1/rms` and `g = dy · w`: `dx = r · g − x · r³ · mean(g · x)`.
///
/// # Panics
/// If `x`, `dy` and `dx` differ in length.
pub fn rms_norm_backward(x: &[f32], weight: &[f32], epsilon: f32, dy: &[f32], dx: &mut [f32]) {
    let width = weight.len();
    assert!(x.len() == dx.len() && dy.len() == dx.len());
    for_each_row_block(dx, width, |first, block| {
        for (offset, dx) in block.chunks_exact_mut(width).enumerate() {
            let from = (first + offset) * width;
            dx.copy_from_slice(&dy[from..from + width]);
            rms_norm_backward_row(&x[from..from + width], weight, epsilon, dx);
        }
    });
}

/// The gradient with respect to the weight, `Σ dy · x/rms` over the rows, added to `dw`.
///
/// Rows are summed in blocks of a fixed size and the blocks in their order, so the result does not depend on the
/// number of threads.
///
/// # Panics
/// If `x` and `dy` differ in length.
pub fn rms_norm_weight_gradient(x: &[f32], epsilon: f32, dy: &[f32], dw: &mut [f32]) {
    const ROWS: usize = 64;
    let width = dw.len();
    assert_eq!(x.len(), dy.len());
    if width == 0 {
        return;
    }
    let parts: Vec<Vec<f32>> = x
        .par_chunks(ROWS * width)
        .zip(dy.par_chunks(ROWS * width))
        .map(|(x, dy)| {
            let mut part = vec![0f32; width];
            for (x, dy) in x.chunks_exact(width).zip(dy.chunks_exact(width)) {
                let r = inverse_rms(x, epsilon);
                for ((part, x), dy) in part.iter_mut().zip(x).zip(dy) {
                    *part += dy * (x * r);
                }
            }
            part
        })
        .collect();
    for part in parts {
        for (dw, part) in dw.iter_mut().zip(part) {
            *dw += part;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Against differences of `Σ dy · y` in the weight, which is linear in it: exact but for rounding.
    #[test]
    fn the_weight_gradient_is_a_slope() {
        let (rows, width) = (150, 5);
        let wave = |i: usize, by: f32| ((i as f32 + by) * 0.37).sin();
        let x: Vec<f32> = (0..rows * width).map(|i| wave(i, 0.0)).collect();
        let dy: Vec<f32> = (0..rows * width).map(|i| wave(i, 9.5)).collect();
        let mut found = vec![1f32; width];
        rms_norm_weight_gradient(&x, 1e-5, &dy, &mut found);
        for column in 0..width {
            let mut unit = vec![0f32; width];
            unit[column] = 1.0;
            let mut y = vec![0f32; x.len()];
            rms_norm(&x, &unit, 1e-5, &mut y);
            let slope: f32 = y.iter().zip(&dy).map(|(y, dy)| y * dy).sum();
            let gradient = found[column] - 1.0;
            assert!((gradient - slope).abs() < 1e-4, "{gradient} for {slope}");
        }
    }
}
