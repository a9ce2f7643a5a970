//! Frozen weights, packed once into the layout that the product reads.
//!
//! A matrix of `n` output rows and `k` inputs is cut into panels of [`WIDTH`] outputs; a panel holds, for each
//! input in turn, the [`WIDTH`] weights that it feeds: `panel[k][WIDTH]`. The product walks a panel from
//! end to end, so a decoding step streams each weight once, in order.

use half::bf16;
use half::vec::HalfBitsVecExt;
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

    /// Packs a row-major `[n, k]` matrix that `read` hands over in stretches, on several threads: it gets the first row and
    /// room for some rows. So the matrix need never be in memory as a whole, and what was read is packed while it is in
    /// the cache.
    ///
    /// # Errors
    /// One of those of `read`, not always the same.
    pub fn read_rows<E: Send>(
        n: usize,
        k: usize,
        precision: Precision,
        read: impl Fn(usize, &mut [f32]) -> Result<(), E> + Sync,
    ) -> Result<Self, E> {
        let size = n.div_ceil(WIDTH) * k * WIDTH;
        let panels = match precision {
            Precision::F32 => {
                let mut data = vec![0f32; size];
                interleave(&mut data, n, k, &read, |value| value)?;
                Panels::F32(data)
            }
            Precision::Bf16 => {
                // Zeros of a number of the language come from the system as they are, those of another type are written.
                let mut data = vec![0_u16; size].reinterpret_into::<bf16>();
                interleave(&mut data, n, k, &read, bf16::from_f32)?;
                Panels::Bf16(data)
            }
        };
        Ok(Self { n, k, panels })
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
                let mut data = vec![0_u16; size].reinterpret_into::<bf16>();
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

/// Inputs that are interleaved at a time: a line of the cache from each row.
const TILE: usize = 16;

/// Fills panels from rows, which are read a panel at a time.
fn interleave<T: Send, E: Send>(
    data: &mut [T],
    n: usize,
    k: usize,
    read: &(impl Fn(usize, &mut [f32]) -> Result<(), E> + Sync),
    convert: impl Fn(f32) -> T + Sync,
) -> Result<(), E> {
    if k == 0 {
        return Ok(());
    }
    data.par_chunks_mut(k * WIDTH)
        .enumerate()
        .try_for_each_init(
            || vec![0f32; k * WIDTH],
            |rows, (panel, chunk)| {
                let first = panel * WIDTH;
                let rows = &mut rows[..WIDTH.min(n - first) * k];
                read(first, rows)?;
                for (tile, lanes) in chunk.chunks_mut(TILE * WIDTH).enumerate() {
                    for (offset, row) in rows.chunks_exact(k).enumerate() {
                        let values = &row[tile * TILE..];
                        for (lane, value) in lanes.chunks_exact_mut(WIDTH).zip(values) {
                            lane[offset] = convert(*value);
                        }
                    }
                }
                Ok(())
            },
        )
}

#[cfg(test)]
mod tests {
    use super::{Packed, Precision};

    #[test]
    fn read_in_stretches_or_at_once_is_the_same() {
        for (n, k) in [(1, 1), (32, 16), (33, 17), (70, 40), (5, 0), (0, 5)] {
            let weights: Vec<f32> = (0..n * k).map(|i| (i as f32 * 0.37).sin()).collect();
            for precision in [Precision::F32, Precision::Bf16] {
                let whole = Packed::rows(&weights, n, k, precision);
                let read = Packed::read_rows(n, k, precision, |first, rows| {
                    rows.copy_from_slice(&weights[first * k..][..rows.len()]);
                    Ok::<(), ()>(())
                });
                let read = read.map(|it| format!("{it:?}"));
                assert_eq!(read, Ok(format!("{whole:?}")));
            }
        }
        let failed = Packed::read_rows(70, 4, Precision::F32, |first, _| {
            if first == 32 { Err(first) } else { Ok(()) }
        });
        assert_eq!(failed.err(), Some(32));
    }
}
