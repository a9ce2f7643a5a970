//! The user's own data: one JSON object a line.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use harness_record::Example;
use serde_json::Value;

use super::{DatasetKind, Entry, Source};
use crate::dataset::DatasetRef;
use crate::error::{DataError, Place};
use crate::field::Record;
use crate::file::{json_fault, read};

pub(super) const ENTRY: Entry = Entry {
    name: "jsonl",
    splits,
    read: read_split,
};

/// The splits are the `.jsonl` files of the folder.
fn splits(root: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(root).into_iter().flatten().flatten();
    let mut names: Vec<String> = entries
        .map(|entry| entry.path())
        .filter(|path| path.extension().is_some_and(|it| it == "jsonl"))
        .filter_map(|path| Some(path.file_stem()?.to_str()?.to_owned()))
        .collect();
    names.sort();
    names
}

fn read_split(reference: &DatasetRef) -> Result<Source, DataError> {
    let DatasetRef { root, split, .. } = reference;
    // The name must be one of the folder's own files, so it can't lead out of the folder.
    if !splits(root).contains(split) {
        return Err(DatasetKind::Jsonl.unknown_split(reference));
    }
    let path = root.join(format!("{split}.jsonl"));
    let (content, file) = read(root, &path)?;

    let mut source = Source {
        examples: Vec::new(),
        databases: BTreeMap::new(),
        schemas: BTreeMap::new(),
        ddl: BTreeMap::new(),
        files: vec![file],
        schema_places: vec![path.clone()],
    };
    let mut named: BTreeMap<String, PathBuf> = BTreeMap::new();
    for (before, line) in content.split(|byte| *byte == b'\n').enumerate() {
        if line.trim_ascii().is_empty() {
            continue;
        }
        let value: Value =
            serde_json::from_slice(line).map_err(|error| json_fault(&path, before, &error))?;
        let row = Record::of(&path, Place::Line(before + 1), &value)?;
        let db_id = row.database_name("db_id")?;
        source.databases.entry(db_id.to_owned()).or_insert(None);
        if let Some(ddl) = row.optional_text("ddl")? {
            let known = source
                .ddl
                .entry(db_id.to_owned())
                .or_insert_with(|| ddl.to_owned());
            if known != ddl {
                let expected = format!("the DDL that an earlier line gives for `{db_id}`");
                return Err(row.fault("ddl", &expected, Some(&value["ddl"])));
            }
        }
        if let Some(db) = row.optional_text("db")? {
            let database = root.join(db);
            let known = named
                .entry(db_id.to_owned())
                .or_insert_with(|| database.clone());
            if *known != database {
                let expected = format!("the path that an earlier line gives for `{db_id}`");
                return Err(row.fault("db", &expected, Some(&value["db"])));
            }
        }
        source.examples.push(Example {
            id: match row.optional_text("id")? {
                Some(id) => id.to_owned(),
                None => format!("{split}-{before}"),
            },
            db_id: db_id.to_owned(),
            question: row.filled_text("question")?.to_owned(),
            evidence: row.optional_text("evidence")?.map(str::to_owned),
            gold: row.filled_text("sql")?.to_owned(),
            difficulty: row.optional_text("difficulty")?.map(str::to_owned),
        });
    }
    for (db_id, database) in named {
        source.schema_places.push(database.clone());
        source
            .databases
            .insert(db_id, database.is_file().then_some(database));
    }
    Ok(source)
}
