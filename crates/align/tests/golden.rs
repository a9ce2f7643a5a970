//! Scores against the shared golden figures: a tiny pair of sets, and Spider and BIRD where they are present.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stdout,
    missing_docs
)]

#[path = "support/sha256.rs"]
mod sha256;
#[path = "support/shared.rs"]
mod shared;

use std::collections::BTreeMap;

use harness_align::{Options, QuerySet, compare};
use harness_sql::ngram::{NgramOptions, count};
use serde_json::Value;

/// Every figure in `expected` that a comparison has, to a relative 1e-9.
fn check(name: &str, found: &impl serde::Serialize, expected: &Value) {
    let found = serde_json::to_value(found).unwrap();
    let mut checked = 0;
    for (field, expected) in expected.as_object().unwrap() {
        if ["l_max", "alpha", "filters"].contains(&field.as_str()) {
            continue;
        }
        let (found, expected) = (found[field].as_f64().unwrap(), expected.as_f64().unwrap());
        let error = (found - expected).abs();
        assert!(
            error <= 1e-9 * expected.abs(),
            "{name} {field}: {found}, expected {expected}"
        );
        checked += 1;
    }
    assert!(checked >= 7, "{name}: {checked} figures");
}

#[test]
fn tiny() {
    let Some(golden) = shared::read("golden/alignment.json") else {
        return;
    };
    let tiny = &golden["tiny"];
    let set = |name| QuerySet::new(shared::strings(&tiny[name], None));
    let (source, target) = (set("source"), set("target"));
    let ngrams = count(
        source.templates(),
        NgramOptions {
            l_max: 3,
            filters: true,
        },
    );
    assert_eq!(
        serde_json::to_value(ngrams).unwrap(),
        tiny["source_ngrams_l3"]
    );
    let scores = tiny["scores"].as_array().unwrap();
    assert_eq!(scores.len(), 4);
    for expected in scores {
        let options = Options {
            l_max: expected["l_max"].as_u64().unwrap() as usize,
            alpha: expected["alpha"].as_f64().unwrap(),
            filters: expected["filters"].as_bool().unwrap(),
            style_free: false,
        };
        check(
            "tiny",
            &compare(&source, &target, &options).unwrap(),
            expected,
        );
    }
}

#[test]
fn spider_and_bird() {
    let Some(golden) = shared::read("golden/alignment.json") else {
        return;
    };
    let mut sets = BTreeMap::new();
    for (name, expected) in golden["sets"].as_object().unwrap() {
        let (file, field) = expected["file"].as_str().unwrap().split_once(" (").unwrap();
        let Some(records) = shared::read(&format!("data/{file}")) else {
            return;
        };
        let set = QuerySet::new(shared::strings(&records, Some(field.trim_end_matches(')'))));
        check_set(name, &set, expected);
        sets.insert(name.as_str(), set);
    }
    for (section, style_free) in [("pairs", false), ("pairs_style_free", true)] {
        let pairs = golden[section].as_object().unwrap();
        assert_eq!(pairs.len(), 12);
        for (pair, expected) in pairs {
            let (source, target) = pair.split_once("->").unwrap();
            let options = Options {
                style_free,
                ..Options::default()
            };
            check(
                pair,
                &compare(&sets[source], &sets[target], &options).unwrap(),
                expected,
            );
        }
    }
}

fn check_set(name: &str, set: &QuerySet, expected: &Value) {
    let texts: Vec<String> = set.templates().map(ToString::to_string).collect();
    assert_eq!(
        sha256::hex(texts.join("\n").as_bytes()),
        expected["templates_sha256"],
        "{name}"
    );
    assert_eq!(set.n_queries(), expected["queries"], "{name}");
    assert_eq!(set.n_templates(), expected["templates"], "{name}");
    assert_eq!(
        set.distinct().len(),
        expected["templates_distinct"],
        "{name}"
    );
    assert_eq!(
        serde_json::to_value(set.excluded()).unwrap(),
        expected["excluded"],
        "{name}"
    );
    assert_eq!(
        set.templates().map(|t| t.tokens().len()).sum::<usize>(),
        expected["tokens"],
        "{name}"
    );
    let ngrams = count(set.templates(), NgramOptions::default());
    assert_eq!(ngrams.len(), expected["ngrams_kept_distinct"], "{name}");
    assert_eq!(
        ngrams.values().sum::<u64>(),
        expected["ngrams_kept"],
        "{name}"
    );
    let mut top: Vec<_> = ngrams.iter().collect();
    top.sort_by_key(|(text, n)| (std::cmp::Reverse(**n), (*text).clone()));
    assert_eq!(
        serde_json::to_value(&top[..10]).unwrap(),
        expected["top_ngrams"],
        "{name}"
    );
}

#[test]
fn the_digest_of_the_standard() {
    let abc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
    assert_eq!(sha256::hex(b"abc"), abc);
    let empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
    assert_eq!(sha256::hex(b""), empty);
}
