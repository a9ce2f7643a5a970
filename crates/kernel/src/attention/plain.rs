//! Attention with vectors of `f32`: P a block of queries at a time, small products by the `gemm` crate.

use rayon::prelude::*;

use super::AttentionShape;
use crate::exp::softmax_in_place;
use crate::small::{View, product};
use crate::threads::Shared;

/// Queries a block.
const BLOCK: usize = 64;

/// `P` of queries `from..to` (relative to the sequence) of one head, `[to − from, to]`, zero where the query does not see.
fn probabilities(
    shape: &AttentionShape,
    q: View<'_>,
    k: View<'_>,
    (from, to): (usize, usize),
    scores: &mut Vec<f32>,
) {
    let d = shape.head_dim;
    scores.clear();
    scores.resize((to - from) * to, 0.0);
    let queries = View {
        data: &q.data[from * q.row..],
        ..q
    };
    let keys = View {
        data: k.data,
        row: 1,
        column: k.row,
    };
    product((scores, to), (to - from, to, d), queries, keys, 1.0, false);
    for (offset, row) in scores.chunks_exact_mut(to).enumerate() {
        let seen = from + offset + 1;
        let first = shape.window.map_or(0, |window| seen.saturating_sub(window));
        row[..first].fill(0.0);
        softmax_in_place(&mut row[first..seen], shape.scale());
        row[seen..].fill(0.0);
    }
}

/// See [`super::attention_forward`].
pub(super) fn forward(shape: &AttentionShape, q: &[f32], k: &[f32], v: &[f32], out: &mut [f32]) {
    let (d, q_row, kv_row) = (
        shape.head_dim,
        shape.heads * shape.head_dim,
        shape.kv_heads * shape.head_dim,
    );
    let group = shape.heads / shape.kv_heads;
    let out = Shared::new(out);
    shape.tasks().for_each(|task| {
        let length = task.end - task.first;
        let kv = |data| View {
            data,
            row: kv_row,
            column: 1,
        };
        let k = kv(&k[task.first * kv_row + task.kv_head * d..]);
        let v = kv(&v[task.first * kv_row + task.kv_head * d..]);
        let mut scores = Vec::new();
        let mut buffer = vec![0f32; BLOCK * d];
        for head in task.kv_head * group..(task.kv_head + 1) * group {
            let at = task.first * q_row + head * d;
            let q = View {
                data: &q[at..],
                row: q_row,
                column: 1,
            };
            for from in (0..length).step_by(BLOCK) {
                let to = (from + BLOCK).min(length);
                probabilities(shape, q, k, (from, to), &mut scores);
                let p = View {
                    data: &scores,
                    row: to,
                    column: 1,
                };
                product((&mut buffer, d), (to - from, d, to), p, v, 1.0, false);
                for (row, values) in buffer.chunks_exact(d).enumerate().take(to - from) {
                    // SAFETY: a task writes its own heads of its own rows.
                    unsafe { out.write(at + (from + row) * q_row, values) };
                }
            }
        }
    });
}

/// See [`super::attention_backward`].
pub(super) fn backward(
    shape: &AttentionShape,
    (q, k, v): (&[f32], &[f32], &[f32]),
    d_out: &[f32],
    (dq, dk, dv): (&mut [f32], &mut [f32], &mut [f32]),
) {
    let (d, q_row, kv_row) = (
        shape.head_dim,
        shape.heads * shape.head_dim,
        shape.kv_heads * shape.head_dim,
    );
    let group = shape.heads / shape.kv_heads;
    let (dq, dk, dv) = (Shared::new(dq), Shared::new(dk), Shared::new(dv));
    shape.tasks().for_each(|task| {
        let length = task.end - task.first;
        let kv_at = task.first * kv_row + task.kv_head * d;
        let k = View {
            data: &k[kv_at..],
            row: kv_row,
            column: 1,
        };
        let v = View {
            data: &v[kv_at..],
            row: kv_row,
            column: 1,
        };
        let (mut scores, mut slopes) = (Vec::new(), Vec::new());
        let mut dq_block = vec![0f32; BLOCK * d];
        let (mut dk_own, mut dv_own) = (vec![0f32; length * d], vec![0f32; length * d]);
        for head in task.kv_head * group..(task.kv_head + 1) * group {
            let at = task.first * q_row + head * d;
            let q = View {
                data: &q[at..],
                row: q_row,
                column: 1,
            };
            for from in (0..length).step_by(BLOCK) {
                let to = (from + BLOCK).min(length);
                let rows = to - from;
                probabilities(shape, q, k, (from, to), &mut scores);
                let d_o = View {
                    data: &d_out[at + from * q_row..],
                    row: q_row,
                    column: 1,
                };
                let v_transposed = View {
                    data: v.data,
                    row: 1,
                    column: kv_row,
                };
                slopes.clear();
                slopes.resize(rows * to, 0.0);
                product(
                    (&mut slopes, to),
                    (rows, to, d),
                    d_o,
                    v_transposed,
                    1.0,
                    false,
                );
                let p_transposed = View {
                    data: &scores,
                    row: 1,
                    column: to,
                };
                product(
                    (&mut dv_own, d),
                    (to, d, rows),
                    p_transposed,
                    d_o,
                    1.0,
                    true,
                );
                for (p, s) in scores.chunks_exact(to).zip(slopes.chunks_exact_mut(to)) {
                    let mean: f32 = p.iter().zip(&*s).map(|(p, s)| p * s).sum();
                    for (p, s) in p.iter().zip(s) {
                        *s = p * (*s - mean);
                    }
                }
                let ds = View {
                    data: &slopes,
                    row: to,
                    column: 1,
                };
                product(
                    (&mut dq_block, d),
                    (rows, d, to),
                    ds,
                    k,
                    shape.scale(),
                    false,
                );
                let queries = View {
                    data: &q.data[from * q_row..],
                    row: q_row,
                    column: 1,
                };
                let ds_transposed = View {
                    data: &slopes,
                    row: 1,
                    column: to,
                };
                product(
                    (&mut dk_own, d),
                    (to, d, rows),
                    ds_transposed,
                    queries,
                    shape.scale(),
                    true,
                );
                for (row, values) in dq_block.chunks_exact(d).enumerate().take(rows) {
                    // SAFETY: a task writes its own heads of its own rows.
                    unsafe { dq.write(at + (from + row) * q_row, values) };
                }
            }
        }
        for row in 0..length {
            let (place, own) = (kv_at + row * kv_row, row * d..(row + 1) * d);
            // SAFETY: a task writes its own key head of its own rows.
            unsafe {
                dk.write(place, &dk_own[own.clone()]);
                dv.write(place, &dv_own[own]);
            }
        }
    });
}
