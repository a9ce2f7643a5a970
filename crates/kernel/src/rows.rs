//! The left factor of a product: activations, laid out once for all products that read them.
//!
//! Where the processor has a tile unit, each value is rounded to a bfloat16 or split into three that add up to it
//! (see `split`); elsewhere the rows stay as they are. Few rows may be better off without tiles, and are multiplied with codes
//! in bytes. What fills a row (a norm, an activation, a gradient) is
//! computed right before, while it is in the cache, and need not be kept.

use half::bf16;
use rayon::prelude::*;

use crate::aligned::Aligned;
use crate::amx;
use crate::pack::{Precision, STEP, padded};
use crate::quant::ByteRow;
use crate::split::split_row;

/// Rows of a tile.
pub(crate) const TILE: usize = 16;

/// Activations `[m, k]`, ready to be multiplied with weights.
#[derive(Debug)]
pub struct Rows {
    precision: Precision,
    m: usize,
    k: usize,
    pub(crate) form: Form,
}

#[derive(Debug)]
pub(crate) enum Form {
    /// Row-major; rounded to bfloat16 values where that is the precision.
    Plain(Vec<f32>),
    /// `[m / 16][k / 32][parts][16][32]`, `m` rounded up to a multiple of 32, `k` to one of 32, with zeros.
    Tiles(Aligned),
    /// Row-major, and in bytes for weights that are codes.
    Bytes(Vec<f32>, Vec<ByteRow>),
}

impl Rows {
    /// No rows, laid out as this machine multiplies fastest.
    pub fn new(precision: Precision) -> Self {
        Self::with_tiles(precision, amx::available())
    }

    /// No rows, for products of a few of them, which are bound by reading the weights. Values are rounded to bytes (a scale for
    /// 32 of them) for weights that are codes, and stay `f32` for others.
    pub fn few() -> Self {
        Self {
            precision: Precision::F32,
            m: 0,
            k: 0,
            form: Form::Bytes(Vec::new(), Vec::new()),
        }
    }

    /// No rows, for products of many of them with codes: bfloat16 where there is a tile unit, bytes elsewhere.
    pub fn for_codes() -> Self {
        if amx::available() {
            Self::new(Precision::Bf16)
        } else {
            Self::few()
        }
    }

    /// [`Self::new`], with tiles or without.
    pub(crate) fn with_tiles(precision: Precision, tiles: bool) -> Self {
        let form = if tiles {
            Form::Tiles(Aligned::zeros(0))
        } else {
            Form::Plain(Vec::new())
        };
        Self {
            precision,
            m: 0,
            k: 0,
            form,
        }
    }

    /// Number of rows.
    pub fn m(&self) -> usize {
        self.m
    }

    /// Values a row.
    pub fn k(&self) -> usize {
        self.k
    }

    /// What products with these rows are computed in.
    pub fn precision(&self) -> Precision {
        self.precision
    }

    /// Parts that a value is split into.
    pub(crate) fn parts(&self) -> usize {
        match self.precision {
            Precision::F32 => 3,
            Precision::Bf16 => 1,
        }
    }

    /// Takes the rows of a row-major matrix `[m, k]`.
    ///
    /// # Panics
    /// If `x` is not `m · k` long.
    pub fn copy(&mut self, x: &[f32], m: usize, k: usize) {
        assert_eq!(x.len(), m.saturating_mul(k), "x is [{m}, {k}]");
        self.fill(m, k, |row, into| {
            into.copy_from_slice(&x[row * k..][..k]);
        });
    }

    /// Takes `m` rows of `k` values that `row` writes, each into the room it is given, in parallel and in any order.
    pub fn fill(&mut self, m: usize, k: usize, row: impl Fn(usize, &mut [f32]) + Sync) {
        let parts = self.parts();
        (self.m, self.k) = (m, k);
        match &mut self.form {
            Form::Plain(data) => {
                data.resize(m * k, 0.0);
                let round = self.precision == Precision::Bf16;
                data.par_chunks_mut(k.max(1))
                    .enumerate()
                    .for_each(|(index, into)| {
                        row(index, into);
                        if round {
                            for value in into {
                                *value = bf16::from_f32(*value).to_f32();
                            }
                        }
                    });
            }
            Form::Bytes(data, bytes) => {
                data.resize(m * k, 0.0);
                bytes.resize_with(m, ByteRow::default);
                let coded = k.is_multiple_of(STEP);
                let fill = |(index, (into, bytes)): (usize, (&mut [f32], &mut ByteRow))| {
                    row(index, into);
                    if coded {
                        bytes.take(into);
                    }
                };
                data.par_chunks_mut(k.max(1))
                    .zip(bytes)
                    .enumerate()
                    .for_each(fill);
            }
            Form::Tiles(data) => {
                if k == 0 {
                    data.resize(0);
                    return;
                }
                let length = padded(k) / STEP * parts * TILE * STEP;
                data.resize(m.next_multiple_of(amx::SIDE) / TILE * length);
                data.values_mut()
                    .par_chunks_mut(length)
                    .enumerate()
                    .for_each_init(
                        || vec![0f32; padded(k)],
                        |values, (tile, into)| {
                            for offset in 0..TILE {
                                let index = tile * TILE + offset;
                                if index < m {
                                    row(index, &mut values[..k]);
                                } else {
                                    values.fill(0.0);
                                }
                                let into = &mut into[offset * STEP..];
                                if parts == 3 {
                                    split_row::<3>(values, into);
                                } else {
                                    split_row::<1>(values, into);
                                }
                            }
                        },
                    );
            }
        }
    }
}
