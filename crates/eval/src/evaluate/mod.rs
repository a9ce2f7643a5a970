//! Rows in, judgements out: runs the queries of each row and asks each metric.

mod judge;
mod runs;
mod time;

use std::path::PathBuf;
use std::sync::Arc;

use harness_record::{Outcome, Schema, Verdict};

use crate::exec::{Cache, Limits, Pool, PoolError, Value, WorkerCommand};
use crate::metric::Metric;

pub use time::Spread;

/// One prediction to be judged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// Identifier of the example.
    pub id: String,
    /// Name of the database.
    pub db_id: String,
    /// Where that database is.
    pub place: Place,
    /// The gold query.
    pub gold: String,
    /// The predicted query.
    pub predicted: String,
}

/// What there is of a database.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Place {
    /// Its SQLite file, if there is one, and behind it the others of its test suite: same tables, other contents.
    pub files: Vec<PathBuf>,
    /// Its tables, for metrics that read queries against them.
    pub schema: Option<Arc<Schema>>,
}

impl From<Option<PathBuf>> for Place {
    /// A place of one file, or of none.
    fn from(file: Option<PathBuf>) -> Self {
        Self {
            files: file.into_iter().collect(),
            schema: None,
        }
    }
}

/// How to evaluate.
#[derive(Debug, Clone)]
pub struct Options {
    /// How to start a worker process.
    pub worker: WorkerCommand,
    /// What each query may use.
    pub limits: Limits,
    /// Number of worker processes; at least one is used. It does not change the verdicts.
    pub workers: usize,
    /// Put `1` for `value` in every prediction before Spider's metrics look at it, as the official script does and its
    /// function does not.
    pub as_script: bool,
    /// Run each gold query once more with the rows of its tables in another order, and say under which metrics it does
    /// not agree with itself ([`Verdict::unstable`]).
    pub check_gold: bool,
    /// How often each query runs for metrics of time.
    pub repeats: u32,
    /// Results of earlier runs; what is missing there is added. Times are never taken from it.
    pub cache: Option<Arc<Cache>>,
}

/// What was found out about a row.
#[derive(Debug, Clone, PartialEq)]
pub struct Judgement {
    /// The scores, and what became of the prediction.
    pub verdict: Verdict,
    /// Milliseconds for which the prediction ran, by the clock. Every run has another; no score depends on it.
    pub ms: Option<f64>,
    /// How its speed varied, if a metric of time was asked for and it is right.
    pub spread: Option<Spread>,
    /// What the gold query returned.
    pub gold: Option<Head>,
    /// What the prediction returned.
    pub predicted: Option<Head>,
}

/// The beginning of a result.
#[derive(Debug, Clone, PartialEq)]
pub struct Head {
    /// Number of columns.
    pub columns: usize,
    /// Number of rows of the whole result.
    pub rows: usize,
    /// The first rows, at most [`Head::ROWS`].
    pub first: Vec<Vec<Value>>,
}

impl Head {
    /// Rows that are kept.
    pub const ROWS: usize = 3;
    /// Bytes of a text or blob that are kept.
    pub const CELL_BYTES: usize = 200;
}

/// How far the evaluation is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// What is being done.
    pub phase: Phase,
    /// Rows that have their verdict.
    pub done: usize,
    /// All rows of this phase.
    pub total: usize,
    /// Predictions among them that were stopped at a limit of time or size.
    pub stopped: usize,
}

/// What is being done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// Queries run and are compared.
    Judging,
    /// Right predictions run again for metrics of time.
    Timing,
}

/// Why there are no verdicts.
#[derive(Debug, thiserror::Error)]
pub enum EvalError {
    /// No metric was asked for.
    #[error("no metric is given; there are: {}", known.join(", "))]
    NoMetric {
        /// The metrics there are.
        known: Vec<&'static str>,
    },
    /// The worker processes can't be had.
    #[error(transparent)]
    Pool(#[from] PoolError),
}

/// Judges each row by each metric and returns what was found in the order of the rows.
///
/// A metric of results gives `None` where the database is absent or the gold query fails, and 0 where the prediction
/// fails in any way. A metric of texts needs neither to run. A prediction that is empty or not a single reading query
/// is wrong by every metric, whatever the official script makes of it. Metrics may rewrite a query before it is run;
/// each form of it is run once and shared. `outcome` and `error` are those of the form that the first metric of results
/// runs, or of the query as it is. Metrics of time have a pass of their own at the end.
pub fn evaluate(
    rows: &[Row],
    metrics: &[Metric],
    options: &Options,
    progress: &mut dyn FnMut(Progress),
) -> Result<Vec<Judgement>, EvalError> {
    if metrics.is_empty() {
        return Err(EvalError::NoMetric {
            known: crate::METRICS.iter().map(|metric| metric.name).collect(),
        });
    }
    let mut pool = Pool::new(options.worker.clone(), options.limits, options.workers);
    if let Some(cache) = &options.cache {
        pool = pool.with_cache(Arc::clone(cache));
    }
    let mut now = Progress {
        phase: Phase::Judging,
        done: 0,
        total: rows.len(),
        stopped: 0,
    };
    let mut judgements = pool.run(
        rows,
        |session, row| judge::judge(session, row, metrics, options),
        &mut |judgement: &Judgement| {
            now.done += 1;
            now.stopped += usize::from(matches!(
                judgement.verdict.outcome,
                Outcome::Timeout | Outcome::TimeoutWall | Outcome::TooLarge
            ));
            progress(now);
        },
    )?;
    time::measure(&mut judgements, rows, metrics, options, progress)?;
    Ok(judgements)
}
