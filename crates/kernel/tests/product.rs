//! The product of training against a sum in `f64`: as exact as one in `f32`, whatever unit computes it.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

mod caps;

use std::sync::Arc;

use harness_kernel::{
    Init, Nf4, Packed, Precision, Rows, Start, Stored, Sum, matmul, product, sum_of_products,
    sums_of_products,
};
use proptest::prelude::*;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

fn random(seed: u64, len: usize) -> Vec<f32> {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    (0..len).map(|_| rng.random_range(-1.0..1.0)).collect()
}

fn to_bf16(x: &[f32]) -> Vec<f32> {
    x.iter()
        .map(|x| {
            let bits = x.to_bits();
            f32::from_bits((bits + 0x7FFF + (bits >> 16 & 1)) & 0xFFFF_0000)
        })
        .collect()
}

/// `x · Wᵀ` and, beside it, `Σ |x| |w|`: what an error is measured against.
fn exact(x: &[f32], w: &[f32], (m, n, k): (usize, usize, usize)) -> Vec<(f64, f64)> {
    let mut out = Vec::with_capacity(m * n);
    for i in 0..m {
        for j in 0..n {
            let terms = (0..k).map(|l| f64::from(x[i * k + l]) * f64::from(w[j * k + l]));
            out.push(terms.fold((0.0, 0.0), |(sum, size), t| (sum + t, size + t.abs())));
        }
    }
    out
}

/// The largest error in units of `f32`'s rounding of `Σ |x| |w|`.
fn worst(found: &[f32], exact: &[(f64, f64)]) -> f64 {
    found
        .iter()
        .zip(exact)
        .map(|(found, (sum, size))| {
            (f64::from(*found) - sum).abs() / (size.max(1e-30) * f64::from(f32::EPSILON))
        })
        .fold(0.0, f64::max)
}

fn run(
    precision: Precision,
    x: &[f32],
    weights: &Packed,
    (m, n, k): (usize, usize, usize),
) -> Vec<f32> {
    let mut rows = Rows::new(precision);
    rows.copy(x, m, k);
    let mut out = vec![f32::NAN; m * n];
    product(&rows, weights, &mut out, Init::Zero);
    out
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    #[test]
    fn as_exact_as_f32(m in 1usize..80, n in 1usize..100, k in 1usize..900, seed in 0u64..1000) {
        let shape = (m, n, k);
        let (x, w) = (random(seed, m * k), random(seed + 1, n * k));
        let narrow = to_bf16(&w);
        for (w, precision) in [(&w, Precision::F32), (&narrow, Precision::Bf16)] {
            let weights = Packed::rows(w, n, k, precision);
            let exact = exact(&x, w, shape);
            let found = worst(&run(Precision::F32, &x, &weights, shape), &exact);
            let mut plain = vec![0f32; m * n];
            matmul(&x, m, &weights, &mut plain, Init::Zero);
            let plain = worst(&plain, &exact);
            // A sum of k terms in f32 is off by at most k roundings, and by some √k as a rule.
            prop_assert!(found <= 4.0 * plain + 2.0, "{found} roundings, a sum of f32 {plain}");
        }
    }

    #[test]
    fn bf16_is_the_product_of_rounded_values(m in 1usize..70, n in 1usize..70, k in 1usize..600, seed in 0u64..1000) {
        let (x, w) = (to_bf16(&random(seed, m * k)), to_bf16(&random(seed + 1, n * k)));
        let shape = (m, n, k);
        let exact = exact(&x, &w, shape);
        for weights in [Packed::rows(&w, n, k, Precision::Bf16), Packed::rows(&w, n, k, Precision::F32)] {
            let noisy: Vec<f32> = x.iter().map(|x| x * 1.000_01).collect();
            for x in [&x, &noisy] {
                prop_assert!(worst(&run(Precision::Bf16, x, &weights, shape), &exact) < 40.0);
            }
        }
    }

    #[test]
    fn it_goes_on_from_what_is_there(m in 1usize..40, n in 1usize..70, k in 1usize..70, seed in 0u64..1000) {
        let (x, w, start) = (random(seed, m * k), random(seed + 1, n * k), random(seed + 2, m * n));
        let weights = Packed::rows(&w, n, k, Precision::F32);
        let sum = run(Precision::F32, &x, &weights, (m, n, k));
        let mut rows = Rows::new(Precision::F32);
        rows.copy(&x, m, k);
        let mut out = start.clone();
        product(&rows, &weights, &mut out, Init::Keep);
        for ((out, start), sum) in out.iter().zip(&start).zip(&sum) {
            prop_assert!((out - start - sum).abs() < 1e-4);
        }
    }
}

/// A second term and each start are the same as in several steps.
#[test]
fn terms_and_starts_add_up() {
    for (m, n, k, second) in [
        (1, 1, 1, 1),
        (70, 70, 1300, 16),
        (33, 32, 64, 40),
        (64, 96, 640, 3),
    ] {
        let (x, w) = (random(1, m * k), to_bf16(&random(2, n * k)));
        let (y, v) = (random(3, m * second), random(4, n * second));
        let (start, bias) = (random(5, m * n), random(6, n));
        let weights = [
            Packed::rows(&w, n, k, Precision::F32),
            Packed::rows(&v, n, second, Precision::F32),
        ];
        let mut rows = [Rows::new(Precision::F32), Rows::new(Precision::F32)];
        rows[0].copy(&x, m, k);
        rows[1].copy(&y, m, second);
        let terms = [(&rows[0], &weights[0]), (&rows[1], &weights[1])];
        let repeated: Vec<f32> = (0..m * n).map(|i| bias[i % n]).collect();
        let zero = vec![0f32; m * n];
        for (from, expected) in [
            (Start::Zero, &zero),
            (Start::Out, &start),
            (Start::Matrix(&repeated), &repeated),
            (Start::Row(&bias), &repeated),
        ] {
            let mut out = start.clone();
            sum_of_products(&terms, from, &mut out);
            let mut steps = expected.clone();
            product(&rows[0], &weights[0], &mut steps, Init::Keep);
            product(&rows[1], &weights[1], &mut steps, Init::Keep);
            assert_eq!(out, steps, "{m} {n} {k} {from:?}");
        }
    }
}

/// Several sums at once are the same bits as one by one.
#[test]
fn sums_do_not_see_each_other() {
    for m in [1, 7, 16, 17, 90] {
        let k = 200;
        let mut rows = Rows::new(Precision::F32);
        rows.copy(&random(1, m * k), m, k);
        let weights: Vec<Packed> = [96, 5, 700]
            .iter()
            .map(|&n| Packed::rows(&to_bf16(&random(n as u64, n * k)), n, k, Precision::F32))
            .collect();
        let terms: Vec<_> = weights.iter().map(|weights| [(&rows, weights)]).collect();
        let mut together: Vec<Vec<f32>> = weights
            .iter()
            .map(|weights| random(9, m * weights.outputs()))
            .collect();
        let mut alone = together.clone();
        let mut sums: Vec<Sum<'_>> = together
            .iter_mut()
            .zip(&terms)
            .map(|(out, terms)| Sum {
                terms,
                start: Start::Out,
                out,
            })
            .collect();
        sums_of_products(&mut sums);
        for (out, terms) in alone.iter_mut().zip(&terms) {
            sum_of_products(terms, Start::Out, out);
        }
        assert_eq!(together, alone, "{m} rows");
    }
}

/// A matrix that stays in four bits gives the product of its values, in both directions.
#[test]
fn stored_weights_are_their_values() {
    for (m, n, k) in [(1, 1, 1), (40, 70, 100), (65, 300, 700), (33, 96, 64)] {
        let w = random(1, n * k);
        let stored = Nf4::read_rows(n, k, |row, out| {
            out.copy_from_slice(&w[row * k..][..k]);
            Ok::<(), ()>(())
        });
        let stored = Arc::new(stored.unwrap());
        let mut values = vec![0f32; n * k];
        for (row, values) in values.chunks_exact_mut(k).enumerate() {
            stored.read(row, 0, values);
        }
        let forward = Packed::stored(stored);
        let plain = Packed::rows(&values, n, k, Precision::F32);
        for (weights, plain) in [(forward.transposed(), plain.transposed()), (forward, plain)] {
            let (n, k) = (plain.outputs(), plain.inputs());
            let x = random(2, m * k);
            for precision in [Precision::F32, Precision::Bf16] {
                let shape = (m, n, k);
                assert_eq!(
                    run(precision, &x, &weights, shape),
                    run(precision, &x, &plain, shape)
                );
            }
            for init in [Init::Zero, Init::Keep] {
                let (mut a, mut b) = (random(3, m * n), random(3, m * n));
                matmul(&x, m, &weights, &mut a, init);
                matmul(&x, m, &plain, &mut b, init);
                assert_eq!(a, b);
            }
            let (mut a, mut b) = (vec![0f32; k], vec![0f32; k]);
            weights.copy_row(n - 1, &mut a);
            plain.copy_row(n - 1, &mut b);
            assert_eq!(a, b);
        }
    }
}

/// The same bits alone and among others, at one thread and at several.
#[test]
fn a_row_does_not_see_its_neighbours_nor_threads() {
    let (m, n, k) = (150, 70, 700);
    let (x, w) = (random(1, m * k), random(2, n * k));
    for precision in [Precision::F32, Precision::Bf16] {
        let weights = Packed::rows(&w, n, k, precision);
        let all = run(precision, &x, &weights, (m, n, k));
        for row in [0, 31, 32, 149] {
            let one = run(precision, &x[row * k..][..k], &weights, (1, n, k));
            assert_eq!(one, all[row * n..][..n]);
        }
        for threads in [1, 3] {
            let pool = rayon::ThreadPoolBuilder::new()
                .num_threads(threads)
                .build()
                .unwrap();
            assert_eq!(
                pool.install(|| run(precision, &x, &weights, (m, n, k))),
                all
            );
        }
    }
}

#[test]
fn nothing_and_not_a_number() {
    let weights = Packed::rows(&[], 3, 0, Precision::F32);
    assert_eq!(run(Precision::F32, &[], &weights, (2, 3, 0)), [0.0; 6]);
    let weights = Packed::rows(&[1.0; 64], 2, 32, Precision::Bf16);
    let mut x = vec![1.0; 64];
    x[40] = f32::NAN;
    let out = run(Precision::F32, &x, &weights, (2, 2, 32));
    assert!(
        out[0].is_finite() && out[2].is_nan() && out[3].is_nan(),
        "{out:?}"
    );
}

#[test]
fn the_same_under_each_cap() {
    caps::run_all_but("the_same_under_each_cap");
}
