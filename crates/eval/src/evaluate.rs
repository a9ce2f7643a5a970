//! Rows in, verdicts out: runs the queries of each row and asks each metric.

use std::collections::BTreeMap;
use std::path::PathBuf;

use harness_record::{Outcome, Verdict};

use crate::exec::{
    Failure, FailureKind, Job, Limits, Pool, PoolError, Rows, Session, Stop, WorkerCommand,
};
use crate::metric::{Executed, Metric};

/// One prediction to be judged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// Identifier of the example.
    pub id: String,
    /// Name of the database.
    pub db_id: String,
    /// The SQLite file, if there is one.
    pub database: Option<PathBuf>,
    /// The gold query.
    pub gold: String,
    /// The predicted query.
    pub predicted: String,
}

/// How to evaluate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Options {
    /// How to start a worker process.
    pub worker: WorkerCommand,
    /// What each query may use.
    pub limits: Limits,
    /// Number of worker processes; at least one is used. It does not change the verdicts.
    pub workers: usize,
}

/// How far the evaluation is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// Rows that have their verdict.
    pub done: usize,
    /// All rows.
    pub total: usize,
    /// Predictions among them that were stopped at a limit of time or size.
    pub stopped: usize,
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

/// Judges each row by each metric and returns the verdicts in the order of the rows.
///
/// A score is 1 or 0, or `None` where the database is absent or the gold query fails. A prediction that fails in any way
/// scores 0; so does an empty one, and one that is not a single reading query, whatever the official script makes of it.
/// Metrics may rewrite a query before it is run; each form of it is run once and shared. `outcome` and `error` are those
/// of the form the first metric runs.
pub fn evaluate(
    rows: &[Row],
    metrics: &[Metric],
    options: &Options,
    progress: &mut dyn FnMut(Progress),
) -> Result<Vec<Verdict>, EvalError> {
    if metrics.is_empty() {
        return Err(EvalError::NoMetric {
            known: crate::METRICS.iter().map(|metric| metric.name).collect(),
        });
    }
    let pool = Pool::new(options.worker.clone(), options.limits, options.workers);
    let mut now = Progress {
        done: 0,
        total: rows.len(),
        stopped: 0,
    };
    let verdicts = pool.run(
        rows,
        |session, row| judge(session, row, metrics),
        &mut |verdict: &Verdict| {
            now.done += 1;
            now.stopped += usize::from(matches!(
                verdict.outcome,
                Outcome::Timeout | Outcome::TooLarge
            ));
            progress(now);
        },
    )?;
    Ok(verdicts)
}

fn judge(session: &mut Session<'_>, row: &Row, metrics: &[Metric]) -> Result<Verdict, Stop> {
    let Some(database) = row.database.as_ref().filter(|path| path.is_file()) else {
        let error = match &row.database {
            Some(path) => format!("there is no file {}", path.display()),
            None => "the data set has no file for this database".to_owned(),
        };
        return Ok(unscored(row, metrics, Outcome::NoDatabase, error));
    };
    let mut runs = Runs {
        session,
        database,
        done: Vec::new(),
    };
    let mut scores = BTreeMap::new();
    let mut first = None;
    for metric in metrics {
        let gold_sql = (metric.rewrite)(&row.gold);
        let predicted_sql = (metric.rewrite)(&row.predicted);
        let gold = runs.run(&gold_sql)?;
        let predicted = runs.run(&predicted_sql)?;
        let (score, outcome, error) = match (runs.get(gold), runs.get(predicted)) {
            (Err(failure), _) if failure.kind == FailureKind::NoDatabase => {
                (None, Outcome::NoDatabase, Some(failure.message.clone()))
            }
            (Err(failure), _) => (None, Outcome::GoldError, Some(failure.to_string())),
            (Ok(_), Err(failure)) => {
                let outcome = outcome(failure.kind);
                let score = (outcome != Outcome::NoDatabase).then_some(0.0);
                (score, outcome, Some(failure.message.clone()))
            }
            (Ok(gold), Ok(predicted)) => {
                let gold = Executed {
                    sql: &gold_sql,
                    rows: gold,
                };
                let predicted = Executed {
                    sql: &predicted_sql,
                    rows: predicted,
                };
                let right = (metric.agree)(gold, predicted);
                (Some(f64::from(u8::from(right))), Outcome::Executed, None)
            }
        };
        scores.insert(metric.name.to_owned(), score);
        first.get_or_insert((outcome, error));
    }
    let (outcome, error) = first.unwrap_or((Outcome::Executed, None));
    Ok(Verdict {
        id: row.id.clone(),
        db_id: row.db_id.clone(),
        outcome,
        scores,
        error,
    })
}

fn unscored(row: &Row, metrics: &[Metric], outcome: Outcome, error: String) -> Verdict {
    let score = |metric: &Metric| (metric.name.to_owned(), None);
    Verdict {
        id: row.id.clone(),
        db_id: row.db_id.clone(),
        outcome,
        scores: metrics.iter().map(score).collect(),
        error: Some(error),
    }
}

fn outcome(kind: FailureKind) -> Outcome {
    match kind {
        FailureKind::Error => Outcome::Error,
        FailureKind::Timeout => Outcome::Timeout,
        FailureKind::TooLarge => Outcome::TooLarge,
        FailureKind::Refused => Outcome::Refused,
        FailureKind::Empty => Outcome::Empty,
        FailureKind::NoDatabase => Outcome::NoDatabase,
    }
}

/// The queries of one row that have been run.
struct Runs<'s, 'p, 'd> {
    session: &'s mut Session<'p>,
    database: &'d PathBuf,
    done: Vec<(String, Result<Rows, Failure>)>,
}

impl Runs<'_, '_, '_> {
    /// Runs a query unless it has been run, and says where its result is.
    fn run(&mut self, sql: &str) -> Result<usize, Stop> {
        if let Some(at) = self.done.iter().position(|(done, _)| done == sql) {
            return Ok(at);
        }
        let job = Job {
            database: self.database.clone(),
            sql: sql.to_owned(),
        };
        let result = self.session.execute(&job)?;
        self.done.push((job.sql, result));
        Ok(self.done.len() - 1)
    }

    fn get(&self, at: usize) -> &Result<Rows, Failure> {
        &self.done[at].1
    }
}
