//! JSON objects with a query in each, in a list or one a line.

use std::collections::BTreeSet;
use std::fmt;
use std::path::Path;

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::Value;

use super::{Predicted, PredictionError, PredictionFile, PredictionFormat};
use crate::error::Place;

/// Names of the field that holds the query; where an object has several, the first here is taken. `sql` is the last
/// because a row may carry the gold query by that name.
pub(super) const SQL_FIELDS: &[&str] = &[
    "predicted_sql",
    "pred_sql",
    "predicted_query",
    "pred_query",
    "prediction",
    "predicted",
    "pred",
    "sql",
];

/// Names of the field that holds the id.
pub(super) const ID_FIELDS: &[&str] = &["id", "question_id", "example_id"];

/// Names of the field that holds the database.
pub(super) const DATABASE_FIELDS: &[&str] = &["db_id", "db", "database"];

/// The entries of a JSON object in their order, repeated keys and all.
pub(super) type Entries = Vec<(String, Value)>;

/// Reads one JSON object.
pub(super) fn object(text: &str) -> Result<Entries, serde_json::Error> {
    serde_json::from_str::<Object>(text).map(|object| object.0)
}

struct Object(Entries);

impl<'de> Deserialize<'de> for Object {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Collect;

        impl<'de> Visitor<'de> for Collect {
            type Value = Object;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Object, A::Error> {
                let mut entries = Vec::new();
                while let Some(entry) = map.next_entry()? {
                    entries.push(entry);
                }
                Ok(Object(entries))
            }
        }

        deserializer.deserialize_map(Collect)
    }
}

/// Refuses an object that has a key twice; `place` says where its entries stand.
pub(super) fn refuse_repeated(
    path: &Path,
    entries: &[(String, Value)],
    place: impl Fn(usize) -> Place,
) -> Result<(), PredictionError> {
    let mut seen = BTreeSet::new();
    for (number, (key, _)) in entries.iter().enumerate() {
        if !seen.insert(key) {
            return Err(PredictionError::RepeatedKey {
                path: path.to_owned(),
                place: place(number),
                key: key.clone(),
            });
        }
    }
    Ok(())
}

/// A JSON error with its place; `lines_before` counts the lines of the file before the parsed text.
pub(super) fn fault(
    path: &Path,
    format: PredictionFormat,
    lines_before: usize,
    error: &serde_json::Error,
) -> PredictionError {
    // The parser ends its message with the place, which is told apart here.
    let message = error.to_string();
    let words = message.rsplit_once(" at line ").map(|(words, _)| words);
    PredictionError::Json {
        path: path.to_owned(),
        format,
        line: lines_before + error.line(),
        column: error.column(),
        message: words.unwrap_or(&message).to_owned(),
    }
}

/// One object a line; blank lines are passed over.
pub(super) fn parse_lines(path: &Path, text: &str) -> Result<PredictionFile, PredictionError> {
    let mut file = PredictionFile::new(PredictionFormat::Jsonl);
    for (before, line) in text.split('\n').enumerate() {
        if line.trim().is_empty() {
            continue;
        }
        let entries = object(line).map_err(|error| fault(path, file.format, before, &error))?;
        push(path, &mut file, &entries, Place::Line(before + 1))?;
    }
    Ok(file)
}

/// One list of objects.
pub(super) fn parse_list(path: &Path, text: &str) -> Result<PredictionFile, PredictionError> {
    let mut file = PredictionFile::new(PredictionFormat::Json);
    let list: Vec<Object> =
        serde_json::from_str(text).map_err(|error| fault(path, file.format, 0, &error))?;
    for (number, Object(entries)) in list.iter().enumerate() {
        push(path, &mut file, entries, Place::Record(number))?;
    }
    Ok(file)
}

fn push(
    path: &Path,
    file: &mut PredictionFile,
    entries: &[(String, Value)],
    place: Place,
) -> Result<(), PredictionError> {
    refuse_repeated(path, entries, |_| place)?;
    let find = |names: &[&str]| {
        names
            .iter()
            .find_map(|name| entries.iter().find(|(key, _)| key == name))
    };
    let wrong = |field: &str, expected, found: &Value| PredictionError::Field {
        path: path.to_owned(),
        place,
        field: field.to_owned(),
        expected,
        found: kind(found),
    };
    let id = match find(ID_FIELDS) {
        None | Some((_, Value::Null)) => None,
        Some((_, Value::String(text))) if !text.trim().is_empty() => Some(text.clone()),
        Some((_, Value::Number(number))) if number.is_u64() => Some(number.to_string()),
        Some((field, other)) => {
            return Err(wrong(
                field,
                "a whole number or a text that is not empty",
                other,
            ));
        }
    };
    let db_id = match find(DATABASE_FIELDS) {
        None | Some((_, Value::Null)) => None,
        Some((_, Value::String(text))) => Some(text.clone()).filter(|it| !it.trim().is_empty()),
        Some((field, other)) => return Err(wrong(field, "a text", other)),
    };
    let sql = match find(SQL_FIELDS) {
        Some((_, Value::String(text))) => text.clone(),
        Some((_, Value::Null)) => {
            let name = id.clone().unwrap_or_else(|| place.to_string());
            file.not_text.push(name);
            String::new()
        }
        Some((field, other)) => return Err(wrong(field, "a text, or null", other)),
        None => {
            return Err(PredictionError::NoQuery {
                path: path.to_owned(),
                place,
                expected: SQL_FIELDS,
                found: entries.iter().map(|(key, _)| key.clone()).collect(),
            });
        }
    };
    file.rows.push(Predicted {
        id,
        db_id,
        sql,
        place,
    });
    Ok(())
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "true or false",
        Value::Number(_) => "a number",
        Value::String(_) => "an empty text",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}
