//! Tables with a header, as spreadsheets and data frames write them (RFC 4180).

use std::path::Path;

use super::json::{DATABASE_FIELDS, ID_FIELDS, SQL_FIELDS};
use super::{Predicted, PredictionError, PredictionFile, PredictionFormat};
use crate::error::Place;

/// Reads the rows below the header. A line break inside quotes is part of the cell; a blank line is no row.
pub(super) fn parse(path: &Path, text: &str) -> Result<PredictionFile, PredictionError> {
    let mut file = PredictionFile::new(PredictionFormat::Csv);
    // The parser takes a quote that is never closed for one that is closed at the end of the file, and so the rows
    // behind it for one cell.
    if !text
        .bytes()
        .filter(|byte| *byte == b'"')
        .count()
        .is_multiple_of(2)
    {
        return Err(PredictionError::Csv {
            path: path.to_owned(),
            line: text.lines().count() as u64,
            message: "the file ends within quotes (their number is odd)".to_owned(),
        });
    }
    let fault = |error: &csv::Error| PredictionError::Csv {
        path: path.to_owned(),
        line: error.position().map_or(1, csv::Position::line),
        message: error.to_string(),
    };
    let mut reader = csv::ReaderBuilder::new().from_reader(text.as_bytes());
    let header = reader.headers().map_err(|error| fault(&error))?.clone();
    let names: Vec<String> = header.iter().map(plain_name).collect();
    let column = |wanted: &[&str]| {
        wanted
            .iter()
            .find_map(|wanted| names.iter().position(|name| name == wanted))
    };
    let Some(sql_at) = column(SQL_FIELDS) else {
        return Err(PredictionError::NoQuery {
            path: path.to_owned(),
            place: Place::Line(1),
            expected: SQL_FIELDS,
            found: header.iter().map(str::to_owned).collect(),
        });
    };
    let (id_at, db_at) = (column(ID_FIELDS), column(DATABASE_FIELDS));
    for row in reader.records() {
        let row = row.map_err(|error| fault(&error))?;
        let cell = |at: Option<usize>| {
            at.and_then(|at| row.get(at))
                .map(str::trim)
                .filter(|text| !text.is_empty())
                .map(str::to_owned)
        };
        let line = row.position().map_or(0, csv::Position::line);
        file.rows.push(Predicted {
            id: cell(id_at),
            db_id: cell(db_at),
            sql: row.get(sql_at).unwrap_or_default().to_owned(),
            place: Place::Line(usize::try_from(line).unwrap_or(usize::MAX)),
        });
    }
    Ok(file)
}

/// The name of a column in the form of the names of fields: `PREDICTED SQL` is `predicted_sql`.
fn plain_name(header: &str) -> String {
    header.trim().to_lowercase().replace([' ', '-'], "_")
}
