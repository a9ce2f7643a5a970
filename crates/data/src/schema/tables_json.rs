//! The tables file that Spider defined and BIRD took over.
//!
//! Columns are numbered through the whole database, 0 being `*` of table -1. `foreign_keys` holds
//! pairs of these numbers, `primary_keys` numbers and, in BIRD, lists of numbers for composite keys.

use std::collections::BTreeMap;
use std::path::Path;

use harness_record::{Column, ForeignKey, Schema, Table};
use serde_json::Value;

use super::is_internal;
use crate::error::DataError;
use crate::field::Record;
use crate::file::read_list;

/// A column of the file: the table's position among those kept (`None`: `*`, or of a table that is
/// not kept), and its name.
struct Place<'a> {
    table: Option<usize>,
    name: &'a str,
}

/// Reads all schemas of a tables file, by the name of the database.
///
/// # Errors
/// [`DataError`], with the record and the field.
pub fn from_tables_file(path: &Path) -> Result<BTreeMap<String, Schema>, DataError> {
    let root = path.parent().unwrap_or(Path::new(""));
    let (schemas, _) = read_list(root, path, from_tables_record)?;
    let named = schemas
        .into_iter()
        .map(|schema| (schema.db_id.clone(), schema));
    Ok(named.collect())
}

/// Makes a schema of one record of a tables file. A foreign key that is stated twice is kept once.
///
/// # Errors
/// [`DataError::Field`] or, for a key that points nowhere, [`DataError::Key`].
pub(crate) fn from_tables_record(record: &Record<'_>) -> Result<Schema, DataError> {
    let db_id = record.database_name("db_id")?;
    let mut tables = Vec::new();
    let mut kept = Vec::new();
    for (index, name) in record.list("table_names_original")?.iter().enumerate() {
        let Some(name) = name.as_str() else {
            let field = format!("table_names_original[{index}]");
            return Err(record.fault(&field, "a text", Some(name)));
        };
        kept.push((!is_internal(name)).then_some(tables.len()));
        if !is_internal(name) {
            let (columns, primary_key) = (Vec::new(), Vec::new());
            tables.push(Table {
                name: name.to_owned(),
                columns,
                primary_key,
            });
        }
    }

    let entries = record.list("column_names_original")?;
    let types = record.list("column_types")?;
    if types.len() != entries.len() {
        let expected = format!("a list of {}, as `column_names_original` is", entries.len());
        let found = Value::Array(types.to_vec());
        return Err(record.fault("column_types", &expected, Some(&found)));
    }
    let mut places = Vec::with_capacity(entries.len());
    for (index, (entry, data_type)) in entries.iter().zip(types).enumerate() {
        let Some(place) = place(entry, &kept) else {
            let field = format!("column_names_original[{index}]");
            let expected = format!(
                "the number of a table (-1, or 0 up to {}) and a name",
                kept.len()
            );
            return Err(record.fault(&field, &expected, Some(entry)));
        };
        let Some(data_type) = data_type.as_str() else {
            return Err(record.fault(&format!("column_types[{index}]"), "a text", Some(data_type)));
        };
        if let Some(table) = place.table {
            let name = place.name.to_owned();
            tables[table].columns.push(Column {
                name,
                data_type: data_type.to_owned(),
                ..Column::default()
            });
        }
        places.push(place);
    }

    for (index, entry) in record.list("primary_keys")?.iter().enumerate() {
        let numbers = match entry {
            Value::Array(numbers) => numbers.as_slice(),
            number => std::slice::from_ref(number),
        };
        for number in numbers {
            let Some(place) = column(number, &places) else {
                let expected = column_numbers("a column number", places.len());
                return Err(record.key_fault(
                    db_id,
                    format!("primary_keys[{index}]"),
                    expected,
                    entry,
                ));
            };
            if let Some(table) = place.table {
                tables[table].primary_key.push(place.name.to_owned());
            }
        }
    }

    let mut foreign_keys: BTreeMap<(usize, usize), usize> = BTreeMap::new();
    let mut ordered = Vec::new();
    for (index, entry) in record.list("foreign_keys")?.iter().enumerate() {
        let pair = entry.as_array().and_then(|pair| match pair.as_slice() {
            [from, to] => Some((number(from, &places)?, number(to, &places)?)),
            _ => None,
        });
        let Some(pair) = pair else {
            let expected = column_numbers("two column numbers", places.len());
            let field = format!("foreign_keys[{index}]");
            return Err(record.key_fault(db_id, field, expected, entry));
        };
        if foreign_keys.insert(pair, index).is_none() {
            ordered.push(pair);
        }
    }
    let foreign_keys = ordered
        .into_iter()
        .filter_map(|(from, to)| {
            let (from, to) = (&places[from], &places[to]);
            Some(ForeignKey {
                table: tables[from.table?].name.clone(),
                columns: vec![from.name.to_owned()],
                foreign_table: tables[to.table?].name.clone(),
                foreign_columns: vec![to.name.to_owned()],
            })
        })
        .collect();
    Ok(Schema {
        db_id: db_id.to_owned(),
        tables,
        foreign_keys,
    })
}

/// `[table number, name]`, where -1 is the table of `*`.
fn place<'a>(entry: &'a Value, kept: &[Option<usize>]) -> Option<Place<'a>> {
    let [table, name] = entry.as_array()?.as_slice() else {
        return None;
    };
    let name = name.as_str()?;
    let table = match table.as_i64()? {
        -1 => None,
        number => *kept.get(usize::try_from(number).ok()?)?,
    };
    Some(Place { table, name })
}

fn number(value: &Value, places: &[Place<'_>]) -> Option<usize> {
    let number = usize::try_from(value.as_u64()?).ok()?;
    (1..places.len()).contains(&number).then_some(number)
}

fn column<'a, 'b>(value: &Value, places: &'b [Place<'a>]) -> Option<&'b Place<'a>> {
    places.get(number(value, places)?)
}

fn column_numbers(what: &str, columns: usize) -> String {
    format!("{what} from 1 to {}", columns.saturating_sub(1))
}
