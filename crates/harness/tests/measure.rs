//! `harness measure`, and what it measures on its way to the correlation.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

mod support;

use serde_json::Value;
use support::{Lab, assert_same, succeeded};

const NAMES: [&str; 9] = [
    "nll_target",
    "nll_train",
    "nll_gap",
    "nll_drop",
    "nll_ratio",
    "embed_mmd",
    "embed_frechet",
    "embed_frechet_ratio",
    "gradient_cosine",
];

const ASKED: &str = "--set align.model_scores.sample=10 --set align.model_scores.probe_steps=6";

fn value(scores: &Value, name: &str) -> f64 {
    let rows = scores["rows"].as_array().unwrap();
    let row = rows.iter().find(|row| row["name"] == name).unwrap();
    row["value"].as_f64().unwrap_or_else(|| panic!("{row}"))
}

#[test]
fn what_the_model_says_reaches_the_correlation() {
    let lab = Lab::new();
    let line = format!("measure --config tiny.yaml {ASKED} --json");
    let found: Value = serde_json::from_str(&lab.succeed(&line)).unwrap();
    let names: Vec<&str> = found["scores"]
        .as_array()
        .unwrap()
        .iter()
        .map(|score| score["name"].as_str().unwrap())
        .collect();
    assert_eq!(names, NAMES);
    let cell = |target: &str, train: &str| &found["cells"][target][train];
    // Nothing but the stages that it takes is done.
    assert!(!lab.path("results/predict").exists() && !lab.path("results/train").exists());

    // The losses are those of the files, and the scores what is made of them.
    let mean = |stage: &str, set: Option<&str>| {
        let rows = lab.rows(&format!("results/{stage}/nll.jsonl"));
        let rows: Vec<&Value> = rows
            .iter()
            .filter(|row| row["set"].as_str() == set)
            .collect();
        assert!(
            !rows.is_empty() && rows.len() <= 10,
            "{stage}: {}",
            rows.len()
        );
        let sum = |key: &str| {
            rows.iter()
                .map(|row| row[key].as_f64().unwrap())
                .sum::<f64>()
        };
        sum("nats") / sum("tokens")
    };
    for target in ["shop", "mixed"] {
        for train in ["plain", "counts"] {
            let scores = cell(target, train);
            let near = |name: &str, expected: f64| {
                let found = value(scores, name);
                assert!(
                    (found - expected).abs() < 1e-9,
                    "{target}, {train}, {name}: {found}"
                );
            };
            let of_target = mean(&format!("measure/{target}"), None);
            let of_train = mean(&format!("measure/{train}"), None);
            let after = mean(&format!("probe/{train}"), Some(target));
            near("nll_target", of_target);
            near("nll_train", of_train);
            near("nll_gap", (of_target - of_train).abs());
            near("nll_drop", of_target - after);
            near("nll_ratio", of_target / after);
            // The model knows nothing, so that any queries of its kind help.
            assert!(value(scores, "nll_drop") > 0.0, "{scores}");
            let cosine = value(scores, "gradient_cosine");
            assert!((-1.0..=1.0).contains(&cosine) && cosine != 0.0, "{cosine}");
            assert!(value(scores, "embed_frechet") > 0.0);
        }
    }
    // One asks about the same table as the target, so a first step on it goes more nearly the target's way.
    let (near, far) = (cell("shop", "plain"), cell("shop", "counts"));
    assert!(value(near, "gradient_cosine") > value(far, "gradient_cosine"));

    let text = lab.succeed(&format!("measure --config tiny.yaml {ASKED}"));
    for part in NAMES.iter().chain(&[
        "shop",
        "mixed",
        "plain",
        "counts",
        "* is made of gold queries",
    ]) {
        assert!(text.contains(part), "{part} is not in:\n{text}");
    }

    lab.succeed(&format!("run tiny.yaml {ASKED}"));
    let alignment = lab.json("results/align/plain--shop/alignment.json");
    let scores = alignment["scores"].as_array().unwrap();
    let model: Vec<&Value> = scores[scores.len() - NAMES.len()..].iter().collect();
    let expected = cell("shop", "plain")["rows"].as_array().unwrap();
    assert_eq!(model, expected.iter().collect::<Vec<_>>());
    assert!(
        alignment["model_notes"][0]
            .as_str()
            .unwrap()
            .contains("principal components")
    );
    let correlation = lab
        .json("results/correlate/all/correlation.json")
        .to_string();
    for name in NAMES {
        assert!(correlation.contains(&format!("\"{name}\"")), "{name}");
    }
    let text = lab.succeed(&format!("correlate --config tiny.yaml {ASKED}"));
    assert!(text.contains("ask the model about gold queries"), "{text}");
    // The file of cells is one that `correlate` takes, and knows each score's direction by its name.
    let again = lab.succeed("correlate --cells results/correlate/all/cells.json --json");
    for name in NAMES {
        assert!(again.contains(&format!("\"{name}\"")), "{name}");
    }
}

#[test]
fn measured_again_it_is_the_same_bytes() {
    let lab = Lab::new();
    let line = |out: &str| format!("measure --config tiny.yaml {ASKED} --set out={out}");
    let text = lab.succeed(&line("one"));
    let files = |out: &str| {
        let mut files = lab.tree(out);
        files.retain(|path, _| {
            ["nll.jsonl", "embeddings.jsonl", "gradient.f32"]
                .iter()
                .any(|name| path.ends_with(name))
        });
        files
    };
    let before = files("one");
    assert_eq!(before.len(), 4 * 3 + 2, "{:?}", before.keys());
    let output = lab.harness(&line("one")).output().unwrap();
    assert_eq!(succeeded("measure", &output), text);
    assert!(
        String::from_utf8(output.stderr)
            .unwrap()
            .contains("are done already")
    );
    assert_eq!(lab.succeed(&line("two")), text);
    assert_same(&before, &files("two"));
    // Vectors and gradients are not kept with results: where they are needed, they are made again.
    std::fs::remove_file(lab.path("two/measure/shop/gradient.f32")).unwrap();
    lab.succeed("align --config tiny.yaml --set out=two --set align.model_scores.sample=10 --set align.model_scores.probe_steps=6");
    assert_same(&before, &files("two"));
}

#[test]
fn what_can_not_be_measured_is_said() {
    let lab = Lab::new();
    let error = lab.fail("measure --config tiny.yaml");
    assert!(error.contains("align.model_scores.sample=200"), "{error}");
    let error = lab.fail(&format!(
        "measure --config tiny.yaml {ASKED} --set align.model_scores.embedding_layer=99"
    ));
    assert!(error.contains("embedding_layer is 99"), "{error}");
    let error = lab.fail("config check tiny.yaml --set align.model_scores.sample=1");
    assert!(error.contains("2 or more"), "{error}");
    let error = lab.fail(&format!(
        "measure --config tiny.yaml {ASKED} --set train.method=full --set train.lora="
    ));
    assert!(error.contains("method: lora"), "{error}");
}
