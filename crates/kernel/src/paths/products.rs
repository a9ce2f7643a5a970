//! Products with and without the tile unit, at every level of vector instructions.

use std::sync::Arc;

use half::bf16;
use proptest::prelude::*;

use super::{bits, distance, random};
use crate::cpu::Instructions;
use crate::cpu::testing::{here, up_to};
use crate::{Init, Nf4, Packed, Precision, Rows, Start, add_outer, amx, matmul, sum_of_products};

/// One term: activations `[m, k]` and weights `[n, k]` as a product sees them.
struct Term {
    k: usize,
    x: Vec<f32>,
    w: Vec<f32>,
    packed: Packed,
}

/// How weights are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kept {
    Bf16,
    F32,
    Nf4,
    Nf4Transposed,
}

fn round(values: &mut [f32]) {
    for value in values {
        *value = bf16::from_f32(*value).to_f32();
    }
}

fn nf4(values: &[f32], outputs: usize, inputs: usize) -> Packed {
    let matrix = Nf4::read_rows(outputs, inputs, |row, into| {
        into.copy_from_slice(&values[row * inputs..][..inputs]);
        Ok::<(), ()>(())
    });
    Packed::stored(Arc::new(matrix.unwrap()))
}

fn term(kept: Kept, (m, n, k): (usize, usize, usize), seed: u64) -> Term {
    let x = random(seed, m * k);
    let mut w = random(seed + 1, n * k);
    let packed = match kept {
        Kept::Bf16 => {
            round(&mut w);
            Packed::rows(&w, n, k, Precision::Bf16)
        }
        Kept::F32 => Packed::rows(&w, n, k, Precision::F32),
        Kept::Nf4 => nf4(&w, n, k),
        Kept::Nf4Transposed => nf4(&w, k, n).transposed(),
    };
    if matches!(kept, Kept::Nf4 | Kept::Nf4Transposed) && k > 0 {
        for (output, row) in w.chunks_exact_mut(k).enumerate() {
            if kept == Kept::Nf4 {
                packed.copy_row(output, row);
            } else {
                packed.clone().transposed_column(output, row);
            }
        }
    }
    Term { k, x, w, packed }
}

impl Packed {
    /// Column `output` of the matrix that this one is the transpose of.
    fn transposed_column(self, output: usize, into: &mut [f32]) {
        let matrix = self.transposed();
        let mut row = vec![0.0; matrix.inputs()];
        for (input, value) in into.iter_mut().enumerate() {
            matrix.copy_row(input, &mut row);
            *value = row[output];
        }
    }
}

/// The sum in `f64`, and that of magnitudes, the measure of an error.
fn naive(terms: &[Term], start: &[f32], (m, n): (usize, usize)) -> (Vec<f64>, f64) {
    let mut out: Vec<f64> = start.iter().copied().map(f64::from).collect();
    let mut size = 1.0_f64;
    for i in 0..m {
        for j in 0..n {
            let mut magnitude = 1.0;
            for term in terms {
                for l in 0..term.k {
                    let product =
                        f64::from(term.x[i * term.k + l]) * f64::from(term.w[j * term.k + l]);
                    out[i * n + j] += product;
                    magnitude += product.abs();
                }
            }
            size = size.max(magnitude);
        }
    }
    (out, size)
}

fn run(
    (precision, tiles): (Precision, bool),
    terms: &[Term],
    start: Start<'_>,
    out: &[f32],
    m: usize,
) -> Vec<f32> {
    let rows: Vec<Rows> = terms
        .iter()
        .map(|term| {
            let mut rows = Rows::with_tiles(precision, tiles);
            rows.copy(&term.x, m, term.k);
            rows
        })
        .collect();
    let terms: Vec<(&Rows, &Packed)> = rows.iter().zip(terms.iter().map(|it| &it.packed)).collect();
    let mut out = out.to_vec();
    sum_of_products(&terms, start, &mut out);
    out
}

const KEPT: [Kept; 4] = [Kept::Bf16, Kept::F32, Kept::Nf4, Kept::Nf4Transposed];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(80))]

    #[test]
    fn every_path_is_the_naive_sum(
        m in 0usize..70,
        n in 1usize..100,
        ks in prop::collection::vec((0usize..150, 0usize..4), 1..4),
        first in 0usize..900,
        start in 0usize..4,
        seed in 0u64..1000,
    ) {
        let terms = |precision: Precision| -> Vec<Term> {
            let shapes = ks.iter().enumerate().map(|(i, (k, kept))| (i, k + if i == 0 { first } else { 0 }, KEPT[*kept]));
            shapes.map(|(i, k, kept)| {
                let mut term = term(kept, (m, n, k), seed + 10 * i as u64);
                if precision == Precision::Bf16 {
                    round(&mut term.x);
                }
                term
            }).collect()
        };
        let (matrix, row, before) = (random(seed + 2, m * n), random(seed + 3, n), random(seed + 4, m * n));
        let from = [Start::Zero, Start::Out, Start::Matrix(&matrix), Start::Row(&row)][start];
        let begun = match from {
            Start::Zero => vec![0.0; m * n],
            Start::Out => before.clone(),
            Start::Matrix(_) => matrix.clone(),
            Start::Row(_) => row.repeat(m),
        };
        for precision in [Precision::F32, Precision::Bf16] {
            let terms = terms(precision);
            let (expected, size) = naive(&terms, &begun, (m, n));
            let roundings = 8.0 * size * f64::from(f32::EPSILON);
            for level in here() {
                for tiles in [false, true] {
                    if tiles && level < Instructions::Amx {
                        continue;
                    }
                    let found = up_to(level, || run((precision, tiles), &terms, from, &before, m));
                    // The unit rounds weights that are no bfloat16 where that is the precision.
                    let rounded = tiles && precision == Precision::Bf16 && ks.iter().any(|(_, kept)| KEPT[*kept] != Kept::Bf16);
                    let allowed = if rounded { size / 256.0 } else { roundings };
                    let far = distance(&found, &expected);
                    prop_assert!(far <= allowed, "{level}, tiles {tiles}, {precision:?}: {far} of {allowed}");
                }
            }
        }
    }

    #[test]
    fn vectors_of_any_width_give_the_same_bits(m in 1usize..40, n in 1usize..80, k in 0usize..500, seed in 0u64..1000) {
        let (x, w) = (random(seed, m * k), random(seed + 1, n * k));
        for precision in [Precision::F32, Precision::Bf16] {
            let packed = Packed::rows(&w, n, k, precision);
            let product = || {
                let mut out = random(seed, m * n);
                matmul(&x, m, &packed, &mut out, Init::Keep);
                bits(&out)
            };
            if here().contains(&Instructions::Avx2) {
                // Fused multiply-adds in the same order; without them each product is rounded.
                let narrow = up_to(Instructions::Avx2, product);
                for level in here().into_iter().filter(|it| *it > Instructions::Avx2) {
                    prop_assert_eq!(&up_to(level, product), &narrow, "{}", level);
                }
            }
        }
    }

    #[test]
    fn outer_products(m in 0usize..150, r in 1usize..41, n in 1usize..100, seed in 0u64..1000) {
        let (a, b, start) = (random(seed, m * r), random(seed + 1, m * n), random(seed + 2, r * n));
        let mut expected: Vec<f64> = start.iter().copied().map(f64::from).collect();
        for i in 0..m {
            for j in 0..r {
                for c in 0..n {
                    expected[j * n + c] += f64::from(a[i * r + j]) * f64::from(b[i * n + c]);
                }
            }
        }
        for level in here() {
            let found = up_to(level, || {
                let mut out = start.clone();
                add_outer(&mut out, (m, r, n), &a, &b);
                out
            });
            let far = distance(&found, &expected);
            prop_assert!(far <= 8.0 * (m as f64 + 1.0) * f64::from(f32::EPSILON), "{level}: {far}");
        }
    }
}

#[test]
fn tiles_are_chosen_where_they_are() {
    assert_eq!(amx::available(), here().contains(&Instructions::Amx));
    assert!(!up_to(Instructions::Avx512, amx::available));
}
