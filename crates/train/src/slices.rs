//! Arithmetic over the slices behind tensors on the CPU, in one pass and on rayon's threads. What is computed for an
//! element depends on that element alone, and sums are taken over blocks of a fixed size in a fixed order, so the bytes
//! do not depend on the number of threads. It does not know variables or optimisers.

use std::ops::{Add, Div, Mul, Sub};

use candle_core::backend::BackendStorage as _;
use candle_core::{CpuStorage, CustomOp1, Layout, Result, Shape, Tensor, bail};
use rayon::prelude::*;

/// Elements that one task takes; also the block of a sum.
pub(crate) const BLOCK: usize = 1 << 14;

/// The two types that are trained in.
pub(crate) trait Real:
    Copy
    + Send
    + Sync
    + Add<Output = Self>
    + Sub<Output = Self>
    + Mul<Output = Self>
    + Div<Output = Self>
{
    /// The nearest value of this type.
    fn nearest(value: f64) -> Self;
    /// The same value as f64.
    fn wide(self) -> f64;
    /// √x.
    fn root(self) -> Self;
}

impl Real for f32 {
    fn nearest(value: f64) -> Self {
        value as f32
    }

    fn wide(self) -> f64 {
        f64::from(self)
    }

    fn root(self) -> Self {
        self.sqrt()
    }
}

impl Real for f64 {
    fn nearest(value: f64) -> Self {
        value
    }

    fn wide(self) -> f64 {
        self
    }

    fn root(self) -> Self {
        self.sqrt()
    }
}

/// The elements that a contiguous layout names.
pub(crate) fn part<'a, T>(values: &'a [T], layout: &Layout) -> Result<&'a [T]> {
    match layout.contiguous_offsets() {
        Some((start, end)) => Ok(&values[start..end]),
        None => bail!("a tensor of shape {:?} is not contiguous", layout.dims()),
    }
}

/// As [`part`], to write to.
pub(crate) fn part_mut<'a, T>(values: &'a mut [T], layout: &Layout) -> Result<&'a mut [T]> {
    match layout.contiguous_offsets() {
        Some((start, end)) => Ok(&mut values[start..end]),
        None => bail!("a tensor of shape {:?} is not contiguous", layout.dims()),
    }
}

/// Σ x² in f64: eight running sums a block, then the sums of the blocks in their order.
pub(crate) fn sum_of_squares<T: Real>(values: &[T]) -> f64 {
    let blocks: Vec<f64> = values
        .par_chunks(BLOCK)
        .map(|block| {
            let mut sums = [0.0; 8];
            for group in block.chunks(sums.len()) {
                for (sum, value) in sums.iter_mut().zip(group) {
                    *sum += value.wide() * value.wide();
                }
            }
            sums.iter().sum::<f64>()
        })
        .collect();
    blocks.iter().sum()
}

/// `factor`·x for every element of a tensor, as a new tensor: gradients may share their storage, so they are not
/// scaled where they lie.
pub(crate) fn scaled(tensor: &Tensor, factor: f64) -> Result<Tensor> {
    if tensor.device().is_cpu() && tensor.is_contiguous() {
        tensor.apply_op1_no_bwd(&Scaled(factor))
    } else {
        tensor.affine(factor, 0.0)
    }
}

struct Scaled(f64);

impl CustomOp1 for Scaled {
    fn name(&self) -> &'static str {
        "scaled"
    }

    fn cpu_fwd(&self, storage: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        fn all<T: Real>(values: &[T], factor: f64) -> Vec<T> {
            let factor = T::nearest(factor);
            values
                .par_iter()
                .with_min_len(BLOCK)
                .map(|&value| value * factor)
                .collect()
        }
        let out = match storage {
            CpuStorage::F32(values) => CpuStorage::F32(all(part(values, layout)?, self.0)),
            CpuStorage::F64(values) => CpuStorage::F64(all(part(values, layout)?, self.0)),
            other => bail!("gradients are F32 or F64, not {:?}", other.dtype()),
        };
        Ok((out, layout.shape().clone()))
    }
}

#[cfg(test)]
mod tests {
    use candle_core::{DType, Device};

    use super::*;

    fn pool(threads: usize) -> rayon::ThreadPool {
        rayon::ThreadPoolBuilder::new()
            .num_threads(threads)
            .build()
            .unwrap()
    }

    #[test]
    fn the_number_of_threads_changes_no_bit() {
        let values: Vec<f32> = (0..100_003)
            .map(|i| ((i * 7919 % 10_007) as f32).sin())
            .collect();
        let one = pool(1).install(|| sum_of_squares(&values));
        for threads in [2, 3, 8] {
            let many = pool(threads).install(|| sum_of_squares(&values));
            assert_eq!(many.to_bits(), one.to_bits());
        }
        let plain: f64 = values.iter().map(|&x| f64::from(x) * f64::from(x)).sum();
        assert!((one / plain - 1.0).abs() < 1e-12);
    }

    #[test]
    fn scaling_is_candles() {
        for dtype in [DType::F32, DType::F64] {
            let tensor = Tensor::arange(-9_000.0_f64, 9_000.0, &Device::Cpu)
                .and_then(|t| t.to_dtype(dtype)?.reshape((90, 200)))
                .unwrap();
            for tensor in [tensor.clone(), tensor.t().unwrap()] {
                let bits = |tensor: Tensor| -> Vec<f64> {
                    let flat = tensor.flatten_all().unwrap();
                    flat.to_dtype(DType::F64).unwrap().to_vec1().unwrap()
                };
                let found = scaled(&tensor, 0.3).unwrap();
                assert_eq!(found.dims(), tensor.dims());
                assert_eq!(bits(found), bits(tensor.affine(0.3, 0.0).unwrap()));
            }
        }
    }
}
