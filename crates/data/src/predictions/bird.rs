//! BIRD's JSON object of numbered entries.

use std::path::Path;

use serde_json::Value;

use super::json::{fault, object, refuse_repeated};
use super::{Predicted, PredictionError, PredictionFile, PredictionFormat};
use crate::error::Place;

/// What parts the query from the name of its database.
const SEPARATOR: &str = "\t----- bird -----\t";

/// Reads the entries in the order of the file.
pub(super) fn parse(path: &Path, text: &str) -> Result<PredictionFile, PredictionError> {
    let mut file = PredictionFile::new(PredictionFormat::Bird);
    let entries = object(text).map_err(|error| fault(path, file.format, 0, &error))?;
    refuse_repeated(path, &entries, Place::Record)?;
    for (number, (id, entry)) in entries.into_iter().enumerate() {
        let Value::String(text) = entry else {
            file.not_text.push(id.clone());
            file.rows.push(row(id, None, String::new(), number));
            continue;
        };
        // The last one: a query that quotes the separator keeps it.
        if let Some((sql, db_id)) = text.rsplit_once(SEPARATOR) {
            let db_id = Some(db_id.trim()).filter(|it| !it.is_empty());
            let db_id = db_id.map(str::to_owned);
            file.rows.push(row(id, db_id, sql.to_owned(), number));
        } else {
            file.without_separator.push(id.clone());
            file.rows.push(row(id, None, text, number));
        }
    }
    Ok(file)
}

fn row(id: String, db_id: Option<String>, sql: String, number: usize) -> Predicted {
    Predicted {
        id: Some(id),
        db_id,
        sql,
        place: Place::Record(number),
    }
}
