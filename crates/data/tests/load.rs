//! Filters, the draw, and where schemas come from, on small data made for this test.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::doc_markdown,
    missing_docs
)]

mod common;

use std::path::Path;

use common::{TABLES, reference, write, write_database};
use harness_data::{DatasetKind, DatasetRef, hold_out, load};
use harness_record::Example;
use serde_json::{Value, json};

/// Twelve questions by turns about `pond` (in the tables file, no SQLite file) and `lake` (the other
/// way round).
fn twelve(root: &Path) -> DatasetRef {
    let rows: Vec<Value> = (0..12)
        .map(|i| {
            let db_id = ["pond", "lake"][i % 2];
            json!({"db_id": db_id, "question": format!("question {i}"), "query": format!("SELECT {i}")})
        })
        .collect();
    write(root, "dev.json", json!(rows).to_string());
    write(root, "tables.json", TABLES);
    let ddl = "CREATE TABLE boat (a INT, b INT, PRIMARY KEY (b, a));
        CREATE TABLE seat (c INT, d INT, boat INT REFERENCES gone,
            FOREIGN KEY (c, d) REFERENCES BOAT, FOREIGN KEY (d) REFERENCES boat (a));";
    write_database(root, "database/lake/lake.sqlite", ddl);
    reference(DatasetKind::Spider, root, "dev")
}

fn ids(examples: &[Example]) -> Vec<&str> {
    examples.iter().map(|example| example.id.as_str()).collect()
}

#[test]
fn schemas_come_from_the_tables_file_or_the_database() {
    let folder = tempfile::tempdir().unwrap();
    let dataset = load(&twelve(folder.path())).unwrap();
    assert_eq!(dataset.notes.kept_without_database["pond"], 6);
    assert_eq!(dataset.databases["pond"], None);
    assert!(dataset.databases["lake"].is_some());

    let pond = &dataset.schemas["pond"];
    assert_eq!(pond.tables.len(), 2, "SQLite's own tables are left out");
    assert_eq!(pond.tables[0].columns[0].data_type, "number");
    assert_eq!(pond.tables[1].primary_key, ["id", "part"]);
    assert_eq!(pond.foreign_keys.len(), 1, "a key stated twice is one key");
    assert_eq!(pond.foreign_keys[0].foreign_table, "pond");

    let lake = &dataset.schemas["lake"];
    assert_eq!(lake.tables[0].primary_key, ["b", "a"]);
    // The key to a table that does not exist is left out; the others are in the order of the text.
    let keys: Vec<_> = lake
        .foreign_keys
        .iter()
        .map(|key| key.foreign_columns.join(" "))
        .collect();
    assert_eq!(keys, ["b a", "a"]);
    assert_eq!(lake.foreign_keys[0].foreign_table, "boat");

    let files: Vec<&str> = dataset
        .files
        .iter()
        .map(|file| file.path.as_str())
        .collect();
    assert_eq!(files, ["dev.json", "tables.json"]);
    assert_eq!(
        dataset.hash_databases().unwrap()[0].path,
        "database/lake/lake.sqlite"
    );
}

#[test]
fn filters_and_the_draw() {
    let folder = tempfile::tempdir().unwrap();
    let mut wanted = twelve(folder.path());
    wanted.limit = Some(5);
    let first = load(&wanted).unwrap();
    assert_eq!(first.examples, load(&wanted).unwrap().examples);
    assert_eq!(first.examples.len(), 5);
    wanted.limit = Some(8);
    let more = load(&wanted).unwrap();
    assert!(
        first
            .examples
            .iter()
            .all(|example| more.examples.contains(example))
    );
    let order: Vec<usize> = ids(&more.examples)
        .iter()
        .map(|id| id[11..].parse().unwrap())
        .collect();
    assert!(order.is_sorted());
    wanted.seed = 1;
    assert_ne!(load(&wanted).unwrap().examples, more.examples);

    wanted.require_database = true;
    let lake = load(&wanted).unwrap();
    assert_eq!(lake.examples.len(), 6);
    assert_eq!(lake.notes.no_database["pond"], 6);
    assert_eq!(lake.notes.limit_not_reached, Some(8));
    assert_eq!(lake.schemas.keys().collect::<Vec<_>>(), ["lake"]);
    assert_eq!(
        lake.notes.lines(),
        [
            "6 of 12 examples",
            "left out, no database file: 6 (pond 6)",
            "the limit of 8 is more than there are: all were taken",
        ]
    );

    wanted.require_database = false;
    wanted.databases = Some(vec!["pond".to_owned()]);
    wanted.limit = Some(2);
    let pond = load(&wanted).unwrap().notes;
    assert_eq!(
        (pond.read, pond.other_databases, pond.not_drawn, pond.kept),
        (12, 6, 4, 2)
    );
}

#[test]
fn a_list_of_identifiers_chooses() {
    let folder = tempfile::tempdir().unwrap();
    let mut wanted = twelve(folder.path());
    let all = load(&wanted).unwrap();
    let (second, ninth) = (&all.examples[1].id, &all.examples[8].id);
    let rows = format!(
        "{{\"id\": \"{ninth}\", \"order\": 1}}\n\n{{\"id\": \"{second}\"}}\n{{\"id\": 7}}\n"
    );
    write(folder.path(), "chosen.jsonl", &rows);
    wanted.ids = Some(folder.path().join("chosen.jsonl"));
    let chosen = load(&wanted).unwrap();
    assert_eq!(ids(&chosen.examples), [second, ninth]);
    assert_eq!(
        (chosen.notes.not_chosen, chosen.notes.chosen_elsewhere),
        (10, 1)
    );

    write(folder.path(), "chosen.txt", format!("{ninth}\n"));
    wanted.ids = Some(folder.path().join("chosen.txt"));
    assert_eq!(ids(&load(&wanted).unwrap().examples), [ninth]);

    write(folder.path(), "chosen.txt", "another\n");
    let none = load(&wanted).unwrap_err().to_string();
    assert!(
        none.contains("12 left out: not among the identifiers"),
        "{none}"
    );
    write(
        folder.path(),
        "chosen.jsonl",
        "{\"id\": 1}\n{\"name\": 1}\n",
    );
    wanted.ids = Some(folder.path().join("chosen.jsonl"));
    let fault = load(&wanted).unwrap_err().to_string();
    assert!(
        fault.contains("chosen.jsonl") && fault.contains("`id`") && fault.contains('2'),
        "{fault}"
    );
}

#[test]
fn train_all_has_the_ids_of_its_parts() {
    let folder = tempfile::tempdir().unwrap();
    let row = json!([{"db_id": "pond", "question": "q", "query": "SELECT 1"}]).to_string();
    write(folder.path(), "train_spider.json", &row);
    write(folder.path(), "derived/train_others.json", &row);
    write(folder.path(), "tables.json", TABLES);
    let all = load(&reference(DatasetKind::Spider, folder.path(), "train-all")).unwrap();
    assert_eq!(
        ids(&all.examples),
        ["spider-train-0", "spider-train-others-0"]
    );
}

#[test]
fn bird_has_evidence_and_difficulty() {
    let folder = tempfile::tempdir().unwrap();
    let rows = json!([
        {"question_id": 9, "db_id": "pond", "question": "q", "SQL": "S", "evidence": "", "difficulty": "simple"},
        {"question_id": 3, "db_id": "pond", "question": "q", "SQL": "S", "evidence": "e"},
        {"question_id": 3, "db_id": "pond", "question": "q", "SQL": "S", "evidence": "e"},
    ]);
    write(
        folder.path(),
        "mini_dev_sqlite.json",
        format!("\u{feff}{rows}"),
    );
    write(folder.path(), "dev_tables.json", TABLES);
    let mini = load(&reference(DatasetKind::Bird, folder.path(), "mini-dev")).unwrap();
    assert_eq!(
        ids(&mini.examples),
        ["bird-mini-dev-9", "bird-mini-dev-3", "bird-mini-dev-3-2"]
    );
    assert_eq!(mini.examples[0].evidence, None);
    assert_eq!(mini.examples[0].difficulty.as_deref(), Some("simple"));
    assert_eq!(mini.examples[1].evidence.as_deref(), Some("e"));
}

#[test]
fn holding_out_loses_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let examples = load(&twelve(folder.path())).unwrap().examples;
    let parts = hold_out(examples.clone(), 4, 3);
    assert_eq!((parts.kept.len(), parts.held_out.len()), (8, 4));
    let is_in = |part: &[Example], example| part.contains(example);
    assert!(
        examples
            .iter()
            .all(|it| is_in(&parts.kept, it) != is_in(&parts.held_out, it))
    );
}

#[test]
fn references_refuse_what_they_do_not_know() {
    let text = r#"{"dataset": "spider", "root": "data", "split": "dev"}"#;
    let reference: DatasetRef = serde_json::from_str(text).unwrap();
    assert_eq!(
        (reference.limit, reference.seed, reference.require_database),
        (None, 0, false)
    );
    let text = r#"{"dataset": "spider", "root": "data", "split": "dev", "limits": 3}"#;
    assert!(serde_json::from_str::<DatasetRef>(text).is_err());
}
