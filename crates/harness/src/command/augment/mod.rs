//! `harness augment`: examples for the templates that a target has and a training set lacks.

mod card;
mod execute;

use std::fs;
use std::path::{Component, Path, PathBuf};

use anyhow::{Context as _, Result, ensure};
use harness_align::{Comparison, Options as ScoreOptions, QuerySet, compare};
use harness_augment::{Augmented, Database, Options, augment, wanted};
use harness_data::{Dataset, DatasetRef, load, read_rows};
use serde::Serialize;

use crate::cli::AugmentArgs;
use crate::files::{write, write_json, write_lines};
use crate::progress::Progress;
use crate::{set, workload};
use card::{Card, Scores};

/// Rows of a table that are at hand for literals.
const ROWS: usize = 1_000;

/// A line of the file of examples: the layout `jsonl`, and where it comes from.
#[derive(Serialize)]
struct Line<'a> {
    id: String,
    question: &'a str,
    sql: &'a str,
    db_id: &'a str,
    db: &'a str,
    synthetic: bool,
    template: &'a str,
    skeleton: &'a str,
    seed: u64,
}

pub fn run(arguments: &AugmentArgs) -> Result<()> {
    let data = arguments.data.as_deref();
    let source = workload::read(&arguments.source, data)?;
    let target = workload::read(&arguments.target, data)?;
    let named = set::parse(&arguments.source, data)?;
    let dataset = load(&DatasetRef {
        require_database: true,
        ..named.reference
    })?;
    let skeleton_schemas = schemas_of(&arguments.target, data);
    let databases = databases(&dataset, arguments.seed);
    ensure!(
        !databases.is_empty(),
        "{}: none of its databases has a table with rows",
        arguments.source
    );
    let sql = |workload: &harness_align::Workload| -> Vec<String> {
        workload.queries().iter().map(|it| it.sql.clone()).collect()
    };
    let (source_sql, target_sql) = (sql(&source), sql(&target));
    let wanted = wanted(
        source_sql.iter().map(String::as_str),
        target_sql.iter().map(String::as_str),
        arguments.min_weight,
    );
    let options = Options {
        n: arguments.n,
        per_template: arguments.per_template,
        seed: arguments.seed,
    };
    let paths: Vec<PathBuf> = databases.iter().map(|(_, path)| path.clone()).collect();
    let views: Vec<Database> = databases.into_iter().map(|(view, _)| view).collect();
    let executor = execute::Executor::new(&paths, arguments.timeout_seconds)?;
    let mut progress: Option<Progress> = None;
    let made = augment(
        &wanted,
        target.queries(),
        |db_id| skeleton_schemas.as_ref()?.schemas.get(db_id),
        &views,
        &options,
        &mut |probes| executor.run(probes),
        &mut |done, total| {
            progress
                .get_or_insert_with(|| Progress::new("augmenting", "examples", total, 0))
                .set(done, "");
        },
    )?;
    drop(progress);
    let card = Card {
        source: source.name().to_owned(),
        target: target.name().to_owned(),
        options,
        databases: views.len(),
        wanted: wanted.len(),
        scores: scores(&source_sql, &made, &target_sql)?,
        made,
    };
    write_all(&arguments.out, &card, &paths)?;
    if arguments.json {
        println!("{}", serde_json::to_string_pretty(&card.document())?);
    } else {
        print!("{}", card.text());
        println!(
            "written: {}",
            arguments.out.join("synthetic.jsonl").display()
        );
    }
    Ok(())
}

/// The data set that a target is, for the schemas of its queries; none for a file of queries, and where schemas are
/// missing, which costs no more than some names that can't be told.
fn schemas_of(name: &str, data: Option<&Path>) -> Option<Dataset> {
    let path = Path::new(name);
    if path.is_file() || !name.contains(':') {
        return None;
    }
    load(&set::parse(name, data).ok()?.reference).ok()
}

/// The databases of a set that have rows, with their files.
fn databases(dataset: &Dataset, seed: u64) -> Vec<(Database, PathBuf)> {
    let mut found = Vec::new();
    let mut progress = Progress::new("reading", "databases", dataset.databases.len(), 0);
    for (number, (db_id, path)) in dataset.databases.iter().enumerate() {
        if let (Some(path), Some(schema)) = (path, dataset.schemas.get(db_id)) {
            match read_rows(path, schema, ROWS, seed) {
                Ok(content) => {
                    let view = Database::new(schema, &content);
                    if !view.tables.is_empty() {
                        found.push((view, path.clone()));
                    }
                }
                Err(error) => eprintln!("warning: {error}; it is not used"),
            }
        }
        progress.set(number + 1, "");
    }
    found
}

/// The scores of the source alone, with the examples, and of the examples alone.
fn scores(source: &[String], made: &Augmented, target: &[String]) -> Result<Scores> {
    let options = ScoreOptions::default();
    let target = QuerySet::new(target);
    let of = |queries: Vec<&String>| -> Result<Comparison> {
        Ok(compare(&QuerySet::new(queries), &target, &options)?)
    };
    let examples: Vec<&String> = made.examples.iter().map(|it| &it.sql).collect();
    let both = source.iter().chain(examples.iter().copied()).collect();
    Ok(Scores {
        before: of(source.iter().collect())?,
        after: of(both)?,
        examples: if examples.is_empty() {
            None
        } else {
            Some(of(examples)?)
        },
    })
}

fn write_all(out: &Path, card: &Card, paths: &[PathBuf]) -> Result<()> {
    fs::create_dir_all(out).with_context(|| format!("cannot make {}", out.display()))?;
    let paths: Vec<String> = paths
        .iter()
        .map(|path| relative(out, path))
        .collect::<Result<_>>()?;
    let lines: Vec<Line> = card
        .made
        .examples
        .iter()
        .enumerate()
        .map(|(number, example)| Line {
            id: format!("synthetic-{number}"),
            question: &example.question,
            sql: &example.sql,
            db_id: &example.db_id,
            db: &paths[example.database],
            synthetic: true,
            template: &example.template,
            skeleton: &example.skeleton,
            seed: card.options.seed,
        })
        .collect();
    write_lines(&out.join("synthetic.jsonl"), &lines)?;
    write_json(&out.join("card.json"), &card.document())?;
    write(&out.join("card.md"), card.markdown().as_bytes())
}

/// The way from a folder to a file, which stays right when both are moved together.
fn relative(folder: &Path, file: &Path) -> Result<String> {
    let whole = |path: &Path| {
        fs::canonicalize(path).with_context(|| format!("cannot find {}", path.display()))
    };
    let (folder, file) = (whole(folder)?, whole(file)?);
    let common = folder
        .components()
        .zip(file.components())
        .take_while(|(a, b)| a == b)
        .count();
    let mut way = PathBuf::new();
    for _ in folder.components().skip(common) {
        way.push(Component::ParentDir);
    }
    way.extend(file.components().skip(common));
    let way = way
        .to_str()
        .context("the path of a database is not UTF-8")?;
    Ok(way.to_owned())
}
