//! One row of the table that correlations are made of: what a fine-tuning run gained.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// A model fine-tuned on a training set and scored on a target.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Cell {
    /// The model.
    pub model: String,
    /// What it was fine-tuned on.
    pub train_set: String,
    /// What it was scored on.
    pub target: String,
    /// Seed of the training run.
    pub seed: u64,
    /// Accuracy before fine-tuning, as a share.
    pub before: f64,
    /// Accuracy after fine-tuning, as a share.
    pub after: f64,
    /// Questions that both accuracies stand on.
    pub n: usize,
    /// Interval of the gain (low, high), as shares.
    #[serde(default)]
    pub gain_interval: Option<(f64, f64)>,
    /// Predictors by name: those of [`Comparison::scores`](crate::Comparison::scores), `ar` and the other
    /// ratios, and `a_kl_predictions`, A of the model's own predictions, which a control is made of.
    #[serde(default)]
    pub scores: BTreeMap<String, f64>,
}

impl Cell {
    /// Accuracy after less accuracy before.
    pub fn gain(&self) -> f64 {
        self.after - self.before
    }

    /// Whether the interval of the gain leaves out 0.
    pub fn has_clear_gain(&self) -> bool {
        self.gain_interval
            .is_some_and(|(low, high)| low > 0.0 || high < 0.0)
    }
}
