//! What can be wrong with a file of predictions.

use std::path::PathBuf;

use super::PredictionFormat;
use crate::error::Place;

/// A fault in a file of predictions, with its place.
#[derive(Debug, thiserror::Error)]
pub enum PredictionError {
    /// The file can't be read.
    #[error("{}: can't be read: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// The system's own words.
        source: std::io::Error,
    },
    /// The file is no text.
    #[error("{}: line {line}: not UTF-8", path.display())]
    NotUtf8 {
        /// The file.
        path: PathBuf,
        /// Line, from 1.
        line: usize,
    },
    /// The text is not JSON, or another JSON value than the format has.
    #[error("{}:{line}:{column}: not the JSON of the format {format}: {message}", path.display())]
    Json {
        /// The file.
        path: PathBuf,
        /// The format that the file was read by.
        format: PredictionFormat,
        /// Line, from 1.
        line: usize,
        /// Column, from 1 (0: the file ended).
        column: usize,
        /// The parser's own words.
        message: String,
    },
    /// A key stands twice in one JSON object, so that one of two values would be lost.
    #[error("{}: {place}: the key `{key}` stands here for the second time in one object", path.display())]
    RepeatedKey {
        /// The file.
        path: PathBuf,
        /// Where the second one stands.
        place: Place,
        /// The key.
        key: String,
    },
    /// The table can't be read.
    #[error("{}: line {line}: not CSV: {message}", path.display())]
    Csv {
        /// The file.
        path: PathBuf,
        /// Line, from 1.
        line: u64,
        /// What is wrong.
        message: String,
    },
    /// No column or field holds the query.
    #[error(
        "{}: {place}: no query here: expected one of {}, found {}",
        path.display(), expected.join(", "), if found.is_empty() { "nothing".to_owned() } else { found.join(", ") }
    )]
    NoQuery {
        /// The file.
        path: PathBuf,
        /// The header or the record.
        place: Place,
        /// Names that a query may have.
        expected: &'static [&'static str],
        /// The names there are.
        found: Vec<String>,
    },
    /// A field has another type than it should.
    #[error("{}: {place}: field `{field}`: expected {expected}, found {found}", path.display())]
    Field {
        /// The file.
        path: PathBuf,
        /// The record.
        place: Place,
        /// The field.
        field: String,
        /// What was expected, in words.
        expected: &'static str,
        /// What was found, in words.
        found: &'static str,
    },
    /// Some rows have an id and some have none.
    #[error("{}: {place}: no id here, while {named} of {rows} rows have one", path.display())]
    SomeIds {
        /// The file.
        path: PathBuf,
        /// The first row without one.
        place: Place,
        /// Rows with an id.
        named: usize,
        /// All rows.
        rows: usize,
    },
    /// There is no prediction in the file.
    #[error("{}: no prediction in it, read as the format {format}", path.display())]
    Empty {
        /// The file.
        path: PathBuf,
        /// The format.
        format: PredictionFormat,
    },
}
