//! Training that goes by a measure on held-out questions, and what is told before it begins.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

mod support;
use support::{Lab, assert_same, succeeded};

const TRAIN: &str = "train --config tiny.yaml --train-set plain";

/// The lines on standard error of a run that works.
fn said(lab: &Lab, line: &str) -> String {
    let output = lab.harness(line).output().unwrap();
    succeeded(line, &output);
    String::from_utf8(output.stderr).unwrap()
}

#[test]
fn held_out_questions_are_answered_and_executed() {
    let lab = Lab::new();
    for (out, extra) in [
        ("one", ""),
        ("two", ""),
        ("full", " --set train.lora= --set train.method=full"),
    ] {
        let line = format!(
            "{TRAIN} --out {out} --set train.dev_measure=ex --set train.select=best --set train.dev_examples=4{extra}"
        );
        said(&lab, &line);
    }
    let summary = lab.json("one/summary.json");
    let measured = summary["dev"].as_array().unwrap();
    let steps: Vec<u64> = measured
        .iter()
        .map(|m| m["step"].as_u64().unwrap())
        .collect();
    assert_eq!(steps, [0, 8, 16, 24]);
    // Four questions: shares are quarters, and a model that knows nothing has none right.
    for one in measured {
        let quarters = one["score"].as_f64().unwrap() * 4.0;
        assert!((quarters - quarters.round()).abs() < 1e-12, "{one}");
    }
    assert_eq!(measured[0]["score"], 0.0);
    let best = measured
        .iter()
        .map(|one| one["score"].as_f64().unwrap())
        .fold(0.0, f64::max);
    assert_eq!(summary["selected"]["measure"], best);
    assert_eq!(
        lab.json("one/manifest.json")["notes"]["selected"],
        summary["selected"]
    );
    assert!(lab.json("full/summary.json")["dev"][0]["score"].is_number());
    let bytes = |out: &str| {
        let mut files = lab.tree(out);
        files.retain(|name, _| name != "manifest.json");
        files
    };
    assert_same(&bytes("one"), &bytes("two"));
}

#[test]
fn what_cannot_be_scored_is_said() {
    let lab = Lab::new();
    std::fs::remove_file(lab.path("data/shop.sqlite")).unwrap();
    let rows: Vec<_> = lab
        .rows("data/plain.jsonl")
        .into_iter()
        .map(|mut row| {
            row["ddl"] = "CREATE TABLE t (a INTEGER, b TEXT, c REAL)".into();
            row
        })
        .collect();
    lab.write_rows("plain", &rows);
    let error = lab.fail(&format!("{TRAIN} --out x --set train.dev_measure=ex"));
    assert!(
        error.contains("held-out questions of plain can be scored")
            && error.contains("dev_measure: loss"),
        "{error}"
    );
}

#[test]
fn a_run_that_gets_no_better_ends_early() {
    let lab = Lab::new();
    let line = format!(
        "{TRAIN} --out x --set train.dev_every=1 --set train.early_stop.patience=2 --set train.early_stop.min_delta=100"
    );
    let said = said(&lab, &line);
    assert!(
        said.contains("training ends after step 2: the measure no longer gets better; it was best after step 2"),
        "{said}"
    );
    assert_eq!(lab.json("x/summary.json")["stopped_early"], true);
    assert_eq!(
        lab.json("x/manifest.json")["notes"]["stopped_early_after"],
        2
    );
}

#[test]
fn memory_and_time_are_told_before_they_are_spent() {
    let lab = Lab::new();
    let said = said(&lab, &format!("{TRAIN} --out x"));
    for expected in [
        "memory: some ",
        " MiB will be needed",
        "time: ",
        " for the 21 steps left",
        " tokens/s",
        " % trained",
    ] {
        assert!(said.contains(expected), "{expected}: {said}");
    }
    assert!(!said.contains("it may not fit"), "{said}");
}
