//! Real queries, damaged at random, have the template that the naive templater gives them.

#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]
// A skipped check must be seen.
#![allow(clippy::print_stdout)]

#[path = "support/naive.rs"]
mod naive;

use std::path::{Path, PathBuf};

use harness_sql::{TemplateTable, template};
use proptest::prelude::*;
use proptest::sample::Index;
use proptest::test_runner::{Config, TestRunner};

/// Gold queries and predictions: file and the field that holds the query.
const FILES: [(&str, &str); 3] = [
    ("spider/dev.json", "query"),
    ("bird/dev.json", "SQL"),
    ("predictions/bird/CodeS/predict_dev-codes-1b-bird.json", ""),
];

/// What is put in.
const PIECES: &[&str] = &[
    "'", "\"", "`", "[", "]", "(", ")", ",", ".", ";", "--", "/*", "*/", "AS", " AS ", "CAST(",
    "OVER (", "END", "CASE ", "LEFT ", "NULLS ", "-", "- 1", "::", "<>", "==", "é", "\u{A0}", "$",
    "1e", ":", "#", "\n",
];

#[test]
fn damaged_real_queries_agree_with_the_naive_templater() {
    let queries = queries();
    if queries.is_empty() {
        return;
    }
    let damage = prop::collection::vec(
        (
            0..6_u8,
            any::<Index>(),
            any::<Index>(),
            prop::sample::select(PIECES),
        ),
        1..6,
    );
    let config = Config {
        cases: 20_000,
        failure_persistence: None,
        ..Config::default()
    };
    let mut runner = TestRunner::new_with_rng(
        config.clone(),
        proptest::test_runner::TestRng::deterministic_rng(config.rng_algorithm),
    );
    let mut table = TemplateTable::default();
    let table = std::cell::RefCell::new(&mut table);
    runner
        .run(
            &(any::<Index>(), any::<bool>(), damage),
            |(which, by_token, damage)| {
                let mut parts: Vec<String> = if by_token {
                    let tokens = which.get(&queries).split_inclusive(' ');
                    tokens.map(str::to_owned).collect()
                } else {
                    which.get(&queries).chars().map(String::from).collect()
                };
                for (kind, a, b, piece) in damage {
                    if parts.is_empty() {
                        break;
                    }
                    let (a, b) = (a.index(parts.len()), b.index(parts.len()));
                    match kind {
                        0 | 1 => drop(parts.remove(a)),
                        2 => parts.insert(a, parts[b].clone()),
                        3 => parts.swap(a, b),
                        _ => parts.insert(a, piece.to_owned()),
                    }
                }
                let sql = parts.concat();
                let expected = naive::template(&sql);
                let found = template(&sql).map_or_else(
                    |reason| reason.as_str().to_owned(),
                    |template| template.to_string(),
                );
                prop_assert_eq!(&found, &expected, "{}", sql);
                prop_assert_eq!(
                    table.borrow_mut().read(&sql).is_ok(),
                    template(&sql).is_ok()
                );
                Ok(())
            },
        )
        .unwrap();
}

/// The texts of all files; none, with a line that says so, where they are not there.
fn queries() -> Vec<String> {
    let root = std::env::var_os("HARNESS_SHARED").map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared"),
        PathBuf::from,
    );
    let mut queries = Vec::new();
    for (file, field) in FILES {
        let path = root.join("data").join(file);
        if !path.exists() {
            assert!(
                std::env::var_os("CI").is_none(),
                "{} is missing; set HARNESS_SHARED",
                path.display()
            );
            println!("skipped: {} is missing", path.display());
            continue;
        }
        let text = std::fs::read_to_string(path).unwrap();
        let records: serde_json::Value = serde_json::from_str(&text).unwrap();
        let rows: Vec<&serde_json::Value> = match &records {
            serde_json::Value::Array(list) => list.iter().collect(),
            other => other.as_object().unwrap().values().collect(),
        };
        // BIRD's predictions have the name of the database behind a line of their own.
        let texts = rows.into_iter().map(|row| row.get(field).unwrap_or(row));
        queries.extend(texts.filter_map(|text| text.as_str().map(str::to_owned)));
    }
    assert!(queries.is_empty() || queries.len() > 1_000);
    queries
}
