//! Do two sets of SQL queries agree in structure, and does that agreement predict the gain of
//! fine-tuning on one for the other?
//!
//! The crate is given SQL strings and tables of numbers. It knows no files of data sets, no models and
//! no tensors, and reads no clock; all randomness comes from seeds in the options.
//!
//! From queries to scores: [`QuerySet`] → [`compare()`] → [`Comparison`] → [`ratios`], or
//! [`rarefied_ratio`] for a ratio at one sample size with its interval. From scores to a finding:
//! [`Cell`]s → [`correlate()`] → [`Correlation`].
//!
//! Formulas are named F1–F8 as in the project's definition of the scores. Every sum is compensated and
//! runs in an order that depends on the queries alone, so that the same input gives the same bytes at
//! any number of threads.

#![cfg_attr(
    test,
    allow(clippy::unwrap_used, clippy::expect_used, clippy::float_cmp)
)]

pub mod advise;
pub mod assess;
mod cell;
pub mod compare;
pub mod correlate;
mod distribution;
mod error;
pub mod explain;
mod interval;
pub mod mix;
mod options;
mod query_set;
pub mod score;
pub mod select;
mod sparse;
mod sum;
mod tally;
mod warning;
mod workload;

pub use assess::{Assessment, Withheld, assess};
pub use cell::Cell;
pub use compare::{Comparison, compare};
pub use correlate::{Conclusion, CorrelateOptions, Correlation, correlate};
pub use error::AlignError;
pub use explain::{Explanation, explain};
pub use interval::Interval;
pub use options::{Options, RarefyOptions};
pub use query_set::QuerySet;
pub use score::model::{ModelScores, model_scores};
pub use score::rarefied::{MeanSd, RarefiedRatio, Verdict, rarefied_ratio, rarefied_ratio_of};
pub use score::ratio::{Ratios, ratios};
pub use score::table::{Direction, Missing, ScoreRow, direction, score_table};
pub use select::{Card, Pick, Pool, SelectMethod, SelectOptions, Selection, select};
pub use tally::Tally;
pub use warning::{Role, Warning};
pub use workload::Workload;
