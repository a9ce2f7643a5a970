//! Spider's exact match and hardness, row by row against the official script.
//!
//! `data/spider_exact` has queries of our own with the script's verdicts, made by `scripts/reference/spider_exact.py`.
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

use std::path::Path;

use harness_eval::{spider_exact_match, spider_hardness};
use harness_record::Schema;
use proptest::prelude::*;

use official::{SPIDER_SYSTEMS, schemas, spider_predictions};
use support::{json_lines, read, shared};

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

/// Our own schema.
fn harbour() -> Schema {
    let tables = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/spider_exact/tables.json");
    schemas(&tables).remove("harbour").unwrap()
}

/// Compares with the verdicts in a file of our own queries.
fn check_own(file: &str) {
    let schema = harbour();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/spider_exact");
    for case in json_lines(folder.join(file)) {
        let [gold, predicted] = ["gold", "pred"].map(|key| case[key].as_str().unwrap());
        let hardness = spider_hardness(gold, &schema).map(|level| level.to_string());
        assert_eq!(hardness.as_deref(), case["hardness"].as_str(), "{case}");
        let ours = spider_exact_match(gold, predicted, &schema).map(u64::from);
        assert_eq!(ours, case["exact"].as_u64(), "{case}");
        // A prediction that is read as a gold query has a level, where its conditions are in step.
        let read = spider_hardness(predicted, &schema).is_some();
        assert_eq!(read, case["read"] == true, "{case}");
    }
}

#[test]
fn oddities() {
    check_own("pairs.jsonl");
}

#[test]
fn mutations() {
    check_own("mutations.jsonl");
}

#[test]
fn where_the_script_fails() {
    let schema = harbour();
    let good = "SELECT name FROM ship WHERE tons > 1";
    // A connective where a condition is expected.
    let out_of_step = "SELECT name FROM ship WHERE tons > 1 tons > 2 AND tons > 3";
    assert_eq!(spider_exact_match(good, out_of_step, &schema), Some(false));
    assert_eq!(spider_exact_match(out_of_step, good, &schema), None);
    assert_eq!(spider_hardness(out_of_step, &schema), None);
    // Two different subqueries in `FROM` can't be sorted.
    let two = "SELECT * FROM (SELECT name FROM ship) (SELECT name FROM port)";
    let other = "SELECT * FROM (SELECT name FROM port) (SELECT tons FROM ship)";
    assert_eq!(spider_exact_match(two, other, &schema), Some(false));
    assert_eq!(spider_exact_match(two, two, &schema), Some(true));
}

#[test]
fn nesting_is_read_as_deep_as_python_reads_it_and_no_deeper() {
    let schema = harbour();
    let query = "SELECT name FROM ship";
    let nested = |open: &str, close: &str, depth: usize| {
        format!("{}{query}{}", open.repeat(depth), close.repeat(depth))
    };
    for (open, close, depth) in [
        ("SELECT name FROM ship WHERE tons = ( ", " )", 247),
        ("SELECT name FROM ship JOIN ship ON tons = ( ", " )", 247),
        ("SELECT * FROM ( ", " )", 495),
        ("SELECT name FROM ship UNION ", "", 990),
    ] {
        let deepest = nested(open, close, depth);
        assert_eq!(
            spider_exact_match(&deepest, &deepest, &schema),
            Some(true),
            "{open}"
        );
        for depth in [depth + 1, 100_000] {
            let deeper = nested(open, close, depth);
            assert_eq!(
                spider_exact_match(query, &deeper, &schema),
                Some(false),
                "{open}"
            );
        }
    }
    for text in [
        "(",
        "((select ",
        "select ",
        "from ",
        "a as b ",
        "' ",
        "union ",
        ". ",
        ", ",
        "-",
    ] {
        let soup = text.repeat(100_000);
        assert_eq!(
            spider_exact_match(query, &soup, &schema),
            Some(false),
            "{text}"
        );
        let behind = format!("{query} ; {soup}");
        let read = spider_exact_match(query, &behind, &schema);
        // Behind a query only a set operation is looked at.
        assert_eq!(read, Some(text != "union "), "{text}");
    }
}

const WORDS: &str = "select select from from where group by having order limit and or not in like between is as on join
    union intersect except distinct desc count max none ship port visit name id tons home_id ship_id port_id ship.id
    visit.ship_id t1 t1.name a.b * ( ) ( ) , ; . = != > <= - + / -- 1 2.5 1. inf 'x' \"y z\" ' ` , ÄÖ “ ” \u{a0}";

/// Words of queries in any order, some with nothing between them.
fn soup() -> impl Strategy<Value = String> {
    let words: Vec<&str> = WORDS.split(' ').filter(|word| !word.is_empty()).collect();
    let word = (
        prop::sample::select(words),
        prop::sample::select(vec![" ", " ", " ", "", "\n"]),
    );
    prop::collection::vec(word, 0..40).prop_map(|words| {
        words
            .iter()
            .flat_map(|(word, blank)| [*word, *blank])
            .collect()
    })
}

/// Queries that are read, with soup behind a part of them.
fn query() -> impl Strategy<Value = String> {
    let select = prop::sample::select(vec![
        "name",
        "count(*)",
        "DISTINCT name , tons",
        "max(tons) - min(tons)",
    ]);
    let from = prop::sample::select(vec![
        "ship",
        "ship AS T1 JOIN port AS T2 ON T1.home_id = T2.id",
        "( SELECT name FROM ship )",
    ]);
    let condition = prop::sample::select(vec![
        "",
        "WHERE name LIKE 'x'",
        "WHERE tons > 1 AND length < tons",
        "WHERE id NOT IN ( SELECT ship_id FROM visit )",
    ]);
    let end = prop::sample::select(vec![
        "",
        "GROUP BY name HAVING count(*) > 1",
        "ORDER BY tons DESC LIMIT 3",
        "EXCEPT SELECT name FROM port",
    ]);
    (select, from, condition, end, soup()).prop_map(|(select, from, condition, end, soup)| {
        format!("SELECT {select} FROM {from} {condition} {end} ; {soup}")
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_text_has_a_verdict(gold in soup(), predicted in ".{0,80}") {
        let schema = harbour();
        for (gold, predicted) in [(&gold, &predicted), (&predicted, &gold)] {
            let found = spider_exact_match(gold, predicted, &schema);
            prop_assert!(spider_hardness(gold, &schema).is_some() || found.is_none());
        }
    }

    #[test]
    fn a_query_matches_itself(text in prop_oneof![soup(), query()]) {
        let schema = harbour();
        prop_assert_ne!(spider_exact_match(&text, &text, &schema), Some(false));
    }

    #[test]
    fn matching_is_symmetric(one in query(), other in query()) {
        let schema = harbour();
        let [there, back] = [(&one, &other), (&other, &one)].map(|(gold, predicted)| spider_exact_match(gold, predicted, &schema));
        if let (Some(there), Some(back)) = (there, back) {
            prop_assert_eq!(there, back);
        }
    }
}
