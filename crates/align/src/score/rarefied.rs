//! Rarefied scores (F8): everything at one sample size, because a small set looks worse than it is.
//!
//! The point value is `A_n(S, T) / A_n(M, T)`, each the mean over draws of n templates without
//! replacement, at the same n for the training set S and the predictions M. Its interval resamples
//! queries with replacement: questions of the target with their predictions where there is one
//! prediction per question, each set by itself otherwise, and n queries of the training set.

use rand::Rng;
use rand::seq::index;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use crate::compare::{count, require_templates};
use crate::distribution::{Counts, Space};
use crate::error::AlignError;
use crate::interval::Interval;
use crate::options::{Options, RarefyOptions};
use crate::query_set::QuerySet;
use crate::score::kl::kl;
use crate::sum::mean_and_sd;
use crate::warning::{Role, Warning};

const SOURCE: usize = 0;
const PREDICTIONS: usize = 1;
const TARGET: usize = 2;

/// A mean over draws.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct MeanSd {
    /// The mean.
    pub mean: f64,
    /// Standard deviation between draws; 0 where a draw takes the whole set.
    pub sd: f64,
}

/// What the interval of a ratio allows to say.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// The interval lies above 1: the training set is closer to the target than the predictions.
    Above,
    /// The interval lies below 1.
    Below,
    /// The interval contains 1, or there is none.
    Open,
    /// Too few queries, or too many left out.
    Withheld,
}

/// AR at one sample size.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RarefiedRatio {
    /// `A_n(S, T) / A_n(M, T)`.
    pub ar: f64,
    /// Standard deviation of that ratio between draws.
    pub ar_sd: f64,
    /// `A_n(S, T)` of the training set.
    pub a_source: MeanSd,
    /// `A_n(M, T)` of the predictions.
    pub a_predictions: MeanSd,
    /// Templates per draw.
    pub n: usize,
    /// Draws.
    pub draws: usize,
    /// 95 % percentile bootstrap interval of the ratio.
    pub interval: Option<Interval>,
    /// Whether target and predictions were resampled together, question by question.
    pub paired: bool,
    /// What may be said.
    pub verdict: Verdict,
    /// Reasons for care.
    pub warnings: Vec<Warning>,
}

/// AR of the training set `source` by the `predictions` of a model on the questions of `target`, at one
/// sample size, with its interval.
///
/// Fails as [`compare`](crate::compare()) does, and if `rarefy.n` is 0 or above the size of the smaller set.
pub fn rarefied_ratio(
    source: &QuerySet,
    predictions: &QuerySet,
    target: &QuerySet,
    options: &Options,
    rarefy: &RarefyOptions,
) -> Result<RarefiedRatio, AlignError> {
    options.check()?;
    let mut warnings = Vec::new();
    for (role, set) in [
        (Role::Source, source),
        (Role::Predictions, predictions),
        (Role::Target, target),
    ] {
        require_templates(role, set)?;
        warnings.extend(Warning::of(role, set));
    }
    let n = sample_size(source, predictions, rarefy)?;
    let space = Space::new(&[source, predictions, target], *options);
    let of_target = count(&space, Role::Target, &space.templates(TARGET), *options)?;
    let draw = |set| {
        let role = if set == SOURCE {
            Role::Source
        } else {
            Role::Predictions
        };
        count(&space, role, &space.templates(set), *options)?;
        Ok(draws(&space, set, &of_target, n, options.alpha, rarefy))
    };
    let (of_source, of_predictions) = (draw(SOURCE)?, draw(PREDICTIONS)?);
    let (a_source, a_predictions) = (MeanSd::of(&of_source), MeanSd::of(&of_predictions));
    let each: Vec<f64> = of_source
        .iter()
        .zip(&of_predictions)
        .map(|(s, m)| s / m)
        .collect();
    let paired = predictions.n_queries() == target.n_queries();
    let resamples = resamples(&space, n, paired, options.alpha, rarefy);
    let interval = Interval::percentile(resamples, 0.95);
    let withheld = warnings.iter().any(Warning::forbids_verdict);
    let verdict = match interval {
        _ if withheld => Verdict::Withheld,
        Some(interval) if interval.low > 1.0 => Verdict::Above,
        Some(interval) if interval.high < 1.0 => Verdict::Below,
        _ => Verdict::Open,
    };
    Ok(RarefiedRatio {
        ar: a_source.mean / a_predictions.mean,
        ar_sd: MeanSd::of(&each).sd,
        a_source,
        a_predictions,
        n,
        draws: rarefy.draws,
        interval,
        paired,
        verdict,
        warnings,
    })
}

impl MeanSd {
    fn of(values: &[f64]) -> Self {
        let (mean, sd) = mean_and_sd(values);
        Self { mean, sd }
    }
}

fn sample_size(
    source: &QuerySet,
    predictions: &QuerySet,
    rarefy: &RarefyOptions,
) -> Result<usize, AlignError> {
    if rarefy.draws == 0 {
        return Err(AlignError::Option {
            field: "draws",
            found: "0".to_owned(),
            expected: "at least 1",
        });
    }
    let smaller = source.n_templates().min(predictions.n_templates());
    match rarefy.n {
        None => Ok(smaller),
        Some(n) if (1..=smaller).contains(&n) => Ok(n),
        Some(n) => Err(AlignError::Option {
            field: "n",
            found: n.to_string(),
            expected: "between 1 and the size of the smaller of training set and predictions",
        }),
    }
}

/// A generator of its own for every draw, so that draws may be made in any order on any thread.
fn generator(seed: u64, purpose: u64, draw: usize) -> ChaCha8Rng {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    random.set_stream(purpose << 32 | draw as u64);
    random
}

/// A(S', T) for draws of n templates without replacement.
fn draws(
    space: &Space,
    set: usize,
    target: &Counts,
    n: usize,
    alpha: f64,
    rarefy: &RarefyOptions,
) -> Vec<f64> {
    let templates = space.templates(set);
    let score = |draw: usize| {
        let mut random = generator(rarefy.seed, set as u64, draw);
        let chosen = index::sample(&mut random, templates.len(), n);
        alignment(
            &space.count(chosen.iter().map(|i| templates[i])),
            target,
            alpha,
        )
    };
    if n == templates.len() {
        // Every draw is the whole set.
        return vec![
            alignment(&space.count(templates.iter().copied()), target, alpha);
            rarefy.draws
        ];
    }
    (0..rarefy.draws).into_par_iter().map(score).collect()
}

/// The ratios of resamples; those in which no prediction has a template are left out.
fn resamples(
    space: &Space,
    n: usize,
    paired: bool,
    alpha: f64,
    rarefy: &RarefyOptions,
) -> Vec<f64> {
    let source = space.templates(SOURCE);
    let (predictions, target) = (space.slots(PREDICTIONS), space.slots(TARGET));
    let ratio = |draw: usize| {
        let mut random = generator(rarefy.seed, 3, draw);
        let mut places =
            |of: usize| -> Vec<usize> { (0..of).map(|_| random.random_range(0..of)).collect() };
        let questions = places(target.len());
        let answers = if paired {
            questions.clone()
        } else {
            places(predictions.len())
        };
        let of_target = space.count(questions.iter().filter_map(|&q| target[q]));
        // Resampled answers come in random order: the first n of them are n random ones.
        let of_predictions = space.count(answers.iter().filter_map(|&q| predictions[q]).take(n));
        let of_source = space.count((0..n).map(|_| source[random.random_range(0..source.len())]));
        let ratio = alignment(&of_source, &of_target, alpha)
            / alignment(&of_predictions, &of_target, alpha);
        ratio.is_finite().then_some(ratio)
    };
    (0..rarefy.resamples)
        .into_par_iter()
        .filter_map(ratio)
        .collect()
}

/// A(S, T), or NaN if a resample holds no n-gram.
fn alignment(source: &Counts, target: &Counts, alpha: f64) -> f64 {
    if source.total == 0 || target.total == 0 {
        f64::NAN
    } else {
        kl(source, target, alpha).a
    }
}

#[cfg(test)]
mod tests;
