//! How sure a figure is: intervals of an accuracy and of a gain. Knows verdicts, and nothing of how they were made.
//!
//! The expected figures of the tests are made by `scripts/reference/eval_intervals.py` with SciPy and statsmodels.

mod bootstrap;
mod mcnemar;
mod paired;
mod wilson;

use serde::{Deserialize, Serialize};

pub(crate) use bootstrap::mean_of_groups;
pub use mcnemar::mcnemar_exact;
pub use paired::{PairError, Paired, PairedOptions, paired};
pub use wilson::wilson;

/// The two ends of an interval.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Interval {
    /// The lower end.
    pub low: f64,
    /// The upper end.
    pub high: f64,
}
