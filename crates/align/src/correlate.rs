//! Does a score predict the gain of fine-tuning?
//!
//! Every predictor is set against the gain over all cells that have it. Beside the scores stand controls:
//! cheap predictors that hold no alignment. The denominator of AR and the gain both depend on how good the
//! model was before, so that AR says something only if it does better than they do.
//!
//! Few cells say little. Under 4 there is no number at all, under 8 no interval and no conclusion; otherwise
//! an interval stands beside every number, or the reason why there is none. Intervals resample models and
//! targets, p-values shuffle training sets within them.
//!
//! | file | what |
//! | --- | --- |
//! | [`table`] | rows of a table to cells, checked |
//! | `predictor`, `direction` | scores and controls, and which way they point |
//! | `sample`, [`resample`], [`permute`] | columns of numbers; intervals; p-values |
//! | [`coefficient`], `within` | Pearson, Spearman, Kendall; inside groups, and given accuracy before |
//! | [`sign`], [`calibration`], [`decision`] | gain or loss: AUC, thresholds, shares, what a rule is worth |
//! | [`held_out`], [`worst`] | the line gain ~ score on what it has not seen; its largest errors |
//! | [`leaderboard`], `conclude` | the order of the predictors, their differences, the finding in words |

pub mod calibration;
pub mod coefficient;
mod conclude;
pub mod decision;
mod direction;
pub mod held_out;
pub mod leaderboard;
mod options;
pub mod permute;
mod predictor;
mod report;
pub mod resample;
mod sample;
pub mod sign;
pub mod table;
mod within;
pub mod worst;

use std::collections::BTreeSet;

use rayon::prelude::*;

use crate::cell::Cell;
use coefficient::{kendall, pearson, spearman};
pub use options::{CorrelateOptions, FEW_CLUSTERS, NO_CONCLUSION, NO_NUMBER};
use predictor::Predictor;
pub use report::{
    Coefficient, Conclusion, Correlation, Pair, PredictorReport, SignAgreement, Table, Within,
};
use resample::{Draws, NoValue};
use sample::Sample;

/// Sets every score of `cells`, and the controls, against the gain.
pub fn correlate(cells: &[Cell], options: &CorrelateOptions) -> Correlation {
    let all = predictor::all(cells);
    let predictors: Vec<_> = all.par_iter().map(|p| report(p, options)).collect();
    let leaderboard = leaderboard::leaderboard(&all, options);
    let headline = predictors.iter().find(|p| p.name == options.headline);
    let place = leaderboard.iter().find(|p| p.name == options.headline);
    let (conclusion, text) = conclude::conclude(headline, place, options);
    let table = table_of(cells);
    Correlation {
        n: cells.len(),
        table,
        headline: options.headline.clone(),
        conclusion,
        usefulness: place.and_then(|place| place.usefulness),
        text,
        notes: conclude::notes(&table, headline, &predictors, cells.len()),
        criterion: leaderboard::CRITERION.to_owned(),
        leaderboard,
        predictors,
    }
}

fn table_of(cells: &[Cell]) -> Table {
    let different =
        |name: fn(&Cell) -> &str| cells.iter().map(name).collect::<BTreeSet<&str>>().len();
    Table {
        models: different(|cell| &cell.model),
        train_sets: different(|cell| &cell.train_set),
        targets: different(|cell| &cell.target),
        seeds: cells
            .iter()
            .map(|cell| cell.seed)
            .collect::<BTreeSet<_>>()
            .len(),
        gains: cells.iter().filter(|cell| cell.gain() > 0.0).count(),
        losses: cells.iter().filter(|cell| cell.gain() < 0.0).count(),
    }
}

fn report(predictor: &Predictor<'_>, options: &CorrelateOptions) -> PredictorReport {
    let sample = &Sample::new(predictor);
    let draws = &Draws::clustered(sample, options);
    let plain = &Draws::plain(sample, options);
    let test = permute::test(predictor, sample, options);
    let varies = spearman(&sample.gain, &sample.gain).is_some();
    let constant = if varies {
        NoValue::ConstantScore
    } else {
        NoValue::ConstantGain
    };
    let coefficients = |s: &Sample| {
        let (x, y) = (&s.score, &s.gain);
        [pearson(x, y), spearman(x, y), kendall(x, y)]
    };
    let clustered = draws.estimates(sample, constant, coefficients);
    let plain = plain.estimates(sample, constant, coefficients);
    let coefficient =
        |which: usize| Coefficient::new(&clustered[which], &plain[which], test.p[which]);
    let pair = |absent,
                of_values: fn(&Sample) -> Option<f64>,
                of_ranks: fn(&Sample) -> Option<f64>| Pair {
        pearson: draws.estimate(sample, absent, of_values),
        spearman: draws.estimate(sample, absent, of_ranks),
    };
    let best_threshold = sign::best(sample, draws);
    let named = options
        .thresholds
        .get(&predictor.name)
        .copied()
        .or_else(|| direction::is_ratio(&predictor.name).then_some(1.0));
    let enough = sample.len() >= NO_NUMBER;
    let used = named.or(best_threshold.threshold.value).filter(|_| enough);
    let (n_sign_errors, sign_errors) = used
        .map(|threshold| worst::wrong_side(predictor, sample, threshold))
        .unwrap_or_default();
    PredictorReport {
        name: predictor.name.clone(),
        control: predictor.control,
        direction: predictor.direction,
        n: sample.len(),
        clusters: draws.clusters,
        pearson: coefficient(0),
        spearman: coefficient(1),
        kendall: coefficient(2),
        permutation: test.how,
        within: Within {
            target: pair(
                constant,
                |s| within::within_pearson(s, &s.target),
                |s| within::within_spearman(s, &s.target),
            ),
            model: pair(
                constant,
                |s| within::within_pearson(s, &s.model),
                |s| within::within_spearman(s, &s.model),
            ),
            model_and_target: pair(
                constant,
                |s| within::within_pearson(s, &s.pair()),
                |s| within::within_spearman(s, &s.pair()),
            ),
        },
        partial: pair(
            NoValue::NothingLeft,
            within::partial_pearson,
            within::partial_spearman,
        ),
        auc: draws.estimate(sample, sign::why(sample), sign::auc),
        sign: named.map(|threshold| agreement(predictor, threshold)),
        balanced_accuracy: named.map(|threshold| {
            draws.estimate(sample, sign::why(sample), |s| {
                sign::balanced_accuracy(s, threshold)
            })
        }),
        best_threshold,
        balanced_accuracy_held_out: draws.estimate(
            sample,
            NoValue::OneGroup,
            sign::held_out_balanced_accuracy,
        ),
        sides: named.map(|threshold| calibration::sides(sample, threshold)),
        bins: calibration::bins(sample),
        decision: used
            .map(|threshold| decision::decision(sample, draws, threshold, named.is_none())),
        leave_one_model_out: held_out::held_out(sample, draws, |s| &s.model),
        leave_one_target_out: held_out::held_out(sample, draws, |s| &s.target),
        residuals: worst::residuals(predictor, sample),
        sign_errors,
        n_sign_errors,
    }
}

fn agreement(predictor: &Predictor<'_>, threshold: f64) -> SignAgreement {
    let mut found = SignAgreement {
        threshold,
        ..SignAgreement::default()
    };
    let sign = predictor.direction.sign();
    // A gain of 0 is on neither side.
    for (cell, score) in predictor
        .cells
        .iter()
        .filter(|(cell, _)| cell.gain() != 0.0)
    {
        let claimed = sign * *score > sign * threshold;
        let agrees = usize::from(claimed == (cell.gain() > 0.0));
        found.of += 1;
        found.agree += agrees;
        if cell.has_clear_gain() {
            found.of_clear += 1;
            found.agree_clear += agrees;
        }
    }
    found
}

#[cfg(test)]
mod tests;
