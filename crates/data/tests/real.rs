//! The released data: counts that its authors state, and schemas told in two ways.
//!
//! The data is not part of the repository. Where it is missing, these tests say so and pass, except
//! in continuous integration, where they fail.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stderr,
    clippy::doc_markdown,
    missing_docs
)]

mod common;

use std::path::{Path, PathBuf};

use common::reference;
use harness_data::DatasetKind::{Bird, Spider};
use harness_data::prompt::{PromptOptions, render, training_pair};
use harness_data::schema::{from_ddl, from_sqlite};
use harness_data::{Dataset, load, overlap};
use harness_record::{Example, Schema};

fn shared() -> Option<PathBuf> {
    let shared = std::env::var_os("HARNESS_SHARED").map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared"),
        PathBuf::from,
    );
    if shared.join("data").is_dir() {
        return Some(shared.join("data"));
    }
    assert!(
        std::env::var_os("CI").is_none(),
        "no data at {}",
        shared.display()
    );
    eprintln!(
        "skipped: no data at {} (set HARNESS_SHARED)",
        shared.display()
    );
    None
}

fn count(examples: &[Example], is: impl Fn(&Example) -> bool) -> usize {
    examples.iter().filter(|example| is(example)).count()
}

/// Tables with their columns, in lower case, sorted by table.
fn names(schema: &Schema) -> Vec<(String, Vec<String>)> {
    let mut names: Vec<_> = schema
        .tables
        .iter()
        .map(|table| {
            let columns = table
                .columns
                .iter()
                .map(|column| column.name.to_lowercase())
                .collect();
            (table.name.to_lowercase(), columns)
        })
        .collect();
    names.sort();
    names
}

/// Every prompt's schema is DDL that SQLite accepts, with the same tables and columns in it; and a
/// training pair is the prompt, the gold and nothing else.
fn check_prompts(dataset: &Dataset) {
    let options = PromptOptions::default();
    for schema in dataset.schemas.values() {
        let example = dataset
            .examples
            .iter()
            .find(|it| it.db_id == schema.db_id)
            .unwrap();
        let asked = render(&options, schema, example);
        // No name in the released schemas holds `--`.
        let (ddl, _) = asked.text.split_once("\n--").unwrap();
        assert_eq!(
            names(&from_ddl(ddl, &schema.db_id).unwrap()),
            names(schema),
            "{ddl}"
        );
    }
    for example in &dataset.examples {
        let schema = &dataset.schemas[&example.db_id];
        let asked = render(&options, schema, example);
        let pair = training_pair(&options, schema, example);
        let begins_with_select = example
            .gold
            .get(..6)
            .unwrap()
            .eq_ignore_ascii_case("SELECT");
        assert_eq!(
            pair.prompt == asked.text,
            begins_with_select,
            "{}",
            example.id
        );
        assert!(pair.completion.ends_with(';'));
        assert_eq!(
            begins_with_select,
            pair.completion.starts_with(' '),
            "{}",
            example.id
        );
    }
}

#[test]
fn spider_has_what_its_authors_state() {
    let Some(data) = shared() else { return };
    let root = data.join("spider");
    let dev = load(&reference(Spider, &root, "dev")).unwrap();
    assert_eq!(dev.examples.len(), 1_034);
    assert_eq!(dev.databases.len(), 20);
    assert_eq!(dev.databases.values().flatten().count(), 19);
    assert_eq!(dev.databases["wta_1"], None);
    assert_eq!(dev.notes.kept_without_database["wta_1"], 62);
    assert_eq!(dev.hash_databases().unwrap().len(), 19);
    check_prompts(&dev);

    let train = load(&reference(Spider, &root, "train")).unwrap();
    assert_eq!((train.examples.len(), train.databases.len()), (7_000, 140));
    assert_eq!(train.databases.values().flatten().count(), 138);
    check_prompts(&train);
    let others = load(&reference(Spider, &root, "train-others")).unwrap();
    assert_eq!((others.examples.len(), others.databases.len()), (1_659, 6));
    let all = load(&reference(Spider, &root, "train-all")).unwrap();
    assert_eq!(all.examples.len(), 8_659);

    let found = overlap(&train, &dev);
    // Spider keeps databases apart, not texts. Counted with a few lines of Python as well: white space
    // joined, lower case, final `;` stripped, then membership in the set of the 7,000.
    let counts = (found.shared_databases, found.same_question, found.same_gold);
    assert_eq!(counts, (0, 6, 8));

    let mut wanted = reference(Spider, &root, "dev");
    wanted.require_database = true;
    wanted.limit = Some(120);
    let drawn = load(&wanted).unwrap();
    assert_eq!(
        (drawn.examples.len(), drawn.notes.no_database["wta_1"]),
        (120, 62)
    );
}

#[test]
fn bird_has_what_its_authors_state() {
    let Some(data) = shared() else { return };
    let root = data.join("bird");
    let dev = load(&reference(Bird, &root, "dev")).unwrap();
    assert_eq!((dev.examples.len(), dev.databases.len()), (1_534, 11));
    assert_eq!(count(&dev.examples, |it| it.db_id == "superhero"), 129);
    assert_eq!(dev.examples[803].id, "bird-dev-803");
    for (difficulty, expected) in [("simple", 925), ("moderate", 464), ("challenging", 145)] {
        assert_eq!(
            count(&dev.examples, |it| it.difficulty.as_deref()
                == Some(difficulty)),
            expected
        );
    }
    check_prompts(&dev);

    let train = load(&reference(Bird, &root, "train")).unwrap();
    assert_eq!((train.examples.len(), train.databases.len()), (9_428, 69));
    assert_eq!(count(&train.examples, |it| it.evidence.is_none()), 645);
    check_prompts(&train);
    let mini = load(&reference(Bird, &root, "mini-dev")).unwrap();
    assert_eq!(mini.examples.len(), 500);
    assert_eq!(
        mini.notes.repeated,
        ["bird-mini-dev-137-2", "bird-mini-dev-138-2"]
    );

    let mut wanted = reference(Bird, &root, "dev");
    wanted.require_database = true;
    let superhero = load(&wanted).unwrap();
    assert_eq!(superhero.examples.len(), 129);
    let path = superhero.databases["superhero"].as_deref().unwrap();
    let schema = from_sqlite(path, "superhero").unwrap();
    assert_eq!(names(&schema), names(&superhero.schemas["superhero"]));
}

/// Tables and columns of `tables.json` are those of the database files, in the same order of columns,
/// case aside. `sqlite_sequence`, which the tables file lists for two databases, is left out by both.
#[test]
fn spiders_tables_file_agrees_with_its_databases() {
    let Some(data) = shared() else { return };
    let root = data.join("spider");
    let mut compared = 0;
    for split in ["train", "train-others", "dev"] {
        let dataset = load(&reference(Spider, &root, split)).unwrap();
        for (db_id, path) in &dataset.databases {
            let Some(path) = path else { continue };
            let introspected = from_sqlite(path, db_id).unwrap();
            assert_eq!(
                names(&introspected),
                names(&dataset.schemas[db_id]),
                "{db_id}"
            );
            compared += 1;
        }
    }
    assert_eq!(compared, 138 + 6 + 19);
}
