//! `harness model show` and `check` as a user meets them.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

mod support;

use std::fs;

use serde_json::Value;
use support::{Checkpoint, Lab};

#[test]
fn a_model_is_shown_as_text_and_as_json() {
    let lab = Lab::new();
    lab.write("model/README.md", "---\nlicense: mit\n---\n");
    let text = lab.succeed("model show model --length 128 --batch 2 --rank 4");
    for line in [
        "  family         llama",
        "  licence        mit",
        "  layers         2, hidden 32, feed-forward 48",
        "  context        512 tokens",
        "  positions      rotary, base 10000, not scaled",
        "  vocabulary     258 rows, 258 tokens, byte pairs from bytes",
        "  chat template  no",
        "  memory for 2 x 128 tokens (LoRA of rank 4: ",
    ] {
        assert!(text.contains(line), "{line} in\n{text}");
    }
    let shown: Value =
        serde_json::from_str(&lab.succeed("model show model --json --length 9999")).unwrap();
    let stored = &shown["types"][0];
    assert_eq!(
        (&stored["name"], &shown["parameters"]["tied"]),
        (&"F32".into(), &false.into())
    );
    assert_eq!(
        4 * shown["parameters"]["total"].as_u64().unwrap(),
        stored["bytes"].as_u64().unwrap(),
        "every value is a 32-bit float"
    );
    let needs = shown["memory"].as_array().unwrap();
    assert_eq!(needs.len(), 2);
    for need in needs {
        assert_eq!(need["length"], 512);
        assert!(need["bytes"]["inference"].as_u64() > need["bytes"]["weights"].as_u64());
        assert!(need["bytes"]["lora"].as_u64() > need["bytes"]["inference"].as_u64());
        assert!(need["bytes"]["full"].as_u64() > need["bytes"]["weights"].as_u64());
    }
    let note = shown["notes"][0].as_str().unwrap();
    assert!(
        note.contains("--length 9999: the context ends at 512"),
        "{note}"
    );
    assert_eq!(shown["config"]["heads"], 4);

    let error = lab.fail("model show model --batch 0");
    assert!(
        error.contains("--batch: expected 1 or more, found 0"),
        "{error}"
    );
    let help = lab.succeed("model show --help");
    assert!(
        help.contains("harness model show smollm2-135m-instruct --length 512"),
        "{help}"
    );
}

#[test]
fn a_check_reads_everything_or_lists_what_is_wrong() {
    let lab = Lab::new();
    let text = lab.succeed("model check model");
    assert!(text.contains("read 21 tensors of "), "{text}");
    assert!(text.contains("; 258 tokens; no chat template"), "{text}");

    let mut spoilt = Checkpoint::new(32);
    spoilt.tensors.remove("model.norm.weight").unwrap();
    let (_, values) = spoilt.tensors.get_mut("lm_head.weight").unwrap();
    values[7] = f32::INFINITY;
    let (shape, values) = spoilt.tensors.get_mut("model.embed_tokens.weight").unwrap();
    shape[0] = 257;
    values.truncate(257 * 32);
    spoilt.write(&lab.path("spoilt"));
    let output = lab.harness("model check spoilt").output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    let (out, error) = (
        String::from_utf8(output.stdout).unwrap(),
        String::from_utf8(output.stderr).unwrap(),
    );
    for line in [
        ": tensor lm_head.weight\n  expected finite values\n  found    1 that are not, the first at index 7\n",
        ": tensor model.embed_tokens.weight\n  expected shape [258, 32]\n  found    shape [257, 32]\n",
        ": tensor model.norm.weight\n  expected shape [32]\n  found    missing\n",
    ] {
        assert!(out.contains(line), "{line} in\n{out}");
    }
    assert!(error.contains("3 faults in spoilt"), "{error}");

    let output = lab.harness("model check spoilt --json").output().unwrap();
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(
        (&report["ok"], report["faults"].as_array().unwrap().len()),
        (&false.into(), 3)
    );

    // A vocabulary that does not fit the embedding.
    let mut short = Checkpoint::new(32);
    short.config["vocab_size"] = 257.into();
    for name in ["model.embed_tokens.weight", "lm_head.weight"] {
        let (shape, values) = short.tensors.get_mut(name).unwrap();
        shape[0] = 257;
        values.truncate(257 * 32);
    }
    short.write(&lab.path("short"));
    let output = lab.harness("model check short").output().unwrap();
    let out = String::from_utf8(output.stdout).unwrap();
    let line = ": tokenizer\n  expected ids below the 257 rows of the embedding\n  found    ids up to 257\n";
    assert!(out.contains(line), "{out}");
    assert_eq!(output.status.code(), Some(1));

    fs::write(lab.path("spoilt/config.json"), "{").unwrap();
    let error = lab.fail("model show spoilt");
    assert!(error.contains("config.json: EOF while parsing"), "{error}");
    let error = lab.fail("model check nowhere");
    assert!(
        error.contains("there is no part `nowhere`") || error.contains("nowhere"),
        "{error}"
    );
}
