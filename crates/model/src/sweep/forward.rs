//! One layer forward: `x + attention(norm(x))`, then `+ mlp(norm(·))`.

use harness_kernel::{Start, attention_forward, rms_norm_row, swiglu_row};
use rayon::prelude::*;

use super::linear::Site;
use super::pairs::Pairs;
use super::saved::Saved;
use super::{Plan, Scratch, Sweep};
use crate::buffer::fit;
use crate::lora::Projection;

impl Sweep<'_> {
    /// The layer's output, `[t, hidden]` in the last layer and `[m, hidden]` before, from its input `x`.
    #[allow(clippy::too_many_arguments)] // They are what a layer's pass is about; a struct would be taken apart at once.
    pub(super) fn forward(
        &self,
        plan: &Plan,
        pairs: &Pairs,
        index: usize,
        x: &[f32],
        saved: &mut Saved,
        scratch: &mut Scratch,
        out: &mut Vec<f32>,
    ) {
        let config = &self.decoder.config;
        let layer = &self.decoder.layers[index];
        let (m, hidden, epsilon) = (plan.tokens(), config.hidden, self.epsilon());
        let q_width = config.heads * config.head_dim;
        let kv_width = config.kv_heads * config.head_dim;
        let site = |projection| Site::new(plan, pairs, index, projection);

        let normed = |row: usize, into: &mut [f32]| {
            rms_norm_row(
                &x[row * hidden..][..hidden],
                &layer.input_norm,
                epsilon,
                into,
            );
        };
        scratch.rows.fill(m, hidden, normed);
        for (projection, width, y) in [
            (Projection::QProj, q_width, &mut saved.q),
            (Projection::KProj, kv_width, &mut saved.k),
            (Projection::VProj, kv_width, &mut saved.v),
        ] {
            let y = fit(y, m * width);
            let low = &mut saved.low[projection as usize];
            let site = site(projection);
            self.project(
                &site,
                (&scratch.rows, &mut scratch.low),
                &normed,
                low,
                (Start::Zero, y),
            );
        }
        if let Some(norms) = &layer.qk_norm {
            for (x, raw, weight) in [
                (&mut saved.q, &mut saved.q_raw, &norms.q),
                (&mut saved.k, &mut saved.k_raw, &norms.k),
            ] {
                raw.clone_from(x);
                harness_kernel::rms_norm(raw, weight, epsilon, x);
            }
        }
        let rope = &self.decoder.rope;
        rope.rotate(&mut saved.q, &plan.positions, false);
        rope.rotate(&mut saved.k, &plan.positions, false);
        let attended = fit(&mut saved.attended, m * q_width);
        let shape = self.attention(plan, index);
        let qkv = (&saved.q[..], &saved.k[..], &saved.v[..]);
        attention_forward(shape, scratch.rows.precision(), qkv, attended);

        // Behind the last attention only the rows that carry loss are of use.
        let t = self.rows_behind(plan, index);
        let selected = self.is_last(index).then(|| {
            saved.attended = select(&saved.attended, q_width, &plan.rows);
            select(x, hidden, &plan.rows)
        });
        let x = selected.as_deref().unwrap_or(x);
        let attended = &saved.attended;
        let copied = |row: usize, into: &mut [f32]| {
            into.copy_from_slice(&attended[row * q_width..][..q_width]);
        };
        scratch.rows.fill(t, q_width, copied);
        let low = &mut saved.low[Projection::OProj as usize];
        let site_o = site(Projection::OProj);
        let middle = (Start::Matrix(x), fit(&mut saved.middle, t * hidden));
        self.project(
            &site_o,
            (&scratch.rows, &mut scratch.low),
            &copied,
            low,
            middle,
        );

        let middle = &saved.middle;
        let normed = |row: usize, into: &mut [f32]| {
            let x = &middle[row * hidden..][..hidden];
            rms_norm_row(x, &layer.post_attention_norm, epsilon, into);
        };
        scratch.rows.fill(t, hidden, normed);
        let inner = config.intermediate;
        for (projection, y) in [
            (Projection::GateProj, &mut saved.gate),
            (Projection::UpProj, &mut saved.up),
        ] {
            let y = fit(y, t * inner);
            let low = &mut saved.low[projection as usize];
            let site = site(projection);
            self.project(
                &site,
                (&scratch.rows, &mut scratch.low),
                &normed,
                low,
                (Start::Zero, y),
            );
        }
        let (gate, up) = (&saved.gate, &saved.up);
        let activated = |row: usize, into: &mut [f32]| {
            let stretch = row * inner..(row + 1) * inner;
            swiglu_row(&gate[stretch.clone()], &up[stretch], into);
        };
        scratch.rows.fill(t, inner, activated);
        let low = &mut saved.low[Projection::DownProj as usize];
        let site_down = site(Projection::DownProj);
        let y = (Start::Matrix(&saved.middle), fit(out, t * hidden));
        self.project(
            &site_down,
            (&scratch.rows, &mut scratch.low),
            &activated,
            low,
            y,
        );
    }

    pub(super) fn attention<'p>(
        &self,
        plan: &'p Plan,
        index: usize,
    ) -> &'p harness_kernel::AttentionShape {
        let slides = self.decoder.config.window_of(index).is_some();
        &plan.attention[usize::from(slides)]
    }

    /// `t` in the last layer, `m` before.
    pub(super) fn rows_behind(&self, plan: &Plan, index: usize) -> usize {
        if self.is_last(index) {
            plan.rows.len()
        } else {
            plan.tokens()
        }
    }
}

/// The `rows` of `x`, which are `width` wide.
fn select(x: &[f32], width: usize, rows: &[usize]) -> Vec<f32> {
    let mut out = vec![0f32; rows.len() * width];
    out.par_chunks_mut(width.max(1))
        .zip(rows)
        .for_each(|(into, row)| into.copy_from_slice(&x[row * width..][..width]));
    out
}
