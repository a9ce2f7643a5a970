//! Percentile intervals of a mean by resampling (B. Efron, Annals of Statistics 7, 1979).

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{RngCore, SeedableRng};

use super::Interval;

/// The interval of the mean over all values, where whole groups are drawn with replacement, as many as there are.
/// `groups` has the sum and the number of values of each group; a group of one value makes it the ordinary bootstrap.
/// `confidence` is the share of draws between the ends; `None` if there are fewer than two groups or no draws.
pub fn mean_of_groups(
    groups: &[(f64, usize)],
    draws: usize,
    confidence: f64,
    seed: u64,
) -> Option<Interval> {
    if groups.len() < 2 || draws == 0 {
        return None;
    }
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let mut means = Vec::with_capacity(draws);
    for _ in 0..draws {
        let (mut sum, mut count) = (0.0, 0);
        for _ in 0..groups.len() {
            let group = groups[below(groups.len(), &mut rng)];
            sum += group.0;
            count += group.1;
        }
        means.push(sum / count as f64);
    }
    means.sort_unstable_by(f64::total_cmp);
    let tail = (1.0 - confidence) / 2.0;
    Some(Interval {
        low: quantile(&means, tail),
        high: quantile(&means, 1.0 - tail),
    })
}

/// An index below `n`. Written out so that a release of a crate does not change figures that are published; the bias of
/// the multiplication is below n / 2^64.
fn below(n: usize, rng: &mut ChaCha8Rng) -> usize {
    ((u128::from(rng.next_u64()) * n as u128) >> 64) as usize
}

/// The quantile of sorted values, linear between neighbours (NumPy's default).
fn quantile(sorted: &[f64], share: f64) -> f64 {
    let place = share.clamp(0.0, 1.0) * (sorted.len() - 1) as f64;
    let (low, high) = (place.floor(), place.ceil());
    let (below, above) = (sorted[low as usize], sorted[high as usize]);
    below + (above - below) * (place - low)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_linear() {
        let sorted = [0.0, 1.0, 2.0, 4.0];
        for (share, expected) in [(0.0, 0.0), (0.5, 1.5), (0.9, 3.4), (1.0, 4.0)] {
            assert!((quantile(&sorted, share) - expected).abs() < 1e-12);
        }
    }

    #[test]
    fn one_group_has_no_interval_and_equal_groups_an_empty_one() {
        assert_eq!(mean_of_groups(&[(3.0, 7)], 100, 0.95, 1), None);
        let interval = mean_of_groups(&[(1.0, 2), (2.0, 4)], 100, 0.95, 1).unwrap();
        assert!((interval.low - 0.5).abs() < 1e-12 && (interval.high - 0.5).abs() < 1e-12);
    }
}
