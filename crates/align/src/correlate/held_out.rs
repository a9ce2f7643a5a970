//! The error of the line gain ~ score on a model, or a target, that it has not seen.

use serde::{Deserialize, Serialize};

use super::resample::{Draws, Estimate, NoValue};
use super::sample::{Sample, groups};
use crate::sum::sum;

/// Errors of predicted gains, as shares (times 100: points of accuracy).
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct HeldOut {
    /// Groups that were left out in turn.
    pub folds: usize,
    /// Root of the mean squared error.
    pub rmse: Estimate,
    /// Mean absolute error.
    pub mae: Estimate,
    /// The root of the mean squared error of foretelling the mean gain of the groups that are left.
    pub rmse_of_mean: Option<f64>,
    /// The mean absolute error of doing so.
    pub mae_of_mean: Option<f64>,
    /// 1 − RMSE / RMSE of the mean: 1 for a perfect line, 0 for one no better than the mean, below for worse.
    pub skill: Estimate,
}

/// Leaves out each label in turn.
pub(super) fn held_out(sample: &Sample, draws: &Draws, labels: fn(&Sample) -> &[usize]) -> HeldOut {
    let [rmse, mae, skill] = draws.estimates(sample, NoValue::OneGroup, |s| {
        let found = errors(s, labels(s));
        let of = |part: fn(&Errors) -> f64| found.as_ref().map(part);
        let of_mean = of(|errors| errors.rmse_of_mean).filter(|rmse| *rmse > 0.0);
        let rmse = of(|errors| errors.rmse);
        let skill = rmse
            .zip(of_mean)
            .map(|(rmse, of_mean)| 1.0 - rmse / of_mean);
        [rmse, of(|errors| errors.mae), skill]
    });
    let found = errors(sample, labels(sample));
    HeldOut {
        folds: groups(labels(sample)).len(),
        rmse,
        mae,
        rmse_of_mean: found.as_ref().map(|errors| errors.rmse_of_mean),
        mae_of_mean: found.as_ref().map(|errors| errors.mae_of_mean),
        skill,
    }
}

struct Errors {
    rmse: f64,
    mae: f64,
    rmse_of_mean: f64,
    mae_of_mean: f64,
}

fn errors(sample: &Sample, labels: &[usize]) -> Option<Errors> {
    let groups = groups(labels);
    if groups.len() < 2 {
        return None;
    }
    let (mut of_line, mut of_mean) = (Vec::new(), Vec::new());
    for group in &groups {
        let label = labels[group[0]];
        let rest = (0..labels.len()).filter(|&i| labels[i] != label);
        let (x, y): (Vec<f64>, Vec<f64>) = rest.map(|i| (sample.score[i], sample.gain[i])).unzip();
        let line = Line::fit(&x, &y)?;
        of_line.extend(
            group
                .iter()
                .map(|&i| sample.gain[i] - line.at(sample.score[i])),
        );
        of_mean.extend(group.iter().map(|&i| sample.gain[i] - line.mean_y));
    }
    let rmse = |errors: &[f64]| (sum(errors.iter().map(|e| e * e)) / errors.len() as f64).sqrt();
    let mae = |errors: &[f64]| sum(errors.iter().map(|e| e.abs())) / errors.len() as f64;
    Some(Errors {
        rmse: rmse(&of_line),
        mae: mae(&of_line),
        rmse_of_mean: rmse(&of_mean),
        mae_of_mean: mae(&of_mean),
    })
}

/// A line by least squares.
pub(super) struct Line {
    mean_x: f64,
    pub mean_y: f64,
    slope: f64,
}

impl Line {
    /// The line through at least one point; level where x does not vary.
    pub fn fit(x: &[f64], y: &[f64]) -> Option<Self> {
        if x.is_empty() || x.len() != y.len() {
            return None;
        }
        let mean = |of: &[f64]| sum(of.iter().copied()) / of.len() as f64;
        let (mean_x, mean_y) = (mean(x), mean(y));
        let varies = x.windows(2).any(|pair| pair[0].total_cmp(&pair[1]).is_ne());
        let squares = sum(x.iter().map(|x| (x - mean_x).powi(2)));
        let products = sum(x.iter().zip(y).map(|(x, y)| (x - mean_x) * (y - mean_y)));
        Some(Self {
            mean_x,
            mean_y,
            slope: if varies && squares > 0.0 {
                products / squares
            } else {
                0.0
            },
        })
    }

    pub fn at(&self, x: f64) -> f64 {
        self.mean_y + self.slope * (x - self.mean_x)
    }
}
