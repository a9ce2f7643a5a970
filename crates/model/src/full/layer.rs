//! One layer, forward and backward: `x + attention(norm(x))`, then `+ mlp(norm(·))`.
//! Dimension letters: `m` tokens laid end to end, `t` rows that go on (all, but for the last layer), `i` intermediate.

use candle_core::Result;
use harness_kernel::{
    AttentionShape, Init, Precision, attention_backward, attention_forward, swiglu, swiglu_backward,
};

use super::sweep::{Sweep, add};
use super::{K_NORM, Q_NORM, of_layer};
use crate::lora::Projection;

/// What all layers of a micro-batch share.
pub(super) struct Plan {
    /// `[m]` positions within the sequences.
    pub(super) positions: Vec<u32>,
    /// Which tokens see which: in layers that see all positions before them, and in those that slide.
    pub(super) attention: [AttentionShape; 2],
    /// `[t]` rows that carry loss, rising. Behind the last attention only these are of use.
    pub(super) rows: Vec<usize>,
}

/// What the backward pass needs of a layer's forward pass.
pub(super) struct Layer {
    index: usize,
    /// `[m, hidden]`: the layer's input, and that normalised.
    x: Vec<f32>,
    h: Vec<f32>,
    /// `[m, heads · d]` and `[m, kv_heads · d]` as they were before their heads were normalised; empty where they are not.
    q_raw: Vec<f32>,
    k_raw: Vec<f32>,
    /// `[m, heads · d]` and twice `[m, kv_heads · d]`, rotated.
    q: Vec<f32>,
    k: Vec<f32>,
    v: Vec<f32>,
    /// `[t, heads · d]`.
    attended: Vec<f32>,
    /// `[t, hidden]`: behind the attention, and that normalised.
    middle: Vec<f32>,
    h_middle: Vec<f32>,
    /// `[t, i]`.
    gate: Vec<f32>,
    up: Vec<f32>,
    activated: Vec<f32>,
}

impl Sweep<'_> {
    /// The layer's output, `[t, hidden]`, from its input `[m, hidden]`.
    pub(super) fn layer(
        &self,
        plan: &Plan,
        index: usize,
        x: Vec<f32>,
    ) -> Result<(Layer, Vec<f32>)> {
        let m = plan.positions.len();
        let rope = &self.model.rope;
        let h = self.norm(&of_layer(index, "input_layernorm.weight"), &x)?;
        let mut q = self.project(index, Projection::QProj, &h, m)?;
        let mut k = self.project(index, Projection::KProj, &h, m)?;
        let v = self.project(index, Projection::VProj, &h, m)?;
        let (mut q_raw, mut k_raw) = (Vec::new(), Vec::new());
        if self.model.config.qk_norm {
            let normed_q = self.norm(&of_layer(index, Q_NORM), &q)?;
            let normed_k = self.norm(&of_layer(index, K_NORM), &k)?;
            q_raw = std::mem::replace(&mut q, normed_q);
            k_raw = std::mem::replace(&mut k, normed_k);
        }
        rope.rotate(&mut q, &plan.positions, false);
        rope.rotate(&mut k, &plan.positions, false);
        let mut attended = vec![0f32; q.len()];
        attention_forward(
            self.attention(plan, index),
            Precision::F32,
            (&q, &k, &v),
            &mut attended,
        );

        let mut middle = x.clone();
        if self.is_last(index) {
            attended = select(&attended, m, &plan.rows);
            middle = select(&middle, m, &plan.rows);
        }
        let t = self.rows_behind(plan, index);
        self.add_projected(index, Projection::OProj, &attended, t, &mut middle)?;
        let h_middle = self.norm(&of_layer(index, "post_attention_layernorm.weight"), &middle)?;
        let gate = self.project(index, Projection::GateProj, &h_middle, t)?;
        let up = self.project(index, Projection::UpProj, &h_middle, t)?;
        let mut activated = vec![0f32; gate.len()];
        swiglu(&gate, &up, &mut activated);
        let mut out = middle.clone();
        self.add_projected(index, Projection::DownProj, &activated, t, &mut out)?;
        let layer = Layer {
            index,
            x,
            h,
            q_raw,
            k_raw,
            q,
            k,
            v,
            attended,
            middle,
            h_middle,
            gate,
            up,
            activated,
        };
        Ok((layer, out))
    }

    /// The gradient of the layer's input, `[m, hidden]`, from that of its output, `[t, hidden]`.
    pub(super) fn layer_backward(
        &mut self,
        plan: &Plan,
        layer: &Layer,
        mut d: Vec<f32>,
    ) -> Result<Vec<f32>> {
        let index = layer.index;
        let (m, t) = (plan.positions.len(), self.rows_behind(plan, index));
        let weight = |projection| weight_of(index, projection);

        let mut d_activated = vec![0f32; layer.activated.len()];
        self.projected_bias_backward(index, Projection::DownProj, &d);
        self.linear_backward(
            &weight(Projection::DownProj),
            &layer.activated,
            &d,
            t,
            &mut d_activated,
            Init::Zero,
        )?;
        let (mut d_gate, mut d_up) = (vec![0f32; layer.gate.len()], vec![0f32; layer.up.len()]);
        swiglu_backward(&layer.gate, &layer.up, &d_activated, &mut d_gate, &mut d_up);
        let mut dh = vec![0f32; layer.h_middle.len()];
        for (projection, dy, init) in [
            (Projection::GateProj, &d_gate, Init::Zero),
            (Projection::UpProj, &d_up, Init::Keep),
        ] {
            self.linear_backward(&weight(projection), &layer.h_middle, dy, t, &mut dh, init)?;
            self.projected_bias_backward(index, projection, dy);
        }
        // From here on `d` is the gradient behind the attention.
        let norm = of_layer(index, "post_attention_layernorm.weight");
        self.norm_backward(&norm, &layer.middle, &dh, &mut d)?;

        let mut d_attended = vec![0f32; layer.attended.len()];
        self.projected_bias_backward(index, Projection::OProj, &d);
        self.linear_backward(
            &weight(Projection::OProj),
            &layer.attended,
            &d,
            t,
            &mut d_attended,
            Init::Zero,
        )?;
        if self.is_last(index) {
            d_attended = scatter(&d_attended, m, &plan.rows, layer.q.len());
            d = scatter(&d, m, &plan.rows, layer.x.len());
        }
        let (mut dq, mut dk, mut dv) = (
            vec![0f32; layer.q.len()],
            vec![0f32; layer.k.len()],
            vec![0f32; layer.v.len()],
        );
        attention_backward(
            self.attention(plan, index),
            Precision::F32,
            (&layer.q, &layer.k, &layer.v),
            &d_attended,
            (&mut dq, &mut dk, &mut dv),
        );
        let rope = &self.model.rope;
        rope.rotate(&mut dq, &plan.positions, true);
        rope.rotate(&mut dk, &plan.positions, true);
        if self.model.config.qk_norm {
            for (norm, raw, d) in [
                (Q_NORM, &layer.q_raw, &mut dq),
                (K_NORM, &layer.k_raw, &mut dk),
            ] {
                let mut through = vec![0f32; raw.len()];
                self.norm_backward(&of_layer(index, norm), raw, d, &mut through)?;
                *d = through;
            }
        }
        let mut dh = vec![0f32; layer.h.len()];
        for (projection, dy, init) in [
            (Projection::QProj, &dq, Init::Zero),
            (Projection::KProj, &dk, Init::Keep),
            (Projection::VProj, &dv, Init::Keep),
        ] {
            self.linear_backward(&weight(projection), &layer.h, dy, m, &mut dh, init)?;
            self.projected_bias_backward(index, projection, dy);
        }
        let norm = of_layer(index, "input_layernorm.weight");
        self.norm_backward(&norm, &layer.x, &dh, &mut d)?;
        Ok(d)
    }

    /// `x · Wᵀ`, plus the bias where the projection has one.
    fn project(
        &self,
        index: usize,
        projection: Projection,
        x: &[f32],
        m: usize,
    ) -> Result<Vec<f32>> {
        let (outputs, _) = projection.shape(&self.model.config);
        let mut y = vec![0f32; m * outputs];
        let mut init = Init::Zero;
        if projection.biased(&self.model.config) {
            self.bias(&bias_of(index, projection), &mut y)?;
            init = Init::Keep;
        }
        self.linear(&weight_of(index, projection), x, m, &mut y, init)?;
        Ok(y)
    }

    /// `y += x · Wᵀ`, plus the bias where the projection has one.
    fn add_projected(
        &self,
        index: usize,
        projection: Projection,
        x: &[f32],
        m: usize,
        y: &mut [f32],
    ) -> Result<()> {
        if projection.biased(&self.model.config) {
            add(y, &self.project(index, projection, x, m)?);
            return Ok(());
        }
        self.linear(&weight_of(index, projection), x, m, y, Init::Keep)
    }

    /// The gradient of a projection's bias, where it has one.
    fn projected_bias_backward(&mut self, index: usize, projection: Projection, dy: &[f32]) {
        if projection.biased(&self.model.config) {
            self.bias_backward(&bias_of(index, projection), dy);
        }
    }

    fn attention<'p>(&self, plan: &'p Plan, index: usize) -> &'p AttentionShape {
        let slides = self.model.config.window_of(index).is_some();
        &plan.attention[usize::from(slides)]
    }

    fn is_last(&self, index: usize) -> bool {
        index + 1 == self.model.config.layers
    }

    /// `t`.
    fn rows_behind(&self, plan: &Plan, index: usize) -> usize {
        if self.is_last(index) {
            plan.rows.len()
        } else {
            plan.positions.len()
        }
    }
}

fn weight_of(index: usize, projection: Projection) -> String {
    of_layer(index, &format!("{}.weight", projection.path()))
}

fn bias_of(index: usize, projection: Projection) -> String {
    of_layer(index, &format!("{}.bias", projection.path()))
}

/// The `rows` of `x`, which has `m`.
fn select(x: &[f32], m: usize, rows: &[usize]) -> Vec<f32> {
    let width = x.len() / m.max(1);
    let mut out = Vec::with_capacity(rows.len() * width);
    for row in rows {
        out.extend_from_slice(&x[row * width..][..width]);
    }
    out
}

/// What [`select`] hands back: `len` values in `m` rows, zero where nothing was selected.
fn scatter(d: &[f32], m: usize, rows: &[usize], len: usize) -> Vec<f32> {
    let width = len / m.max(1);
    let mut out = vec![0f32; len];
    for (row, d) in rows.iter().zip(d.chunks_exact(width.max(1))) {
        add(&mut out[row * width..][..width], d);
    }
    out
}
