//! `harness data check`: runs the gold query of every example, read-only and within limits, and lists what is wrong.
//!
//! Where a database is absent its golds are compiled against the schema instead, and nothing is run.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context as _, Result, ensure};
use harness_data::defect::{Defect, DefectKind, FoundBy, compile};
use harness_data::{Dataset, schema};
use harness_eval::Options;
use harness_eval::exec::{FailureKind, Job, Pool, Session, Stop, Value};
use harness_record::Example;
use serde::Serialize;
use serde_json::json;

use crate::cli::CheckArgs;
use crate::files::write_lines;
use crate::progress::Progress;
use crate::set::{NamedSet, named_sets};
use crate::stage::score::worker_options;

/// What was looked at in one set, and how much of it is wrong.
#[derive(Debug, Serialize)]
struct Summary {
    set: String,
    examples: usize,
    databases: usize,
    databases_present: usize,
    /// Golds that were run.
    executed: usize,
    /// Golds that were compiled only.
    compiled: usize,
    /// Examples with each kind of defect.
    defects: BTreeMap<DefectKind, usize>,
    /// Examples that the list takes out of training and scoring.
    excluded: usize,
}

/// Checks all sets; prints a line or two for each, or JSON.
pub fn check(arguments: &CheckArgs) -> Result<()> {
    let seconds = arguments.timeout_seconds;
    ensure!(
        seconds > 0.0 && seconds <= 86_400.0,
        "--timeout-seconds: expected above 0 and at most 86400, found {seconds}"
    );
    let options = worker_options(seconds, arguments.workers)?;
    let mut summaries = Vec::new();
    let mut all = Vec::new();
    for set in named_sets(&arguments.sets)? {
        let dataset =
            harness_data::load(&set.reference).with_context(|| format!("set {}", set.name))?;
        let defects = defects(&set, &dataset, &options)?;
        let summary = summary(&set, &dataset, &defects);
        if !arguments.json {
            print(&summary);
        }
        summaries.push(summary);
        all.extend(defects);
    }
    if let Some(out) = &arguments.out {
        write_lines(out, &all)?;
    }
    if arguments.json {
        let result = json!({ "sets": summaries, "defects": all });
        println!("{}", serde_json::to_string_pretty(&result)?);
    } else if let Some(out) = &arguments.out {
        println!("written: {}", out.display());
    }
    Ok(())
}

fn print(summary: &Summary) {
    println!(
        "{}: {} examples, {} of {} databases here, {} golds executed, {} compiled",
        summary.set,
        summary.examples,
        summary.databases_present,
        summary.databases,
        summary.executed,
        summary.compiled
    );
    for (kind, count) in &summary.defects {
        let note = if kind.excludes() { "" } else { " (kept)" };
        println!("  {kind}: {count}{note}");
    }
    println!("  left out of training and scoring: {}", summary.excluded);
}

fn summary(set: &NamedSet, dataset: &Dataset, defects: &[Defect]) -> Summary {
    let is_here = |example: &&Example| dataset.databases[&example.db_id].is_some();
    let executed = dataset.examples.iter().filter(is_here).count();
    let mut by_kind = BTreeMap::new();
    for defect in defects {
        *by_kind.entry(defect.kind).or_insert(0) += defect.examples;
    }
    Summary {
        set: set.id.clone(),
        examples: dataset.examples.len(),
        databases: dataset.databases.len(),
        databases_present: dataset.databases.values().flatten().count(),
        executed,
        compiled: dataset.examples.len() - executed,
        excluded: by_kind
            .iter()
            .filter(|(kind, _)| kind.excludes())
            .map(|(_, count)| count)
            .sum(),
        defects: by_kind,
    }
}

/// All findings of a set: those about databases first, by name, then those about examples, in their order.
fn defects(set: &NamedSet, dataset: &Dataset, options: &Options) -> Result<Vec<Defect>> {
    let mut found = databases(set, dataset, options)?;
    let mut of_examples = compiled(set, dataset)?;
    of_examples.extend(executed(set, dataset, options)?);
    let place: BTreeMap<&str, usize> = dataset
        .examples
        .iter()
        .enumerate()
        .map(|(place, example)| (example.id.as_str(), place))
        .collect();
    of_examples.sort_by_key(|defect| defect.id.as_deref().and_then(|id| place.get(id)));
    found.extend(of_examples);
    Ok(found)
}

/// Databases that are absent or hold no row.
fn databases(set: &NamedSet, dataset: &Dataset, options: &Options) -> Result<Vec<Defect>> {
    let mut found = BTreeMap::new();
    let mut looks = Vec::new();
    for (db_id, path) in &dataset.databases {
        let Some(path) = path else {
            let message = "no database file; its golds are compiled and not executed".to_owned();
            found.insert(db_id, (DefectKind::NoDatabase, message));
            continue;
        };
        let tables = schema::from_sqlite(path, db_id)?.tables;
        let any: Vec<String> = tables
            .iter()
            .map(|table| {
                let name = table.name.replace('"', "\"\"");
                format!("EXISTS (SELECT 1 FROM \"{name}\")")
            })
            .collect();
        let job = Job::new(path, format!("SELECT {}", any.join(" OR ")));
        if tables.is_empty() {
            found.insert(db_id, (DefectKind::EmptyDatabase, "no table".to_owned()));
        } else {
            looks.push((db_id, tables.len(), job));
        }
    }
    let pool = pool(options);
    let results = pool.run(
        &looks,
        |session, (_, _, job)| session.execute(job),
        &mut |_| {},
    )?;
    for ((db_id, tables, _), result) in looks.iter().zip(results) {
        match result.result {
            Ok(rows) if rows.rows == [[Value::Int(0)]] => {
                let message = format!("{tables} tables without a row");
                found.insert(db_id, (DefectKind::EmptyDatabase, message));
            }
            Ok(_) => {}
            Err(failure) => {
                let message = format!("can't be read: {}", failure.kind);
                found.insert(db_id, (DefectKind::NoDatabase, message));
            }
        }
    }
    let asked = |db_id: &str| {
        dataset
            .examples
            .iter()
            .filter(|it| it.db_id == db_id)
            .count()
    };
    Ok(found
        .into_iter()
        .map(|(db_id, (kind, message))| Defect {
            set: set.id.clone(),
            id: None,
            db_id: db_id.clone(),
            kind,
            found_by: FoundBy::Looking,
            examples: asked(db_id),
            message,
        })
        .collect())
}

/// Golds without a database file that do not compile against the schema.
fn compiled(set: &NamedSet, dataset: &Dataset) -> Result<Vec<Defect>> {
    let mut found = Vec::new();
    for db_id in absent(dataset) {
        let examples: Vec<&Example> = of_database(dataset, db_id).collect();
        let golds = examples.iter().map(|example| example.gold.as_str());
        let refused = compile(&dataset.schemas[db_id], golds)?;
        for (example, refusal) in examples.iter().zip(refused) {
            found.extend(refusal.map(|(kind, message)| {
                of_example(set, example, FoundBy::Compiling, kind, message)
            }));
        }
    }
    Ok(found)
}

fn absent(dataset: &Dataset) -> impl Iterator<Item = &String> {
    let databases = dataset.databases.iter();
    databases
        .filter(|(_, path)| path.is_none())
        .map(|(db_id, _)| db_id)
}

fn of_database<'a>(dataset: &'a Dataset, db_id: &str) -> impl Iterator<Item = &'a Example> {
    dataset.examples.iter().filter(move |it| it.db_id == db_id)
}

/// Golds that fail on their database, or return nothing.
fn executed(set: &NamedSet, dataset: &Dataset, options: &Options) -> Result<Vec<Defect>> {
    let items: Vec<(&Example, &Path)> = dataset
        .examples
        .iter()
        .filter_map(|example| Some((example, dataset.databases[&example.db_id].as_deref()?)))
        .collect();
    let mut progress = Progress::new(format!("checking {}", set.name), "golds", items.len(), 0);
    let (mut done, mut wrong) = (0, 0);
    let results = pool(options).run(
        &items,
        |session, (example, database)| run(session, example, database),
        &mut |found: &Option<(DefectKind, String)>| {
            done += 1;
            wrong += usize::from(found.is_some());
            progress.set(done, &format!("{wrong} with a defect"));
        },
    )?;
    drop(progress);
    Ok(items
        .iter()
        .zip(results)
        .filter_map(|((example, _), found)| {
            let (kind, message) = found?;
            Some(of_example(set, example, FoundBy::Executing, kind, message))
        })
        .collect())
}

/// Runs one gold; its rows are dropped at once.
fn run(
    session: &mut Session<'_>,
    example: &Example,
    database: &Path,
) -> Result<Option<(DefectKind, String)>, Stop> {
    let job = Job::new(database, &example.gold);
    Ok(match session.execute(&job)?.result {
        Ok(rows) if rows.rows.is_empty() => Some((DefectKind::EmptyResult, "no row".to_owned())),
        Ok(_) => None,
        Err(failure) => Some(match failure.kind {
            FailureKind::Error => (DefectKind::of_sqlite(&failure.message), failure.message),
            FailureKind::Timeout | FailureKind::TimeoutWall => {
                (DefectKind::GoldTimeout, failure.message)
            }
            FailureKind::TooLarge => (DefectKind::GoldTooLarge, failure.message),
            FailureKind::Refused | FailureKind::Empty => (DefectKind::GoldRefused, failure.message),
            // The engine's words hold the path, which is of this machine alone.
            FailureKind::NoDatabase => {
                let message = "the database file can't be opened".to_owned();
                (DefectKind::NoDatabase, message)
            }
        }),
    })
}

fn of_example(
    set: &NamedSet,
    example: &Example,
    found_by: FoundBy,
    kind: DefectKind,
    message: String,
) -> Defect {
    Defect {
        set: set.id.clone(),
        id: Some(example.id.clone()),
        db_id: example.db_id.clone(),
        kind,
        found_by,
        examples: 1,
        message,
    }
}

fn pool(options: &Options) -> Pool {
    Pool::new(options.worker.clone(), options.limits, options.workers)
}
