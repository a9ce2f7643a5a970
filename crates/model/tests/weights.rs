//! GGUF and safetensors files made by the tests themselves: values, layouts, and every kind of damage.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]
#![allow(clippy::float_cmp, reason = "values are read, not computed")]

mod common;

use std::fs;
use std::path::{Path, PathBuf};

use common::{Gguf, tiny};
use harness_model::weights::gguf::Header;
use harness_model::weights::{WeightError, Weights};
use proptest::prelude::*;
use safetensors::tensor::{Dtype, TensorView};

const EMBEDDING: [f32; 12] = [0., 1., 2., 3., 4., 5., 6., 7., 8., 9., 10., 11.];

fn open(gguf: &Gguf) -> (tempfile::TempDir, Result<Weights, WeightError>) {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("m.gguf");
    gguf.write(&path);
    let weights = Weights::open(&path);
    (dir, weights)
}

fn error(gguf: &Gguf) -> String {
    let text = open(gguf).1.unwrap_err().to_string();
    // Without the folder, which differs from run to run.
    text.split_once("m.gguf: ").unwrap().1.to_owned()
}

#[test]
fn gguf_values_shapes_and_names() {
    let (_dir, w) = open(&tiny("llama").floats("token_embd.weight", &[3, 4], &EMBEDDING));
    let w = w.unwrap();
    assert_eq!(w.names(), ["model.embed_tokens.weight"]);
    assert_eq!(
        w.tensor("model.embed_tokens.weight", &[3, 4]).unwrap(),
        EMBEDDING
    );
    assert_eq!(
        (w.config().vocab_size, w.config().tied, w.config().rms_eps),
        (3, true, 1e-5)
    );
    assert!(w.sha256().unwrap().len() == 64);
    assert!(matches!(
        w.tensor("model.embed_tokens.weight", &[4, 3]).unwrap_err(),
        WeightError::WrongShape { expected, found, .. } if expected == [4, 3] && found == [3, 4]
    ));
    assert!(matches!(
        w.tensor("lm_head.weight", &[3, 4]).unwrap_err(),
        WeightError::MissingTensor { tensor, .. } if tensor == "lm_head.weight"
    ));
}

/// With one head of width 4 the rows 0 1 2 3 of the file are dimensions 0, 2, 1, 3 of the half-split layout.
#[test]
fn query_rows_are_reordered_for_llama_only() {
    let rows: Vec<f32> = (0..16).map(|i| (i / 4) as f32).collect();
    for (arch, expected) in [("llama", [0., 2., 1., 3.]), ("qwen2", [0., 1., 2., 3.])] {
        let gguf = tiny(arch)
            .floats("token_embd.weight", &[3, 4], &EMBEDDING)
            .floats("blk.0.attn_q.weight", &[4, 4], &rows)
            .floats("blk.0.attn_v.weight", &[4, 4], &rows);
        let (_dir, w) = open(&gguf);
        let w = w.unwrap();
        let first = |name| -> Vec<f32> {
            let all = w.tensor(name, &[4, 4]).unwrap();
            all.chunks(4).map(|row| row[0]).collect()
        };
        assert_eq!(
            first("model.layers.0.self_attn.q_proj.weight"),
            expected,
            "{arch}"
        );
        assert_eq!(
            first("model.layers.0.self_attn.v_proj.weight"),
            [0., 1., 2., 3.]
        );
    }
}

#[test]
fn a_head_close_to_the_embedding_is_tied_and_used_for_both() {
    let near: Vec<f32> = EMBEDDING.iter().map(|v| v * 1.03).collect();
    let far: Vec<f32> = EMBEDDING.iter().map(|v| 5.0 - v).collect();
    for (head, tied) in [(near, true), (far, false)] {
        let gguf = tiny("llama")
            .floats("token_embd.weight", &[3, 4], &EMBEDDING)
            .floats("output.weight", &[3, 4], &head);
        let (_dir, w) = open(&gguf);
        let w = w.unwrap();
        assert_eq!((w.config().tied, w.has("lm_head.weight")), (tied, !tied));
        let embedding = w.tensor("model.embed_tokens.weight", &[3, 4]).unwrap();
        assert_eq!(embedding, if tied { head } else { EMBEDDING.to_vec() });
    }
}

#[test]
fn gguf_faults_are_named() {
    let embedded = |arch| tiny(arch).floats("token_embd.weight", &[3, 4], &EMBEDDING);
    for (gguf, expected) in [
        (
            tiny("gemma3"),
            "architecture \"gemma3\" is not supported; supported are llama, mistral, qwen2, qwen3",
        ),
        (
            Gguf::default(),
            "key general.architecture is missing, expected the name of an architecture",
        ),
        (
            embedded("llama").text("llama.rope.scaling.type", "yarn"),
            "llama.rope.scaling.type = yarn is not supported",
        ),
        (
            embedded("llama").u32("llama.vocab_size", 7),
            "key llama.vocab_size is 7, expected the 3 rows of token_embd.weight",
        ),
        (
            embedded("llama").u32("tokenizer.ggml.eos_token_id", 3),
            "key tokenizer.ggml.eos_token_id is 3, expected less than the vocabulary of 3",
        ),
        (
            embedded("llama").u32("llama.attention.key_length", 3),
            "key llama.attention.key_length is 3, expected an even number",
        ),
        (
            embedded("llama").floats("rope_freqs.weight", &[3], &[1., 8., 8.]),
            "tensor rope_freqs.weight has shape [3], expected [2]",
        ),
        (
            embedded("llama").tensor("output.weight", &[3, 4], 16, &[]),
            "tensor output.weight has type number 16, supported are F32, F16, BF16, Q4_0, Q4_1, Q5_0, Q5_1, Q8_0, Q4_K, Q5_K, Q6_K",
        ),
        (
            embedded("llama").tensor("output.weight", &[3, 4], 8, &[]),
            "malformed GGUF: tensor output.weight: rows of 4 values do not divide into Q8_0 blocks of 32",
        ),
        (
            embedded("llama").u32("llama.block_count", 1),
            "malformed GGUF: metadata key llama.block_count occurs twice",
        ),
    ] {
        assert_eq!(error(&gguf), expected);
    }
}

#[test]
fn values_that_are_not_finite_are_counted() {
    let mut values = EMBEDDING;
    values[3] = f32::NAN;
    values[5] = f32::INFINITY;
    let (_dir, w) = open(&tiny("llama").floats("token_embd.weight", &[3, 4], &values));
    assert!(matches!(
        w.unwrap()
            .tensor("model.embed_tokens.weight", &[3, 4])
            .unwrap_err(),
        WeightError::NonFinite {
            count: 2,
            first: 3,
            ..
        }
    ));
}

/// Every proper prefix of a file is refused; prefixes into the padding after the last tensor do not exist here.
#[test]
fn every_truncation_of_a_gguf_is_refused() {
    let whole = tiny("llama")
        .floats("token_embd.weight", &[2, 4], &EMBEDDING[..8])
        .bytes();
    for n in 0..whole.len() {
        let result = Header::read(&whole[..n], n as u64, Path::new("m.gguf"));
        assert!(
            matches!(result.unwrap_err(), WeightError::Truncated { .. }),
            "{n} bytes"
        );
    }
    Header::read(&whole[..], whole.len() as u64, Path::new("m.gguf")).unwrap();
}

/// Lengths near 2^64 in each place of a header end in an error, not in an allocation or an overflow.
#[test]
fn hostile_lengths_are_refused() {
    let whole = tiny("llama")
        .texts("t", &["a"])
        .i32s("n", &[1])
        .floats("token_embd.weight", &[2, 4], &EMBEDDING[..8])
        .bytes();
    for at in 8..whole.len() - 40 {
        for value in [u64::MAX, 1 << 62, 1 << 40] {
            let mut bytes = whole.clone();
            bytes[at..at + 8].copy_from_slice(&value.to_le_bytes());
            // Some places hold values for which any number is fine; what counts is that each call returns.
            let _ = Header::read(&bytes[..], bytes.len() as u64, Path::new("m.gguf"));
        }
    }
}

proptest! {
    #[test]
    fn any_bytes_after_the_magic_are_handled(tail in prop::collection::vec(any::<u8>(), 0..300)) {
        let mut bytes = b"GGUF\x03\0\0\0\x01\0\0\0\0\0\0\0\x02\0\0\0\0\0\0\0".to_vec();
        bytes.extend(tail);
        let _ = Header::read(&bytes[..], bytes.len() as u64, Path::new("m.gguf"));
    }

    #[test]
    fn any_safetensors_header_is_handled(json in "\\PC{0,200}", length in any::<u64>(), honest in any::<bool>()) {
        let dir = tempfile::tempdir().unwrap();
        write_config(dir.path(), &[]);
        let path = dir.path().join("model.safetensors");
        let length = if honest { json.len() as u64 } else { length };
        let mut bytes = length.to_le_bytes().to_vec();
        bytes.extend(json.as_bytes());
        fs::write(&path, bytes).unwrap();
        let _ = Weights::open(&path);
    }
}

fn write_config(folder: &Path, changes: &[(&str, serde_json::Value)]) {
    let mut config = serde_json::json!({
        "model_type": "llama", "vocab_size": 3, "hidden_size": 4, "intermediate_size": 8,
        "num_hidden_layers": 1, "num_attention_heads": 2, "num_key_value_heads": 1,
        "max_position_embeddings": 16, "rms_norm_eps": 1e-5, "rope_theta": 10000.0,
        "hidden_act": "silu", "bos_token_id": 1, "eos_token_id": [2, 0], "rope_scaling": null,
    });
    for (key, value) in changes {
        config[*key] = value.clone();
    }
    fs::write(folder.join("config.json"), config.to_string()).unwrap();
}

fn write_safetensors(path: &Path, tensors: &[(&str, Dtype, &[usize], Vec<u8>)]) {
    let views: Vec<_> = tensors
        .iter()
        .map(|(name, dtype, shape, bytes)| {
            (
                *name,
                TensorView::new(*dtype, shape.to_vec(), bytes).unwrap(),
            )
        })
        .collect();
    fs::write(path, safetensors::serialize(views, None).unwrap()).unwrap();
}

fn floats(values: &[f32]) -> Vec<u8> {
    values.iter().flat_map(|v| v.to_le_bytes()).collect()
}

fn halves(values: &[f32], bf16: bool) -> Vec<u8> {
    let bits = |v: &f32| {
        if bf16 {
            half::bf16::from_f32(*v).to_bits()
        } else {
            half::f16::from_f32(*v).to_bits()
        }
    };
    values.iter().flat_map(|v| bits(v).to_le_bytes()).collect()
}

fn folder() -> (tempfile::TempDir, PathBuf) {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().to_owned();
    write_config(&path, &[]);
    (dir, path)
}

#[test]
fn safetensors_in_three_number_formats() {
    let (_dir, folder) = folder();
    for (dtype, bytes) in [
        (Dtype::F32, floats(&EMBEDDING)),
        (Dtype::F16, halves(&EMBEDDING, false)),
        (Dtype::BF16, halves(&EMBEDDING, true)),
    ] {
        write_safetensors(
            &folder.join("model.safetensors"),
            &[
                ("model.embed_tokens.weight", dtype, &[3, 4], bytes),
                ("z", Dtype::I32, &[1], vec![0; 4]),
            ],
        );
        let w = Weights::open(&folder).unwrap();
        assert_eq!(
            w.tensor("model.embed_tokens.weight", &[3, 4]).unwrap(),
            EMBEDDING,
            "{dtype:?}"
        );
        assert!(
            matches!(w.tensor("z", &[1]).unwrap_err(), WeightError::UnsupportedType { found, .. } if found == "I32")
        );
        assert_eq!(w.config().eos, [2, 0]);
    }
}

#[test]
fn shards_are_one_model_and_a_missing_one_is_an_error() {
    let (_dir, folder) = folder();
    write_safetensors(
        &folder.join("a.safetensors"),
        &[("a", Dtype::F32, &[1], floats(&[1.0]))],
    );
    write_safetensors(
        &folder.join("b.safetensors"),
        &[("b", Dtype::F32, &[1], floats(&[2.0]))],
    );
    let index = |map: &str| {
        fs::write(
            folder.join("model.safetensors.index.json"),
            format!("{{\"weight_map\":{map}}}"),
        )
        .unwrap();
    };
    index(r#"{"a":"a.safetensors","b":"b.safetensors"}"#);
    let w = Weights::open(&folder).unwrap();
    assert_eq!(w.names(), ["a", "b"]);
    assert_eq!(w.tensor("b", &[1]).unwrap(), [2.0]);
    let before = w.sha256().unwrap();
    write_safetensors(
        &folder.join("b.safetensors"),
        &[("b", Dtype::F32, &[1], floats(&[3.0]))],
    );
    assert_ne!(before, w.sha256().unwrap());

    index(r#"{"a":"a.safetensors","c":"b.safetensors"}"#);
    assert!(
        matches!(Weights::open(&folder).unwrap_err(), WeightError::MissingTensor { tensor, .. } if tensor == "c")
    );
    index(r#"{"a":"gone.safetensors"}"#);
    assert!(
        matches!(Weights::open(&folder).unwrap_err(), WeightError::MissingShard { shard, tensor, .. } if (shard.as_str(), tensor.as_str()) == ("gone.safetensors", "a"))
    );
    index(r#"{"a":"../a.safetensors"}"#);
    assert!(matches!(
        Weights::open(&folder).unwrap_err(),
        WeightError::Malformed { .. }
    ));
}

#[test]
fn every_truncation_of_a_safetensors_file_is_refused() {
    let (_dir, folder) = folder();
    let path = folder.join("model.safetensors");
    write_safetensors(&path, &[("a", Dtype::F32, &[2], floats(&[1.0, 2.0]))]);
    let whole = fs::read(&path).unwrap();
    for n in 0..whole.len() {
        fs::write(&path, &whole[..n]).unwrap();
        assert!(
            matches!(
                Weights::open(&folder).unwrap_err(),
                WeightError::Truncated { .. }
            ),
            "{n} bytes"
        );
    }
}

#[test]
fn config_faults_are_named() {
    let (_dir, folder) = folder();
    write_safetensors(
        &folder.join("model.safetensors"),
        &[("a", Dtype::F32, &[1], floats(&[1.0]))],
    );
    for (key, value, expected) in [
        (
            "model_type",
            "gpt2".into(),
            "architecture \"gpt2\" is not supported; supported are llama, mistral, qwen2, qwen3",
        ),
        (
            "num_key_value_heads",
            3.into(),
            "key num_key_value_heads is 3, expected a divisor of the 2 attention heads",
        ),
        (
            "head_dim",
            3.into(),
            "key head_dim is 3, expected an even number",
        ),
        (
            "hidden_size",
            "four".into(),
            "key hidden_size is \"four\", expected a non-negative integer",
        ),
        (
            "hidden_size",
            serde_json::Value::Null,
            "key hidden_size is missing, expected a non-negative integer",
        ),
        (
            "rope_scaling",
            serde_json::json!({"type": "dynamic", "factor": 4.0}),
            "rope_scaling = {\"type\":\"dynamic\",\"factor\":4.0} is not supported",
        ),
        (
            "use_sliding_window",
            true.into(),
            "use_sliding_window = true is not supported",
        ),
        (
            "hidden_act",
            "gelu".into(),
            "hidden_act = gelu is not supported",
        ),
        (
            "eos_token_id",
            9.into(),
            "key eos_token_id is 9, expected less than the vocabulary of 3",
        ),
        (
            "rms_norm_eps",
            0.into(),
            "key rms_norm_eps is 0, expected a positive number",
        ),
    ] {
        write_config(&folder, &[(key, value)]);
        let error = Weights::open(&folder).unwrap_err().to_string();
        assert_eq!(error.split_once("config.json: ").unwrap().1, expected);
    }
    write_config(
        &folder,
        &[(
            "rope_parameters",
            serde_json::json!({"rope_type": "default", "rope_theta": 5e5}),
        )],
    );
    assert_eq!(Weights::open(&folder).unwrap().config().rope_theta, 5e5);
}

#[test]
fn a_path_that_is_no_model_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    for path in [dir.path().to_owned(), dir.path().join("x.bin")] {
        assert!(matches!(
            Weights::open(&path).unwrap_err(),
            WeightError::NotWeights { .. }
        ));
    }
}
