//! Rotary position embedding in the half-split layout of Hugging Face checkpoints (Su et al. 2021):
//! the pair `(x[i], x[i + d/2])` turns by `position · f[i]`; plain models have `f[i] = θ^(−2i/d)`.

use crate::simd::dispatched;
use crate::threads::for_each_row_block;

/// Cosines and sines for positions `0..positions`, `d/2` of each a position.
#[derive(Debug, Clone)]
pub struct Rope {
    half: usize,
    cos: Vec<f32>,
    sin: Vec<f32>,
}

impl Rope {
    /// Tables for heads of width `2 · frequencies.len()`; frequencies are in radians a position.
    pub fn new(frequencies: &[f32], positions: usize) -> Self {
        let half = frequencies.len();
        let mut cos = Vec::with_capacity(positions * half);
        let mut sin = Vec::with_capacity(positions * half);
        for position in 0..positions {
            for frequency in frequencies {
                // The reference computes the angle in f32; its rounding is followed.
                let angle = position as f32 * frequency;
                cos.push(angle.cos());
                sin.push(angle.sin());
            }
        }
        Self { half, cos, sin }
    }

    /// Number of positions in the tables.
    pub fn positions(&self) -> usize {
        self.cos.len() / self.half.max(1)
    }

    /// Turns each head of each row of `x` (`[m, heads · d]`) in place by the row's position;
    /// `inverse` turns back, which is also the backward pass.
    ///
    /// # Panics
    /// If a position lies beyond the tables or `x` is not `[positions.len(), heads · d]`.
    pub fn rotate(&self, x: &mut [f32], positions: &[u32], inverse: bool) {
        if positions.is_empty() {
            return;
        }
        let width = x.len() / positions.len();
        let half = self.half;
        assert!(width.is_multiple_of(2 * half) && width * positions.len() == x.len());
        let sign = if inverse { -1.0 } else { 1.0 };
        for_each_row_block(x, width, |first, block| {
            for (offset, row) in block.chunks_exact_mut(width).enumerate() {
                let at = positions[first + offset] as usize * half;
                let (cos, sin) = (&self.cos[at..at + half], &self.sin[at..at + half]);
                turn(row, cos, sin, sign);
            }
        });
    }
}

dispatched! {
    /// Turns the heads of one row; a head is twice as wide as `cos` and `sin`.
    fn turn(row: &mut [f32], cos: &[f32], sin: &[f32], sign: f32) {
        let half = cos.len();
        for head in row.chunks_exact_mut(2 * half) {
            let (low, high) = head.split_at_mut(half);
            for (((low, high), cos), sin) in low.iter_mut().zip(high).zip(cos).zip(sin) {
                let (a, b, s) = (*low, *high, sin * sign);
                *low = a * cos - b * s;
                *high = b * cos + a * s;
            }
        }
    }
}
