//! A coefficient with its bootstrap interval and its permutation p-value.

use rand::Rng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;

use super::{Coefficient, CorrelateOptions, NO_CONCLUSION, NO_NUMBER, NoValue};
use crate::interval::Interval;

type Statistic = fn(&[f64], &[f64]) -> Option<f64>;

/// Every predictor is resampled from the same seed: predictors that the same cells have see the same
/// resamples, so that their differences are paired.
pub(super) fn coefficient(
    scores: &[f64],
    gains: &[f64],
    statistic: Statistic,
    options: &CorrelateOptions,
) -> Coefficient {
    let none = |reason| Coefficient {
        value: None,
        reason: Some(reason),
        interval: None,
        degenerate: 0,
        p: None,
    };
    if scores.len() < NO_NUMBER {
        return none(NoValue::TooFewCells);
    }
    let Some(value) = statistic(scores, gains) else {
        // With itself anything correlates but a constant.
        let constant_gain = statistic(gains, gains).is_none();
        return none(if constant_gain {
            NoValue::ConstantGain
        } else {
            NoValue::ConstantScore
        });
    };
    let (values, degenerate) = bootstrap(scores, gains, statistic, options);
    // Resamples of a few cells are mostly the same cells again: their percentiles look far surer than they are.
    let enough = scores.len() >= NO_CONCLUSION && !values.is_empty() && values.len() >= degenerate;
    Coefficient {
        value: Some(value),
        reason: None,
        interval: if enough {
            Interval::percentile(values, options.level)
        } else {
            None
        },
        degenerate,
        p: permutation_p(scores, gains, value, statistic, options),
    }
}

/// The coefficient in each resample of cells that has one, and the number of those that have none.
fn bootstrap(
    scores: &[f64],
    gains: &[f64],
    statistic: Statistic,
    options: &CorrelateOptions,
) -> (Vec<f64>, usize) {
    let mut random = generator(options.seed, 0);
    let n = scores.len();
    let values: Vec<f64> = (0..options.resamples)
        .filter_map(|_| {
            let cells: Vec<usize> = (0..n).map(|_| random.random_range(0..n)).collect();
            let pick = |of: &[f64]| -> Vec<f64> { cells.iter().map(|&i| of[i]).collect() };
            statistic(&pick(scores), &pick(gains))
        })
        .collect();
    let degenerate = options.resamples - values.len();
    (values, degenerate)
}

/// The share of permutations with a coefficient at least as far from 0; the order that was found is one
/// of them, so that p is never 0.
fn permutation_p(
    scores: &[f64],
    gains: &[f64],
    value: f64,
    statistic: Statistic,
    options: &CorrelateOptions,
) -> Option<f64> {
    if options.permutations == 0 {
        return None;
    }
    let mut random = generator(options.seed, 1);
    let mut shuffled = gains.to_vec();
    let as_far = (0..options.permutations).filter(|_| {
        shuffled.shuffle(&mut random);
        // Equal coefficients may differ by rounding.
        statistic(scores, &shuffled).is_some_and(|r| r.abs() >= value.abs() - 1e-12)
    });
    Some((as_far.count() + 1) as f64 / (options.permutations + 1) as f64)
}

fn generator(seed: u64, purpose: u64) -> ChaCha8Rng {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    random.set_stream(purpose);
    random
}
