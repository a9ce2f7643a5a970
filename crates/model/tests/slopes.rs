//! Gradients of the plain operations are slopes: central differences in `f64`, over random shapes.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

use candle_core::{DType, Device, Tensor, Var};
use harness_model::graph::plain::{
    Turns, causal_attention, linear, rms_norm, softmax, summed_cross_entropy, swiglu,
};
use proptest::prelude::{ProptestConfig, any, proptest};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// Random values in ±`spread`.
fn random(rng: &mut ChaCha8Rng, shape: &[usize], spread: f64) -> Tensor {
    let values: Vec<f64> = (0..shape.iter().product())
        .map(|_| rng.random_range(-spread..spread))
        .collect();
    Tensor::from_vec(values, shape, &Device::Cpu).unwrap()
}

fn dot(a: &Tensor, b: &Tensor) -> Tensor {
    (a * b).unwrap().sum_all().unwrap()
}

/// Checks `of` at random arguments of these shapes. Its result is made a number by random weights; along a random direction
/// of each argument the slope is to be what the gradient says.
fn check(seed: u64, shapes: &[&[usize]], of: impl Fn(&[&Tensor]) -> Tensor) {
    const STEP: f64 = 1e-5;
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let vars: Vec<Var> = shapes
        .iter()
        .map(|shape| Var::from_tensor(&random(&mut rng, shape, 2.0)).unwrap())
        .collect();
    let value = || of(&vars.iter().map(Var::as_tensor).collect::<Vec<_>>());
    let first = value();
    let weights = random(&mut rng, first.dims(), 1.0);
    let store = dot(&first, &weights).backward().unwrap();
    for (place, var) in vars.iter().enumerate() {
        let gradient = store
            .get(var)
            .unwrap_or_else(|| panic!("no gradient for argument {place}"));
        let direction = random(&mut rng, var.dims(), 1.0);
        let origin = var.as_tensor().copy().unwrap().detach();
        let mut ends = [0f64; 2];
        for (end, step) in ends.iter_mut().zip([STEP, -STEP]) {
            let moved = (&origin + direction.affine(step, 0.0).unwrap()).unwrap();
            var.set(&moved).unwrap();
            *end = dot(&value(), &weights).to_scalar().unwrap();
        }
        var.set(&origin).unwrap();
        let slope = (ends[0] - ends[1]) / (2.0 * STEP);
        let found: f64 = dot(gradient, &direction).to_scalar().unwrap();
        let size = slope.abs().max(1.0);
        assert!(
            (found - slope).abs() < 1e-7 * size,
            "argument {place} of shapes {shapes:?}: {found} for {slope}"
        );
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn of_a_linear_layer(seed in any::<u64>(), m in 1_usize..6, inputs in 1_usize..9, outputs in 1_usize..9) {
        check(seed, &[&[m, inputs], &[outputs, inputs]], |x| linear(x[0], x[1], None).unwrap());
        check(seed, &[&[m, inputs], &[outputs, inputs], &[outputs]], |x| {
            linear(x[0], x[1], Some(x[2])).unwrap()
        });
    }

    #[test]
    fn of_a_norm(seed in any::<u64>(), m in 1_usize..6, heads in 1_usize..4, width in 1_usize..9) {
        check(seed, &[&[m, width], &[width]], |x| rms_norm(x[0], x[1], 1e-2).unwrap());
        check(seed, &[&[m, heads, width], &[width]], |x| rms_norm(x[0], x[1], 1e-2).unwrap());
    }

    #[test]
    fn of_a_rotation(seed in any::<u64>(), m in 1_usize..6, heads in 1_usize..4, half in 1_usize..5, first in 0_u32..5000) {
        let frequencies: Vec<f32> = (0..half).map(|i| 0.3_f32.powf(i as f32)).collect();
        let positions: Vec<u32> = (first..first + m as u32).collect();
        let turns = Turns::new(&frequencies, &positions, DType::F64, &Device::Cpu).unwrap();
        check(seed, &[&[m, heads, 2 * half]], |x| turns.rotate(x[0]).unwrap());
    }

    #[test]
    fn of_attention(
        seed in any::<u64>(), t in 1_usize..9, g in 1_usize..4, group in 1_usize..4, d in 1_usize..6, window in 0_usize..6
    ) {
        let window = (window > 0).then_some(window);
        check(seed, &[&[t, g * group, d], &[t, g, d], &[t, g, d]], |x| {
            causal_attention(x[0], x[1], x[2], window).unwrap()
        });
    }

    #[test]
    fn of_a_softmax(seed in any::<u64>(), m in 1_usize..6, width in 1_usize..9) {
        check(seed, &[&[m, width]], |x| softmax(x[0]).unwrap());
    }

    #[test]
    fn of_a_gated_activation(seed in any::<u64>(), m in 1_usize..6, width in 1_usize..9) {
        check(seed, &[&[m, width], &[m, width]], |x| swiglu(x[0], x[1]).unwrap());
    }

    #[test]
    fn of_the_loss(seed in any::<u64>(), n in 1_usize..6, v in 1_usize..30) {
        let mut rng = ChaCha8Rng::seed_from_u64(!seed);
        let ids: Vec<u32> = (0..n).map(|_| rng.random_range(0..v as u32)).collect();
        let ids = Tensor::new(ids, &Device::Cpu).unwrap();
        check(seed, &[&[n, v]], |x| summed_cross_entropy(x[0], &ids).unwrap());
    }
}

/// Attention by its definition, one number at a time.
#[test]
fn attention_is_what_it_says() {
    let mut rng = ChaCha8Rng::seed_from_u64(1);
    let (t, h, g, d) = (7, 6, 2, 4);
    for window in [None, Some(1), Some(3)] {
        let [q, k, v] = [[t, h, d], [t, g, d], [t, g, d]].map(|s| random(&mut rng, &s, 1.0));
        let found = causal_attention(&q, &k, &v, window).unwrap();
        let found: Vec<Vec<f64>> = found.to_vec2().unwrap();
        let [q, k, v] = [q, k, v].map(|x| x.to_vec3::<f64>().unwrap());
        for row in 0..t {
            for head in 0..h {
                let own = head / (h / g);
                let first = window.map_or(0, |window| (row + 1_usize).saturating_sub(window));
                let power = |key: usize| {
                    let pairs = q[row][head].iter().zip(&k[key][own]);
                    (pairs.map(|(q, k)| q * k).sum::<f64>() / 2.0).exp()
                };
                let total: f64 = (first..=row).map(power).sum();
                for i in 0..d {
                    let seen = (first..=row).map(|key| power(key) * v[key][own][i]);
                    let expected = seen.sum::<f64>() / total;
                    assert!((found[row][head * d + i] - expected).abs() < 1e-14);
                }
            }
        }
    }
}

/// What overflows without care: powers of e of large scores, and logarithms of the smallest shares.
#[test]
fn large_scores_stay_finite() {
    let x = Tensor::new(&[[1e4_f64, -1e4, 0.0], [-3e4, -3e4, -3e4]], &Device::Cpu).unwrap();
    let shares: Vec<Vec<f64>> = softmax(&x).unwrap().to_vec2().unwrap();
    assert_eq!(shares[0], [1.0, 0.0, 0.0]);
    assert!(
        shares[1]
            .iter()
            .all(|share| (share - 1.0 / 3.0).abs() < 1e-15)
    );
    let ids = Tensor::new(&[1_u32, 2], &Device::Cpu).unwrap();
    let loss: f64 = summed_cross_entropy(&x, &ids).unwrap().to_scalar().unwrap();
    assert!((loss - 2e4 - 3f64.ln()).abs() < 1e-9, "{loss}");
}
