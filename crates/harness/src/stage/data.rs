//! Reading a set: which examples it has. Ids only are kept, for the text is not ours to pass on.

use std::path::Path;

use anyhow::{Result, ensure};
use serde_json::json;

use super::Left;
use crate::context::Context;
use crate::files::write_json;

pub fn run(context: &Context, name: &str, folder: &Path) -> Result<Left> {
    let dataset = context.dataset(name)?;
    ensure!(!dataset.examples.is_empty(), "set {name} is empty");
    let ids: Vec<&str> = dataset.examples.iter().map(|e| e.id.as_str()).collect();
    let databases: Vec<_> = dataset
        .databases
        .iter()
        .map(|(db, file)| json!({ "db_id": db, "present": file.is_some() }))
        .collect();
    write_json(
        &folder.join("set.json"),
        &json!({ "ids": ids, "databases": databases, "notes": dataset.notes }),
    )?;
    eprintln!(
        "{name}: {} examples, {} databases",
        ids.len(),
        databases.len()
    );
    for line in dataset.notes.lines() {
        eprintln!("  {line}");
    }
    Ok(Left {
        notes: json!({ "examples": ids.len(), "databases": databases.len() }),
        ..Left::default()
    })
}
