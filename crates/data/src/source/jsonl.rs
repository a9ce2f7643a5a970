//! The user's own data: one JSON object a line. The fields are told at [`DatasetKind::Jsonl`].

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use harness_record::Example;

use super::{DatasetKind, Entry, Source};
use crate::dataset::DatasetRef;
use crate::error::DataError;
use crate::field::Record;
use crate::file::{parse_lines, read};

pub(super) const ENTRY: Entry = Entry {
    name: "jsonl",
    splits,
    read: read_split,
    examples: |reference| Ok(read_split(reference)?.examples),
};

/// The splits are the `.jsonl` files of the folder.
fn splits(root: &Path) -> Vec<String> {
    super::stems(root, "jsonl")
}

fn read_split(reference: &DatasetRef) -> Result<Source, DataError> {
    let DatasetRef { root, split, .. } = reference;
    // The name must be one of the folder's own files, so it can't lead out of the folder.
    if !splits(root).contains(split) {
        return Err(DatasetKind::Jsonl.unknown_split(reference));
    }
    let path = root.join(format!("{split}.jsonl"));
    let (content, file) = read(root, &path)?;
    let Parsed { mut source, named } = parse(&path, &content, split)?;
    source.files.push(file);
    for (db_id, relative) in named {
        let database = root.join(relative);
        source.schema_places.push(database.clone());
        source
            .databases
            .insert(db_id, database.is_file().then_some(database));
    }
    Ok(source)
}

/// The rows of a file, and the paths that they name for their databases, which are not looked at.
pub(crate) struct Parsed {
    pub(crate) source: Source,
    named: BTreeMap<String, PathBuf>,
}

/// Reads the rows from memory.
pub(crate) fn parse(path: &Path, content: &[u8], split: &str) -> Result<Parsed, DataError> {
    let mut source = Source {
        schema_places: vec![path.to_owned()],
        ..Source::default()
    };
    let mut named: BTreeMap<String, PathBuf> = BTreeMap::new();
    source.examples = parse_lines(path, content, |row| {
        let db_id = row.database_name("db_id")?;
        source.databases.entry(db_id.to_owned()).or_insert(None);
        if let Some(ddl) = row.optional_text("ddl")? {
            let known = source
                .ddl
                .entry(db_id.to_owned())
                .or_insert_with(|| ddl.to_owned());
            if known != ddl {
                let expected = format!("the DDL that an earlier line gives for `{db_id}`");
                return Err(row.fault("ddl", &expected, Some(&ddl.into())));
            }
        }
        if let Some(database) = row.optional_text("db")? {
            let known = named
                .entry(db_id.to_owned())
                .or_insert_with(|| PathBuf::from(database));
            if known.as_path() != Path::new(database) {
                let expected = format!("the path that an earlier line gives for `{db_id}`");
                return Err(row.fault("db", &expected, Some(&database.into())));
            }
        }
        example(row, split, db_id)
    })?;
    Ok(Parsed { source, named })
}

fn example(row: &Record<'_>, split: &str, db_id: &str) -> Result<Example, DataError> {
    Ok(Example {
        id: match row.optional_text("id")? {
            Some(id) => id.to_owned(),
            None => format!("{split}-{}", row.number() - 1),
        },
        db_id: db_id.to_owned(),
        question: row.filled_text("question")?.to_owned(),
        evidence: row.optional_text("evidence")?.map(str::to_owned),
        gold: row.filled_text("sql")?.to_owned(),
        difficulty: row.optional_text("difficulty")?.map(str::to_owned),
    })
}
