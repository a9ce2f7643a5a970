//! A database of the source as what can fill slots: tables with rows at hand, the kinds of their columns, their keys.

use std::collections::BTreeSet;

use harness_record::{Content, Scalar, Schema};

/// What the values of a column are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Numbers.
    Number,
    /// Dates, or dates with times, as `SQLite`'s functions read them.
    Date,
    /// Texts.
    Text,
    /// Of several kinds, blobs, or none at all.
    Other,
}

/// A column.
#[derive(Clone, Debug)]
#[allow(
    clippy::struct_excessive_bools,
    reason = "facts that hold or not, each by itself"
)]
pub struct Column {
    /// Its name.
    pub name: String,
    /// What its values are.
    pub kind: Kind,
    /// Part of a key, or a number or a code by its name: not to be summed, compared by size or shown for itself.
    pub identifier: bool,
    /// A year, a month or a time by its name.
    pub time: bool,
    /// Different values among the rows at hand, sorted; NULL is none.
    pub values: Vec<Scalar>,
    /// Whether some of the rows at hand have NULL.
    pub nulls: bool,
    /// Whether two of the rows at hand have the same value.
    pub repeats: bool,
    /// Mean length of its texts, in characters.
    pub length: usize,
}

/// A table and rows of it.
#[derive(Clone, Debug)]
pub struct Table {
    /// Its name.
    pub name: String,
    /// Its columns.
    pub columns: Vec<Column>,
    /// Rows at hand, as many values each as there are columns.
    pub rows: Vec<Vec<Scalar>>,
}

/// Two columns of which one refers to the other, as (table, column).
pub type Key = [(usize, usize); 2];

/// A database.
#[derive(Clone, Debug)]
pub struct Database {
    /// Its name.
    pub db_id: String,
    /// Tables that have rows.
    pub tables: Vec<Table>,
    /// Keys of one column: the referring column first.
    pub keys: Vec<Key>,
}

impl Database {
    /// Puts schema and rows together. Tables without rows are left out: no query on them has a result.
    pub fn new(schema: &Schema, content: &Content) -> Self {
        let referring: BTreeSet<(&str, &str)> = schema
            .foreign_keys
            .iter()
            .flat_map(|key| {
                key.columns
                    .iter()
                    .map(|it| (key.table.as_str(), it.as_str()))
            })
            .collect();
        let mut tables = Vec::new();
        for table in &schema.tables {
            let rows = content.tables.get(&table.name);
            let rows = rows.filter(|rows| {
                !rows.is_empty() && rows.iter().all(|row| row.len() == table.columns.len())
            });
            let Some(rows) = rows else { continue };
            let columns = table.columns.iter().enumerate().map(|(at, column)| {
                let key = table.primary_key.iter().any(|it| same(it, &column.name));
                let refers = referring
                    .iter()
                    .any(|(of, it)| same(of, &table.name) && same(it, &column.name));
                self::column(&column.name, key || refers, rows, at)
            });
            tables.push(Table {
                name: table.name.clone(),
                columns: columns.collect(),
                rows: rows.clone(),
            });
        }
        let place = |table: &str, column: &str| {
            let at = tables.iter().position(|it| same(&it.name, table))?;
            let found = tables[at]
                .columns
                .iter()
                .position(|it| same(&it.name, column))?;
            Some((at, found))
        };
        let mut keys: Vec<Key> = Vec::new();
        for key in &schema.foreign_keys {
            if let ([from], [to]) = (key.columns.as_slice(), key.foreign_columns.as_slice())
                && let (Some(from), Some(to)) =
                    (place(&key.table, from), place(&key.foreign_table, to))
                && !keys.contains(&[from, to])
            {
                keys.push([from, to]);
            }
        }
        Self {
            db_id: schema.db_id.clone(),
            tables,
            keys,
        }
    }

    /// A column.
    pub fn column(&self, (table, column): (usize, usize)) -> &Column {
        &self.tables[table].columns[column]
    }
}

fn same(a: &str, b: &str) -> bool {
    a.eq_ignore_ascii_case(b)
}

fn column(name: &str, key: bool, rows: &[Vec<Scalar>], at: usize) -> Column {
    let mut values: Vec<Scalar> = rows
        .iter()
        .map(|row| row[at].clone())
        .filter(|value| *value != Scalar::Null)
        .collect();
    let all = values.len();
    values.sort_by(order);
    values.dedup();
    let kind = kind(&values);
    let lower = name.to_ascii_lowercase();
    let named_so = [
        "id", "code", "number", "no", "zip", "phone", "key", "index", "ssn",
    ]
    .iter()
    .any(|end| {
        crate::words::of(name)
            .last()
            .is_some_and(|last| last == end)
    }) || lower.ends_with("id") && kind == Kind::Number;
    let time = ["year", "month", "day", "date", "time", "founded"]
        .iter()
        .any(|unit| crate::words::of(name).iter().any(|word| word == unit));
    let texts = values.iter().filter_map(|value| match value {
        Scalar::Text(text) => Some(text.chars().count()),
        _ => None,
    });
    let (count, length) = texts.fold((0, 0), |(count, sum), it| (count + 1, sum + it));
    Column {
        name: name.to_owned(),
        kind,
        identifier: key && kind != Kind::Text || named_so,
        time,
        nulls: all < rows.len(),
        repeats: all > values.len(),
        length: length.checked_div(count).unwrap_or(0),
        values,
    }
}

fn kind(values: &[Scalar]) -> Kind {
    let every = |test: fn(&Scalar) -> bool| !values.is_empty() && values.iter().all(test);
    if every(|it| matches!(it, Scalar::Integer(_) | Scalar::Real(_))) {
        Kind::Number
    } else if every(|it| matches!(it, Scalar::Text(text) if is_date(text))) {
        Kind::Date
    } else if every(|it| matches!(it, Scalar::Text(_))) {
        Kind::Text
    } else {
        Kind::Other
    }
}

/// `YYYY-MM-DD` or `YYYY-MM-DD HH:MM…`.
pub fn is_date(text: &str) -> bool {
    let bytes = text.as_bytes();
    let shape = |from: usize, shape: &[u8]| {
        shape.iter().enumerate().all(|(at, wanted)| {
            bytes.get(from + at).is_some_and(|found| {
                if *wanted == b'0' {
                    found.is_ascii_digit()
                } else {
                    found == wanted
                }
            })
        })
    };
    shape(0, b"0000-00-00")
        && (bytes.len() == 10 || matches!(bytes[10], b' ' | b'T') && shape(11, b"00:00"))
}

/// `SQLite`'s order of values: numbers, texts, blobs.
pub fn order(a: &Scalar, b: &Scalar) -> std::cmp::Ordering {
    let rank = |value: &Scalar| match value {
        Scalar::Null => 0,
        Scalar::Integer(_) | Scalar::Real(_) => 1,
        Scalar::Text(_) => 2,
        Scalar::Blob => 3,
    };
    match (a, b) {
        (Scalar::Text(a), Scalar::Text(b)) => a.cmp(b),
        // Integers that are one as floats still have an order, and come before the float.
        (a, b) if rank(a) == 1 && rank(b) == 1 => number(a)
            .total_cmp(&number(b))
            .then_with(|| integer(a).cmp(&integer(b))),
        (a, b) => rank(a).cmp(&rank(b)),
    }
}

/// A number; 0 for what is none.
fn number(value: &Scalar) -> f64 {
    match value {
        Scalar::Integer(number) => *number as f64,
        Scalar::Real(number) => *number,
        _ => 0.0,
    }
}

/// An integer; the greatest for what is none.
fn integer(value: &Scalar) -> i64 {
    match value {
        Scalar::Integer(number) => *number,
        _ => i64::MAX,
    }
}

#[cfg(test)]
mod tests;
