//! Tests: every path of every kernel, whatever machine they run on, against sums in `f64` and against each other.

mod attention;
#[cfg(all(target_arch = "x86_64", target_os = "linux"))]
mod fenced;
mod products;
#[cfg(all(target_arch = "x86_64", target_os = "linux"))]
mod refused;
mod rows;

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

pub(crate) fn random(seed: u64, len: usize) -> Vec<f32> {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    (0..len).map(|_| rng.random_range(-1.0..1.0)).collect()
}

pub(crate) fn bits(values: &[f32]) -> Vec<u32> {
    values.iter().map(|value| value.to_bits()).collect()
}

/// Largest difference of `found` from `expected`.
fn distance(found: &[f32], expected: &[f64]) -> f64 {
    assert_eq!(found.len(), expected.len());
    let apart = |(found, expected): (&f32, &f64)| (f64::from(*found) - expected).abs();
    found
        .iter()
        .zip(expected)
        .map(apart)
        // NaN is no largest of anything; here it is to be seen.
        .fold(0.0, |top, x| if x > top || x.is_nan() { x } else { top })
}
