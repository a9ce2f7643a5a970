//! Rotary position embedding.

use std::sync::Arc;

use candle_core::{CpuStorage, CustomOp1, Layout, Result, Shape, Tensor};
use harness_kernel::Rope;

use super::{tensor, values, with_values};

/// Turns each head of each row of `x` (`[m, heads · d]`) by the row's position.
pub(crate) fn rotate(x: &Tensor, rope: &Arc<Rope>, positions: &Arc<Vec<u32>>) -> Result<Tensor> {
    x.contiguous()?.apply_op1(Rotate {
        rope: Arc::clone(rope),
        positions: Arc::clone(positions),
    })
}

struct Rotate {
    rope: Arc<Rope>,
    positions: Arc<Vec<u32>>,
}

impl CustomOp1 for Rotate {
    fn name(&self) -> &'static str {
        "rotary-embedding"
    }

    fn cpu_fwd(&self, storage: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        let mut out = values(storage, layout)?.to_vec();
        self.rope.rotate(&mut out, &self.positions, false);
        Ok((CpuStorage::F32(out), layout.shape().clone()))
    }

    fn bwd(&self, x: &Tensor, _: &Tensor, grad: &Tensor) -> Result<Option<Tensor>> {
        let mut dx = with_values(grad, <[f32]>::to_vec)?;
        self.rope.rotate(&mut dx, &self.positions, true);
        Ok(Some(tensor(dx, x.shape())?))
    }
}
