//! Spider's exact match and hardness, row by row against the official script.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stdout,
    missing_docs
)]

#[path = "suite/official.rs"]
mod official;
#[path = "suite/support.rs"]
#[allow(dead_code, reason = "the other checks use more of it")]
mod support;

use std::collections::BTreeMap;
use std::path::Path;

use harness_eval::{spider_exact_match, spider_hardness};
use harness_record::{Column, ForeignKey, Schema, Table};
use serde_json::Value;

use official::{SPIDER_SYSTEMS, spider_predictions};
use support::{json_lines, read, shared};

/// The schemas of a tables file, by database.
fn schemas(path: &Path) -> BTreeMap<String, Schema> {
    let entries: Vec<Value> = serde_json::from_str(&read(path)).unwrap();
    let schema = |entry: &Value| {
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let list = |key: &str| entry[key].as_array().unwrap().clone();
        let index = |value: &Value| usize::try_from(value.as_u64().unwrap()).unwrap();
        let tables = list("table_names_original");
        let columns = list("column_names_original");
        let end = |at: &Value| {
            let column = &columns[index(at)];
            (text(&tables[index(&column[0])]), vec![text(&column[1])])
        };
        let table = |(at, name): (usize, &Value)| Table {
            name: text(name),
            columns: columns
                .iter()
                .filter(|column| column[0] == at)
                .map(|column| Column {
                    name: text(&column[1]),
                    ..Column::default()
                })
                .collect(),
            primary_key: Vec::new(),
        };
        let key = |pair: &Value| {
            let ((table, columns), (foreign_table, foreign_columns)) =
                (end(&pair[0]), end(&pair[1]));
            ForeignKey {
                table,
                columns,
                foreign_table,
                foreign_columns,
            }
        };
        Schema {
            db_id: text(&entry["db_id"]),
            tables: tables.iter().enumerate().map(table).collect(),
            foreign_keys: list("foreign_keys").iter().map(key).collect(),
        }
    };
    let schemas = entries.iter().map(schema);
    schemas
        .map(|schema| (schema.db_id.clone(), schema))
        .collect()
}

/// Compares a file of predictions with the official verdicts on it; all rows have to agree.
fn check(name: &str, golds: &str, predictions: &[String], shared: &Path) {
    let schemas = schemas(&shared.join("data/spider/tables.json"));
    let official = json_lines(shared.join(format!("golden/spider/{name}.jsonl")));
    let golds: Vec<&str> = golds
        .lines()
        .filter(|line| !line.trim().is_empty())
        .collect();
    assert_eq!(
        (golds.len(), predictions.len()),
        (official.len(), official.len()),
        "{name}"
    );
    let mut matches = 0;
    for ((gold, predicted), official) in golds.iter().zip(predictions).zip(&official) {
        let (gold, db) = gold.trim().split_once('\t').unwrap();
        let schema = &schemas[db];
        let ours = spider_exact_match(gold, predicted, schema);
        let hardness = spider_hardness(gold, schema).map(|level| level.to_string());
        assert_eq!(
            (ours.map(u64::from), hardness.as_deref()),
            (official["exact"].as_u64(), official["hardness"].as_str()),
            "{name}, row {}\n  {gold}\n  {predicted}",
            official["id"]
        );
        matches += usize::from(ours == Some(true));
    }
    println!(
        "{name}: exact match and hardness agree on {} rows, {matches} match",
        golds.len()
    );
}

#[test]
fn systems_on_spider_dev() {
    let Some(shared) = shared() else { return };
    let golds = read(shared.join("data/spider/dev_gold.sql"));
    for (system, file) in SPIDER_SYSTEMS {
        check(
            system,
            &golds,
            &spider_predictions(&shared.join("data"), file),
            &shared,
        );
    }
}

#[test]
fn the_official_example() {
    let Some(shared) = shared() else { return };
    let data = shared.join("data");
    let golds = read(data.join("predictions/spider/taoyds-spider/gold_example.txt"));
    let predictions = spider_predictions(&data, "taoyds-spider/pred_example.txt");
    check("taoyds-pred_example", &golds, &predictions, &shared);
}

#[test]
fn edge_cases() {
    let Some(shared) = shared() else { return };
    let schemas = schemas(&shared.join("data/spider/tables.json"));
    let mut compared = 0;
    for case in json_lines(shared.join("golden/edge-cases.jsonl")) {
        let [name, db, gold, predicted] =
            ["name", "db", "gold", "pred"].map(|key| case[key].as_str().unwrap());
        let Some(schema) = schemas.get(db) else {
            continue;
        };
        let ours = spider_exact_match(gold, predicted, schema).map(u64::from);
        assert_eq!(
            ours,
            case["spider_exact"].as_u64(),
            "{name}\n  {gold}\n  {predicted}"
        );
        compared += 1;
    }
    println!("exact match agrees on {compared} edge cases");
}
