//! `harness select`: files of queries in, identifiers and a card out.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

mod support;

use serde_json::{Value, json};
use support::Lab;

/// Writes a file of queries: SQL with `@` for a table of its own, how often, database.
fn write(lab: &Lab, file: &str, rows: &[(&str, usize, &str)]) {
    let mut text = String::new();
    let mut number = 0;
    for (sql, times, database) in rows {
        for _ in 0..*times {
            let sql = sql.replace('@', &format!("t{number}_{}", &file[..1]));
            let row = json!({"id": format!("{file}-{number}"), "sql": sql, "db_id": database});
            text += &row.to_string();
            text.push('\n');
            number += 1;
        }
    }
    lab.write(file, &text);
}

fn lab() -> Lab {
    let lab = Lab::new();
    write(
        &lab,
        "pool.jsonl",
        &[
            ("SELECT a FROM @", 80, "one"),
            ("SELECT a FROM @ WHERE b = 1", 40, "two"),
            ("SELECT MAX(a), MIN(b) FROM @ JOIN u ON c = d", 200, "two"),
        ],
    );
    write(
        &lab,
        "wanted.jsonl",
        &[
            ("SELECT a FROM @", 60, "x"),
            ("SELECT a FROM @ WHERE b = 1", 50, "x"),
            ("SELECT a FROM @ WHERE b IN (SELECT c FROM v)", 10, "x"),
        ],
    );
    lab
}

#[test]
fn identifiers_and_a_card() {
    let lab = lab();
    let line = "select --pool pool.jsonl --target wanted.jsonl --n 40";
    let text = lab.succeed(&format!("{line} --out chosen"));
    assert!(text.contains("# 40 examples for wanted.jsonl") && text.contains("chosen"));
    let rows = lab.rows("chosen/selected.jsonl");
    assert_eq!(rows.len(), 40);
    assert_eq!(
        (&rows[0]["order"], &rows[0]["set"]),
        (&json!(1), &json!("pool.jsonl"))
    );
    assert!(
        rows.iter()
            .all(|row| row["why"].as_str().is_some_and(|why| !why.is_empty()))
    );
    let card = lab.json("chosen/card.json");
    let js = |arm: usize| card["arms"][arm]["js"].as_f64().unwrap();
    assert!(js(0) < js(1) && js(0) < js(2), "{card}");
    assert_eq!(card["missing"][0]["queries"], 10);
    assert_eq!(card["missing"][0]["in_pool"], false);
    assert_eq!(card["target_sha256"].as_str().unwrap().len(), 64);
    let page = String::from_utf8(lab.tree("chosen")["card.md"].clone()).unwrap();
    assert!(text.starts_with(&page));
    // The same again, to the byte.
    lab.succeed(&format!("{line} --out again --json"));
    assert_eq!(lab.tree("chosen"), lab.tree("again"));
    // A control arm and limits.
    let text = lab.succeed(&format!("{line} --method random --per-database 25 --json"));
    let card: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(
        (&card["n"], &card["options"]["method"]),
        (&json!(40), &json!("random"))
    );
}

#[test]
fn what_cannot_be_chosen_is_told() {
    let lab = lab();
    let too_many = lab.fail("select --pool pool.jsonl --target wanted.jsonl --n 400");
    assert!(
        too_many.contains("400 examples can't be chosen"),
        "{too_many}"
    );
    write(&lab, "small.jsonl", &[("SELECT a FROM @", 49, "x")]);
    let small = lab.fail("select --pool pool.jsonl --target small.jsonl --n 10");
    assert!(
        small.contains("49 queries") && small.contains("at least 50"),
        "{small}"
    );
}

#[test]
fn weights_of_several_sets() {
    let lab = lab();
    write(&lab, "plain.jsonl", &[("SELECT a FROM @", 300, "one")]);
    write(
        &lab,
        "filter.jsonl",
        &[("SELECT a FROM @ WHERE b = 1", 300, "one")],
    );
    let line = "mix --source plain.jsonl filter.jsonl --target wanted.jsonl --n 100";
    let text = lab.succeed(line);
    assert!(text.contains("take "), "{text}");
    let found: Value = serde_json::from_str(&lab.succeed(&format!("{line} --json"))).unwrap();
    let weights: Vec<f64> = (0..2)
        .map(|k| found["sets"][k]["weight"].as_f64().unwrap())
        .collect();
    assert!(
        (weights.iter().sum::<f64>() - 1.0).abs() < 1e-9 && weights.iter().all(|w| *w > 0.1),
        "{weights:?}"
    );
    assert!(found["gap"].as_f64().unwrap() <= 1e-9);
    assert_eq!(found["fit"], "aligns");
    // Nothing of the target is in this set.
    write(&lab, "odd.jsonl", &[("VALUES (max(1))", 300, "one")]);
    let text = lab.succeed("mix --source odd.jsonl --target wanted.jsonl");
    assert!(
        text.starts_with("None aligns") && text.contains("harness augment"),
        "{text}"
    );
    let said = lab.fail("mix --source absent.jsonl --target wanted.jsonl");
    assert!(said.contains("absent.jsonl"), "{said}");
}
