//! Gretel's synthetic text-to-SQL (2024), as released: one Parquet file for each of train and test, or
//! the same rows as JSON Lines.
//!
//! A row has eleven fields, of which five are read: `id`, `sql_prompt`, `sql_context` (the statements
//! that make and fill its tables), `sql` and, as the difficulty, `sql_complexity`. The text was written
//! by a language model: of some rows SQLite refuses the context or the query, and some queries write.
//! These are listed in the notes with the engine's words, see [`Notes::refused`](crate::Notes::refused).
//!
//! Rows with the same context share a database, which is named by the hash of the context.

use std::path::{Path, PathBuf};

use harness_record::Example;

use super::{DatasetKind, Entry, Source};
use crate::dataset::DatasetRef;
use crate::error::DataError;
use crate::field::Record;
use crate::file::{locate, parse_lines, read, read_bytes, sha256};

pub(super) const ENTRY: Entry = Entry {
    name: "gretel",
    splits: |_: &Path| SPLITS.map(str::to_owned).to_vec(),
    read: read_split,
    examples: |reference| Ok(read_split(reference)?.examples),
};

const SPLITS: [&str; 2] = ["train", "test"];

/// The fields that are read, each a text but `id`, which may be a whole number.
#[cfg(feature = "parquet")]
const COLUMNS: [&str; 5] = ["id", "sql_prompt", "sql_context", "sql", "sql_complexity"];

fn read_split(reference: &DatasetRef) -> Result<Source, DataError> {
    let DatasetRef { root, split, .. } = reference;
    if !SPLITS.contains(&split.as_str()) {
        return Err(DatasetKind::Gretel.unknown_split(reference));
    }
    let names = [
        format!("synthetic_text_to_sql_{split}.snappy.parquet"),
        format!("synthetic_text_to_sql_{split}.parquet"),
        format!("{split}.parquet"),
        format!("{split}.jsonl"),
        format!("synthetic_text_to_sql_{split}.jsonl"),
    ];
    let places: Vec<&str> = names
        .iter()
        .map(String::as_str)
        .filter(|name| cfg!(feature = "parquet") || is_lines(Path::new(name)))
        .collect();
    let path = locate(root, &places, &format!("the rows of Gretel {split}"))?;
    let (content, file) = if is_lines(&path) {
        read(root, &path)?
    } else {
        read_bytes(root, &path)?
    };
    Ok(Source {
        files: vec![file],
        ..parse(&path, content, split)?
    })
}

/// Reads the rows from memory; the ending of `path` says whether they are lines of JSON.
pub(crate) fn parse(path: &Path, content: Vec<u8>, split: &str) -> Result<Source, DataError> {
    let mut source = Source {
        make_databases: true,
        schema_places: vec![PathBuf::from(path)],
        ..Source::default()
    };
    let rows = rows(path, content, |row| row_of(row, split))?;
    for (example, context) in rows {
        source
            .ddl
            .entry(example.db_id.clone())
            .or_insert_with(|| context);
        source.examples.push(example);
    }
    Ok(source)
}

type Row = (Example, String);

#[cfg(feature = "parquet")]
fn rows(
    path: &Path,
    content: Vec<u8>,
    make: impl FnMut(&Record<'_>) -> Result<Row, DataError>,
) -> Result<Vec<Row>, DataError> {
    if is_lines(path) {
        parse_lines(path, &content, make)
    } else {
        super::parquet_rows::parse_rows(path, content, &COLUMNS, make)
    }
}

#[cfg(not(feature = "parquet"))]
#[allow(
    clippy::needless_pass_by_value,
    reason = "with Parquet the content is handed on"
)]
fn rows(
    path: &Path,
    content: Vec<u8>,
    make: impl FnMut(&Record<'_>) -> Result<Row, DataError>,
) -> Result<Vec<Row>, DataError> {
    parse_lines(path, &content, make)
}

/// Blank texts are no faults of the file: they are found and listed with what SQLite refuses.
fn row_of(row: &Record<'_>, split: &str) -> Result<Row, DataError> {
    let context = row.text("sql_context")?;
    let example = Example {
        id: format!("gretel-{split}-{}", row.identifier("id")?),
        db_id: format!("gretel-{}", &sha256(context.as_bytes())[..16]),
        question: row.text("sql_prompt")?.to_owned(),
        evidence: None,
        gold: row.text("sql")?.to_owned(),
        difficulty: row.optional_text("sql_complexity")?.map(str::to_owned),
    };
    Ok((example, context.to_owned()))
}

fn is_lines(path: &Path) -> bool {
    path.extension().is_some_and(|it| it == "jsonl")
}
