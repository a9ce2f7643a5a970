//! How correlations are resampled and judged, and how few cells are too few.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// Under this many cells no correlation is given.
pub const NO_NUMBER: usize = 4;
/// Under this many cells there is no interval, and nothing is concluded.
pub const NO_CONCLUSION: usize = 8;
/// Under this many models or targets, an interval that resamples them is said to be rough.
pub const FEW_CLUSTERS: usize = 5;

/// How correlations are resampled and judged.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct CorrelateOptions {
    /// Bootstrap resamples.
    pub resamples: usize,
    /// Random permutations of the training sets; all permutations are enumerated where there are no more.
    pub permutations: usize,
    /// Level of the intervals, between 0 and 1.
    pub level: f64,
    /// Seed of resamples and permutations.
    pub seed: u64,
    /// The predictor that the conclusion is about.
    pub headline: String,
    /// Predictors that claim a gain where they are above a value, beside the ratios, which do so above 1.
    pub thresholds: BTreeMap<String, f64>,
}

impl Default for CorrelateOptions {
    fn default() -> Self {
        Self {
            resamples: 2_000,
            permutations: 2_000,
            level: 0.95,
            seed: 0,
            headline: "ar".to_owned(),
            thresholds: BTreeMap::new(),
        }
    }
}
