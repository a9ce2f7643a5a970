//! What goes into a worker and what comes out of it.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// One query on one database.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Job {
    /// The SQLite file.
    pub database: PathBuf,
    /// The text of the query.
    pub sql: String,
    /// Visit rows that no ORDER BY puts in order from the last to the first (`PRAGMA reverse_unordered_selects`). A
    /// result that changes by it depends on what SQL leaves open.
    pub reverse: bool,
}

impl Job {
    /// A query that visits rows in the engine's usual order.
    pub fn new(database: impl Into<PathBuf>, sql: impl Into<String>) -> Self {
        Self {
            database: database.into(),
            sql: sql.into(),
            reverse: false,
        }
    }
}

/// Two queries on one database whose times are to be compared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Race {
    /// The SQLite file.
    pub database: PathBuf,
    /// The query that is run first in each lap.
    pub gold: String,
    /// The query that is run second.
    pub predicted: String,
    /// Number of laps.
    pub repeats: u32,
}

/// What became of a query, and how long it took.
#[derive(Debug, Clone, PartialEq)]
pub struct Answer {
    /// Its rows, or why there are none.
    pub result: Result<Rows, Failure>,
    /// Milliseconds from preparing it to its last row, by the worker's clock. It is another at every run, and nothing
    /// that is compared may depend on it.
    pub ms: f64,
}

/// One value of a result, as SQLite stores it. Text is kept as bytes: a database may hold text that is not UTF-8, and
/// what to make of it is for each metric to say.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// SQL's NULL.
    Null,
    /// A 64-bit integer.
    Int(i64),
    /// A 64-bit float, infinities included; SQLite has no NaN.
    Real(f64),
    /// Text, in UTF-8 where the database keeps to it.
    Text(Vec<u8>),
    /// A blob.
    Blob(Vec<u8>),
}

/// The result of a query.
#[derive(Debug, Clone, PartialEq)]
pub struct Rows {
    /// Number of columns, known even where there are no rows.
    pub columns: usize,
    /// Rows of `columns` values each, in the order the engine gave them.
    pub rows: Vec<Vec<Value>>,
}

/// Why a query gave no result.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{kind}: {message}")]
pub struct Failure {
    /// The kind of failure.
    pub kind: FailureKind,
    /// The words of the engine or of the sandbox.
    pub message: String,
}

impl Failure {
    pub(crate) fn new(kind: FailureKind, message: impl Into<String>) -> Self {
        Self {
            kind,
            message: message.into(),
        }
    }
}

/// The kinds of [`Failure`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum FailureKind {
    /// The engine failed it, or it brought its worker down twice.
    Error,
    /// It passed the step limit.
    Timeout,
    /// It passed the wall limit twice, the second time when it was run alone.
    TimeoutWall,
    /// It passed a limit on size: rows, columns, bytes or heap.
    TooLarge,
    /// It is not a single reading query.
    Refused,
    /// It holds no statement.
    Empty,
    /// The database file is not there or can't be opened.
    NoDatabase,
}

impl std::fmt::Display for FailureKind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Error => "error",
            Self::Timeout => "timeout",
            Self::TimeoutWall => "timeout by the clock",
            Self::TooLarge => "too large",
            Self::Refused => "refused",
            Self::Empty => "empty",
            Self::NoDatabase => "no database",
        })
    }
}
