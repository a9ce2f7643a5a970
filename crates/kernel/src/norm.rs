//! RMS normalisation: `y = x / √(mean(x²) + ε) · w` (Zhang and Sennrich 2019), row by row.

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
#[inline]
fn inverse_rms(x: &[f32], epsilon: f32) -> f32 {
    1.0 / (dot(x, x) / x.len() as f32 + epsilon).sqrt()
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
            let scale = inverse_rms(x, epsilon);
            for ((y, x), w) in y.iter_mut().zip(x).zip(weight) {
                *y = x * scale * w;
            }
        }
    });
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
            let (x, dy) = (&x[from..from + width], &dy[from..from + width]);
            let r = inverse_rms(x, epsilon);
            for ((dx, dy), w) in dx.iter_mut().zip(dy).zip(weight) {
                *dx = dy * w;
            }
            let pull = r * r * r * dot(dx, x) / width as f32;
            for (dx, x) in dx.iter_mut().zip(x) {
                *dx = *dx * r - x * pull;
            }
        }
    });
}
