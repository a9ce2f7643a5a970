//! Attention on the tile unit and with vectors, forward and backward, against one in `f64`.

use proptest::prelude::*;

use super::{distance, random};
use crate::cpu::testing::{here, up_to};
use crate::{AttentionShape, Precision, attention_backward, attention_forward};

/// Output, and gradients of queries, keys and values.
type Found = [Vec<f32>; 4];

fn run(shape: &AttentionShape, precision: Precision, [q, k, v, dy]: &[Vec<f32>; 4]) -> Found {
    // What is not written is seen.
    let room = |like: &Vec<f32>| vec![f32::NAN; like.len()];
    let (mut out, mut dq, mut dk, mut dv) = (room(q), room(q), room(k), room(v));
    attention_forward(shape, precision, (q, k, v), &mut out);
    let into = (&mut dq[..], &mut dk[..], &mut dv[..]);
    attention_backward(shape, precision, (q, k, v), dy, into);
    [out, dq, dk, dv]
}

fn naive(shape: &AttentionShape, [q, k, v, dy]: &[Vec<f32>; 4]) -> [Vec<f64>; 4] {
    let (h, kv, d) = (shape.heads, shape.kv_heads, shape.head_dim);
    let zeros = |like: &Vec<f32>| vec![0f64; like.len()];
    let (mut out, mut dq, mut dk, mut dv) = (zeros(q), zeros(q), zeros(k), zeros(v));
    let dot = |a: &[f32], b: &[f32]| -> f64 {
        a.iter()
            .zip(b)
            .map(|(a, b)| f64::from(*a) * f64::from(*b))
            .sum()
    };
    let scale = 1.0 / (d as f64).sqrt();
    for ends in shape.starts.windows(2) {
        for i in ends[0]..ends[1] {
            let oldest = shape.window.map_or(0, |it| (i + 1).saturating_sub(it));
            for head in 0..h {
                let own = (i * h + head) * d;
                let (qi, dyi) = (&q[own..][..d], &dy[own..][..d]);
                let seen: Vec<usize> = (oldest.max(ends[0])..=i)
                    .map(|j| (j * kv + head / (h / kv)) * d)
                    .collect();
                let weights: Vec<f64> = seen
                    .iter()
                    .map(|j| (scale * dot(qi, &k[*j..][..d])).exp())
                    .collect();
                let total: f64 = weights.iter().sum();
                let p: Vec<f64> = weights.iter().map(|w| w / total).collect();
                let dp: Vec<f64> = seen.iter().map(|j| dot(dyi, &v[*j..][..d])).collect();
                let mean: f64 = p.iter().zip(&dp).map(|(p, dp)| p * dp).sum();
                for ((j, p), dp) in seen.iter().zip(&p).zip(&dp) {
                    let ds = scale * p * (dp - mean);
                    for e in 0..d {
                        out[own + e] += p * f64::from(v[j + e]);
                        dq[own + e] += ds * f64::from(k[j + e]);
                        dk[j + e] += ds * f64::from(q[own + e]);
                        dv[j + e] += p * f64::from(dy[own + e]);
                    }
                }
            }
        }
    }
    [out, dq, dk, dv]
}

fn check(shape: &AttentionShape, seed: u64) -> Result<(), String> {
    let rows = shape.rows();
    let (q, kv) = (
        rows * shape.heads * shape.head_dim,
        rows * shape.kv_heads * shape.head_dim,
    );
    let input = [
        random(seed, q),
        random(seed + 1, kv),
        random(seed + 2, kv),
        random(seed + 3, q),
    ];
    let expected = naive(shape, &input);
    // Sums over rows and widths of values up to one; gradients of keys gather those of a group's queries.
    let group = shape.heads.div_ceil(shape.kv_heads) as f64;
    for (precision, allowed) in [(Precision::F32, 2e-5), (Precision::Bf16, 0.03)] {
        for level in here() {
            let found = up_to(level, || run(shape, precision, &input));
            for ((what, found), expected) in
                ["out", "dq", "dk", "dv"].iter().zip(&found).zip(&expected)
            {
                let size = expected.iter().fold(1.0_f64, |top, x| top.max(x.abs()));
                let far = distance(found, expected);
                if far.is_nan() || far > allowed * size * group.sqrt() {
                    return Err(format!("{what} with {level}, {precision:?}: {far}"));
                }
            }
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    #[test]
    fn every_path_is_the_naive_one(
        kv_heads in 1usize..4,
        group in 1usize..5,
        head_dim in 4usize..97,
        lengths in prop::collection::vec(0usize..100, 1..4),
        window in prop::option::of(1usize..110),
        seed in 0u64..1000,
    ) {
        let mut starts = vec![0];
        starts.extend(lengths.iter().scan(0, |end, length| {
            *end += length;
            Some(*end)
        }));
        let shape = AttentionShape { heads: kv_heads * group, kv_heads, head_dim, starts, window };
        let checked = check(&shape, seed);
        prop_assert!(checked.is_ok(), "{shape:?}: {checked:?}");
    }
}

#[test]
fn windows_and_sequences_at_the_edges() {
    for (head_dim, window, starts) in [
        (32, None, vec![0, 32, 64]),
        (33, Some(32), vec![0, 64, 65]),
        (64, Some(usize::MAX), vec![0, 128]),
        (1, Some(1), vec![0, 1, 2]),
        (8, None, vec![0, 5, 5, 9]),
        (8, None, vec![0, 0]),
        (8, None, vec![0, 7, 7]),
    ] {
        let shape = AttentionShape {
            heads: 4,
            kv_heads: 2,
            head_dim,
            starts,
            window,
        };
        let checked = check(&shape, 5);
        assert!(checked.is_ok(), "{shape:?}: {checked:?}");
    }
}
