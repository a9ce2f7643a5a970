//! One layer backward: the gradient of its input from that of its output, and those of its pairs.

use harness_kernel::{
    Start, attention_backward, rms_norm, rms_norm_backward_row, swiglu_backward_row,
};
use rayon::prelude::*;

use super::gradients::LoraGradients;
use super::linear::{Site, add};
use super::pairs::Pairs;
use super::saved::Saved;
use super::{Plan, Scratch, Sweep};
use crate::buffer::fit;
use crate::lora::Projection;

impl Sweep<'_> {
    /// `d` is the gradient of the layer's output and becomes that of its input. The first layer's input is frozen: there `d`
    /// is left as it was behind the attention. What was saved is used up.
    #[allow(clippy::too_many_arguments)] // They are what a layer's pass is about; a struct would be taken apart at once.
    pub(super) fn backward(
        &self,
        plan: &Plan,
        pairs: &Pairs,
        index: usize,
        x: &[f32],
        saved: &mut Saved,
        scratch: &mut Scratch,
        d: &mut Vec<f32>,
        gradients: &mut LoraGradients,
    ) {
        let config = &self.decoder.config;
        let layer = &self.decoder.layers[index];
        let (hidden, inner, epsilon) = (config.hidden, config.intermediate, self.epsilon());
        let (m, t) = (plan.tokens(), self.rows_behind(plan, index));
        let q_width = config.heads * config.head_dim;
        let kv_width = config.kv_heads * config.head_dim;
        let Scratch {
            low: space,
            rows: d_rows,
            h,
            dh,
            wide,
            d_q,
            d_k,
            d_v,
            ..
        } = scratch;

        // Down projection: its input, the activation, comes back with the gradients of gate and up.
        d_rows.copy(d, t, hidden);
        let d_activated = fit(wide, t * inner);
        let site = Site::new(plan, pairs, index, Projection::DownProj);
        self.d_input(&site, d_rows, space, Some((Start::Zero, &mut *d_activated)));
        saved
            .gate
            .par_chunks_mut(inner)
            .zip(saved.up.par_chunks_mut(inner))
            .zip(d_activated.par_chunks_mut(inner))
            .for_each(|((gate, up), d)| swiglu_backward_row(gate, up, d));
        let activated = &*d_activated;
        let low = &saved.low[Projection::DownProj as usize];
        let gradient = gradients.get_mut(index, Projection::DownProj);
        Self::d_pair(&site, space, (activated, low, d), gradient);

        let normed = fit(h, t * hidden);
        rms_norm(&saved.middle, &layer.post_attention_norm, epsilon, normed);
        let d_normed = fit(dh, t * hidden);
        for (projection, dy, start) in [
            (Projection::GateProj, &saved.gate, Start::Zero),
            (Projection::UpProj, &saved.up, Start::Out),
        ] {
            d_rows.copy(dy, t, inner);
            let site = Site::new(plan, pairs, index, projection);
            self.d_input(&site, d_rows, space, Some((start, &mut *d_normed)));
            let low = &saved.low[projection as usize];
            let gradient = gradients.get_mut(index, projection);
            Self::d_pair(&site, space, (normed, low, dy), gradient);
        }
        // From here on `d` is the gradient behind the attention.
        norm_backward(
            &saved.middle,
            &layer.post_attention_norm,
            epsilon,
            d_normed,
            d,
        );

        d_rows.copy(d, t, hidden);
        let d_attended = fit(wide, t * q_width);
        let site = Site::new(plan, pairs, index, Projection::OProj);
        self.d_input(&site, d_rows, space, Some((Start::Zero, d_attended)));
        let low = &saved.low[Projection::OProj as usize];
        let gradient = gradients.get_mut(index, Projection::OProj);
        Self::d_pair(&site, space, (&saved.attended, low, d), gradient);
        if self.is_last(index) {
            *wide = scatter(wide, q_width, m, &plan.rows);
            *d = scatter(d, hidden, m, &plan.rows);
        }
        let (d_q, d_k, d_v) = (
            fit(d_q, m * q_width),
            fit(d_k, m * kv_width),
            fit(d_v, m * kv_width),
        );
        attention_backward(
            self.attention(plan, index),
            d_rows.precision(),
            (&saved.q, &saved.k, &saved.v),
            wide,
            (d_q, d_k, d_v),
        );
        let rope = &self.decoder.rope;
        rope.rotate(d_q, &plan.positions, true);
        rope.rotate(d_k, &plan.positions, true);
        if let Some(norms) = &layer.qk_norm {
            for (raw, weight, d) in [
                (&saved.q_raw, &norms.q, &mut *d_q),
                (&saved.k_raw, &norms.k, &mut *d_k),
            ] {
                let width = weight.len();
                d.par_chunks_mut(width)
                    .zip(raw.par_chunks(width))
                    .for_each(|(d, x)| rms_norm_backward_row(x, weight, epsilon, d));
            }
        }
        let normed = fit(h, m * hidden);
        rms_norm(x, &layer.input_norm, epsilon, normed);
        let d_normed = fit(dh, m * hidden);
        // Nothing below the first layer is trained.
        let goes_on = index > 0;
        for (projection, width, dy, start) in [
            (Projection::QProj, q_width, &*d_q, Start::Zero),
            (Projection::KProj, kv_width, &*d_k, Start::Out),
            (Projection::VProj, kv_width, &*d_v, Start::Out),
        ] {
            let site = Site::new(plan, pairs, index, projection);
            if !goes_on && site.pair.is_none() {
                continue;
            }
            d_rows.copy(dy, m, width);
            let dx = goes_on.then_some((start, &mut *d_normed));
            self.d_input(&site, d_rows, space, dx);
            let low = &saved.low[projection as usize];
            let gradient = gradients.get_mut(index, projection);
            Self::d_pair(&site, space, (normed, low, dy), gradient);
        }
        if goes_on {
            norm_backward(x, &layer.input_norm, epsilon, d_normed, d);
        }
    }
}

/// `d += ` the gradient of `x` from `dy`, that of its norm; `dy` is used up.
pub(super) fn norm_backward(
    x: &[f32],
    weight: &[f32],
    epsilon: f32,
    dy: &mut [f32],
    d: &mut [f32],
) {
    let width = weight.len();
    d.par_chunks_mut(width)
        .zip(dy.par_chunks_mut(width))
        .zip(x.par_chunks(width))
        .for_each(|((d, dy), x)| {
            rms_norm_backward_row(x, weight, epsilon, dy);
            for (d, dy) in d.iter_mut().zip(dy) {
                *d += *dy;
            }
        });
}

/// The selected rows of a matrix of `m` rows put back to where they were, zeros elsewhere; a row that was selected
/// several times gets the sum.
fn scatter(d: &[f32], width: usize, m: usize, rows: &[usize]) -> Vec<f32> {
    let mut out = vec![0f32; m * width];
    for (row, d) in rows.iter().zip(d.chunks_exact(width.max(1))) {
        add(&mut out[row * width..][..width], d);
    }
    out
}
