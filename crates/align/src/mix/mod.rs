//! How much of each of several sets makes the training set that is nearest to a target?
//!
//! A mixture of distributions is a line through them, on which Jensen-Shannon divergence and reverse KL are convex: there is
//! one best mixture, and it is found to a stated gap. What it gains over the best single set is measured on queries of the
//! target that it was not fitted to. "None aligns" is an answer ([`Fit::NoneAligns`]).

mod objective;
mod solve;

use rand::seq::SliceRandom;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use crate::advise::{Lack, lacking};
use crate::assess::ceilings;
use crate::compare::{count, require_templates};
use crate::distribution::{Counts, Space};
use crate::error::AlignError;
use crate::interval::Interval;
use crate::options::{Options, RarefyOptions};
use crate::score::js::js;
use crate::score::rarefied::generator;
use crate::sum::mean_and_sd;
use crate::warning::{Role, Warning};
use crate::workload::Workload;

pub use objective::Objective;
use objective::Table;

/// Templates that are listed as missing.
const LACKS: usize = 12;
/// Least share of the target's queries whose template one of the sets has; under it a mixture that is far from the ceiling
/// does not align.
const LEAST_OVERLAP: f64 = 0.5;

/// What is asked of a mixture.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct MixOptions {
    /// What is made small.
    pub objective: Objective,
    /// Largest gap to the best objective there is, in its unit.
    pub tolerance: f64,
    /// Halvings of the target by which the gain over the best single set is measured.
    pub splits: usize,
    /// Seed of those.
    pub seed: u64,
    /// The settings of the scores.
    pub scores: Options,
}

impl Default for MixOptions {
    fn default() -> Self {
        Self {
            objective: Objective::default(),
            tolerance: 1e-9,
            splits: 100,
            seed: 0,
            scores: Options::default(),
        }
    }
}

/// The best mixture of some sets for a target.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Mixture {
    /// The target.
    pub target: String,
    /// What was made small.
    pub objective: Objective,
    /// The sets in the order given.
    pub sets: Vec<Weighted>,
    /// The objective of the mixture.
    pub value: f64,
    /// The best objective is at most so much smaller.
    pub gap: f64,
    /// The single set with the smallest objective.
    pub best_single: String,
    /// Its objective.
    pub best_single_value: f64,
    /// Objective of the best single set less that of the mixture, both chosen on one half of the target and measured on
    /// the other: mean over random halves.
    pub gain: f64,
    /// 95 % of the halves' gains lie in it; none without splits.
    pub gain_interval: Option<Interval>,
    /// Jensen-Shannon divergence of the mixture and the target, in bits.
    pub js: f64,
    /// That of the model's predictions, where they are given.
    pub js_predictions: Option<f64>,
    /// That of halves of the target without a common database (with common ones if databases are not known): mean and
    /// standard deviation.
    pub js_ceiling: (f64, f64),
    /// Share of the target's queries whose template one of the sets has.
    pub overlap: f64,
    /// Whether the mixture will do.
    pub fit: Fit,
    /// Templates of the target that no set has.
    pub lacking: Vec<Lack>,
    /// Reasons for care.
    pub warnings: Vec<Warning>,
}

/// A set with its weight.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Weighted {
    /// Its name.
    pub name: String,
    /// Its share of the mixture's n-grams.
    pub weight: f64,
    /// Its share of the mixture's queries: sets of long queries bring more n-grams a query.
    pub queries: f64,
    /// Its queries.
    pub n: usize,
    /// The objective of it alone.
    pub value: f64,
}

/// Whether the best mixture will do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fit {
    /// It is about as near as the target's own other databases, or has most of its templates.
    Aligns,
    /// It is farther than those, and has under half of the target's templates.
    NoneAligns,
    /// What the model writes is nearer to the target already.
    PredictionsNearer,
}

/// The weights of `sets` that make the mixture nearest to `target`; `predictions` are what a model writes for it.
///
/// # Errors
/// As [`compare`](crate::compare()), and [`AlignError::Option`] without a set or with a tolerance that is not above 0.
pub fn mix(
    sets: &[Workload],
    target: &Workload,
    predictions: Option<&Workload>,
    options: &MixOptions,
) -> Result<Mixture, AlignError> {
    let scores = options.scores;
    scores.check()?;
    let fault = |field, found: String, expected| AlignError::Option {
        field,
        found,
        expected,
    };
    if sets.is_empty() {
        return Err(fault("sets", "none".to_owned(), "at least one"));
    }
    if !(options.tolerance > 0.0 && options.tolerance.is_finite()) {
        return Err(fault(
            "tolerance",
            options.tolerance.to_string(),
            "a number above 0",
        ));
    }
    for set in sets {
        require_templates(Role::Source, set.templates())?;
    }
    require_templates(Role::Target, target.templates())?;
    let all: Vec<_> = sets
        .iter()
        .chain([target])
        .map(Workload::templates)
        .collect();
    let space = Space::new(&all, scores);
    let of_sets: Vec<Counts> = (0..sets.len())
        .map(|k| count(&space, Role::Source, &space.templates(k), scores))
        .collect::<Result<_, _>>()?;
    let of_sets: Vec<&Counts> = of_sets.iter().collect();
    let whole = count(&space, Role::Target, &space.templates(sets.len()), scores)?;
    let table = Table::new(options.objective, &of_sets, &whole, scores.alpha);
    let found = solve::minimise(&table, options.tolerance);
    let singles = singles(&table);
    let best = smallest(&singles);

    let gains = held_out(&space, &of_sets, sets.len(), options);
    let (gain, _) = if gains.is_empty() {
        (0.0, 0.0)
    } else {
        mean_and_sd(&gains)
    };
    let js_table = Table::new(Objective::Js, &of_sets, &whole, scores.alpha);
    let js_mixture = js_table.value(&found.weights);
    let js_predictions = match predictions {
        None => None,
        Some(predictions) => {
            require_templates(Role::Predictions, predictions.templates())?;
            let space = Space::new(&[predictions.templates(), target.templates()], scores);
            let p = count(&space, Role::Predictions, &space.templates(0), scores)?;
            let t = count(&space, Role::Target, &space.templates(1), scores)?;
            Some(js(&p, &t))
        }
    };
    let (lacks, lacking_share) = lacking(sets, target, LACKS);
    let js_ceiling = ceiling(target, options);
    let overlap = 1.0 - lacking_share;
    let far = js_mixture > js_ceiling.0 + 2.0 * js_ceiling.1;
    let fit = match js_predictions {
        Some(own) if own <= js_mixture => Fit::PredictionsNearer,
        _ if far && overlap < LEAST_OVERLAP => Fit::NoneAligns,
        _ => Fit::Aligns,
    };
    // A query brings as many n-grams as its set has in the mean.
    let per_query: Vec<f64> = (of_sets.iter().zip(sets))
        .zip(&found.weights)
        .map(|((counts, set), w)| w * set.templates().n_templates() as f64 / counts.total as f64)
        .collect();
    let all_queries: f64 = per_query.iter().sum();
    let mut warnings = Warning::of(Role::Target, target.templates());
    for set in sets {
        warnings.extend(Warning::of(Role::Source, set.templates()));
    }
    Ok(Mixture {
        target: target.name().to_owned(),
        objective: options.objective,
        sets: (0..sets.len())
            .map(|k| Weighted {
                name: sets[k].name().to_owned(),
                weight: found.weights[k],
                queries: per_query[k] / all_queries,
                n: sets[k].len(),
                value: singles[k],
            })
            .collect(),
        value: found.value,
        gap: found.gap,
        best_single: sets[best].name().to_owned(),
        best_single_value: singles[best],
        gain,
        gain_interval: Interval::percentile(gains, 0.95),
        js: js_mixture,
        js_predictions,
        js_ceiling,
        overlap,
        fit,
        lacking: lacks,
        warnings,
    })
}

/// The objective of the mixture of `sets` with these weights, on any target.
///
/// # Errors
/// As [`mix`], and [`AlignError::Option`] unless there are as many weights as sets.
pub fn value_of(
    sets: &[Workload],
    target: &Workload,
    weights: &[f64],
    options: &MixOptions,
) -> Result<f64, AlignError> {
    if weights.len() != sets.len() {
        return Err(AlignError::Option {
            field: "weights",
            found: weights.len().to_string(),
            expected: "one for each set",
        });
    }
    let all: Vec<_> = sets
        .iter()
        .chain([target])
        .map(Workload::templates)
        .collect();
    let space = Space::new(&all, options.scores);
    let counts: Vec<Counts> = (0..sets.len())
        .map(|k| count(&space, Role::Source, &space.templates(k), options.scores))
        .collect::<Result<_, _>>()?;
    let target = count(
        &space,
        Role::Target,
        &space.templates(sets.len()),
        options.scores,
    )?;
    let counts: Vec<&Counts> = counts.iter().collect();
    Ok(Table::new(options.objective, &counts, &target, options.scores.alpha).value(weights))
}

/// The objective of each set alone.
fn singles(table: &Table) -> Vec<f64> {
    (0..table.sets())
        .map(|k| {
            let mut w = vec![0.0; table.sets()];
            w[k] = 1.0;
            table.value(&w)
        })
        .collect()
}

fn smallest(values: &[f64]) -> usize {
    (0..values.len())
        .reduce(|best, k| if values[k] < values[best] { k } else { best })
        .unwrap_or(0)
}

/// Gains over the best single set on halves of the target that neither was chosen on.
fn held_out(space: &Space, sets: &[&Counts], target: usize, options: &MixOptions) -> Vec<f64> {
    let templates = space.templates(target);
    let split = |draw: usize| {
        let mut order = templates.clone();
        order.shuffle(&mut generator(options.seed, 7, draw));
        let (seen, unseen) = order.split_at(order.len() / 2);
        let table = |part: &[u32]| {
            let counts = space.count(part.iter().copied());
            (counts.total > 0)
                .then(|| Table::new(options.objective, sets, &counts, options.scores.alpha))
        };
        let (seen, unseen) = (table(seen)?, table(unseen)?);
        // Weights need no more digits than halves differ by.
        let fitted = solve::minimise(&seen, options.tolerance.max(1e-6));
        let best = smallest(&singles(&seen));
        Some(singles(&unseen)[best] - unseen.value(&fitted.weights))
    };
    (0..options.splits)
        .into_par_iter()
        .filter_map(split)
        .collect()
}

/// Mean and standard deviation of the Jensen-Shannon divergence of halves of the target.
fn ceiling(target: &Workload, options: &MixOptions) -> (f64, f64) {
    let rarefy = RarefyOptions {
        seed: options.seed,
        ..RarefyOptions::default()
    };
    let found = ceilings(target, None, &options.scores, &rarefy);
    let best = found.by_database.or(found.by_question);
    best.map_or((0.0, 0.0), |it| (it.js.mean, it.js.sd))
}

#[cfg(test)]
mod tests;
