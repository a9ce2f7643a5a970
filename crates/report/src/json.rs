//! The report as JSON, and back.

use crate::ReportInput;

/// A text that is not the JSON of a report.
#[derive(Debug, thiserror::Error)]
pub enum ReportError {
    /// It does not parse, or a key is missing, unknown or of another type.
    #[error("not a report: line {line}, column {column}: {message}")]
    BadJson {
        /// Line, from 1.
        line: usize,
        /// Column, from 1.
        column: usize,
        /// What is wrong.
        message: String,
    },
}

/// All figures as indented JSON with a final line break. What is not finite becomes `null`.
pub fn json(input: &ReportInput) -> String {
    // The input is plain data with text keys, so there is nothing that could fail.
    let mut text = serde_json::to_string_pretty(input).unwrap_or_default();
    text.push('\n');
    text
}

/// Reads what [`json`] wrote.
///
/// # Errors
/// [`ReportError::BadJson`] with the place.
pub fn from_json(text: &str) -> Result<ReportInput, ReportError> {
    serde_json::from_str(text).map_err(|error| ReportError::BadJson {
        line: error.line(),
        column: error.column(),
        message: error.to_string(),
    })
}
