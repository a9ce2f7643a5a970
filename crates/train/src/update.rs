//! The arithmetic of one `AdamW` update of one variable: in place over slices on the CPU, and of whole tensors on other
//! devices, element for element the same. It does not know schedules, names or files.

use std::cell::RefCell;

use candle_core::backend::BackendStorage as _;
use candle_core::{CpuStorage, DType, Device, InplaceOp2, Layout, Result, Tensor, Var, bail};
use rayon::prelude::*;

use crate::slices::{BLOCK, Real, part, part_mut};

/// The numbers of one update, the same for all elements of a variable.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Rule {
    /// β₁ and β₂.
    pub betas: (f64, f64),
    /// ε.
    pub eps: f64,
    /// 1 − η·λ, or 1 where nothing decays.
    pub decay: f64,
    /// η/(1−β₁ᵗ).
    pub size: f64,
    /// √(1−β₂ᵗ).
    pub root_correction: f64,
}

/// The two moments of one variable, of its shape and dtype.
#[derive(Debug)]
pub(crate) enum Moments {
    /// Beside a contiguous f32 variable on the CPU: m and v.
    F32(Vec<f32>, Vec<f32>),
    /// Beside a contiguous f64 variable on the CPU: m and v.
    F64(Vec<f64>, Vec<f64>),
    /// Beside any other variable: m and v.
    Tensors(Tensor, Tensor),
}

impl Moments {
    /// Moments of `var` with the values of two tensors of its shape and dtype.
    pub fn of(var: &Var, first: Tensor, second: Tensor) -> Result<Self> {
        if !(var.device().is_cpu() && var.is_contiguous()) {
            return Ok(Self::Tensors(first, second));
        }
        let (first, second) = (first.flatten_all()?, second.flatten_all()?);
        Ok(match var.dtype() {
            DType::F32 => Self::F32(first.to_vec1()?, second.to_vec1()?),
            _ => Self::F64(first.to_vec1()?, second.to_vec1()?),
        })
    }

    /// m and v as tensors of the shape of `var`.
    pub fn tensors(&self, var: &Var) -> Result<(Tensor, Tensor)> {
        let shape = var.shape();
        let cpu = &Device::Cpu;
        Ok(match self {
            Self::F32(first, second) => (
                Tensor::from_slice(first, shape, cpu)?,
                Tensor::from_slice(second, shape, cpu)?,
            ),
            Self::F64(first, second) => (
                Tensor::from_slice(first, shape, cpu)?,
                Tensor::from_slice(second, shape, cpu)?,
            ),
            Self::Tensors(first, second) => (first.clone(), second.clone()),
        })
    }

    /// Updates `var` and the moments by a gradient of the variable's shape and dtype.
    pub fn update(&mut self, var: &Var, gradient: &Tensor, rule: &Rule) -> Result<()> {
        // Detached: an update must not grow a graph that outlives the step.
        let gradient = gradient.detach();
        if let Self::Tensors(first, second) = self {
            return update_tensors(var, first, second, &gradient, rule);
        }
        let update = InPlace {
            rule,
            moments: RefCell::new(self),
        };
        var.inplace_op2(&gradient.contiguous()?, &update)
    }
}

/// The update as candle's operations: a pass over memory each.
fn update_tensors(
    var: &Var,
    first: &mut Tensor,
    second: &mut Tensor,
    gradient: &Tensor,
    rule: &Rule,
) -> Result<()> {
    let (beta1, beta2) = rule.betas;
    let value = var.as_detached_tensor();
    *first = (first.affine(beta1, 0.0)? + gradient.affine(1.0 - beta1, 0.0)?)?;
    *second = (second.affine(beta2, 0.0)? + gradient.sqr()?.affine(1.0 - beta2, 0.0)?)?;
    let scale = second
        .sqrt()?
        .affine(1.0 / rule.root_correction, rule.eps)?;
    let change = first.div(&scale)?.affine(rule.size, 0.0)?;
    var.set(&(value.affine(rule.decay, 0.0)? - change)?)
}

struct InPlace<'a> {
    rule: &'a Rule,
    moments: RefCell<&'a mut Moments>,
}

impl InplaceOp2 for InPlace<'_> {
    fn name(&self) -> &'static str {
        "adamw"
    }

    fn cpu_fwd(
        &self,
        value: &mut CpuStorage,
        value_layout: &Layout,
        gradient: &CpuStorage,
        gradient_layout: &Layout,
    ) -> Result<()> {
        match (value, gradient, &mut **self.moments.borrow_mut()) {
            (CpuStorage::F32(value), CpuStorage::F32(gradient), Moments::F32(first, second)) => {
                let gradient = part(gradient, gradient_layout)?;
                let value = part_mut(value, value_layout)?;
                update_slices(value, first, second, gradient, self.rule);
            }
            (CpuStorage::F64(value), CpuStorage::F64(gradient), Moments::F64(first, second)) => {
                let gradient = part(gradient, gradient_layout)?;
                let value = part_mut(value, value_layout)?;
                update_slices(value, first, second, gradient, self.rule);
            }
            (value, gradient, _) => bail!(
                "the variable is {:?}, its gradient {:?}, its moments neither",
                value.dtype(),
                gradient.dtype()
            ),
        }
        Ok(())
    }
}

/// θ, m and v (of equal length) after one update by g, in one pass.
fn update_slices<T: Real>(
    value: &mut [T],
    first: &mut [T],
    second: &mut [T],
    gradient: &[T],
    rule: &Rule,
) {
    let [beta1, beta2] = [rule.betas.0, rule.betas.1].map(T::nearest);
    let [rest1, rest2] = [1.0 - rule.betas.0, 1.0 - rule.betas.1].map(T::nearest);
    let correction = T::nearest(1.0 / rule.root_correction);
    let [eps, size, decay] = [rule.eps, rule.size, rule.decay].map(T::nearest);
    value
        .par_chunks_mut(BLOCK)
        .zip(first.par_chunks_mut(BLOCK))
        .zip(second.par_chunks_mut(BLOCK))
        .zip(gradient.par_chunks(BLOCK))
        .for_each(|(((value, first), second), gradient)| {
            for (((value, first), second), &gradient) in
                value.iter_mut().zip(first).zip(second).zip(gradient)
            {
                *first = *first * beta1 + gradient * rest1;
                *second = *second * beta2 + gradient * gradient * rest2;
                let scale = second.root() * correction + eps;
                *value = *value * decay - *first / scale * size;
            }
        });
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Elements, over several blocks and with a rest.
    const COUNT: usize = 2 * BLOCK + 77;

    fn wave(step: usize, dtype: DType) -> Tensor {
        let values: Vec<f64> = (0..COUNT)
            .map(|i| ((i * 31 + step * 17) as f64 * 0.37).sin() * 10_f64.powf((i % 9) as f64 - 4.0))
            .collect();
        let tensor = Tensor::from_vec(values, (1, COUNT), &Device::Cpu).unwrap();
        tensor.to_dtype(dtype).unwrap()
    }

    fn wide(tensor: &Tensor) -> Vec<f64> {
        let flat = tensor.flatten_all().unwrap();
        flat.to_dtype(DType::F64).unwrap().to_vec1().unwrap()
    }

    /// Value, m and v after seven updates.
    fn after(dtype: DType, tensors: bool) -> [Vec<f64>; 3] {
        let var = Var::from_tensor(&wave(99, dtype)).unwrap();
        let zeros = || Tensor::zeros((1, COUNT), dtype, &Device::Cpu).unwrap();
        let mut moments = if tensors {
            Moments::Tensors(zeros(), zeros())
        } else {
            Moments::of(&var, zeros(), zeros()).unwrap()
        };
        for step in 0..7 {
            let rule = Rule {
                betas: (0.9, 0.999),
                eps: 1e-8,
                decay: 0.999,
                size: 0.01 / (step + 1) as f64,
                root_correction: 0.1 * (step + 1) as f64,
            };
            moments.update(&var, &wave(step, dtype), &rule).unwrap();
        }
        let (first, second) = moments.tensors(&var).unwrap();
        [wide(&var), wide(&first), wide(&second)]
    }

    #[test]
    fn in_place_is_what_candle_computes_to_the_bit() {
        for dtype in [DType::F32, DType::F64] {
            assert!(after(dtype, false) == after(dtype, true), "{dtype:?}");
        }
    }

    #[test]
    fn the_number_of_threads_changes_no_bit() {
        let on = |threads| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads);
            pool.build().unwrap().install(|| after(DType::F32, false))
        };
        assert!(on(1) == on(3));
    }
}
