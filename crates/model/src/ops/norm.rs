//! RMS normalisation with a frozen weight.

use std::sync::Arc;

use candle_core::{CpuStorage, CustomOp1, Layout, Result, Shape, Tensor};

use super::{tensor, values, with_values};

/// Normalises each row of `x` (`[m, weight.len()]`).
pub(crate) fn rms_norm(x: &Tensor, weight: &Arc<Vec<f32>>, epsilon: f32) -> Result<Tensor> {
    x.contiguous()?.apply_op1(RmsNorm {
        weight: Arc::clone(weight),
        epsilon,
    })
}

struct RmsNorm {
    weight: Arc<Vec<f32>>,
    epsilon: f32,
}

impl CustomOp1 for RmsNorm {
    fn name(&self) -> &'static str {
        "rms-norm"
    }

    fn cpu_fwd(&self, storage: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        let x = values(storage, layout)?;
        let mut out = vec![0f32; x.len()];
        harness_kernel::rms_norm(x, &self.weight, self.epsilon, &mut out);
        Ok((CpuStorage::F32(out), layout.shape().clone()))
    }

    fn bwd(&self, x: &Tensor, _: &Tensor, grad: &Tensor) -> Result<Option<Tensor>> {
        let mut dx = vec![0f32; x.elem_count()];
        with_values(x, |x| {
            with_values(grad, |dy| {
                harness_kernel::rms_norm_backward(x, &self.weight, self.epsilon, dy, &mut dx);
            })
        })??;
        Ok(Some(tensor(dx, x.shape())?))
    }
}
