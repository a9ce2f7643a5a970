//! What `correlate` finds, as plain data.

use serde::{Deserialize, Serialize};

use super::calibration::{Bin, Sides};
use super::decision::Decision;
use super::held_out::HeldOut;
use super::leaderboard::{Place, Usefulness};
use super::permute::Permutation;
use super::resample::{Clusters, Estimate, NoInterval, NoValue};
use super::sign::Threshold;
use super::worst::Miss;
use crate::interval::Interval;
use crate::score::table::Direction;

/// How well each predictor goes with the gain.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Correlation {
    /// Cells given.
    pub n: usize,
    /// What they are made of.
    pub table: Table,
    /// The predictor that the conclusion is about.
    pub headline: String,
    /// What may be concluded about it.
    pub conclusion: Conclusion,
    /// Whether it is better than the controls; none if no cell has it.
    pub usefulness: Option<Usefulness>,
    /// Both as a sentence or two.
    pub text: String,
    /// Reasons for care.
    pub notes: Vec<String>,
    /// What the leaderboard is ordered by.
    pub criterion: String,
    /// Predictors, the best first.
    pub leaderboard: Vec<Place>,
    /// Scores in the order of their names, then controls.
    pub predictors: Vec<PredictorReport>,
}

/// What the cells are made of.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Table {
    /// Different models.
    pub models: usize,
    /// Different training sets.
    pub train_sets: usize,
    /// Different targets.
    pub targets: usize,
    /// Different seeds.
    pub seeds: usize,
    /// Cells with a gain above 0.
    pub gains: usize,
    /// Cells with a loss.
    pub losses: usize,
}

/// What may be concluded about the headline predictor.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Conclusion {
    /// Fewer than 8 cells have the predictor.
    #[default]
    TooFewCells,
    /// The predictor or the gain is the same in all cells, or resamples mostly are.
    NotMeasurable,
    /// The widest interval of Spearman's coefficient contains 0.
    NoRelationShown,
    /// That interval lies above 0.
    Positive,
    /// That interval lies below 0.
    Negative,
}

/// One predictor against the gain.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct PredictorReport {
    /// Name of the score, or `control:` and what it is.
    pub name: String,
    /// Whether it is a control, which holds no alignment of the training set.
    pub control: bool,
    /// Which values claim a gain. Correlations keep the score's own sign.
    pub direction: Direction,
    /// Cells that have it.
    pub n: usize,
    /// What its intervals resample.
    pub clusters: Clusters,
    /// Pearson's r.
    pub pearson: Coefficient,
    /// Spearman's rho, average ranks for ties.
    pub spearman: Coefficient,
    /// Kendall's tau-b.
    pub kendall: Coefficient,
    /// How the p of the coefficients were made.
    pub permutation: Permutation,
    /// Correlations inside groups.
    pub within: Within,
    /// Correlations given accuracy before.
    pub partial: Pair,
    /// Area under the ROC curve for the sign of the gain; 0.5 for a guess.
    pub auc: Estimate,
    /// How often "beyond the threshold" and "gain" go together, for predictors that name a threshold.
    pub sign: Option<SignAgreement>,
    /// Balanced accuracy of that threshold.
    pub balanced_accuracy: Option<Estimate>,
    /// The threshold that has the highest balanced accuracy on these cells.
    pub best_threshold: Threshold,
    /// Balanced accuracy of such thresholds on targets that they were not chosen on.
    pub balanced_accuracy_held_out: Estimate,
    /// Gains and losses on both sides of the named threshold.
    pub sides: Option<Sides>,
    /// Gains and losses along the score.
    pub bins: Vec<Bin>,
    /// What following the named threshold is worth, or the best one where none is named.
    pub decision: Option<Decision>,
    /// Error of the line on a model that it has not seen.
    pub leave_one_model_out: HeldOut,
    /// Error of the line on a target that it has not seen.
    pub leave_one_target_out: HeldOut,
    /// The cells furthest from the line.
    pub residuals: Vec<Miss>,
    /// The largest gains and losses on the wrong side of the decision's threshold.
    pub sign_errors: Vec<Miss>,
    /// How many cells are there in all.
    pub n_sign_errors: usize,
}

/// A coefficient of correlation, in \[−1, 1\].
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Coefficient {
    /// Its value, or the reason why there is none in `reason`.
    pub value: Option<f64>,
    /// Why there is no value.
    pub reason: Option<NoValue>,
    /// Percentile bootstrap interval over models and targets; none under 8 cells, or if fewer than half of the
    /// resamples have a value.
    pub interval: Option<Interval>,
    /// Why there is no interval.
    pub no_interval: Option<NoInterval>,
    /// Resamples without a value, because all their cells are alike.
    pub degenerate: usize,
    /// The same that takes cells for independent, for comparison.
    pub plain_interval: Option<Interval>,
    /// Two-sided p-value by permutation of training sets within model and target.
    pub p: Option<f64>,
}

impl Coefficient {
    /// The interval that conclusions are made by: from the lower of the lower ends to the higher of the higher ends of
    /// resampling clusters and resampling cells, because few clusters give intervals that are too narrow.
    pub fn widest(&self) -> Option<Interval> {
        Some(self.interval?.hull(self.plain_interval))
    }

    pub(super) fn new(clustered: &Estimate, plain: &Estimate, p: Option<f64>) -> Self {
        Self {
            value: clustered.value,
            reason: clustered.reason,
            interval: clustered.interval,
            no_interval: clustered.no_interval,
            degenerate: clustered.degenerate,
            plain_interval: plain.interval,
            p: clustered.value.and(p),
        }
    }
}

/// Both coefficients of a kind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Pair {
    /// Pearson's r.
    pub pearson: Estimate,
    /// Spearman's rho.
    pub spearman: Estimate,
}

/// Correlations of deviations from the means of groups.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Within {
    /// Inside targets.
    pub target: Pair,
    /// Inside models.
    pub model: Pair,
    /// Inside pairs of model and target: does the score tell which training set to take?
    pub model_and_target: Pair,
}

/// How often a predictor is on the right side of its threshold.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct SignAgreement {
    /// Beyond it the predictor claims a gain.
    pub threshold: f64,
    /// Cells on the right side.
    pub agree: usize,
    /// Cells with a gain other than 0.
    pub of: usize,
    /// Cells on the right side whose gain interval leaves out 0.
    pub agree_clear: usize,
    /// Cells whose gain interval leaves out 0.
    pub of_clear: usize,
}
