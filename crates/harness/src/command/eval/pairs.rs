//! Single pairs of a gold and a predicted query.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::path::Path;

use anyhow::{Context as _, Result, bail, ensure};
use harness_eval::Row;
use serde::Deserialize;

use super::places::Lookup;
use super::{Task, policies};

/// A line of the file. Other fields are passed over.
#[derive(Debug, Deserialize)]
struct Pair {
    /// What the pair is called; stands as `id` in verdicts.
    name: String,
    /// Name of the database.
    db: String,
    gold: String,
    /// `null` is an empty prediction; a pair without the field is a fault.
    #[serde(deserialize_with = "Option::deserialize")]
    pred: Option<String>,
}

/// Reads the pairs, in their order.
pub fn task(path: &Path, root: &Path) -> Result<Task> {
    let mut lookup = Lookup::new(root)?;
    let mut rows = Vec::new();
    let mut absent: Vec<String> = Vec::new();
    for (line, pair) in read(path)? {
        let Pair {
            name,
            db,
            gold,
            pred,
        } = pair;
        let place = lookup
            .place(&db)
            .with_context(|| format!("{}, line {line}", path.display()))?;
        if place.files.is_empty() && !absent.contains(&db) {
            absent.push(db.clone());
        }
        rows.push(Row {
            id: name,
            db_id: db,
            place,
            gold,
            predicted: pred.unwrap_or_default(),
        });
    }
    ensure!(!rows.is_empty(), "{}: no pair in it", path.display());
    let notes = absent.iter().map(|db| {
        format!(
            "there is no database `{db}` below {}: looked for {}",
            root.display(),
            Lookup::tried(db)
        )
    });
    Ok(Task {
        title: format!("pairs of {}", path.display()),
        levels: vec![None; rows.len()],
        notes: notes.collect(),
        rows,
        policies: policies::MIXED,
    })
}

/// The pairs with their lines.
fn read(path: &Path) -> Result<Vec<(usize, Pair)>> {
    let file =
        std::fs::File::open(path).with_context(|| format!("cannot open {}", path.display()))?;
    let mut pairs = Vec::new();
    let mut names: BTreeMap<String, usize> = BTreeMap::new();
    for (before, text) in BufReader::new(file).lines().enumerate() {
        let line = before + 1;
        let fault = || format!("{}, line {line}", path.display());
        let text = text.with_context(fault)?;
        if text.trim().is_empty() {
            continue;
        }
        let pair: Pair = serde_json::from_str(&text)
            .with_context(fault)
            .with_context(|| "a pair has the texts `name`, `db`, `gold` and `pred`")?;
        let db = &pair.db;
        if db.is_empty() || db.contains(['/', '\\', '\0']) || db == "." || db == ".." {
            bail!("{}: `db` is no name of a database: {db:?}", fault());
        }
        if let Some(first) = names.insert(pair.name.clone(), line) {
            bail!(
                "{}: the name `{}` is already that of line {first}",
                fault(),
                pair.name
            );
        }
        pairs.push((line, pair));
    }
    Ok(pairs)
}
