//! A frozen linear layer with an optional low-rank update, as one operation.

use std::sync::Arc;

use candle_core::{CpuStorage, CustomOp1, CustomOp3, Layout, Result, Shape, Tensor};
use harness_kernel::{add_a_b, add_a_bt, add_at_b};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::{tensor, values, with_values};
use crate::linear::Linear;
use crate::lora::LoraPair;

/// Which inputs of `A` are dropped: a random stream of its own for every layer of every micro-batch.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Dropout {
    pub(crate) probability: f32,
    pub(crate) seed: u64,
}

impl Dropout {
    /// 0 where dropped, `1/(1 − p)` elsewhere.
    fn mask(self, len: usize) -> Vec<f32> {
        let mut rng = ChaCha8Rng::seed_from_u64(self.seed);
        let keep = 1.0 / (1.0 - self.probability);
        (0..len)
            .map(|_| {
                if rng.random::<f32>() < self.probability {
                    0.0
                } else {
                    keep
                }
            })
            .collect()
    }
}

/// `x · Wᵀ + b`, plus `scale · (dropout(x) · Aᵀ) · Bᵀ` where there is a pair. `x` is `[m, inputs]`, the result `[m, outputs]`.
pub(crate) fn linear(
    x: &Tensor,
    weight: &Arc<Linear>,
    lora: Option<(&LoraPair, f32)>,
    dropout: Option<Dropout>,
) -> Result<Tensor> {
    let x = x.contiguous()?;
    match lora {
        None => x.apply_op1(Frozen {
            weight: Arc::clone(weight),
        }),
        Some((pair, scale)) => {
            let mask = dropout
                .filter(|dropout| dropout.probability > 0.0)
                .map(|dropout| dropout.mask(x.elem_count()));
            x.apply_op3(
                pair.a.as_tensor(),
                pair.b.as_tensor(),
                Adapted {
                    weight: Arc::clone(weight),
                    scale,
                    mask,
                },
            )
        }
    }
}

struct Frozen {
    weight: Arc<Linear>,
}

impl CustomOp1 for Frozen {
    fn name(&self) -> &'static str {
        "frozen-linear"
    }

    fn cpu_fwd(&self, storage: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        let x = values(storage, layout)?;
        let m = layout.shape().dims2()?.0;
        let mut out = vec![0f32; m * self.weight.outputs()];
        self.weight.apply(x, m, &mut out);
        Ok((CpuStorage::F32(out), (m, self.weight.outputs()).into()))
    }

    fn bwd(&self, x: &Tensor, _: &Tensor, grad: &Tensor) -> Result<Option<Tensor>> {
        let m = x.dims2()?.0;
        let mut dx = vec![0f32; x.elem_count()];
        with_values(grad, |dy| self.weight.apply_backward(dy, m, &mut dx))?;
        Ok(Some(tensor(dx, x.shape())?))
    }
}

struct Adapted {
    weight: Arc<Linear>,
    scale: f32,
    mask: Option<Vec<f32>>,
}

impl Adapted {
    /// `dropout(x)`.
    fn dropped(&self, x: &[f32]) -> Option<Vec<f32>> {
        let mask = self.mask.as_ref()?;
        Some(x.iter().zip(mask).map(|(x, keep)| x * keep).collect())
    }
}

impl CustomOp3 for Adapted {
    fn name(&self) -> &'static str {
        "lora-linear"
    }

    fn cpu_fwd(
        &self,
        x: &CpuStorage,
        x_layout: &Layout,
        a: &CpuStorage,
        a_layout: &Layout,
        b: &CpuStorage,
        b_layout: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        let (m, inputs) = x_layout.shape().dims2()?;
        let rank = a_layout.shape().dims2()?.0;
        let (x, a, b) = (
            values(x, x_layout)?,
            values(a, a_layout)?,
            values(b, b_layout)?,
        );
        let outputs = self.weight.outputs();
        let mut out = vec![0f32; m * outputs];
        self.weight.apply(x, m, &mut out);
        let dropped = self.dropped(x);
        let mut low = vec![0f32; m * rank];
        add_a_bt(
            &mut low,
            (m, rank, inputs),
            dropped.as_deref().unwrap_or(x),
            a,
            1.0,
        );
        add_a_bt(&mut out, (m, outputs, rank), &low, b, self.scale);
        Ok((CpuStorage::F32(out), (m, outputs).into()))
    }

    /// With `g = scale · dy · B`: `dx = dy · W + mask ∘ (g · A)`, `dA = gᵀ · dropout(x)`, `dB = scale · dyᵀ · (dropout(x) · Aᵀ)`.
    fn bwd(
        &self,
        x: &Tensor,
        a: &Tensor,
        b: &Tensor,
        _: &Tensor,
        grad: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>, Option<Tensor>)> {
        let (m, inputs) = x.dims2()?;
        let rank = a.dims2()?.0;
        let outputs = self.weight.outputs();
        let mut da = vec![0f32; rank * inputs];
        let mut db = vec![0f32; outputs * rank];
        // The input of the first layer depends on nothing that is trained.
        let mut dx = x.track_op().then(|| vec![0f32; m * inputs]);
        with_values(grad, |dy| {
            with_values(x, |x| {
                with_values(a, |a| {
                    with_values(b, |b| {
                        let dropped = self.dropped(x);
                        let x = dropped.as_deref().unwrap_or(x);
                        let mut low = vec![0f32; m * rank];
                        add_a_bt(&mut low, (m, rank, inputs), x, a, 1.0);
                        add_at_b(&mut db, (outputs, rank, m), dy, &low, self.scale);
                        let mut g = vec![0f32; m * rank];
                        add_a_b(&mut g, (m, rank, outputs), dy, b, self.scale);
                        add_at_b(&mut da, (rank, inputs, m), &g, x, 1.0);
                        let Some(dx) = &mut dx else { return };
                        self.weight.apply_backward(dy, m, dx);
                        match &self.mask {
                            None => add_a_b(dx, (m, inputs, rank), &g, a, 1.0),
                            Some(mask) => {
                                let mut through = vec![0f32; m * inputs];
                                add_a_b(&mut through, (m, inputs, rank), &g, a, 1.0);
                                for ((dx, t), keep) in dx.iter_mut().zip(through).zip(mask) {
                                    *dx += t * keep;
                                }
                            }
                        }
                    })
                })
            })
        })????;
        Ok((
            dx.map(|dx| tensor(dx, x.shape())).transpose()?,
            Some(tensor(da, a.shape())?),
            Some(tensor(db, b.shape())?),
        ))
    }
}
