//! `harness gc`: what no plan asks for is listed, and goes when it is told to; what can go on or is wanted stays.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

use std::fs;

use serde_json::Value;

mod support;
use support::{Lab, assert_same};

#[test]
fn only_what_nobody_wants_goes_and_only_when_told() {
    let lab = Lab::new();
    lab.run_to("results");
    assert!(
        lab.succeed("gc --config tiny.yaml")
            .contains("nothing that")
    );
    let before = lab.tree("results");

    // A stage that is not planned, an attempt at something else, something replaced, and an attempt that can go on.
    fs::create_dir_all(lab.path("results/train/other")).unwrap();
    lab.write("results/train/other/log.jsonl", "12345");
    fs::create_dir_all(lab.path("results/predict/.base--shop.partial")).unwrap();
    fs::create_dir_all(lab.path("results/score/.base--shop.old")).unwrap();
    let key = lab.json("results/predict/base--mixed/manifest.json")["digest"].clone();
    let on = "results/predict/.base--mixed.partial";
    fs::create_dir_all(lab.path(on)).unwrap();
    let mark = serde_json::json!({ "digest": key, "attempts": 1, "started": "now" });
    lab.write(&format!("{on}/key.json"), &mark.to_string());

    let told: Value = serde_json::from_str(&lab.succeed("gc --config tiny.yaml --json")).unwrap();
    assert_eq!(
        (&told["deleted"], &told["bytes"]),
        (&Value::Bool(false), &Value::from(5))
    );
    let folders: Vec<&str> = told["folders"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| it["path"].as_str().unwrap())
        .collect();
    assert_eq!(
        folders,
        [
            "results/predict/.base--shop.partial",
            "results/score/.base--shop.old",
            "results/train/other",
        ]
    );
    assert!(lab.path("results/train/other/log.jsonl").is_file());
    assert!(
        lab.succeed("gc --config tiny.yaml")
            .contains("nothing was deleted")
    );
    assert!(
        lab.succeed("gc --config tiny.yaml --delete")
            .contains("3 folders")
    );
    assert!(lab.path(on).is_dir());
    fs::remove_dir_all(lab.path(on)).unwrap();
    assert_same(&before, &lab.tree("results"));

    // Another specification wants other results: those that are there are not its own.
    let text = lab.succeed("gc --config tiny.yaml --set generate.max_new_tokens=9");
    assert!(
        text.contains("results/predict/base--shop") && text.contains("max_new_tokens"),
        "{text}"
    );
    assert!(!text.contains("results/train/plain"), "{text}");
}
