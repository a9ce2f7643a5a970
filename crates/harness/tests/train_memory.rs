//! Training that takes less memory: layers computed again, and frozen weights in four bits.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

mod support;
use support::{Lab, assert_same, succeeded};

const TRAIN: &str = "train --config tiny.yaml --train-set plain";

/// Trains into `out` and gives its files, without the manifest, which holds times and settings.
fn train(
    lab: &Lab,
    out: &str,
    settings: &str,
    threads: &str,
) -> std::collections::BTreeMap<String, Vec<u8>> {
    let line = format!("{TRAIN} --out {out} {settings}");
    let mut command = lab.harness(&line);
    command.env("RAYON_NUM_THREADS", threads);
    succeeded(&line, &command.output().unwrap());
    let mut files = lab.tree(out);
    files.retain(|name, _| name != "manifest.json" && !name.starts_with("checkpoints"));
    assert!(files.contains_key("adapter_model.safetensors"));
    files
}

#[test]
fn recomputing_and_threads_change_no_byte() {
    let lab = Lab::new();
    let once = train(&lab, "once", "--set train.lora.dropout=0.2", "2");
    let again = "--set train.lora.dropout=0.2 --set train.recompute=true";
    assert_same(&once, &train(&lab, "again", again, "2"));
    let alone = train(&lab, "alone", "--set train.lora.dropout=0.2", "1");
    assert_same(&once, &alone);
    assert_eq!(
        lab.json("again/manifest.json")["parameters"]["train"]["recompute"],
        true
    );
}

#[test]
fn a_base_in_four_bits_is_another_base_and_learns_too() {
    let lab = Lab::new();
    let plain = train(&lab, "plain", "", "2");
    let four = train(&lab, "four", "--set train.base=nf4", "2");
    assert_same(
        &four,
        &train(
            &lab,
            "two",
            "--set train.base=nf4 --set train.recompute=true",
            "1",
        ),
    );
    assert_ne!(
        plain["adapter_model.safetensors"],
        four["adapter_model.safetensors"]
    );
    let losses: Vec<f64> = lab
        .rows("four/log.jsonl")
        .iter()
        .filter_map(|row| row["loss"].as_f64())
        .collect();
    let (first, last) = (losses[0], losses[losses.len() - 1]);
    assert!(last < 0.5 * first, "{first} to {last}");
}

#[test]
fn blocks_are_those_of_a_gguf_file() {
    let lab = Lab::new();
    let error = lab.fail(&format!("{TRAIN} --out x --set train.base=blocks"));
    assert!(error.contains("GGUF"), "{error}");
    assert!(!lab.path("x/adapter_model.safetensors").exists());
}
