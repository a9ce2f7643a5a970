//! Output head and cross-entropy as one operation: logits exist for a few rows at a time only.

use std::sync::{Arc, Mutex, PoisonError};

use candle_core::{CpuStorage, CustomOp1, Layout, Result, Shape, Tensor};
use harness_kernel::cross_entropy_rows;

use super::{tensor, values};
use crate::linear::Linear;

/// Rows whose logits are in memory at a time: 64 rows of 152 k logits are 39 MB.
const ROWS: usize = 64;

/// `Σ −ln softmax(h · Wᵀ)[target]` in nats over the rows of `h` (`[targets.len(), hidden]`), a scalar.
pub(crate) fn summed_cross_entropy(
    h: &Tensor,
    head: &Arc<Linear>,
    targets: Vec<u32>,
) -> Result<Tensor> {
    let h = h.contiguous()?;
    let wants_gradient = h.track_op();
    h.apply_op1(CrossEntropy {
        head: Arc::clone(head),
        targets,
        wants_gradient,
        gradient: Mutex::new(Vec::new()),
    })
}

struct CrossEntropy {
    head: Arc<Linear>,
    targets: Vec<u32>,
    wants_gradient: bool,
    /// The gradient needs the logits, so it is made with them, in the forward pass.
    gradient: Mutex<Vec<f32>>,
}

impl CustomOp1 for CrossEntropy {
    fn name(&self) -> &'static str {
        "linear-cross-entropy"
    }

    fn cpu_fwd(&self, storage: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        let h = values(storage, layout)?;
        let (rows, hidden) = layout.shape().dims2()?;
        if rows != self.targets.len() {
            candle_core::bail!("{rows} rows for {} targets", self.targets.len());
        }
        let vocabulary = self.head.outputs();
        let mut gradient = vec![0f32; if self.wants_gradient { h.len() } else { 0 }];
        let mut logits = vec![0f32; ROWS.min(rows) * vocabulary];
        let mut total = 0f64;
        for first in (0..rows).step_by(ROWS) {
            let count = ROWS.min(rows - first);
            let stretch = first * hidden..(first + count) * hidden;
            let logits = &mut logits[..count * vocabulary];
            self.head.apply(&h[stretch.clone()], count, logits);
            let losses = cross_entropy_rows(logits, &self.targets[first..first + count]);
            total += losses.iter().sum::<f64>();
            if self.wants_gradient {
                self.head
                    .apply_backward(logits, count, &mut gradient[stretch]);
            }
        }
        *self.gradient.lock().unwrap_or_else(PoisonError::into_inner) = gradient;
        Ok((CpuStorage::F32(vec![total as f32]), ().into()))
    }

    fn bwd(&self, h: &Tensor, _: &Tensor, grad: &Tensor) -> Result<Option<Tensor>> {
        let factor = grad.to_scalar::<f32>()?;
        let gradient = self.gradient.lock().unwrap_or_else(PoisonError::into_inner);
        let scaled = gradient.iter().map(|value| value * factor).collect();
        Ok(Some(tensor(scaled, h.shape())?))
    }
}
