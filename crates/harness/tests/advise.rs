//! `harness advise` in a user's hands: from files, and by asking a model.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

mod support;

use std::fs;

use serde_json::{Value, json};
use support::Lab;

const PLAIN: [&str; 3] = [
    "SELECT a FROM t",
    "SELECT a FROM t WHERE b = 1",
    "SELECT count(*) FROM t",
];
const NESTED: [&str; 3] = [
    "SELECT a FROM t JOIN u ON t.i = u.i WHERE c IN (SELECT d FROM v)",
    "SELECT a FROM t GROUP BY b HAVING count(*) > 1 ORDER BY b DESC",
    "SELECT a FROM t UNION SELECT b FROM u",
];

/// A file of JSON Lines with the queries in turn.
fn write(lab: &Lab, name: &str, queries: &[&str], n: usize) {
    let rows = (0..n).map(|i| format!("{}\n", json!({"sql": queries[i % queries.len()]})));
    fs::write(lab.path(name), rows.collect::<String>()).unwrap();
}

/// A history of cells, ten targets on a line: gain = (AR - 1) / 2.
fn write_history(lab: &Lab, name: &str) {
    let cells: Vec<Value> = (0..10)
        .map(|i| {
            let ar = 0.5 + 0.2 * f64::from(i);
            json!({
                "model": "other", "train_set": "s", "target": format!("t{i}"), "seed": 1, "before": 0.4,
                "after": 0.4 + (ar - 1.0) / 4.0, "n": 100, "scores": {"ar_rarefied": ar},
            })
        })
        .collect();
    fs::write(lab.path(name), json!(cells).to_string()).unwrap();
}

#[test]
fn from_files_with_a_history() {
    let lab = Lab::new();
    write(&lab, "nested.jsonl", &NESTED, 300);
    write(&lab, "plain.jsonl", &PLAIN, 300);
    write(&lab, "target.jsonl", &NESTED, 240);
    fs::write(
        lab.path("predicted.txt"),
        "SELECT a FROM t WHERE b = 1\n".repeat(240),
    )
    .unwrap();
    write_history(&lab, "cells.json");
    let line = "advise --model m --train plain.jsonl nested.jsonl --target target.jsonl --predictions predicted.txt";
    let text = lab.succeed(line);
    assert!(text.contains("**Yes, on nested.jsonl.**"), "{text}");
    assert!(text.contains("no earlier runs are given"), "{text}");
    assert!(
        !lab.path("runs").exists(),
        "nothing is written unless asked for"
    );

    let page: Value =
        serde_json::from_str(&lab.succeed(&format!("{line} --history cells.json --json"))).unwrap();
    let best = &page["candidates"][0];
    assert_eq!(
        (&best["name"], &best["reading"]),
        (&json!("nested.jsonl"), &json!("closer"))
    );
    let (ar, gain) = (
        best["ratio"]["ar"].as_f64().unwrap(),
        best["expectation"]["gain"].as_f64().unwrap(),
    );
    assert!((gain - (ar - 1.0) / 4.0).abs() < 1e-9, "{ar} {gain}");
    assert_eq!(page["history"]["cells"], 10);

    let saved = lab.succeed(&format!("{line} --out page"));
    assert_eq!(
        saved,
        fs::read_to_string(lab.path("page/advice.md")).unwrap()
    );
    assert!(lab.path("page/advice.json").is_file());
}

#[test]
fn the_model_is_asked_once() {
    let lab = Lab::new();
    let line = "advise --config tiny.yaml --target shop";
    let page = lab.succeed(line);
    assert!(
        page.contains("# Should tiny be fine-tuned for shop?"),
        "{page}"
    );
    // 14 questions carry no verdict, whatever the figures.
    assert!(page.contains("It cannot be told"), "{page}");
    let answers = lab.path("results/predict/base--shop/predictions.jsonl");
    let before = fs::metadata(&answers).unwrap().modified().unwrap();
    assert_eq!(page, lab.succeed(line));
    assert_eq!(before, fs::metadata(&answers).unwrap().modified().unwrap());

    // A set that is none of the experiment's, with the experiment's model and prompt.
    let page = lab.succeed(
        "advise --config tiny.yaml --train plain --target data/shop.jsonl --questions 6 --out asked",
    );
    assert!(
        page.contains("6 of the target's 14 questions were asked"),
        "{page}"
    );
    assert!(
        lab.path("asked/predict/base--target/predictions.jsonl")
            .is_file()
    );
}

#[test]
fn what_cannot_be_advised_on() {
    let lab = Lab::new();
    write(&lab, "target.jsonl", &PLAIN, 5);
    fs::write(lab.path("queries.sql"), "SELECT 1\n").unwrap();
    for (line, part) in [
        ("advise --config tiny.yaml", "--target: mixed, shop"),
        (
            "advise --model m --train absent.jsonl --target target.jsonl",
            "absent.jsonl",
        ),
        (
            "advise --model m --train target.jsonl --target queries.sql",
            "holds no questions to ask",
        ),
        (
            "advise --model absent --train target.jsonl --target data/shop.jsonl",
            "absent",
        ),
        (
            "advise --train target.jsonl --target target.jsonl",
            "--model",
        ),
    ] {
        let said = lab.fail(line);
        assert!(said.contains(part), "{line}: {said}");
    }
}
