//! `harness select`: examples of a pool for a target, with the card that says what and why.

mod card;

use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result};
use harness_align::select::card as card_of;
use harness_align::{Card, Pool, SelectOptions, Selection, Workload, select as choose};
use harness_experiment::Digest;
use serde::Serialize;
use serde_json::json;

use crate::cli::SelectArgs;
use crate::files::{write, write_json};
use crate::workload;

/// What `card.json` holds and `--json` prints.
#[derive(Serialize)]
struct Document {
    #[serde(flatten)]
    card: Card,
    /// SHA-256 of the queries and questions of each set of the pool.
    pool_sha256: Vec<String>,
    /// The same of the target.
    target_sha256: String,
}

pub fn select(arguments: &SelectArgs) -> Result<()> {
    let data = arguments.spec.data.as_deref();
    let mut sets = Vec::new();
    for name in &arguments.pool {
        sets.push(workload::read(name, data)?);
    }
    let target = workload::read(&arguments.target, data)?;
    let pool = Pool::new(&sets);
    let options = SelectOptions {
        n: arguments.n,
        method: arguments.method.into(),
        constraints: arguments.limits.constraints(),
        keep_duplicates: arguments.limits.keep_duplicates,
        keep_leaks: arguments.limits.keep_leaks,
        seed: arguments.scores.seed,
        scores: arguments.scores.options(),
    };
    let selection = choose(&pool, &target, &options)?;
    let document = Document {
        card: card_of(&pool, &target, &selection)?,
        pool_sha256: sets.iter().map(sha256).collect(),
        target_sha256: sha256(&target),
    };
    let page = card::page(
        &document.card,
        &document.pool_sha256,
        &document.target_sha256,
    );
    if let Some(out) = &arguments.out {
        save(out, &selection, &document, &page)?;
    }
    if arguments.json {
        println!("{}", serde_json::to_string_pretty(&document)?);
    } else {
        print!("{page}");
        match &arguments.out {
            Some(out) => println!(
                "\nThe identifiers are in {}; a training set of an experiment takes them as `ids:`.",
                out.join("selected.jsonl").display()
            ),
            None => println!("\nNothing is written without --out FOLDER."),
        }
    }
    Ok(())
}

fn save(out: &Path, selection: &Selection, document: &Document, page: &str) -> Result<()> {
    fs::create_dir_all(out).with_context(|| format!("cannot make {}", out.display()))?;
    let mut lines = Vec::new();
    for pick in &selection.picks {
        serde_json::to_writer(&mut lines, pick)?;
        lines.push(b'\n');
    }
    write(&out.join("selected.jsonl"), &lines)?;
    write_json(&out.join("card.json"), document)?;
    write(&out.join("card.md"), page.as_bytes())
}

/// SHA-256 of what was compared: the queries with their questions and databases, in their order.
pub fn sha256(set: &Workload) -> String {
    Digest::of_value(&json!(set.queries())).as_str().to_owned()
}
