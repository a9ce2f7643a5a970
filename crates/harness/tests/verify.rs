//! `harness verify` and `harness diff`: results that are what they say, results that are not, and what makes two differ.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

use std::collections::BTreeMap;
use std::fs;

use harness_experiment::Digest;
use serde_json::{Value, json};

mod support;
use support::{Lab, STAGES};

fn found(text: &str) -> BTreeMap<String, String> {
    let list: Vec<Value> = serde_json::from_str(text).unwrap();
    list.iter()
        .map(|row| {
            let text = |value: &Value| value.as_str().unwrap().to_owned();
            (text(&row["stage"]), text(&row["result"]["found"]))
        })
        .collect()
}

#[test]
fn results_are_computed_again_and_what_is_otherwise_is_named() {
    let lab = Lab::new();
    lab.run_to("results");
    let stages = found(&lab.succeed("verify --config tiny.yaml --json"));
    assert_eq!(stages.len(), STAGES);
    for (stage, found) in &stages {
        let kind = stage.split('/').next().unwrap();
        let again = ["data", "score", "align", "correlate"].contains(&kind);
        assert_eq!(found, if again { "same" } else { "whole" }, "{stage}");
    }
    let text = lab.succeed("verify --config tiny.yaml --digests");
    assert!(text.contains(" 0 were computed again"), "{text}");
    assert!(
        lab.succeed("verify --config tiny.yaml")
            .contains("are whole")
    );

    // Verdicts that somebody has improved, with a manifest that agrees.
    let folder = lab.path("results/score/base--shop");
    let verdicts = fs::read_to_string(folder.join("verdicts.jsonl")).unwrap();
    let better = verdicts.replacen("\"bird_ex\":0.0", "\"bird_ex\":1.0", 1);
    assert_ne!(better, verdicts);
    fs::write(folder.join("verdicts.jsonl"), &better).unwrap();
    let text = lab.fail("verify --config tiny.yaml --digests");
    assert!(
        text.contains("verdicts.jsonl is not what was finished"),
        "{text}"
    );
    let mut manifest = lab.json("results/score/base--shop/manifest.json");
    for file in manifest["files"].as_array_mut().unwrap() {
        if file["path"] == "verdicts.jsonl" {
            file["sha256"] = json!(Digest::of_bytes(better.as_bytes()).as_str());
            file["bytes"] = json!(better.len());
        }
    }
    fs::write(folder.join("manifest.json"), manifest.to_string()).unwrap();
    lab.succeed("verify --config tiny.yaml --digests");
    let text = lab.fail("verify --config tiny.yaml");
    assert!(
        text.contains("score/base--shop: computed again: another verdicts.jsonl"),
        "{text}"
    );

    let text = lab.fail("verify --config tiny.yaml --set generate.max_new_tokens=13");
    assert!(text.contains("max_new_tokens"), "{text}");
    let text = lab.fail("verify --config tiny.yaml --set out=nothing");
    assert!(text.contains("missing"), "{text}");
    // Nothing is left where it was computed again.
    let mine = |name: &str| name.starts_with("harness-verify-");
    let left = fs::read_dir(std::env::temp_dir()).unwrap().flatten();
    let running = |name: &str| {
        let process = name.rsplit('-').next().unwrap_or_default();
        std::path::Path::new("/proc").join(process).exists()
    };
    for entry in left {
        let name = entry.file_name().to_string_lossy().into_owned();
        assert!(!mine(&name) || running(&name), "{name}");
    }
}

#[test]
fn the_first_thing_that_differs_is_told() {
    let lab = Lab::new();
    lab.run_to("one");
    lab.succeed("run tiny.yaml --set out=two --set generate.max_new_tokens=9");
    assert!(lab.succeed("diff one one").contains("the same results"));
    let text = lab.succeed("diff one two");
    let first = text.lines().next().unwrap();
    assert!(
        first.starts_with(
            "first: predict/base--mixed: decoding: generate.max_new_tokens is 12, in the second 9"
        ),
        "{text}"
    );
    assert!(text.contains("follows from predict/base--mixed"), "{text}");
    assert!(!text.contains("train/"), "{text}");
    let rows: Value = serde_json::from_str(&lab.succeed("diff one two --json")).unwrap();
    assert_eq!(rows["stages"][0]["about"], "decoding");

    // The same work with another result is a fault of the program, and says so.
    let path = "two/data/shop/manifest.json";
    let mut manifest = lab.json(path);
    manifest["files"][0]["bytes"] = json!(1);
    lab.write(path, &manifest.to_string());
    let text = lab.succeed("diff one two");
    assert!(
        text.contains("the same data, model and code gave another"),
        "{text}"
    );
    fs::remove_dir_all(lab.path("two/train")).unwrap();
    assert!(lab.succeed("diff one two").contains("only in the first"));
    let text = lab.fail("diff one data");
    assert!(text.contains("holds no results"), "{text}");
    assert!(lab.fail("diff one nowhere").contains("nowhere"));
}
