//! The kernels that the hand-written passes are made of, forward and backward, against the plain operations in `f64`, whose
//! gradients `slopes.rs` checks: over random widths, heads, windows, and sequences laid end to end.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

use candle_core::{DType, Device, Tensor, Var};
use harness_kernel::{
    AttentionShape, Precision, Rope, attention_backward, attention_forward, cross_entropy_rows,
    rms_norm, rms_norm_backward, rms_norm_weight_gradient, swiglu, swiglu_backward,
};
use harness_model::graph::plain::{self, Turns};
use proptest::prelude::{ProptestConfig, any, prop, proptest};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// What the results of `f32` may be off, as a share of the largest value.
const ROUNDING: f64 = 2e-6;

/// Random values in ±2 as both sides take them.
struct Argument {
    values: Vec<f32>,
    var: Var,
}

impl Argument {
    fn new(rng: &mut ChaCha8Rng, shape: &[usize]) -> Self {
        let count = shape.iter().product();
        let values: Vec<f32> = (0..count).map(|_| rng.random_range(-2.0..2.0)).collect();
        let wide = wide(&values, shape);
        Self {
            values,
            var: Var::from_tensor(&wide).unwrap(),
        }
    }
}

fn wide(values: &[f32], shape: &[usize]) -> Tensor {
    let tensor = Tensor::from_slice(values, shape, &Device::Cpu).unwrap();
    tensor.to_dtype(DType::F64).unwrap()
}

/// The result of plain operations, and the gradients of its arguments where `dy` flows in.
fn backward(result: &Tensor, dy: &[f32], arguments: &[&Argument]) -> Vec<Vec<f64>> {
    let weighted = (result * wide(dy, result.dims())).unwrap();
    let store = weighted.sum_all().unwrap().backward().unwrap();
    let read = |argument: &&Argument| flat(store.get(&argument.var).unwrap());
    arguments.iter().map(read).collect()
}

fn flat(tensor: &Tensor) -> Vec<f64> {
    tensor.flatten_all().unwrap().to_vec1().unwrap()
}

fn check(what: &str, found: &[f32], expected: &[f64]) {
    assert_eq!(found.len(), expected.len(), "{what}");
    let top = expected.iter().fold(1f64, |top, x| top.max(x.abs()));
    for (place, (found, expected)) in found.iter().zip(expected).enumerate() {
        let off = (f64::from(*found) - expected).abs();
        assert!(
            off <= ROUNDING * top,
            "{what}[{place}]: {found} for {expected} of at most {top}"
        );
    }
}

/// Attention of all sequences of a shape.
fn plain_attention(shape: &AttentionShape, q: &Tensor, k: &Tensor, v: &Tensor) -> Tensor {
    let parts: Vec<Tensor> = shape
        .starts
        .windows(2)
        .map(|ends| {
            let own = |x: &Tensor| x.narrow(0, ends[0], ends[1] - ends[0]).unwrap();
            plain::causal_attention(&own(q), &own(k), &own(v), shape.window).unwrap()
        })
        .collect();
    Tensor::cat(&parts, 0).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn attention(
        seed in any::<u64>(), lengths in prop::collection::vec(1_usize..80, 1..4), kv_heads in 1_usize..4,
        group in 1_usize..5, head_dim in 1_usize..20, window in 0_usize..30
    ) {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let mut starts = vec![0];
        starts.extend(lengths.iter().scan(0, |end, length| { *end += length; Some(*end) }));
        let m = starts[lengths.len()];
        let heads = kv_heads * group;
        let window = (window > 0).then_some(window);
        let shape = AttentionShape { heads, kv_heads, head_dim, starts, window };
        let [q, k, v] = [heads, kv_heads, kv_heads].map(|n| Argument::new(&mut rng, &[m, n, head_dim]));
        let dy = Argument::new(&mut rng, &[m, heads * head_dim]).values;
        let expected = plain_attention(&shape, &q.var, &k.var, &v.var);
        let slopes = backward(&expected, &dy, &[&q, &k, &v]);

        let mut out = vec![0.0; dy.len()];
        attention_forward(&shape, Precision::F32, (&q.values, &k.values, &v.values), &mut out);
        check("out", &out, &flat(&expected));
        let [mut dq, mut dk, mut dv] = [&q, &k, &v].map(|x| vec![0.0; x.values.len()]);
        attention_backward(&shape, Precision::F32, (&q.values, &k.values, &v.values), &dy, (&mut dq, &mut dk, &mut dv));
        for (what, found, expected) in [("dq", dq, &slopes[0]), ("dk", dk, &slopes[1]), ("dv", dv, &slopes[2])] {
            check(what, &found, expected);
        }
    }

    #[test]
    fn norm(seed in any::<u64>(), m in 1_usize..40, width in 2_usize..200) {
        const EPSILON: f32 = 1e-2;
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let (x, weight) = (Argument::new(&mut rng, &[m, width]), Argument::new(&mut rng, &[width]));
        let dy = Argument::new(&mut rng, &[m, width]).values;
        let expected = plain::rms_norm(&x.var, &weight.var, f64::from(EPSILON)).unwrap();
        let slopes = backward(&expected, &dy, &[&x, &weight]);

        let mut out = vec![0.0; m * width];
        rms_norm(&x.values, &weight.values, EPSILON, &mut out);
        check("out", &out, &flat(&expected));
        rms_norm_backward(&x.values, &weight.values, EPSILON, &dy, &mut out);
        check("dx", &out, &slopes[0]);
        let mut dw = vec![0.0; width];
        rms_norm_weight_gradient(&x.values, EPSILON, &dy, &mut dw);
        check("dw", &dw, &slopes[1]);
    }

    #[test]
    fn rotation(seed in any::<u64>(), m in 1_usize..40, heads in 1_usize..4, half in 1_usize..40, first in 0_u32..3000) {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let frequencies: Vec<f32> = (0..half).map(|i| 0.8_f32.powf(i as f32)).collect();
        let positions: Vec<u32> = (first..first + m as u32).collect();
        let turns = Turns::new(&frequencies, &positions, DType::F64, &Device::Cpu).unwrap();
        let x = Argument::new(&mut rng, &[m, heads, 2 * half]);
        let dy = Argument::new(&mut rng, &[m, heads, 2 * half]).values;
        let expected = turns.rotate(&x.var).unwrap();
        let slopes = backward(&expected, &dy, &[&x]);

        let rope = Rope::new(&frequencies, first as usize + m);
        let (mut out, mut dx) = (x.values.clone(), dy);
        rope.rotate(&mut out, &positions, false);
        check("out", &out, &flat(&expected));
        rope.rotate(&mut dx, &positions, true);
        check("dx", &dx, &slopes[0]);
    }

    #[test]
    fn gated_activation(seed in any::<u64>(), len in 1_usize..3000) {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let [gate, up, dy] = [(); 3].map(|()| Argument::new(&mut rng, &[len]));
        let expected = plain::swiglu(&gate.var, &up.var).unwrap();
        let slopes = backward(&expected, &dy.values, &[&gate, &up]);

        let [mut out, mut d_gate, mut d_up] = [(); 3].map(|()| vec![0.0; len]);
        swiglu(&gate.values, &up.values, &mut out);
        check("out", &out, &flat(&expected));
        swiglu_backward(&gate.values, &up.values, &dy.values, &mut d_gate, &mut d_up);
        check("d gate", &d_gate, &slopes[0]);
        check("d up", &d_up, &slopes[1]);
    }

    #[test]
    fn loss(seed in any::<u64>(), n in 1_usize..20, v in 1_usize..400) {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let logits = Argument::new(&mut rng, &[n, v]);
        let ids: Vec<u32> = (0..n).map(|_| rng.random_range(0..v as u32)).collect();
        let wanted = Tensor::new(ids.as_slice(), &Device::Cpu).unwrap();
        let expected = plain::summed_cross_entropy(&logits.var, &wanted).unwrap();
        let slopes = backward(&expected, &[1.0], &[&logits]);

        let mut gradient = logits.values.clone();
        let sum: f64 = cross_entropy_rows(&mut gradient, &ids).iter().sum();
        let expected: f64 = expected.to_scalar().unwrap();
        assert!((sum - expected).abs() <= ROUNDING * expected.max(1.0), "{sum} for {expected}");
        check("gradient", &gradient, &slopes[0]);
    }
}
