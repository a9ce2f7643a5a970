//! The gated activation `silu(gate) · up`, `silu(x) = x / (1 + e⁻ˣ)` (Shazeer 2020).

use crate::exp::exp;
use crate::simd::dispatched;
use crate::threads::for_each_row_block;

/// Values a task.
const BLOCK: usize = 256;

/// `out = silu(gate) · up`, element by element.
///
/// # Panics
/// If the lengths differ.
pub fn swiglu(gate: &[f32], up: &[f32], out: &mut [f32]) {
    assert!(gate.len() == out.len() && up.len() == out.len());
    blocks(out, |first, block| {
        let end = first + block.len();
        swiglu_row(&gate[first..end], &up[first..end], block);
    });
}

/// Gradients of [`swiglu`]: `d_gate = dy · up · σ(g)(1 + g(1 − σ(g)))`, `d_up = dy · silu(g)`.
///
/// # Panics
/// If the lengths differ.
pub fn swiglu_backward(gate: &[f32], up: &[f32], dy: &[f32], d_gate: &mut [f32], d_up: &mut [f32]) {
    let len = gate.len();
    assert!([up.len(), dy.len(), d_gate.len(), d_up.len()] == [len; 4]);
    blocks(d_gate, |first, block| {
        let end = first + block.len();
        backward_gate(&gate[first..end], &up[first..end], &dy[first..end], block);
    });
    blocks(d_up, |first, block| {
        let end = first + block.len();
        swiglu_row(&gate[first..end], &dy[first..end], block);
    });
}

fn blocks(out: &mut [f32], work: impl Fn(usize, &mut [f32]) + Sync + Send) {
    // A "row" is any stretch here; the last one may be short.
    let whole = out.len() / BLOCK * BLOCK;
    let (head, tail) = out.split_at_mut(whole);
    for_each_row_block(head, BLOCK, |row, block| work(row * BLOCK, block));
    work(whole, tail);
}

dispatched! {
    /// [`swiglu`] of a stretch, on the calling thread.
    pub fn swiglu_row(gate: &[f32], up: &[f32], out: &mut [f32]) {
        for ((y, g), u) in out.iter_mut().zip(gate).zip(up) {
            *y = g / (1.0 + exp(-g)) * u;
        }
    }
}

dispatched! {
    /// [`swiglu_backward`] of a stretch, on the calling thread, with the activation again: `dy` becomes it,
    /// `gate` and `up` become their gradients.
    pub fn swiglu_backward_row(gate: &mut [f32], up: &mut [f32], dy: &mut [f32]) {
        for ((g, u), dy) in gate.iter_mut().zip(up).zip(dy) {
            let (gate, up, slope) = (*g, *u, *dy);
            let sigma = 1.0 / (1.0 + exp(-gate));
            let silu = gate * sigma;
            *dy = silu * up;
            *g = slope * up * sigma * (1.0 + gate * (1.0 - sigma));
            *u = slope * silu;
        }
    }
}

dispatched! {
    fn backward_gate(gate: &[f32], up: &[f32], dy: &[f32], out: &mut [f32]) {
        for (((d, g), u), dy) in out.iter_mut().zip(gate).zip(up).zip(dy) {
            let sigma = 1.0 / (1.0 + exp(-g));
            *d = dy * u * sigma * (1.0 + g * (1.0 - sigma));
        }
    }
}
