//! Causal self-attention for training: sequences laid end to end, gradients by recomputation.
//!
//! `S = QKᵀ/√d`, `P = softmax(S)` over positions up to the query's own (the last `window` of them
//! where attention slides), `O = PV`. Nothing but Q, K and V is kept for the
//! backward pass; P is computed again a block of queries at a time. Heads that share a key head
//! (grouped-query attention) read it in place, without copies.

mod plain;
#[cfg(all(target_arch = "x86_64", target_os = "linux"))]
mod tiles;

use rayon::prelude::*;

use crate::pack::Precision;

/// Shape of an attention over sequences laid end to end.
#[derive(Debug, Clone)]
pub struct AttentionShape {
    /// Query heads.
    pub heads: usize,
    /// Key and value heads; divides `heads`.
    pub kv_heads: usize,
    /// Width `d` of a head.
    pub head_dim: usize,
    /// First row of each sequence, and the number of rows at the end: `sequences + 1` values, rising.
    pub starts: Vec<usize>,
    /// How many positions a query sees, its own among them; none: all before it.
    pub window: Option<usize>,
}

impl AttentionShape {
    pub(crate) fn rows(&self) -> usize {
        self.starts.last().copied().unwrap_or(0)
    }

    fn scale(&self) -> f32 {
        1.0 / (self.head_dim as f32).sqrt()
    }

    fn check(&self, q: &[f32], k: &[f32], v: &[f32]) {
        let rows = self.rows();
        // No slice is as long as what a product that is too large becomes.
        let size = |heads: usize| rows.saturating_mul(heads).saturating_mul(self.head_dim);
        assert_eq!(q.len(), size(self.heads), "q");
        assert_eq!(k.len(), size(self.kv_heads), "k");
        assert!(
            self.kv_heads > 0 && self.heads.is_multiple_of(self.kv_heads),
            "key heads divide heads"
        );
        assert!(self.head_dim > 0, "a head has a width");
        assert_eq!(v.len(), k.len(), "v");
        assert!(self.starts.is_sorted(), "sequence starts rise");
    }

    /// One task a key head of a sequence that has a row.
    fn tasks(&self) -> impl ParallelIterator<Item = Task> + '_ {
        let sequences = self.starts.len().saturating_sub(1);
        (0..sequences * self.kv_heads)
            .into_par_iter()
            .map(|index| Task {
                first: self.starts[index / self.kv_heads],
                end: self.starts[index / self.kv_heads + 1],
                kv_head: index % self.kv_heads,
            })
            .filter(|task| task.first < task.end)
    }
}

struct Task {
    first: usize,
    end: usize,
    kv_head: usize,
}

/// `out = softmax(QKᵀ/√d, causal) V`. `q` and `out` are `[rows, heads · d]`, `k` and `v` `[rows, kv_heads · d]`, rotated.
/// On a machine with a tile unit products are in `precision`, elsewhere in `f32`.
///
/// # Panics
/// If a slice does not fit the shape.
pub fn attention_forward(
    shape: &AttentionShape,
    precision: Precision,
    (q, k, v): (&[f32], &[f32], &[f32]),
    out: &mut [f32],
) {
    shape.check(q, k, v);
    assert_eq!(q.len(), out.len(), "out");
    #[cfg(all(target_arch = "x86_64", target_os = "linux"))]
    if crate::amx::available() {
        match precision {
            Precision::F32 => tiles::forward::<3>(shape, (q, k, v), out),
            Precision::Bf16 => tiles::forward::<1>(shape, (q, k, v), out),
        }
        return;
    }
    let _ = precision;
    plain::forward(shape, q, k, v, out);
}

/// Gradients of [`attention_forward`] from `d_out`; `dq`, `dk` and `dv` are overwritten.
/// With `dP = dO Vᵀ` and `dS = P ∘ (dP − rowsum(P ∘ dP))`: `dQ = dS K/√d`, `dK = dSᵀ Q/√d`, `dV = Pᵀ dO`.
///
/// # Panics
/// If a slice does not fit the shape.
pub fn attention_backward(
    shape: &AttentionShape,
    precision: Precision,
    (q, k, v): (&[f32], &[f32], &[f32]),
    d_out: &[f32],
    (dq, dk, dv): (&mut [f32], &mut [f32], &mut [f32]),
) {
    shape.check(q, k, v);
    assert!(d_out.len() == q.len() && dq.len() == q.len());
    assert!(dk.len() == k.len() && dv.len() == k.len());
    #[cfg(all(target_arch = "x86_64", target_os = "linux"))]
    if crate::amx::available() {
        match precision {
            Precision::F32 => tiles::backward::<3>(shape, (q, k, v), d_out, (dq, dk, dv)),
            Precision::Bf16 => tiles::backward::<1>(shape, (q, k, v), d_out, (dq, dk, dv)),
        }
        return;
    }
    let _ = precision;
    plain::backward(shape, (q, k, v), d_out, (dq, dk, dv));
}
