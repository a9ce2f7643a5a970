//! The operations that have weights, forward and backward, and the gradients that gather on the way.
//!
//! A model all of whose weights are trained is swept by hand rather than through candle's graph: a sum goes into the
//! product that makes its last term, gradients into one buffer a weight, and nothing waits for candle's threads.
//! Dimension letters: `m` rows, `k` inputs, `n` outputs.

use std::collections::BTreeMap;

use candle_core::Result;
use harness_kernel::{
    Init, Packed, Precision, add_at_b, matmul, rms_norm, rms_norm_backward,
    rms_norm_weight_gradient,
};

use super::FullModel;
use crate::values::with_values;

/// One forward and backward pass over a micro-batch.
pub(super) struct Sweep<'a> {
    pub(super) model: &'a FullModel,
    /// By name, each as long as its weight.
    pub(super) gradients: BTreeMap<String, Vec<f32>>,
}

impl Sweep<'_> {
    /// `y (+)= x · Wᵀ`: `[m, n]` from `[m, k]` and the weight `[n, k]` of this name.
    pub(super) fn linear(
        &self,
        name: &str,
        x: &[f32],
        m: usize,
        y: &mut [f32],
        init: Init,
    ) -> Result<()> {
        let weight = self.model.weight(name);
        let (n, k) = weight.dims2()?;
        // The weight changes with every step, so it is packed at every call: little beside the product.
        let packed = with_values(weight, |w| Packed::rows(w, n, k, Precision::F32))?;
        matmul(x, m, &packed, y, init);
        Ok(())
    }

    /// `dx (+)= dy · W`, and `dyᵀ · x` to the gradient of the weight.
    pub(super) fn linear_backward(
        &mut self,
        name: &str,
        x: &[f32],
        dy: &[f32],
        m: usize,
        dx: &mut [f32],
        init: Init,
    ) -> Result<()> {
        let weight = self.model.weight(name);
        let (n, k) = weight.dims2()?;
        let packed = with_values(weight, |w| Packed::columns(w, n, k, Precision::F32))?;
        matmul(dy, m, &packed, dx, init);
        add_at_b(self.gradient(name), (n, k, m), dy, x, 1.0);
        Ok(())
    }

    /// Puts the bias of this name into every row of `y`.
    pub(super) fn bias(&self, name: &str, y: &mut [f32]) -> Result<()> {
        with_values(self.model.weight(name), |bias| {
            for row in y.chunks_exact_mut(bias.len()) {
                row.copy_from_slice(bias);
            }
        })
    }

    /// The columns' sums of `dy` to the gradient of the bias.
    pub(super) fn bias_backward(&mut self, name: &str, dy: &[f32]) {
        let gradient = self.gradient(name);
        for row in dy.chunks_exact(gradient.len()) {
            add(gradient, row);
        }
    }

    /// `x/rms(x) · w`, shaped as `x`, `[m, hidden]`.
    pub(super) fn norm(&self, name: &str, x: &[f32]) -> Result<Vec<f32>> {
        let mut y = vec![0f32; x.len()];
        with_values(self.model.weight(name), |w| {
            rms_norm(x, w, self.epsilon(), &mut y);
        })?;
        Ok(y)
    }

    /// Adds the gradient of `x` to `dx`, and that of the weight to its own.
    pub(super) fn norm_backward(
        &mut self,
        name: &str,
        x: &[f32],
        dy: &[f32],
        dx: &mut [f32],
    ) -> Result<()> {
        let epsilon = self.epsilon();
        let mut through = vec![0f32; x.len()];
        with_values(self.model.weight(name), |w| {
            rms_norm_backward(x, w, epsilon, dy, &mut through);
        })?;
        add(dx, &through);
        rms_norm_weight_gradient(x, epsilon, dy, self.gradient(name));
        Ok(())
    }

    /// The gradient of the weight of this name so far.
    pub(super) fn gradient(&mut self, name: &str) -> &mut [f32] {
        if !self.gradients.contains_key(name) {
            let count = self.model.weight(name).elem_count();
            self.gradients.insert(name.to_owned(), vec![0f32; count]);
        }
        self.gradients.entry(name.to_owned()).or_default()
    }

    fn epsilon(&self) -> f32 {
        self.model.config.rms_eps as f32
    }
}

/// `x += y`.
pub(super) fn add(x: &mut [f32], y: &[f32]) {
    for (x, y) in x.iter_mut().zip(y) {
        *x += y;
    }
}
