//! `silu(gate) · up`.

use candle_core::{CpuStorage, CustomOp2, Layout, Result, Shape, Tensor};

use super::{tensor, values, with_values};

/// `silu(gate) · up`, both `[m, intermediate]`.
pub(crate) fn swiglu(gate: &Tensor, up: &Tensor) -> Result<Tensor> {
    gate.contiguous()?.apply_op2(&up.contiguous()?, SwiGlu)
}

struct SwiGlu;

impl CustomOp2 for SwiGlu {
    fn name(&self) -> &'static str {
        "swiglu"
    }

    fn cpu_fwd(
        &self,
        gate: &CpuStorage,
        gate_layout: &Layout,
        up: &CpuStorage,
        up_layout: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        let (gate, up) = (values(gate, gate_layout)?, values(up, up_layout)?);
        let mut out = vec![0f32; gate.len()];
        harness_kernel::swiglu(gate, up, &mut out);
        Ok((CpuStorage::F32(out), gate_layout.shape().clone()))
    }

    fn bwd(
        &self,
        gate: &Tensor,
        up: &Tensor,
        _: &Tensor,
        grad: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>)> {
        let (mut d_gate, mut d_up) = (vec![0f32; gate.elem_count()], vec![0f32; up.elem_count()]);
        with_values(gate, |gate| {
            with_values(up, |up| {
                with_values(grad, |dy| {
                    harness_kernel::swiglu_backward(gate, up, dy, &mut d_gate, &mut d_up);
                })
            })
        })???;
        Ok((
            Some(tensor(d_gate, gate.shape())?),
            Some(tensor(d_up, up.shape())?),
        ))
    }
}
