//! The options of the scores.

use harness_sql::NgramOptions;
use serde::{Deserialize, Serialize};

use crate::error::AlignError;

/// What determines a score besides the queries. Scores of different options are not comparable.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Options {
    /// The longest n-gram, in tokens.
    pub l_max: usize,
    /// Pseudo-count per feature (F2), above 0.
    pub alpha: f64,
    /// Whether the filters of F1 are on.
    pub filters: bool,
    /// Whether INNER, OUTER and ASC are left out of the templates (R15).
    pub style_free: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            l_max: 15,
            alpha: 0.5,
            filters: true,
            style_free: false,
        }
    }
}

impl Options {
    pub(crate) fn ngrams(self) -> NgramOptions {
        NgramOptions {
            l_max: self.l_max,
            filters: self.filters,
        }
    }

    pub(crate) fn check(self) -> Result<(), AlignError> {
        if !(self.alpha.is_finite() && self.alpha > 0.0) {
            let found = self.alpha.to_string();
            return Err(AlignError::Option {
                field: "alpha",
                found,
                expected: "a finite number above 0",
            });
        }
        if self.l_max == 0 {
            return Err(AlignError::Option {
                field: "l_max",
                found: "0".to_owned(),
                expected: "at least 1",
            });
        }
        Ok(())
    }
}

/// How ratios are rarefied and their intervals drawn (F8).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RarefyOptions {
    /// Templates per draw; none: the size of the smaller of training set and predictions.
    pub n: Option<usize>,
    /// Draws for the mean, at least 1.
    pub draws: usize,
    /// Resamples for the interval; 0 for no interval.
    pub resamples: usize,
    /// Seed of all draws and resamples.
    pub seed: u64,
}

impl Default for RarefyOptions {
    fn default() -> Self {
        Self {
            n: None,
            draws: 20,
            resamples: 1_000,
            seed: 0,
        }
    }
}
