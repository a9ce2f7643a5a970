//! Is the SQL right: isolated execution, metrics, intervals.
//!
//! [`evaluate`] runs gold and predicted queries in worker processes ([`exec`]), compares their results by each
//! [`Metric`] and returns one [`Judgement`] per row, in the order of the rows.
//! [`Summary`] and [`paired`] turn verdicts into figures with intervals.
//!
//! This crate knows no tensors and no data-set files. Whether a text is a single reading query is SQLite's own word;
//! grammars serve only the metrics that are defined by one. It is the only crate that opens a database for a predicted
//! query, and never writable.
// SQLite, NumPy and McNemar are names in sentences, not code.
#![allow(clippy::doc_markdown)]
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used))]

mod agree;
pub mod breakdown;
mod classify;
mod evaluate;
pub mod exec;
#[doc(hidden)]
pub mod fuzz;
mod interval;
mod join;
mod metric;
mod stability;

mod summary;

pub use agree::{Candidates, agreeing};
pub use classify::{ErrorClass, Results, error_class};
pub use evaluate::{
    EvalError, Head, Judgement, Options, Phase, Place, Progress, Row, Spread, evaluate,
};
pub use exec::{Limits, WorkerCommand, worker_main};
pub use interval::{Interval, PairError, Paired, PairedOptions, mcnemar_exact, paired, wilson};
pub use join::{Answer, JoinError, join};
pub use metric::{
    Hardness, METRICS, Metric, UnknownMetric, metric, spider_exact_match, spider_hardness,
};
pub use summary::Summary;
