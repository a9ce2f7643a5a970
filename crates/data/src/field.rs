//! Typed access to the fields of one record, with errors that say where and what.

use std::path::Path;

use serde_json::{Map, Value};

use crate::error::{DataError, Place};

/// One record of a file: a JSON object that knows where it stands.
pub(crate) struct Record<'a> {
    path: &'a Path,
    place: Place,
    fields: &'a Map<String, Value>,
}

impl<'a> Record<'a> {
    /// Takes a JSON value as a record.
    ///
    /// # Errors
    /// [`DataError::Field`] if it is not an object.
    pub(crate) fn of(path: &'a Path, place: Place, value: &'a Value) -> Result<Self, DataError> {
        match value {
            Value::Object(fields) => Ok(Self {
                path,
                place,
                fields,
            }),
            other => Err(DataError::Field {
                path: path.to_owned(),
                place,
                field: String::new(),
                expected: "an object".to_owned(),
                found: shortened(other),
            }),
        }
    }

    /// Position of the record, as a number for identifiers.
    pub(crate) fn number(&self) -> usize {
        match self.place {
            Place::Record(number) | Place::Line(number) | Place::Row(number) => number,
        }
    }

    /// A text that must be there and say something.
    pub(crate) fn filled_text(&self, name: &str) -> Result<&'a str, DataError> {
        match self.fields.get(name) {
            Some(Value::String(text)) if !text.trim().is_empty() => Ok(text),
            other => Err(self.fault(name, "a text that is not empty", other)),
        }
    }

    /// A text that must be there and may be empty.
    pub(crate) fn text(&self, name: &str) -> Result<&'a str, DataError> {
        match self.fields.get(name) {
            Some(Value::String(text)) => Ok(text),
            other => Err(self.fault(name, "a text", other)),
        }
    }

    /// A whole number or a text that says something, as a text.
    pub(crate) fn identifier(&self, name: &str) -> Result<String, DataError> {
        match self.fields.get(name) {
            Some(Value::Number(number)) if number.is_u64() => Ok(number.to_string()),
            Some(Value::String(text)) if !text.trim().is_empty() => Ok(text.clone()),
            other => Err(self.fault(name, "a whole number or a text", other)),
        }
    }

    /// A whole number or a text, as a text; `null`, empty and blank count as absent.
    pub(crate) fn optional_identifier(&self, name: &str) -> Result<Option<String>, DataError> {
        match self.fields.get(name) {
            Some(Value::Number(number)) if number.is_u64() => Ok(Some(number.to_string())),
            _ => Ok(self.optional_text(name)?.map(str::to_owned)),
        }
    }

    /// A text that may be absent; `null`, empty and blank count as absent.
    pub(crate) fn optional_text(&self, name: &str) -> Result<Option<&'a str>, DataError> {
        match self.fields.get(name) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::String(text)) => Ok(Some(text.as_str()).filter(|it| !it.trim().is_empty())),
            other => Err(self.fault(name, "a text, or nothing", other)),
        }
    }

    /// The name of a database. It becomes part of a path, so it must not lead out of its folder.
    pub(crate) fn database_name(&self, name: &str) -> Result<&'a str, DataError> {
        let text = self.filled_text(name)?;
        if text.contains(['/', '\\', '\0']) || text == "." || text == ".." {
            let expected = "a database name without `/` and `\\`";
            return Err(self.fault(name, expected, self.fields.get(name)));
        }
        Ok(text)
    }

    /// A whole number that is not negative.
    pub(crate) fn unsigned(&self, name: &str) -> Result<u64, DataError> {
        let value = self.fields.get(name);
        value
            .and_then(Value::as_u64)
            .ok_or_else(|| self.fault(name, "a whole number, 0 or more", value))
    }

    /// A list.
    pub(crate) fn list(&self, name: &str) -> Result<&'a [Value], DataError> {
        match self.fields.get(name) {
            Some(Value::Array(list)) => Ok(list),
            other => Err(self.fault(name, "a list", other)),
        }
    }

    /// The error for a field (or `field[3]`) that is not what was expected.
    pub(crate) fn fault(&self, field: &str, expected: &str, found: Option<&Value>) -> DataError {
        DataError::Field {
            path: self.path.to_owned(),
            place: self.place,
            field: field.to_owned(),
            expected: expected.to_owned(),
            found: found.map_or_else(|| "nothing".to_owned(), shortened),
        }
    }

    /// The error for a key of the schema of `db_id`.
    pub(crate) fn key_fault(
        &self,
        db_id: &str,
        field: String,
        expected: String,
        found: &Value,
    ) -> DataError {
        DataError::Key {
            path: self.path.to_owned(),
            db_id: db_id.to_owned(),
            field,
            expected,
            found: shortened(found),
        }
    }
}

/// A value for a message: its kind, and its text cut to 60 characters. Lists and objects are not
/// written out, since they may be as large as the file.
fn shortened(value: &Value) -> String {
    match value {
        Value::Object(fields) => format!("an object of {} fields", fields.len()),
        Value::Array(list) if list.len() > 4 || list.iter().any(|it| !it.is_number()) => {
            format!("a list of {}", list.len())
        }
        Value::String(text) => {
            let cut: String = text.chars().take(60).collect();
            format!(
                "the text {cut:?}{}",
                if cut.len() < text.len() { "…" } else { "" }
            )
        }
        other => format!("`{other}`"),
    }
}
