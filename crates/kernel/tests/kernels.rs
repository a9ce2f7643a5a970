//! Every kernel against a naive form in `f64`, and the promise that a row's result depends on that row alone.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

mod caps;

use harness_kernel::{
    AttentionShape, Init, KvPages, KvShape, PAGE, Packed, Precision, Queries, Rope, attend,
    attention_backward, attention_forward, cross_entropy_rows, exp, matmul, rms_norm,
    rms_norm_backward, swiglu, swiglu_backward,
};
use proptest::prelude::*;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

fn random(seed: u64, len: usize) -> Vec<f32> {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    (0..len).map(|_| rng.random_range(-1.0..1.0)).collect()
}

fn close(found: f64, expected: f64, tolerance: f64, what: &str) {
    let scale = expected.abs().max(1.0);
    assert!(
        (found - expected).abs() <= tolerance * scale,
        "{what}: {found} for {expected}"
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn product_is_the_naive_sum(m in 1usize..60, n in 1usize..100, k in 1usize..600, seed in 0u64..1000) {
        let (x, w) = (random(seed, m * k), random(seed + 1, n * k));
        let start = random(seed + 2, m * n);
        for (packed, transposed) in [
            (Packed::rows(&w, n, k, Precision::F32), false),
            (Packed::columns(&w, n, k, Precision::F32).transposed(), true),
        ] {
            let mut out = start.clone();
            matmul(&x, m, &packed, &mut out, Init::Keep);
            for i in 0..m {
                for j in 0..n {
                    let sum: f64 = (0..k).map(|l| f64::from(x[i * k + l]) * f64::from(w[j * k + l])).sum();
                    let expected = sum + f64::from(start[i * n + j]);
                    close(f64::from(out[i * n + j]), expected, 2e-5, if transposed { "transposed" } else { "rows" });
                }
            }
        }
    }

    #[test]
    fn a_row_does_not_see_its_neighbours(m in 2usize..70, n in 1usize..80, k in 1usize..700, seed in 0u64..1000) {
        let (x, w) = (random(seed, m * k), random(seed + 1, n * k));
        let packed = Packed::rows(&w, n, k, Precision::Bf16);
        let mut all = vec![0.0; m * n];
        matmul(&x, m, &packed, &mut all, Init::Zero);
        for row in [0, m / 2, m - 1] {
            let mut one = vec![0.0; n];
            matmul(&x[row * k..(row + 1) * k], 1, &packed, &mut one, Init::Zero);
            prop_assert_eq!(&all[row * n..(row + 1) * n], &one[..]);
        }
    }

    #[test]
    fn exp_is_the_library_s(x in -90f32..88.0) {
        let expected = f64::from(x).exp();
        let found = f64::from(exp(x));
        prop_assert!((found - expected).abs() <= expected * 3e-7 + 1e-37);
    }
}

#[test]
fn an_embedding_row_is_the_packed_row() {
    let (n, k) = (70, 33);
    let w = random(3, n * k);
    let packed = Packed::rows(&w, n, k, Precision::F32);
    let mut row = vec![0.0; k];
    packed.copy_row(69, &mut row);
    assert_eq!(row, w[69 * k..]);
}

/// Central difference of `f` along element `index` of `x`.
fn slope(x: &[f32], index: usize, f: &dyn Fn(&[f32]) -> f64) -> f64 {
    let step = 1e-2;
    let mut moved = x.to_vec();
    moved[index] = x[index] + step;
    let above = f(&moved);
    moved[index] = x[index] - step;
    let below = f(&moved);
    (above - below) / (2.0 * f64::from(step))
}

fn weighted(out: &[f32], weights: &[f32]) -> f64 {
    out.iter()
        .zip(weights)
        .map(|(o, w)| f64::from(*o) * f64::from(*w))
        .sum()
}

#[test]
fn rms_norm_slopes() {
    let (m, width) = (3, 20);
    let (x, w, dy) = (random(1, m * width), random(2, width), random(3, m * width));
    let f = |x: &[f32]| {
        let mut out = vec![0.0; x.len()];
        rms_norm(x, &w, 1e-5, &mut out);
        weighted(&out, &dy)
    };
    let mut dx = vec![0.0; x.len()];
    rms_norm_backward(&x, &w, 1e-5, &dy, &mut dx);
    for (i, found) in dx.iter().enumerate() {
        close(f64::from(*found), slope(&x, i, &f), 2e-3, "dx");
    }
}

#[test]
fn swiglu_slopes() {
    let len = 600;
    let (g, u, dy) = (random(1, len), random(2, len), random(3, len));
    let run = |g: &[f32], u: &[f32]| {
        let mut out = vec![0.0; len];
        swiglu(g, u, &mut out);
        weighted(&out, &dy)
    };
    let (mut dg, mut du) = (vec![0.0; len], vec![0.0; len]);
    swiglu_backward(&g, &u, &dy, &mut dg, &mut du);
    for i in (0..len).step_by(37) {
        close(
            f64::from(dg[i]),
            slope(&g, i, &|g| run(g, &u)),
            1e-3,
            "gate",
        );
        close(f64::from(du[i]), slope(&u, i, &|u| run(&g, u)), 1e-3, "up");
    }
}

#[test]
fn rope_turns_back() {
    let rope = Rope::new(&[1.0, 0.1, 0.01, 0.001], 50);
    let x = random(5, 3 * 16);
    let mut y = x.clone();
    rope.rotate(&mut y, &[0, 7, 49], false);
    assert_eq!(y[..16], x[..16], "position 0 stays");
    assert!((y[16] - x[16]).abs() > 1e-3);
    rope.rotate(&mut y, &[0, 7, 49], true);
    for (found, expected) in y.iter().zip(&x) {
        close(f64::from(*found), f64::from(*expected), 1e-5, "turned back");
    }
}

fn naive_attention(shape: &AttentionShape, q: &[f32], k: &[f32], v: &[f32]) -> Vec<f64> {
    let (h, kv, d) = (shape.heads, shape.kv_heads, shape.head_dim);
    let mut out = vec![0f64; q.len()];
    for ends in shape.starts.windows(2) {
        for i in ends[0]..ends[1] {
            let oldest = shape
                .window
                .map_or(0, |window| (i + 1).saturating_sub(window));
            let first = oldest.max(ends[0]);
            for head in 0..h {
                let kv_head = head / (h / kv);
                let weights: Vec<f64> = (first..=i)
                    .map(|j| {
                        let s: f64 = (0..d)
                            .map(|e| {
                                f64::from(q[(i * h + head) * d + e])
                                    * f64::from(k[(j * kv + kv_head) * d + e])
                            })
                            .sum();
                        (s / (d as f64).sqrt()).exp()
                    })
                    .collect();
                let total: f64 = weights.iter().sum();
                for e in 0..d {
                    out[(i * h + head) * d + e] = weights
                        .iter()
                        .enumerate()
                        .map(|(j, w)| {
                            w / total * f64::from(v[((first + j) * kv + kv_head) * d + e])
                        })
                        .sum();
                }
            }
        }
    }
    out
}

#[test]
fn attention_is_the_naive_one_and_has_its_slopes() {
    for (heads, kv_heads, head_dim, window, starts) in [
        (4, 2, 6, None, vec![0, 5, 6, 80]),
        (3, 3, 4, None, vec![0, 9]),
        (6, 1, 8, None, vec![0, 130]),
        (4, 2, 6, Some(7), vec![0, 5, 6, 80]),
        (3, 3, 4, Some(1), vec![0, 9]),
        (6, 1, 8, Some(70), vec![0, 130]),
    ] {
        let shape = AttentionShape {
            heads,
            kv_heads,
            head_dim,
            starts,
            window,
        };
        let rows = *shape.starts.last().unwrap();
        let (q, k, v) = (
            random(1, rows * heads * head_dim),
            random(2, rows * kv_heads * head_dim),
            random(3, rows * kv_heads * head_dim),
        );
        let mut out = vec![0.0; q.len()];
        attention_forward(&shape, Precision::F32, (&q, &k, &v), &mut out);
        for (found, expected) in out.iter().zip(naive_attention(&shape, &q, &k, &v)) {
            close(f64::from(*found), expected, 1e-5, "attention");
        }
        let dy = random(4, q.len());
        let (mut dq, mut dk, mut dv) = (vec![0.0; q.len()], vec![0.0; k.len()], vec![0.0; v.len()]);
        attention_backward(
            &shape,
            Precision::F32,
            (&q, &k, &v),
            &dy,
            (&mut dq, &mut dk, &mut dv),
        );
        let value = |q: &[f32], k: &[f32], v: &[f32]| {
            naive_attention(&shape, q, k, v)
                .iter()
                .zip(&dy)
                .map(|(o, w)| o * f64::from(*w))
                .sum::<f64>()
        };
        for i in (0..k.len()).step_by(k.len() / 12) {
            close(
                f64::from(dk[i]),
                slope(&k, i, &|k| value(&q, k, &v)),
                2e-3,
                "dk",
            );
            close(
                f64::from(dv[i]),
                slope(&v, i, &|v| value(&q, &k, v)),
                2e-3,
                "dv",
            );
            close(
                f64::from(dq[i]),
                slope(&q, i, &|q| value(q, &k, &v)),
                2e-3,
                "dq",
            );
        }
    }
}

#[test]
fn cached_attention_gives_the_same_bits_however_it_is_cut() {
    let shape = KvShape {
        layers: 2,
        heads: 6,
        kv_heads: 2,
        head_dim: 40,
    };
    let (rows, q_row, kv_row) = (77, 240, 80);
    let (q, k, v) = (
        random(1, rows * q_row),
        random(2, rows * kv_row),
        random(3, rows * kv_row),
    );
    for window in [None, Some(1), Some(20)] {
        let whole = AttentionShape {
            heads: 6,
            kv_heads: 2,
            head_dim: 40,
            starts: vec![0, rows],
            window,
        };
        let expected = naive_attention(&whole, &q, &k, &v);
        let mut results: Vec<Vec<f32>> = Vec::new();
        for cuts in [
            vec![0, 77],
            vec![0, 1, 2, 40, 41, 76, 77],
            (0..=77).collect::<Vec<_>>(),
        ] {
            // Pages in another order each time, with what others left in them.
            let mut pages = used_pages(shape, 9);
            let table: Vec<usize> = (0..77usize.div_ceil(PAGE))
                .map(|i| (i * 4 + cuts.len()) % 9)
                .collect();
            let mut out = vec![0.0; q.len()];
            for ends in cuts.windows(2) {
                let (a, b) = (ends[0], ends[1]);
                pages.store(
                    1,
                    &table,
                    a,
                    &k[a * kv_row..b * kv_row],
                    &v[a * kv_row..b * kv_row],
                );
                attend(
                    1,
                    window,
                    &pages,
                    &[Queries {
                        table: &table,
                        position: a,
                        count: b - a,
                    }],
                    &q[a * q_row..b * q_row],
                    &mut out[a * q_row..b * q_row],
                );
            }
            results.push(out);
        }
        for result in &results {
            assert_eq!(result, &results[0]);
        }
        for (found, expected) in results[0].iter().zip(expected) {
            close(f64::from(*found), expected, 1e-5, "cached attention");
        }
    }
}

/// Pages full of numbers that nobody should see.
fn used_pages(shape: KvShape, count: usize) -> KvPages {
    let mut pages = KvPages::new(shape);
    let width = shape.kv_heads * shape.head_dim;
    for page in 0..count {
        assert_eq!(pages.push(), page);
        for layer in 0..shape.layers {
            let left = vec![1e3; PAGE * width];
            pages.store(layer, &[page], 0, &left, &left);
        }
    }
    pages
}

#[test]
fn sequences_with_pages_in_common_are_as_alone() {
    let shape = KvShape {
        layers: 1,
        heads: 2,
        kv_heads: 1,
        head_dim: 32,
    };
    let (k, v, q) = (random(1, 90 * 32), random(2, 90 * 32), random(3, 90 * 64));
    let mut pages = used_pages(shape, 8);
    let first = [5, 1, 7];
    pages.store(0, &first, 0, &k, &v);
    // The second shares one page, copies the next, and goes on from position 40 with numbers of its own.
    let second = [5, 2, 0];
    pages.copy(1, 2);
    let (k2, v2) = (random(4, 50 * 32), random(5, 50 * 32));
    pages.store(0, &second, 40, &k2, &v2);
    let whole = |table| Queries {
        table,
        position: 0,
        count: 90,
    };
    let mut both = vec![0.0; 2 * q.len()];
    let twice = [q.clone(), q.clone()].concat();
    attend(
        0,
        None,
        &pages,
        &[whole(&first), whole(&second)],
        &twice,
        &mut both,
    );

    let mut alone = used_pages(shape, 3);
    let table = [2, 0, 1];
    let joined = |a: &[f32], b: &[f32]| [&a[..40 * 32], b].concat();
    alone.store(0, &table, 0, &joined(&k, &k2), &joined(&v, &v2));
    let mut out = vec![0.0; q.len()];
    attend(0, None, &alone, &[whole(&table)], &q, &mut out);
    assert_eq!(both[q.len()..], out);
    assert_eq!(both[..40 * 64], out[..40 * 64]);
    assert_ne!(both[89 * 64..90 * 64], out[89 * 64..]);
}

#[test]
fn cross_entropy_is_minus_ln_p_and_its_gradient_sums_to_zero() {
    let logits = random(9, 3 * 50);
    let mut rows = logits.clone();
    let losses = cross_entropy_rows(&mut rows, &[4, 0, 49]);
    for (row, target) in [4usize, 0, 49].into_iter().enumerate() {
        let own = &logits[row * 50..(row + 1) * 50];
        let total: f64 = own.iter().map(|x| f64::from(*x).exp()).sum();
        close(
            losses[row],
            -(f64::from(own[target]).exp() / total).ln(),
            1e-6,
            "loss",
        );
        let sum: f64 = rows[row * 50..(row + 1) * 50]
            .iter()
            .map(|x| f64::from(*x))
            .sum();
        close(sum, 0.0, 1e-5, "gradient");
    }
}

#[test]
fn the_same_under_each_cap() {
    caps::run_all_but("the_same_under_each_cap");
}

#[test]
fn what_is_used_is_what_the_environment_allows() {
    let cap = std::env::var("HARNESS_CPU").ok();
    let named = harness_kernel::Instructions::ALL
        .into_iter()
        .find(|it| cap.as_deref() == Some(it.name()));
    assert!(named.is_none_or(|cap| harness_kernel::instructions() <= cap));
}
