//! Runs made queries in the evaluator's workers.

use std::path::PathBuf;

use anyhow::Result;
use harness_augment::Probe;
use harness_eval::exec::{Job, Limits, Pool, Value};
use harness_record::Scalar;

use crate::stage::score::worker_options;

/// What a query returned; none if it failed.
type Found = Option<Vec<Vec<Scalar>>>;

/// Databases and the workers that query them.
pub struct Executor<'a> {
    databases: &'a [PathBuf],
    pool: Pool,
}

impl<'a> Executor<'a> {
    pub fn new(databases: &'a [PathBuf], timeout_seconds: f64) -> Result<Self> {
        let options = worker_options(timeout_seconds, None)?;
        // What is kept must not depend on how busy the machine is: only the limit of steps decides, and the clock is left
        // to stop what hangs.
        let limits = Limits {
            wall_ms: Limits::default().wall_ms.max(options.limits.wall_ms),
            ..options.limits
        };
        let pool = Pool::new(options.worker, limits, options.workers);
        Ok(Self { databases, pool })
    }

    /// What each query of each probe returned.
    pub fn run(&self, probes: &[Probe]) -> Result<Vec<Vec<Found>>> {
        let task = |session: &mut harness_eval::exec::Session<'_>, probe: &Probe| {
            let database = &self.databases[probe.database];
            let jobs: Vec<Job> = probe
                .queries
                .iter()
                .map(|sql| Job::new(database, sql))
                .collect();
            let answers = session.execute_all(&jobs)?;
            Ok(answers
                .into_iter()
                .map(|answer| answer.result.ok().map(|found| scalars(found.rows)))
                .collect())
        };
        Ok(self.pool.run(probes, task, &mut |_| {})?)
    }
}

fn scalars(rows: Vec<Vec<Value>>) -> Vec<Vec<Scalar>> {
    let scalar = |value| match value {
        Value::Null => Scalar::Null,
        Value::Int(number) => Scalar::Integer(number),
        Value::Real(number) => Scalar::Real(number),
        Value::Text(bytes) => String::from_utf8(bytes).map_or(Scalar::Blob, Scalar::Text),
        Value::Blob(_) => Scalar::Blob,
    };
    rows.into_iter()
        .map(|row| row.into_iter().map(scalar).collect())
        .collect()
}
