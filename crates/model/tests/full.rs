//! The model whose every weight is trained: loss and gradients against the plain form in `f64`, and what it
//! saves against the decoder that opens it.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

mod against;
mod tiny;

use std::collections::BTreeMap;
use std::path::Path;

use against::{Plain, batch, distance};
use candle_core::{Device, Tensor, Var};
use harness_model::weights::Weights;
use harness_model::{
    Decoder, FullModel, ModelConfig, ModelError, Precision, Sequences, Sweep, Workspace,
};
use tiny::{KINDS, Tiny, tiny, write};

fn full(tiny: &Tiny) -> FullModel {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), tiny.kind, &tiny.tensors);
    FullModel::load(&Weights::open(folder.path()).unwrap()).unwrap()
}

fn open(folder: &Path) -> Decoder {
    let weights = Weights::open(folder).unwrap();
    Decoder::load(&weights, Precision::F32, &mut |_, _| {}).unwrap()
}

fn values(model: &FullModel) -> BTreeMap<String, Vec<f32>> {
    let read = |var: Var| var.flatten_all().unwrap().to_vec1().unwrap();
    model
        .named_vars()
        .into_iter()
        .map(|(name, var)| (name, read(var)))
        .collect()
}

#[test]
fn loss_and_every_gradient_are_those_of_plain_operations() {
    for kind in KINDS {
        let tiny = tiny(kind, 21);
        let model = full(&tiny);
        let plain = Plain::full(&tiny);
        let (ids, starts, targets) = batch();
        let sequences = Sequences {
            tokens: &ids,
            starts: &starts,
            targets: &targets,
        };
        let (found, grads) = model.gradients(&sequences).unwrap();
        let (wanted, expected) = plain.gradients(&sequences, None);
        assert!(
            (found - wanted).abs() < 1e-5 * wanted,
            "{found} for {wanted}"
        );
        let named = model.named_vars();
        assert_eq!(named.len(), tiny.tensors.len());
        for (name, var) in named {
            let found = grads.get(&name);
            let found = found.unwrap_or_else(|| panic!("no gradient for {name}"));
            let found = Tensor::from_slice(found, var.shape(), &Device::Cpu).unwrap();
            let (error, size) = distance(&found, &expected[&name]);
            assert!(size > 1e-6, "{name} has a zero gradient");
            assert!(
                error < 1e-4 * size,
                "{name}: relative error {}",
                error / size
            );
        }
    }
}

#[test]
fn a_saved_model_opens_as_the_same() {
    for kind in KINDS {
        let model = full(&tiny(kind, 5));
        let folder = tempfile::tempdir().unwrap();
        model.save(folder.path(), Precision::F32).unwrap();
        let decoder = open(folder.path());
        assert_eq!(decoder.config(), model.config());
        let (ids, starts, targets) = batch();
        let sequences = Sequences {
            tokens: &ids,
            starts: &starts,
            targets: &targets,
        };
        let (own, _) = model.gradients(&sequences).unwrap();
        let opened = Sweep::new(&decoder, None)
            .loss(&sequences, &mut Workspace::new(Precision::F32))
            .unwrap();
        assert!((own - opened).abs() <= 1e-5 * own, "{own} and {opened}");
        let again = FullModel::load(&Weights::open(folder.path()).unwrap()).unwrap();
        assert_eq!(values(&again), values(&model));
    }
}

#[test]
fn bfloat16_halves_the_file_and_keeps_eight_bits() {
    let model = full(&tiny(KINDS[2], 5));
    let (wide, narrow) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    model.save(wide.path(), Precision::F32).unwrap();
    model.save(narrow.path(), Precision::Bf16).unwrap();
    let bytes = |folder: &Path| {
        let file = folder.join("model.safetensors");
        std::fs::metadata(file).unwrap().len()
    };
    assert!(bytes(narrow.path()) < bytes(wide.path()) * 6 / 10);
    let rounded = FullModel::load(&Weights::open(narrow.path()).unwrap()).unwrap();
    let rounded = values(&rounded);
    for (name, values) in values(&model) {
        for (a, b) in values.iter().zip(&rounded[&name]) {
            assert!((a - b).abs() <= a.abs() / 256.0, "{name}: {a} became {b}");
        }
    }
}

fn small(layers: usize) -> ModelConfig {
    let folder = tempfile::tempdir().unwrap();
    let config = serde_json::json!({
        "model_type": "qwen2", "vocab_size": 500, "hidden_size": 32, "intermediate_size": 64,
        "num_hidden_layers": layers, "num_attention_heads": 4, "num_key_value_heads": 2,
        "max_position_embeddings": 64, "tie_word_embeddings": false, "eos_token_id": [0, 3],
        "pad_token_id": 1,
    });
    std::fs::write(folder.path().join("config.json"), config.to_string()).unwrap();
    ModelConfig::from_folder(folder.path()).unwrap()
}

#[test]
fn a_fresh_model_is_normal_and_named_by_its_seed() {
    let config = small(8);
    let model = FullModel::random(config.clone(), 17).unwrap();
    let values_of = values(&model);
    assert_eq!(
        values_of,
        values(&FullModel::random(config.clone(), 17).unwrap())
    );
    assert_ne!(values_of, values(&FullModel::random(config, 18).unwrap()));
    let count: usize = values_of.values().map(Vec::len).sum();
    assert_eq!(model.parameters(), count);
    for (name, values) in values_of {
        let n = values.len() as f64;
        let mean = values.iter().map(|v| f64::from(*v)).sum::<f64>() / n;
        let square = values.iter().map(|v| f64::from(*v).powi(2)).sum::<f64>() / n;
        let deviation = (square - mean * mean).max(0.0).sqrt();
        let (centre, spread) = if name.contains("norm") {
            (1.0, 0.0)
        } else if name.ends_with("bias") {
            (0.0, 0.0)
        } else if name.contains("o_proj") || name.contains("down_proj") {
            // 0.02 over the root of twice eight layers.
            (0.0, 0.005)
        } else {
            (0.0, 0.02)
        };
        // Six standard errors of a mean, and of a deviation.
        let slack = 6.0 * spread / n.sqrt() + 1e-9;
        assert!((mean - centre).abs() < slack, "{name}: mean {mean}");
        assert!(
            (deviation - spread).abs() < slack,
            "{name}: deviation {deviation}"
        );
    }
}

#[test]
fn what_a_config_says_survives_saving() {
    let config = small(1);
    let folder = tempfile::tempdir().unwrap();
    let model = FullModel::random(config.clone(), 1).unwrap();
    model.save(folder.path(), Precision::Bf16).unwrap();
    assert_eq!(ModelConfig::from_folder(folder.path()).unwrap(), config);
}

#[test]
fn a_window_that_is_switched_off_stays_so() {
    let folder = tempfile::tempdir().unwrap();
    let config = serde_json::json!({
        "model_type": "mistral", "vocab_size": 50, "hidden_size": 32, "intermediate_size": 64,
        "num_hidden_layers": 1, "num_attention_heads": 4, "max_position_embeddings": 64, "sliding_window": null,
    });
    std::fs::write(folder.path().join("config.json"), config.to_string()).unwrap();
    let config = ModelConfig::from_folder(folder.path()).unwrap();
    assert_eq!(config.window, None);
    let model = FullModel::random(config.clone(), 1).unwrap();
    model.save(folder.path(), Precision::Bf16).unwrap();
    assert_eq!(ModelConfig::from_folder(folder.path()).unwrap(), config);
}

#[test]
fn what_does_not_fit_is_refused() {
    let model = FullModel::random(small(1), 1).unwrap();
    let check = |tokens: &[u32], targets: &[(usize, u32)]| {
        let sequences = Sequences {
            tokens,
            starts: &[0, tokens.len()],
            targets,
        };
        model.gradients(&sequences).unwrap_err()
    };
    let far = check(&[500], &[(0, 1)]);
    assert!(matches!(far, ModelError::TokenOutOfRange { id: 500, .. }));
    let far = check(&[5], &[(0, 501)]);
    assert!(matches!(far, ModelError::TokenOutOfRange { id: 501, .. }));
    let beyond = check(&[5, 6], &[(1, 7), (2, 7)]);
    assert!(matches!(beyond, ModelError::NoSuchRow { row: 2, rows: 2 }));
    let long = check(&[5; 65], &[(0, 1)]);
    assert!(matches!(
        long,
        ModelError::TooLong {
            tokens: 65,
            context: 64
        }
    ));
}
