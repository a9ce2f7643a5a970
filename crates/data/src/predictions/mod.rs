//! Files of predicted queries, as the field writes them: [`read_predictions`] reads one, [`identify`] says which example
//! each row answers.
//!
//! One file for each format, one line each in [`PredictionFormat`]. A reader knows neither the examples nor whether a
//! query is any good: what a file says is kept as it stands, and whatever is odd about it is an error or a note.

mod bird;

mod error;
mod format;
mod identify;
mod json;
mod lines;
mod table;

use std::path::Path;

pub use error::PredictionError;
pub use format::PredictionFormat;
pub use identify::{Identified, IdentifyError, identify};

use crate::error::Place;

/// One row of a file of predictions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Predicted {
    /// What the file calls the question; `None` if its rows have no names.
    pub id: Option<String>,
    /// The database that the file states for it.
    pub db_id: Option<String>,
    /// The query; empty if there is none.
    pub sql: String,
    /// Where in the file it stands.
    pub place: Place,
}

/// All rows of a file of predictions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PredictionFile {
    /// How the file was read.
    pub format: PredictionFormat,
    /// The rows, in the order of the file. Either all have an id or none has.
    pub rows: Vec<Predicted>,
    /// Ids, or places, of the rows that hold something else than a text where the query belongs (`0`, `null`). They are
    /// read as empty predictions; BIRD's scripts take them for a blank query on the database `financial`.
    pub not_text: Vec<String>,
    /// Ids of BIRD's entries that lack the separator and so name no database.
    pub without_separator: Vec<String>,
    /// Blank lines that were passed over: in Spider's files they part the sessions of a dialogue.
    pub blank_lines: usize,
}

impl PredictionFile {
    fn new(format: PredictionFormat) -> Self {
        Self {
            format,
            rows: Vec::new(),
            not_text: Vec::new(),
            without_separator: Vec::new(),
            blank_lines: 0,
        }
    }
}

/// Reads a file of predictions; without a format its name and its beginning tell it.
///
/// # Errors
/// [`PredictionError`], with the file and the place in it.
pub fn read_predictions(
    path: &Path,
    format: Option<PredictionFormat>,
) -> Result<PredictionFile, PredictionError> {
    let content = std::fs::read(path).map_err(|source| PredictionError::Io {
        path: path.to_owned(),
        source,
    })?;
    parse_predictions(path, &content, format)
}

/// [`read_predictions`] from memory; `path` is for messages and for its extension.
///
/// # Errors
/// As [`read_predictions`].
pub fn parse_predictions(
    path: &Path,
    content: &[u8],
    format: Option<PredictionFormat>,
) -> Result<PredictionFile, PredictionError> {
    let content = content.strip_prefix(b"\xef\xbb\xbf").unwrap_or(content);
    let text = std::str::from_utf8(content).map_err(|error| PredictionError::NotUtf8 {
        path: path.to_owned(),
        line: content[..error.valid_up_to()]
            .split(|byte| *byte == b'\n')
            .count(),
    })?;
    let format = format.unwrap_or_else(|| PredictionFormat::detect(path, text));
    let file = match format {
        PredictionFormat::Bird => bird::parse(path, text)?,
        PredictionFormat::Spider => lines::spider(text),
        PredictionFormat::Plain => lines::plain(text),
        PredictionFormat::Csv => table::parse(path, text)?,
        PredictionFormat::Json => json::parse_list(path, text)?,
        PredictionFormat::Jsonl => json::parse_lines(path, text)?,
    };
    if file.rows.is_empty() {
        return Err(PredictionError::Empty {
            path: path.to_owned(),
            format,
        });
    }
    let named = file.rows.iter().filter(|row| row.id.is_some()).count();
    if named != 0
        && named != file.rows.len()
        && let Some(row) = file.rows.iter().find(|row| row.id.is_none())
    {
        return Err(PredictionError::SomeIds {
            path: path.to_owned(),
            place: row.place,
            named,
            rows: file.rows.len(),
        });
    }
    Ok(file)
}

#[cfg(test)]
mod tests;
