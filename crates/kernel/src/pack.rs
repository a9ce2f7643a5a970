//! Frozen weights, packed once into the layout that the product reads.
//!
//! A matrix of `n` output rows and `k` inputs is cut into panels of [`WIDTH`] outputs; a panel holds, for each
//! input in turn, the [`WIDTH`] weights that it feeds: `panel[k][WIDTH]`. In bfloat16 two inputs at a time,
//! `panel[k/2][WIDTH][2]`, which is how the processor's bfloat16 products read them. The product walks a panel from
//! end to end, so a decoding step streams each weight once, in order.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use half::bf16;
use rayon::prelude::*;

use crate::aligned::Aligned;
use crate::amx;
use crate::quant::Quant;
use crate::split::split_panel;
use crate::stored::Stored;

/// Outputs a panel: two AVX-512 registers of `f32`.
pub const WIDTH: usize = 32;

/// How packed weights are stored. Arithmetic is `f32` in both cases.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Precision {
    /// Rounded to bfloat16, the precision most checkpoints are published in: half the memory and
    /// half the traffic of a decoding step.
    #[default]
    Bf16,
    /// As given. A matrix all of whose values are bfloat16, as in most checkpoints, is kept as such: half the memory,
    /// and not a bit is lost.
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
    /// `[n / WIDTH][k][WIDTH]`.
    F32(Vec<f32>),
    /// The same, and besides as the tile unit reads it, `[n / WIDTH][steps][3][16][WIDTH][2]`: for matrices that are small and often used.
    Split(Vec<f32>, Aligned),
    /// `[n / WIDTH][k / 2][WIDTH][2]`, `k` rounded up to a multiple of [`STEP`] with zeros.
    Bf16(Aligned),
    /// In fewer bits; read as it is, or as its transpose.
    Stored {
        matrix: Arc<dyn Stored>,
        transposed: bool,
    },
}

/// Inputs that a step of the processor's bfloat16 products takes.
pub const STEP: usize = 32;

impl Packed {
    /// The matrix as codes for rows in bytes, if that is what it is.
    pub(crate) fn codes(&self) -> Option<&Quant> {
        match &self.panels {
            Panels::Stored {
                matrix,
                transposed: false,
            } => matrix.codes(),
            _ => None,
        }
    }

    /// Whether the matrix is kept as codes.
    pub fn is_coded(&self) -> bool {
        self.codes().is_some()
    }

    /// Whether few rows are multiplied faster in another way than many ([`Rows::few`](crate::Rows::few)): the tile unit would want
    /// bfloat16 values, which had to be made for each product.
    pub fn is_slow_for_few(&self) -> bool {
        amx::available() && (matches!(self.panels, Panels::F32(_)) || self.is_coded())
    }

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
        let exact = AtomicBool::new(true);
        // The first value that is no bfloat16 ends the attempt, usually within the first rows.
        let convert = |value: f32| {
            if precision == Precision::F32 && !is_bf16(value) {
                exact.store(false, Ordering::Relaxed);
            }
            bf16::from_f32(value)
        };
        let mut data = zeros(n, k);
        let end = || exact.load(Ordering::Relaxed);
        interleave(data.values_mut(), n, k, &read, &Pairs { convert }, &end)?;
        if exact.into_inner() {
            let panels = Panels::Bf16(data);
            return Ok(Self { n, k, panels });
        }
        drop(data);
        let mut data = vec![0f32; n.div_ceil(WIDTH) * k * WIDTH];
        interleave(&mut data, n, k, &read, &Singles, &|| true)?;
        let panels = Panels::F32(data);
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

    /// The same matrix, ready for products of few rows with `f32` on this machine: where there is a tile unit it is split once and not for
    /// each product. It takes two and a half times the memory.
    #[must_use]
    pub fn split(mut self) -> Self {
        if let Panels::F32(data) = self.panels {
            self.panels = if amx::available() && self.k > 0 {
                let size = padded(self.k) * 3 * WIDTH;
                let mut parts = Aligned::zeros(data.len() / (self.k * WIDTH) * size);
                let panels = parts.values_mut().chunks_exact_mut(size);
                for (panel, into) in data.chunks_exact(self.k * WIDTH).zip(panels) {
                    split_panel::<3>(panel, into);
                }
                Panels::Split(data, parts)
            } else {
                Panels::F32(data)
            };
        }
        self
    }

    /// A matrix that stays as it is stored.
    pub fn stored(matrix: Arc<dyn Stored>) -> Self {
        Self {
            n: matrix.outputs(),
            k: matrix.inputs(),
            panels: Panels::Stored {
                matrix,
                transposed: false,
            },
        }
    }

    /// The same matrix packed the other way round: from `x · Wᵀ` to `y · W`. One that stays as it is stored is shared.
    #[must_use]
    pub fn transposed(&self) -> Self {
        let precision = match &self.panels {
            Panels::F32(_) | Panels::Split(..) => Precision::F32,
            Panels::Bf16(_) => Precision::Bf16,
            Panels::Stored { matrix, transposed } => {
                return Self {
                    n: self.k,
                    k: self.n,
                    panels: Panels::Stored {
                        matrix: Arc::clone(matrix),
                        transposed: !transposed,
                    },
                };
            }
        };
        Self::build(self.k, self.n, precision, |out, input| self.at(input, out))
    }

    fn build(
        n: usize,
        k: usize,
        precision: Precision,
        at: impl Fn(usize, usize) -> f32 + Sync,
    ) -> Self {
        let exact = || {
            let whole = |out| (0..k).all(|input| is_bf16(at(out, input)));
            // The first value that is none ends the search.
            (0..n).into_par_iter().all(whole)
        };
        let panels = match precision {
            Precision::F32 if !exact() => {
                let mut data = vec![0f32; n.div_ceil(WIDTH) * k * WIDTH];
                fill(&mut data, n, k, &at, &Singles);
                Panels::F32(data)
            }
            _ => {
                let mut data = zeros(n, k);
                let convert = bf16::from_f32;
                fill(data.values_mut(), n, k, &at, &Pairs { convert });
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
            Panels::Split(data, parts) => data.len() * 4 + parts.values().len() * 2,
            Panels::Bf16(data) => data.values().len() * 2,
            // Its transpose is the same memory.
            Panels::Stored { transposed, .. } if *transposed => 0,
            Panels::Stored { matrix, .. } => matrix.bytes(),
        }
    }

    /// The weight from input `input` to output `output`.
    fn at(&self, output: usize, input: usize) -> f32 {
        let (panel, offset) = (output / WIDTH, output % WIDTH);
        match &self.panels {
            Panels::F32(data) | Panels::Split(data, _) => {
                data[(panel * self.k + input) * WIDTH + offset]
            }
            Panels::Bf16(data) => {
                data.values()[panel * padded(self.k) * WIDTH + pair_place(offset, input)].to_f32()
            }
            Panels::Stored { matrix, transposed } => {
                let (row, place) = if *transposed {
                    (input, output)
                } else {
                    (output, input)
                };
                let mut values = [0f32; WIDTH];
                let first = place / WIDTH * WIDTH;
                let count = WIDTH.min(matrix.inputs() - first);
                matrix.read(row, first, &mut values[..count]);
                values[place - first]
            }
        }
    }

    /// Copies row `output` of the `[n, k]` matrix into `into` (`k` values): the look-up of an embedding that
    /// shares its memory with the output head.
    ///
    /// # Panics
    /// If there is no such row or `into` is too short.
    pub fn copy_row(&self, output: usize, into: &mut [f32]) {
        assert!(output < self.n, "row {output} of {}", self.n);
        if let Panels::Stored {
            matrix,
            transposed: false,
        } = &self.panels
        {
            matrix.read(output, 0, &mut into[..self.k]);
            return;
        }
        for (input, value) in into[..self.k].iter_mut().enumerate() {
            *value = self.at(output, input);
        }
    }
}

/// Whether a value is a bfloat16. NaN is not: it would lose its bits.
fn is_bf16(value: f32) -> bool {
    value.to_bits().trailing_zeros() >= 16 && !value.is_nan()
}

/// `k` as bfloat16 panels have it.
pub(crate) fn padded(k: usize) -> usize {
    k.next_multiple_of(STEP)
}

/// Place in a bfloat16 panel of the weight from `input` to its output `offset`.
fn pair_place(offset: usize, input: usize) -> usize {
    input / 2 * 2 * WIDTH + offset * 2 + input % 2
}

/// Room for the bfloat16 panels of `[n, k]`.
fn zeros(n: usize, k: usize) -> Aligned {
    Aligned::zeros(n.div_ceil(WIDTH) * WIDTH * padded(k))
}

/// How a panel is laid out, and what is stored.
trait Layout<T>: Sync {
    /// Values a panel of `k` inputs.
    fn panel(&self, k: usize) -> usize;
    /// Stores the weight from `input` to output `offset` of the panel.
    fn store(&self, panel: &mut [T], offset: usize, input: usize, value: f32);
}

/// `[k][WIDTH]`.
struct Singles;

impl Layout<f32> for Singles {
    fn panel(&self, k: usize) -> usize {
        k * WIDTH
    }

    fn store(&self, panel: &mut [f32], offset: usize, input: usize, value: f32) {
        panel[input * WIDTH + offset] = value;
    }
}

/// `[k / 2][WIDTH][2]`.
struct Pairs<F> {
    convert: F,
}

impl<F: Fn(f32) -> bf16 + Sync> Layout<bf16> for Pairs<F> {
    fn panel(&self, k: usize) -> usize {
        padded(k) * WIDTH
    }

    fn store(&self, panel: &mut [bf16], offset: usize, input: usize, value: f32) {
        panel[pair_place(offset, input)] = (self.convert)(value);
    }
}

fn fill<T: Send>(
    data: &mut [T],
    n: usize,
    k: usize,
    at: &(impl Fn(usize, usize) -> f32 + Sync),
    layout: &impl Layout<T>,
) {
    if k == 0 {
        return;
    }
    data.par_chunks_mut(layout.panel(k))
        .enumerate()
        .for_each(|(panel, chunk)| {
            let first = panel * WIDTH;
            let outputs = WIDTH.min(n - first);
            for input in 0..k {
                for offset in 0..outputs {
                    layout.store(chunk, offset, input, at(first + offset, input));
                }
            }
        });
}

/// Inputs that are interleaved at a time: a line of the cache from each row.
const TILE: usize = 16;

/// Fills panels from rows, which are read a panel at a time, as long as `go_on` says so.
fn interleave<T: Send, E: Send>(
    data: &mut [T],
    n: usize,
    k: usize,
    read: &(impl Fn(usize, &mut [f32]) -> Result<(), E> + Sync),
    layout: &impl Layout<T>,
    go_on: &(impl Fn() -> bool + Sync),
) -> Result<(), E> {
    if k == 0 {
        return Ok(());
    }
    data.par_chunks_mut(layout.panel(k))
        .enumerate()
        .try_for_each_init(
            || vec![0f32; k * WIDTH],
            |rows, (panel, chunk)| {
                if !go_on() {
                    return Ok(());
                }
                let first = panel * WIDTH;
                let rows = &mut rows[..WIDTH.min(n - first) * k];
                read(first, rows)?;
                for tile in (0..k).step_by(TILE) {
                    let end = (tile + TILE).min(k);
                    for (offset, row) in rows.chunks_exact(k).enumerate() {
                        for (input, &value) in (tile..end).zip(&row[tile..end]) {
                            layout.store(chunk, offset, input, value);
                        }
                    }
                }
                Ok(())
            },
        )
}

#[cfg(test)]
mod tests {
    use super::{Packed, Panels, Precision};

    #[test]
    fn read_in_stretches_or_at_once_is_the_same() {
        for (n, k) in [(1, 1), (32, 16), (33, 17), (70, 40), (5, 0), (0, 5)] {
            let weights: Vec<f32> = (0..n * k).map(|i| (i as f32 * 0.37).sin()).collect();
            for precision in [Precision::F32, Precision::Bf16] {
                // These weights are no bfloat16, or there are none.
                let precision = if n * k == 0 {
                    Precision::Bf16
                } else {
                    precision
                };
                let whole = Packed::rows(&weights, n, k, precision);
                let read = Packed::read_rows(n, k, precision, |first, rows| {
                    rows.copy_from_slice(&weights[first * k..][..rows.len()]);
                    Ok::<(), ()>(())
                });
                let read = read.map(|it| format!("{it:?}"));
                assert_eq!(read, Ok(format!("{whole:?}")));
            }
        }
        let narrow = Packed::rows(&[1.5; 40], 8, 5, Precision::F32);
        assert!(matches!(narrow.panels, Panels::Bf16(_)), "nothing is lost");
        let failed = Packed::read_rows(70, 4, Precision::F32, |first, _| {
            if first == 32 { Err(first) } else { Ok(()) }
        });
        assert_eq!(failed.err(), Some(32));
    }
}
