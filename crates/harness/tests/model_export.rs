//! `harness model merge` and `harness model export` on what `harness train` leaves.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stdout,
    missing_docs
)]

mod support;

use serde_json::Value;
use support::Lab;

/// A laboratory with an adapter in `adapters/plain`.
fn trained() -> Lab {
    let lab = Lab::new();
    lab.succeed("train --config tiny.yaml --train-set plain --out adapters/plain");
    lab
}

#[test]
fn a_trained_adapter_becomes_a_model_of_its_own() {
    let lab = trained();
    let line = "model merge model --adapter adapters/plain --out merged --type f32";
    let told: Value = serde_json::from_str(&lab.succeed(&format!("{line} --json"))).unwrap();
    let merged = &told["proof"]["merged"];
    assert!(merged["relative"].as_f64().unwrap() < 1e-4, "{told}");
    assert_eq!(told["proof"]["rounded"]["relative"], 0.0);
    assert_eq!(told["sha256"].as_str().unwrap().len(), 64);
    // Nothing is written over.
    let before = lab.tree("merged");
    assert!(lab.fail(line).contains("there is something already"));
    assert_eq!(lab.tree("merged"), before);
    // The merged model answers as base and adapter do.
    let eval = "eval --config tiny.yaml";
    lab.succeed(&format!("{eval} --adapter adapters/plain --out apart"));
    lab.variant("merged.yaml", "{local: model}", "{local: merged}");
    lab.succeed("eval --config merged.yaml --out whole");
    let answers = |folder: &str| -> Vec<(String, Value)> {
        let files = lab.tree(folder);
        let predictions = files
            .iter()
            .filter(|(name, _)| name.ends_with("predictions.jsonl"));
        predictions
            .flat_map(|(_, bytes)| {
                String::from_utf8(bytes.clone())
                    .unwrap()
                    .lines()
                    .map(str::to_owned)
                    .collect::<Vec<_>>()
            })
            .map(|line| {
                let row: Value = serde_json::from_str(&line).unwrap();
                (row["id"].as_str().unwrap().to_owned(), row["text"].clone())
            })
            .collect()
    };
    let (apart, whole) = (answers("apart"), answers("whole"));
    assert!(!apart.is_empty());
    assert_eq!(apart, whole);
}

#[test]
fn an_export_says_what_it_showed_or_why_not() {
    let lab = trained();
    let text = lab.succeed("model merge model --adapter adapters/plain --out half");
    for part in [
        "SHA-256",
        "base and adapter against merged",
        "the same bits",
    ] {
        assert!(text.contains(part), "{part} in {text}");
    }
    // A vocabulary of bytes with a cut that has no name in the format.
    let why = lab.fail("model export model --out x.gguf");
    assert!(why.contains("way to cut a text"), "{why}");
    assert!(lab.fail("model export model --out x.bin").contains(".gguf"));
    assert!(
        lab.fail("model export nowhere --out x.gguf")
            .contains("nowhere")
    );
    for path in ["no/where", "nowhere.gguf", "owner/name"] {
        let why = lab.fail(&format!("model show {path}"));
        assert!(
            why.contains(path) && why.contains("no such file or folder"),
            "{why}"
        );
    }
    let why = lab.fail("model merge model --adapter model --out x");
    assert!(why.contains("adapter_config.json"), "{why}");
    assert!(!lab.path("x").exists() && !lab.path("x.gguf").exists());
}

/// Transformers and, where it is built, llama.cpp open what is exported, and an adapter of real PEFT is merged: where
/// `HARNESS_EXPORT_PYTHON` names a Python with them. Torch is three gigabytes, which is too much for every test run.
#[test]
fn other_programs_compute_the_same() {
    let Some(python) = std::env::var_os("HARNESS_EXPORT_PYTHON") else {
        println!(
            "skipped: HARNESS_EXPORT_PYTHON names no Python with torch, transformers and peft"
        );
        return;
    };
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let done = std::process::Command::new(python)
        .current_dir(&root)
        .args([
            "scripts/reference/exports.py",
            "smollm2-135m-instruct",
            "--harness",
        ])
        .arg(env!("CARGO_BIN_EXE_harness"))
        .output()
        .unwrap();
    println!("{}", String::from_utf8_lossy(&done.stdout));
    assert!(
        done.status.success(),
        "{}",
        String::from_utf8_lossy(&done.stderr)
    );
}
