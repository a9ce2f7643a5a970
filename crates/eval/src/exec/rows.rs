//! What goes into a worker and what comes out of it.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// One query on one database.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Job {
    /// The SQLite file.
    pub database: PathBuf,
    /// The text of the query.
    pub sql: String,
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
    /// It passed the step limit, or twice the wall limit.
    Timeout,
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
            Self::TooLarge => "too large",
            Self::Refused => "refused",
            Self::Empty => "empty",
            Self::NoDatabase => "no database",
        })
    }
}
