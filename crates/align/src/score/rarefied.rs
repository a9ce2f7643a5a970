//! Rarefied scores (F8): everything at one sample size, because a small set looks worse than it is.
//!
//! The point value is `A_n(S, T) / A_n(M, T)`, each the mean over draws of n templates without
//! replacement, at the same n for the training set S and the predictions M. Its intervals say what
//! other questions, or questions about other databases, would make of it.

mod half;

use std::collections::{BTreeMap, BTreeSet};

use rand::seq::index;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use crate::compare::{count, require_templates};
use crate::distribution::{GroupCounts, Space};
use crate::error::AlignError;
use crate::interval::Interval;
use crate::options::{Options, RarefyOptions};
use crate::query_set::QuerySet;
use crate::sum::mean_and_sd;
use crate::warning::{Role, Warning};
use crate::workload::Workload;

const SOURCE: usize = 0;
const PREDICTIONS: usize = 1;
const TARGET: usize = 2;

/// A mean over draws.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
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
    /// The intervals lie above 1: the training set is closer to the target than the predictions.
    Above,
    /// The intervals lie below 1.
    Below,
    /// An interval contains 1, or there is none.
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
    /// 95 % interval of the ratio for other questions, by half-sampling.
    pub interval: Option<Interval>,
    /// The same for other databases; none where the target's are not known or fewer than 5.
    #[serde(default)]
    pub interval_by_database: Option<Interval>,
    /// Databases of the target's questions; 0 if they are not known.
    #[serde(default)]
    pub databases: usize,
    /// `A_n(T, S)` of the training set: how much of the target it covers, at the same n.
    #[serde(default)]
    pub a_rev_source: Option<MeanSd>,
    /// `A_n(T, M)` of the predictions.
    #[serde(default)]
    pub a_rev_predictions: Option<MeanSd>,
    /// Whether questions and predictions were drawn together, question by question.
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
    rarefied(source, predictions, target, None, options, rarefy)
}

/// [`rarefied_ratio`] of workloads, which may know their databases: then there is an interval for other databases too.
///
/// # Errors
/// As [`rarefied_ratio`].
pub fn rarefied_ratio_of(
    source: &Workload,
    predictions: &Workload,
    target: &Workload,
    options: &Options,
    rarefy: &RarefyOptions,
) -> Result<RarefiedRatio, AlignError> {
    let databases = Databases::of(target, predictions);
    let (s, m, t) = (
        source.templates(),
        predictions.templates(),
        target.templates(),
    );
    rarefied(s, m, t, databases.as_ref(), options, rarefy)
}

/// The number of the database of each query of the target and of the predictions.
struct Databases {
    target: Vec<usize>,
    predictions: Vec<usize>,
    count: usize,
}

impl Databases {
    /// None unless the database of every question is known, and of every prediction or of the question it answers.
    fn of(target: &Workload, predictions: &Workload) -> Option<Self> {
        let paired = target.len() == predictions.len();
        let names: Option<Vec<&str>> = target
            .queries()
            .iter()
            .map(|q| q.db_id.as_deref())
            .collect();
        let names = names?;
        let of_predictions: Option<Vec<&str>> = if paired {
            Some(names.clone())
        } else {
            let databases = predictions.queries().iter().map(|q| q.db_id.as_deref());
            databases.collect()
        };
        let of_predictions = of_predictions?;
        let all: BTreeSet<&str> = names.iter().copied().collect();
        let numbers: BTreeMap<&str, usize> = all.iter().copied().zip(0..).collect();
        let number = |of: &[&str]| -> Option<Vec<usize>> {
            of.iter().map(|name| numbers.get(name).copied()).collect()
        };
        Some(Self {
            target: number(&names)?,
            predictions: number(&of_predictions)?,
            count: all.len(),
        })
    }
}

fn rarefied(
    source: &QuerySet,
    predictions: &QuerySet,
    target: &QuerySet,
    databases: Option<&Databases>,
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
    count(&space, Role::Target, &space.templates(TARGET), *options)?;
    let of_target = space.count_groups(space.templates(TARGET));
    let draw = |set| {
        let role = if set == SOURCE {
            Role::Source
        } else {
            Role::Predictions
        };
        count(&space, role, &space.templates(set), *options)?;
        Ok(draws(&space, set, &of_target, n, rarefy))
    };
    let (of_source, of_predictions) = (draw(SOURCE)?, draw(PREDICTIONS)?);
    let forward = |scores: &[[f64; 2]]| MeanSd::of(scores.iter().map(|both| both[0]));
    let reverse = |scores: &[[f64; 2]]| MeanSd::of(scores.iter().map(|both| both[1]));
    let (a_source, a_predictions) = (forward(&of_source), forward(&of_predictions));
    let each = of_source.iter().zip(&of_predictions);
    let ar = a_source.mean / a_predictions.mean;
    let paired = predictions.n_queries() == target.n_queries();
    let spread = |units: &half::Units, purpose| units.interval(&space, ar, n, rarefy, purpose);
    let interval = spread(&half::Units::questions(&space, paired), 3);
    let interval_by_database = databases.and_then(|databases| {
        let units = half::Units::databases(&space, &databases.target, &databases.predictions);
        (units.len() >= half::LEAST_DATABASES).then(|| spread(&units, 4))?
    });
    let withheld = warnings.iter().any(Warning::forbids_verdict);
    Ok(RarefiedRatio {
        ar,
        ar_sd: MeanSd::of(each.map(|(s, m)| s[0] / m[0])).sd,
        a_source,
        a_predictions,
        n,
        draws: rarefy.draws,
        verdict: verdict(withheld, interval, interval_by_database),
        interval,
        interval_by_database,
        databases: databases.map_or(0, |databases| databases.count),
        a_rev_source: Some(reverse(&of_source)),
        a_rev_predictions: Some(reverse(&of_predictions)),
        paired,
        warnings,
    })
}

/// What may be said: nothing if the data forbid it, and a side of 1 only if every interval that there is lies on it.
fn verdict(
    withheld: bool,
    by_question: Option<Interval>,
    by_database: Option<Interval>,
) -> Verdict {
    let Some(by_question) = by_question.filter(|_| !withheld) else {
        return if withheld {
            Verdict::Withheld
        } else {
            Verdict::Open
        };
    };
    let all =
        |side: fn(&Interval) -> bool| side(&by_question) && by_database.is_none_or(|it| side(&it));
    if all(|it| it.low > 1.0) {
        Verdict::Above
    } else if all(|it| it.high < 1.0) {
        Verdict::Below
    } else {
        Verdict::Open
    }
}

impl MeanSd {
    pub(crate) fn of(values: impl IntoIterator<Item = f64>) -> Self {
        let values: Vec<f64> = values.into_iter().collect();
        let (mean, sd) = mean_and_sd(&values);
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
pub(crate) fn generator(seed: u64, purpose: u64, draw: usize) -> ChaCha8Rng {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    random.set_stream(purpose << 32 | draw as u64);
    random
}

/// A(S', T) and A(T, S') for draws of n templates without replacement.
fn draws(
    space: &Space,
    set: usize,
    target: &GroupCounts,
    n: usize,
    rarefy: &RarefyOptions,
) -> Vec<[f64; 2]> {
    let templates = space.templates(set);
    let against = space.against(target);
    let both = |drawn: &GroupCounts| {
        [
            against.alignment(drawn),
            space.against(drawn).alignment(target),
        ]
    };
    let score = |draw: usize| {
        let mut random = generator(rarefy.seed, set as u64, draw);
        let chosen = index::sample(&mut random, templates.len(), n);
        both(&space.count_groups(chosen.iter().map(|i| templates[i])))
    };
    if n == templates.len() {
        // Every draw is the whole set.
        return vec![both(&space.count_groups(templates.iter().copied())); rarefy.draws];
    }
    (0..rarefy.draws).into_par_iter().map(score).collect()
}

#[cfg(test)]
mod tests;
