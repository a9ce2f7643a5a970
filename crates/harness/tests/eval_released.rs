//! `harness eval` on released predictions agrees with the official evaluators, row by row.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stderr,
    missing_docs
)]

mod support;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;
use support::succeeded;

/// The folder of released data and goldens; without it these tests say so and pass, except in continuous integration.
fn shared() -> Option<PathBuf> {
    let shared = std::env::var_os("HARNESS_SHARED").map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared"),
        PathBuf::from,
    );
    if shared.join("golden").is_dir() {
        return Some(shared);
    }
    assert!(
        std::env::var_os("CI").is_none(),
        "no goldens at {}",
        shared.display()
    );
    eprintln!(
        "skipped: no goldens at {} (set HARNESS_SHARED)",
        shared.display()
    );
    None
}

fn rows(path: &Path) -> Vec<Value> {
    let text = fs::read_to_string(path).unwrap();
    text.lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

/// Evaluates a released file; the document and the rows by id.
#[track_caller]
fn evaluate(shared: &Path, predictions: &str, arguments: &str) -> (Value, BTreeMap<String, Value>) {
    let folder = tempfile::tempdir().unwrap();
    let verdicts = folder.path().join("verdicts.jsonl");
    let output = Command::new(env!("CARGO_BIN_EXE_harness"))
        .current_dir(shared.join("data"))
        .env("HARNESS_CACHE", folder.path())
        .env_remove("HARNESS_DATA")
        .args(["eval", &format!("predictions/{predictions}"), "--json"])
        .args(arguments.split_whitespace())
        .arg("--verdicts")
        .arg(&verdicts)
        .output()
        .unwrap();
    let document = serde_json::from_str(&succeeded(predictions, &output)).unwrap();
    let rows = rows(&verdicts).into_iter();
    let rows = rows.map(|row| (row["id"].as_str().unwrap().to_owned(), row));
    (document, rows.collect())
}

#[test]
fn spider_dev_of_c3sql() {
    let Some(shared) = shared() else { return };
    let arguments = "--dataset spider --root spider --split dev --by-position --policy spider_exec,spider_exact";
    let (document, rows) = evaluate(&shared, "spider/C3SQL/predicted_sql.txt", arguments);
    let summary = &document["policies"][0];
    assert_eq!(
        (&summary["n"], &summary["right"]),
        (&972.into(), &804.into())
    );
    let golden = self::rows(&shared.join("golden/spider/C3SQL.jsonl"));
    assert_eq!((rows.len(), golden.len()), (1034, 1034));
    for official in golden {
        let id = format!("spider-dev-{}", official["id"]);
        assert_eq!(rows[&id]["spider_exec"], official["exec"], "{id}");
        assert_eq!(rows[&id]["spider_exact"], official["exact"], "{id}");
    }
    let levels: Vec<(&str, u64)> = document["breakdowns"][0]["groups"]
        .as_array()
        .unwrap()
        .iter()
        .map(|group| (group["key"].as_str().unwrap(), group["n"].as_u64().unwrap()))
        .collect();
    // The rows with a database, as the goldens' own table has them.
    let official = [
        ("easy", 232),
        ("medium", 416),
        ("hard", 160),
        ("extra", 164),
    ];
    assert_eq!(levels, official);
}

/// Compares the rows of `superhero`, the one database that there is.
#[track_caller]
fn check_bird(shared: &Path, predictions: &str, golden: &str, arguments: &str, prefix: &str) {
    let arguments = format!("--dataset bird --root bird --policy bird_ex,soft_f1 {arguments}");
    let (document, rows) = evaluate(shared, predictions, &arguments);
    let golden = self::rows(&shared.join("golden/bird").join(golden));
    let right: u64 = golden.iter().map(|row| row["ex"].as_u64().unwrap()).sum();
    let summary = &document["policies"][0];
    assert_eq!(
        (&summary["n"], &summary["right"]),
        (&golden.len().into(), &right.into())
    );
    for official in golden {
        let row = &rows[&format!("{prefix}-{}", official["question_id"])];
        assert_eq!(row["bird_ex"], official["ex"], "{row}");
        let (ours, theirs) = (&row["soft_f1"], &official["soft_f1"]);
        let apart = ours.as_f64().unwrap() - theirs.as_f64().unwrap();
        assert!(apart.abs() < 1e-12, "{row}");
    }
}

#[test]
fn bird_dev_by_question_ids() {
    let Some(shared) = shared() else { return };
    check_bird(
        &shared,
        "bird/CodeS/predict_dev-codes-7b-bird-with-evidence.json",
        "CodeS-7b-with-evidence.jsonl",
        "--split dev",
        "bird-dev",
    );
}

/// The keys of mini-dev are row numbers.
#[test]
fn bird_mini_dev_by_position() {
    let Some(shared) = shared() else { return };
    check_bird(
        &shared,
        "bird/mini_dev/sql_output_kg/predict_mini_dev_gpt-4_sqlite.json",
        "mini_dev-kg-gpt-4_sqlite.jsonl",
        "--split mini-dev --by-position",
        "bird-mini-dev",
    );
}

const POLICIES: &str = "spider_exec,spider_exact,bird_ex,soft_f1";

/// The cases on which the official scripts are known to be in error are left out, as are those that are no query.
#[test]
fn the_edge_cases_as_pairs() {
    let Some(shared) = shared() else { return };
    let folder = tempfile::tempdir().unwrap();
    let verdicts = folder.path().join("verdicts.jsonl");
    let cases = shared.join("golden/edge-cases.jsonl");
    let output = Command::new(env!("CARGO_BIN_EXE_harness"))
        .env("HARNESS_CACHE", folder.path())
        // Those that end at the limit are not compared, so it may be short.
        .args([
            "eval",
            "--timeout-seconds",
            "3",
            "--policy",
            POLICIES,
            "--pairs",
        ])
        .arg(&cases)
        .arg("--root")
        .arg(shared.join("data"))
        .arg("--verdicts")
        .arg(&verdicts)
        .output()
        .unwrap();
    succeeded("edge cases", &output);
    let (ours, official) = (rows(&verdicts), rows(&cases));
    assert_eq!(ours.len(), official.len());
    let mut compared = 0;
    for (ours, official) in ours.iter().zip(&official) {
        assert_eq!(ours["id"], official["name"]);
        let note = official["note"].as_str().unwrap();
        // A word where a score belongs is what became of the script: `crash`, `timeout`, `gold-error`.
        let fate = official["spider_exec"].is_string() || official["bird_verdict"] == "timeout";
        if ours["outcome"] == "refused" || note.contains("FALSE PASS") || fate {
            continue;
        }
        for policy in POLICIES.split(',') {
            let scores = (ours[policy].as_f64(), official[policy].as_f64());
            // Exact match is not said of golds that Spider's parser rejects, and of BIRD's databases.
            if scores.1.is_some() {
                assert_eq!(scores.0, scores.1, "{policy} of {ours}\n{official}");
                compared += 1;
            }
        }
    }
    assert!(compared > 150, "{compared}");
}
