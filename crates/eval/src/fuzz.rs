//! The insides that read what others wrote, as functions of texts and bytes in memory: for `examples/fuzz`, and no part
//! of the crate's interface.

use std::path::Path;

use harness_record::Schema;

use crate::Limits;
use crate::exec::{Failure, Job, Rows, fuzz};
use crate::metric::{Executed, Kind, Metric, Texts};
use crate::stability;

pub use fuzz::{head, reply, reply_of};

/// The query as the metric runs it; `None` if it runs none.
pub fn rewritten(metric: &Metric, sql: &str) -> Option<String> {
    match metric.kind {
        Kind::Results(results) => Some((results.rewrite)(sql)),
        Kind::Time(time) => Some((time.right.rewrite)(sql)),
        Kind::Text(_) => None,
    }
}

/// What a metric of texts says of two queries; `None` if it is none or can't say.
pub fn text_score(metric: &Metric, gold: &str, predicted: &str, schema: &Schema) -> Option<f64> {
    let texts = Texts {
        gold,
        predicted,
        schema: Some(schema),
    };
    match metric.kind {
        Kind::Text(score) => score(&texts),
        Kind::Results(_) | Kind::Time(_) => None,
    }
}

/// What a metric of results says of two results; `None` if it is none.
pub fn result_score(metric: &Metric, sql: &str, gold: &Rows, predicted: &Rows) -> Option<f64> {
    match metric.kind {
        Kind::Results(results) => Some((results.score)(
            Executed { sql, rows: gold },
            Executed {
                sql,
                rows: predicted,
            },
        )),
        Kind::Text(_) | Kind::Time(_) => None,
    }
}

/// Runs a query in this process, in the sandbox that workers have.
pub fn executed(database: &Path, sql: &str, limits: Limits) -> Result<Rows, Failure> {
    fuzz::run(&Job::new(database, sql), limits)
}

/// The query with its ties broken, if it orders anything.
pub fn ties_broken(sql: &str, columns: usize) -> Option<String> {
    harness_sql::order::with_all_ties_broken(sql, columns, true)
}

/// Whether the query's answer is another each time.
pub fn asks_chance_or_clock(sql: &str) -> bool {
    stability::asks_chance_or_clock(sql)
}
