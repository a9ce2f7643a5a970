//! Adapters in PEFT's format: there and back, files of the Python side, and what is refused.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

use std::fs;
use std::path::Path;

use harness_model::peft::{AdapterFile, Modules, NamedTensor, PeftConfig, PeftError, tensor_name};

fn tensor(matrix: char, shape: [usize; 2]) -> NamedTensor {
    let n = shape[0] * shape[1];
    NamedTensor {
        name: tensor_name("model.layers.0.self_attn.q_proj", matrix),
        shape: shape.to_vec(),
        data: (0..n).map(|i| i as f32 / 8.0).collect(),
    }
}

fn adapter() -> AdapterFile {
    AdapterFile {
        config: PeftConfig {
            base_model_name_or_path: Some("owner/name".into()),
            lora_dropout: 0.05,
            ..PeftConfig::plain(2, 4.0, vec!["q_proj".into()])
        },
        tensors: vec![tensor('A', [2, 3]), tensor('B', [4, 2])],
    }
}

#[test]
fn there_and_back_with_equal_bytes() {
    let (a, b) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let adapter = adapter();
    adapter.write(a.path()).unwrap();
    let read = AdapterFile::read(a.path()).unwrap();
    assert_eq!(read, adapter);
    let mut reversed = read;
    reversed.tensors.reverse();
    reversed.write(b.path()).unwrap();
    for name in ["adapter_config.json", "adapter_model.safetensors"] {
        let bytes = |dir: &Path| fs::read(dir.join(name)).unwrap();
        assert_eq!(bytes(a.path()), bytes(b.path()), "{name}");
    }
    assert_eq!(fs::read_dir(a.path()).unwrap().count(), 2);
    assert_eq!(
        adapter.tensors[0].name,
        "base_model.model.model.layers.0.self_attn.q_proj.lora_A.weight"
    );
}

/// The keys as a recent PEFT writes them, sets in any order, newer keys at rest.
#[test]
fn settings_of_the_python_side() {
    let dir = tempfile::tempdir().unwrap();
    adapter().write(dir.path()).unwrap();
    let path = dir.path().join("adapter_config.json");
    let with = |changes: &[(&str, serde_json::Value)]| {
        let mut json = serde_json::json!({
            "alora_invocation_tokens": null, "alpha_pattern": {}, "arrow_config": null, "auto_mapping": null,
            "base_model_name_or_path": "owner/name", "bias": "none", "corda_config": null,
            "ensure_weight_tying": false, "eva_config": null, "exclude_modules": null, "fan_in_fan_out": false,
            "inference_mode": true, "init_lora_weights": true, "layer_replication": null, "layers_pattern": null,
            "layers_to_transform": null, "loftq_config": {}, "lora_alpha": 4, "lora_bias": false,
            "lora_dropout": 0.05, "megatron_config": null, "megatron_core": "megatron.core",
            "modules_to_save": null, "peft_type": "LORA", "peft_version": "0.18.0", "qalora_group_size": 16,
            "r": 2, "rank_pattern": {}, "revision": null, "target_modules": ["v_proj", "q_proj"],
            "target_parameters": null, "task_type": "CAUSAL_LM", "trainable_token_indices": null,
            "use_dora": false, "use_qalora": false, "use_rslora": false,
        });
        for (key, value) in changes {
            json[*key] = value.clone();
        }
        fs::write(&path, json.to_string()).unwrap();
        AdapterFile::read(dir.path())
    };
    let read = with(&[]).unwrap();
    let names = ["q_proj", "v_proj"].map(String::from).to_vec();
    assert_eq!(read.config.target_modules, Modules::List(names));
    assert_eq!(read.tensors, adapter().tensors);
    for (name, value) in [
        ("use_dora", true.into()),
        ("lora_bias", true.into()),
        ("fan_in_fan_out", true.into()),
        ("bias", "all".into()),
        ("peft_type", "IA3".into()),
        ("task_type", "SEQ_CLS".into()),
        ("modules_to_save", serde_json::json!(["lm_head"])),
        ("some_newer_method", 3.into()),
    ] {
        assert!(
            matches!(with(&[(name, value)]).unwrap_err(), PeftError::Unsupported { key, .. } if key == name),
            "{name}"
        );
    }
    for (name, value) in [
        ("r", 0.into()),
        ("r", serde_json::Value::Null),
        ("lora_alpha", "x".into()),
        ("lora_dropout", 1.into()),
        ("target_modules", serde_json::json!([1])),
        ("target_modules", "(q_proj".into()),
        ("exclude_modules", 7.into()),
        ("use_rslora", 1.into()),
        ("rank_pattern", serde_json::json!({"q_proj": 0})),
        ("rank_pattern", serde_json::json!({"q_proj[": 2})),
        ("alpha_pattern", serde_json::json!({"q_proj": "x"})),
        ("layers_to_transform", serde_json::json!([-1])),
    ] {
        let error = with(&[(name, value)]).unwrap_err();
        assert!(
            matches!(&error, PeftError::Malformed { what, .. } if what.contains(name)),
            "{error}"
        );
    }
}

#[test]
fn tensors_that_do_not_agree_are_refused() {
    let dir = tempfile::tempdir().unwrap();
    let error = |change: &dyn Fn(&mut AdapterFile)| {
        let mut adapter = adapter();
        change(&mut adapter);
        let error = adapter.write(dir.path()).unwrap_err();
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 0);
        error
    };
    assert!(matches!(
        error(&|a| a.config.r = 3),
        PeftError::WrongShape { .. }
    ));
    assert!(matches!(
        error(&|a| a.tensors[0].data.truncate(1)),
        PeftError::WrongShape { .. }
    ));
    assert!(matches!(
        error(&|a| a.tensors[0].name = "x".into()),
        PeftError::UnknownTensor { .. }
    ));
    assert!(matches!(
        error(&|a| a.config.target_modules = Modules::List(vec!["v_proj".into()])),
        PeftError::NotATarget { .. }
    ));
    assert!(matches!(
        error(&|a| a.tensors.clear()),
        PeftError::Malformed { .. }
    ));
    assert!(matches!(
        error(&|a| a.tensors.truncate(1)),
        PeftError::MissingTensor { tensor, .. } if tensor.ends_with("q_proj.lora_B.weight")
    ));
}
