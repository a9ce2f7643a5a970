//! Row by row against the verdicts of the official evaluators.
//!
//! A row is compared unless the official evaluator itself ended it (`timeout`, `crash`, `gold-error`) or the prediction is
//! not a single reading query, which is wrong here whatever the official script made of it.

use std::path::Path;
use std::sync::Arc;

use harness_eval::{Limits, Place, Row};
use harness_record::{Outcome, Verdict};
use harness_sql::order::is_ordered;
use serde_json::Value;

use crate::official::{SPIDER_SYSTEMS, schemas, spider_predictions};
use crate::support::{json_lines, read, row, shared, verdicts};

/// A database where the data set has it.
fn on(database: &Path, row: Row) -> Row {
    Row {
        place: Place::from(database.is_file().then(|| database.to_owned())),
        ..row
    }
}

/// Compares the scores of a metric with the official ones and returns the number of rows compared; disagreements fail.
#[track_caller]
fn compare(
    name: &str,
    metric: &str,
    rows: &[Row],
    verdicts: &[Verdict],
    official: &[Value],
) -> usize {
    assert_eq!(rows.len(), official.len(), "{name}");
    let mut faults = Vec::new();
    let mut compared = 0;
    for ((row, verdict), official) in rows.iter().zip(verdicts).zip(official) {
        if official.is_string() || verdict.outcome == Outcome::Refused {
            continue;
        }
        compared += 1;
        let score = verdict.scores[metric];
        if score != official.as_f64() {
            faults.push(format!(
                "{}: {score:?}, official {official}\n  {}\n  {}\n  {:?}",
                row.id, row.gold, row.predicted, verdict.error
            ));
        }
    }
    assert!(
        faults.is_empty(),
        "{name}: {} of {compared} differ\n{}",
        faults.len(),
        faults.join("\n")
    );
    compared
}

/// What our policies say of the same row: what is written alike returns alike, and what agrees in order agrees.
fn agree_with_each_other(system: &str, rows: &[Row], verdicts: &[Verdict]) {
    let mut alike = 0;
    let mut faults = Vec::new();
    for (row, verdict) in rows.iter().zip(verdicts) {
        let right = |metric: &str| verdict.scores[metric] == Some(1.0);
        let fault = |what: &str| format!("{}: {what}\n  {}\n  {}", row.id, row.gold, row.predicted);
        if right("ordered_if_gold_orders") && !right("bag") {
            faults.push(fault("right in order, and not right"));
        }
        if !is_ordered(&row.gold)
            && verdict.scores["ordered_if_gold_orders"] != verdict.scores["bag"]
        {
            faults.push(fault("another verdict without an order"));
        }
        if right("structural_exact") {
            alike += 1;
            // It says more than that some rows are the same.
            if verdict.scores["ordered_if_gold_orders"] == Some(0.0) {
                faults.push(fault("written alike, and wrong"));
            }
        }
    }
    println!("{system}: {alike} predictions are written as the gold is");
    assert!(faults.is_empty(), "{system}: {}", faults.join("\n"));
}

pub fn edge_cases() {
    let Some(shared) = shared() else { return };
    let mut cases = json_lines(shared.join("golden/edge-cases.jsonl"));
    // What the official evaluator got wrong, by the notes, is no yardstick; a row that ended it in Spider is left out
    // of BIRD too (there the verdict hangs on the version of SQLite).
    cases.retain(|case| {
        let official = |key: &str, verdicts: &[&str]| {
            verdicts.contains(&case[key].as_str().unwrap_or_default())
        };
        !case["note"].as_str().unwrap().contains("FALSE PASS")
            && !official("spider_exec", &["timeout", "crash", "gold-error"])
            && !official("bird_verdict", &["timeout"])
    });
    let rows: Vec<Row> = cases
        .iter()
        .map(|case| {
            let [name, db, gold, pred] =
                ["name", "db", "gold", "pred"].map(|key| case[key].as_str().unwrap());
            let folder = if db == "superhero" {
                "bird/dev_databases"
            } else {
                "spider/database"
            };
            let database = shared.join(format!("data/{folder}/{db}/{db}.sqlite"));
            on(&database, row(name, &database, gold, pred))
        })
        .collect();
    let verdicts = verdicts(&rows, 2, Limits::default());
    for metric in ["spider_exec", "bird_ex", "soft_f1"] {
        let official: Vec<Value> = cases.iter().map(|case| case[metric].clone()).collect();
        let compared = compare("edge cases", metric, &rows, &verdicts, &official);
        println!("edge cases: {metric} agrees on {compared} rows");
    }
}

pub fn spider() {
    let Some(shared) = shared() else { return };
    let data = shared.join("data");
    let gold = read(data.join("spider/dev_gold.sql"));
    let schemas = schemas(&data.join("spider/tables.json"));
    for (system, file) in SPIDER_SYSTEMS {
        let predictions = spider_predictions(&data, file);
        let rows: Vec<Row> = gold
            .lines()
            .zip(&predictions)
            .enumerate()
            .map(|(id, (gold, predicted))| {
                let (gold, db) = gold.trim().split_once('\t').unwrap();
                let database = data.join(format!("spider/database/{db}/{db}.sqlite"));
                let mut row = on(&database, row(id, &database, gold, predicted));
                row.place.schema = schemas.get(db).cloned().map(Arc::new);
                row
            })
            .collect();
        let golden = json_lines(shared.join(format!("golden/spider/{system}.jsonl")));
        let official: Vec<Value> = golden.iter().map(|row| row["exec"].clone()).collect();
        let verdicts = verdicts(&rows, 2, Limits::default());
        let compared = compare(system, "spider_exec", &rows, &verdicts, &official);
        println!(
            "{system}: spider_exec agrees on {compared} of {} rows",
            rows.len()
        );
        agree_with_each_other(system, &rows, &verdicts);
    }
}

pub fn bird() {
    let Some(shared) = shared() else { return };
    let data = shared.join("data");
    let database = data.join("bird/dev_databases/superhero/superhero.sqlite");
    let examples: Vec<Value> = serde_json::from_str(&read(data.join("bird/dev.json"))).unwrap();
    for (system, file) in [
        ("CodeS-1b", "CodeS/predict_dev-codes-1b-bird.json"),
        (
            "CodeS-1b-with-evidence",
            "CodeS/predict_dev-codes-1b-bird-with-evidence.json",
        ),
        ("CodeS-3b", "CodeS/predict_dev-codes-3b-bird.json"),
        (
            "CodeS-3b-with-evidence",
            "CodeS/predict_dev-codes-3b-bird-with-evidence.json",
        ),
        ("CodeS-7b", "CodeS/predict_dev-codes-7b-bird.json"),
        (
            "CodeS-7b-with-evidence",
            "CodeS/predict_dev-codes-7b-bird-with-evidence.json",
        ),
        ("CodeS-15b", "CodeS/predict_dev-codes-15b-bird.json"),
        (
            "CodeS-15b-with-evidence",
            "CodeS/predict_dev-codes-15b-bird-with-evidence.json",
        ),
        ("DAMO-turbo", "DAMO-ConvAI/turbo_output/predict_dev.json"),
        (
            "DAMO-turbo-kg",
            "DAMO-ConvAI/turbo_output_kg/predict_dev.json",
        ),
    ] {
        let text = read(data.join("predictions/bird").join(file));
        let predictions: Value = serde_json::from_str(&text).unwrap();
        let golden = json_lines(shared.join(format!("golden/bird/{system}.jsonl")));
        let rows: Vec<Row> = golden
            .iter()
            .map(|golden| {
                let id = golden["question_id"].as_u64().unwrap();
                let gold = examples[usize::try_from(id).unwrap()]["SQL"]
                    .as_str()
                    .unwrap();
                // Where the model gave nothing the file has a number instead of a text.
                let predicted = predictions[id.to_string()].as_str().unwrap_or_default();
                let predicted = predicted.split("\t----- bird -----\t").next().unwrap();
                row(id, &database, gold, predicted)
            })
            .collect();
        let verdicts = verdicts(&rows, 2, Limits::default());
        for (metric, field) in [("bird_ex", "ex"), ("soft_f1", "soft_f1")] {
            let official: Vec<Value> = golden.iter().map(|row| row[field].clone()).collect();
            let compared = compare(system, metric, &rows, &verdicts, &official);
            println!(
                "{system}: {metric} agrees on {compared} of {} rows",
                rows.len()
            );
        }
        agree_with_each_other(system, &rows, &verdicts);
        // The official `error` is ours too.
        for (verdict, golden) in verdicts.iter().zip(&golden) {
            if verdict.outcome != Outcome::Empty {
                let error = golden["verdict"] == "error";
                assert_eq!(
                    verdict.outcome != Outcome::Executed,
                    error,
                    "{system}: {verdict:?}"
                );
            }
        }
    }
}
