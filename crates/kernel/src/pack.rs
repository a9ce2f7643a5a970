//! Frozen weights, packed once into the layout that the product reads.
//!
//! A matrix of `n` output rows and `k` inputs is cut into panels of [`WIDTH`] outputs; a panel holds, for each
//! input in turn, the [`WIDTH`] weights that it feeds: `panel[k][WIDTH]`. The product walks a panel from
//! end to end, so a decoding step streams each weight once, in order.

use half::bf16;
use rayon::prelude::*;

/// Outputs a panel: two AVX-512 registers of `f32`.
pub(crate) const WIDTH: usize = 32;

/// How packed weights are stored. Arithmetic is `f32` in both cases.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Precision {
    /// Rounded to bfloat16, the precision most checkpoints are published in: half the memory and
    /// half the traffic of a decoding step.
    #[default]
    Bf16,
    /// As given.
    F32,
}

/// A frozen `[n, k]` matrix in panels.
#[derive(Debug, Clone)]
pub struct Packed {
    n: usize,
    k: usize,
    pub(crate) panels: Panels,
}

#[derive(Debug, Clone)]
pub(crate) enum Panels {
    F32(Vec<f32>),
    Bf16(Vec<bf16>),
}

impl Packed {
    /// Packs a row-major `[n, k]` matrix for `x · Wᵀ`: `n` outputs from `k` inputs.
    ///
    /// # Panics
    /// If `weights` does not hold `n · k` values.
    pub fn rows(weights: &[f32], n: usize, k: usize, precision: Precision) -> Self {
        assert_eq!(weights.len(), n * k, "a [{n}, {k}] matrix");
        Self::build(n, k, precision, |out, input| weights[out * k + input])
    }

    /// Packs the transpose of a row-major `[rows, columns]` matrix for `y · W`: `columns` outputs from `rows`
    /// inputs, the product of a backward pass.
    ///
    /// # Panics
    /// If `weights` does not hold `rows · columns` values.
    pub fn columns(weights: &[f32], rows: usize, columns: usize, precision: Precision) -> Self {
        assert_eq!(
            weights.len(),
            rows * columns,
            "a [{rows}, {columns}] matrix"
        );
        Self::build(columns, rows, precision, |out, input| {
            weights[input * columns + out]
        })
    }

    /// The same matrix packed the other way round: from `x · Wᵀ` to `y · W`.
    #[must_use]
    pub fn transposed(&self) -> Self {
        let precision = match self.panels {
            Panels::F32(_) => Precision::F32,
            Panels::Bf16(_) => Precision::Bf16,
        };
        Self::build(self.k, self.n, precision, |out, input| self.at(input, out))
    }

    fn build(
        n: usize,
        k: usize,
        precision: Precision,
        at: impl Fn(usize, usize) -> f32 + Sync,
    ) -> Self {
        let size = n.div_ceil(WIDTH) * k * WIDTH;
        let panels = match precision {
            Precision::F32 => {
                let mut data = vec![0f32; size];
                fill(&mut data, n, k, &at, |value| value);
                Panels::F32(data)
            }
            Precision::Bf16 => {
                let mut data = vec![bf16::ZERO; size];
                fill(&mut data, n, k, &at, bf16::from_f32);
                Panels::Bf16(data)
            }
        };
        Self { n, k, panels }
    }

    /// Number of outputs.
    pub fn outputs(&self) -> usize {
        self.n
    }

    /// Number of inputs.
    pub fn inputs(&self) -> usize {
        self.k
    }

    /// Memory of the panels in bytes.
    pub fn bytes(&self) -> usize {
        match &self.panels {
            Panels::F32(data) => data.len() * 4,
            Panels::Bf16(data) => data.len() * 2,
        }
    }

    /// The weight from input `input` to output `output`.
    fn at(&self, output: usize, input: usize) -> f32 {
        let index = (output / WIDTH * self.k + input) * WIDTH + output % WIDTH;
        match &self.panels {
            Panels::F32(data) => data[index],
            Panels::Bf16(data) => data[index].to_f32(),
        }
    }

    /// Copies row `output` of the `[n, k]` matrix into `into` (`k` values): the look-up of an embedding that
    /// shares its memory with the output head.
    ///
    /// # Panics
    /// If there is no such row or `into` is too short.
    pub fn copy_row(&self, output: usize, into: &mut [f32]) {
        assert!(output < self.n, "row {output} of {}", self.n);
        for (input, value) in into[..self.k].iter_mut().enumerate() {
            *value = self.at(output, input);
        }
    }
}

fn fill<T: Send>(
    data: &mut [T],
    n: usize,
    k: usize,
    at: &(impl Fn(usize, usize) -> f32 + Sync),
    convert: impl Fn(f32) -> T + Sync,
) {
    if k == 0 {
        return;
    }
    data.par_chunks_mut(k * WIDTH)
        .enumerate()
        .for_each(|(panel, chunk)| {
            let first = panel * WIDTH;
            let outputs = WIDTH.min(n - first);
            for (input, lane) in chunk.chunks_exact_mut(WIDTH).enumerate() {
                for (offset, value) in lane[..outputs].iter_mut().enumerate() {
                    *value = convert(at(first + offset, input));
                }
            }
        });
}
