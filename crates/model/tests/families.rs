//! Hidden states of every layer and logits of each family against transformers, on tiny random models
//! (`scripts/reference/families.py` made the figures, in f32).
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stdout,
    missing_docs
)]

mod reference;

use candle_core::{DType, Device};
use harness_model::config::Family;
use harness_model::graph::GraphModel;
use harness_model::weights::Weights;
use harness_model::{Decoder, Engine, ModelConfig, Sequences};
use reference::{Golden, decoder, error, golden, names, open, write};
use serde_json::{Value, json};

fn logits_error(golden: &Golden, decoder: &Decoder) -> f32 {
    let logits = Engine::new(decoder, None).all_logits(&golden.ids).unwrap();
    let vocabulary = decoder.config().vocab_size;
    let found = golden.rows.iter().flat_map(|row| {
        let own = &logits[row * vocabulary..][..vocabulary];
        golden.columns.iter().map(|column| own[*column])
    });
    error(found, &golden.logits)
}

#[test]
fn every_layer_and_the_logits_are_those_of_transformers() {
    let names = names();
    assert!(names.len() >= 13, "{names:?}");
    for name in &names {
        let golden = golden(name);
        let decoder = decoder(&golden, &golden.config);
        let width = decoder.config().hidden;
        let states = Engine::new(&decoder, None)
            .hidden_states(&golden.ids)
            .unwrap();
        assert_eq!(states.len(), golden.hidden.len());
        for (layer, (found, expected)) in states.iter().zip(&golden.hidden).enumerate() {
            let rows = golden.rows.iter();
            let found = rows.flat_map(|row| found[row * width..][..width].iter().copied());
            let error = error(found, expected);
            assert!(error < 1e-5, "{name}: {error} before layer {layer}");
        }
        let error = logits_error(&golden, &decoder);
        println!("{name}: relative error of the logits {error:.1e}");
        assert!(error < 1e-5, "{name}: {error} of the logits");
    }
}

/// In the plain form of training, how much likelier one token is than another is the difference of their logits.
#[test]
fn the_plain_form_of_training_is_that_of_transformers() {
    for name in names() {
        let golden = golden(&name);
        let folder = tempfile::tempdir().unwrap();
        write(&golden, &golden.config, folder.path());
        let weights = Weights::open(folder.path()).unwrap();
        let model = GraphModel::load(&weights, DType::F64, &Device::Cpu).unwrap();
        let width = golden.columns.len();
        for (place, row) in golden.rows.iter().enumerate() {
            let loss = |column: usize| {
                let batch = Sequences {
                    tokens: &golden.ids,
                    starts: &[0, golden.ids.len()],
                    targets: &[(*row, golden.columns[column] as u32)],
                };
                let loss = model.summed_loss(None, &batch, None).unwrap();
                loss.to_scalar::<f64>().unwrap()
            };
            let logit = |column: usize| f64::from(golden.logits[place * width + column]);
            let first = loss(0) + logit(0);
            for column in [width / 3, width / 2, width - 1] {
                let off = (loss(column) + logit(column) - first).abs();
                assert!(
                    off < 2e-5 * first.abs().max(1.0),
                    "{name}, row {row}: {off}"
                );
            }
        }
    }
}

/// What sets a family apart is seen by the figures: without it they are missed by far.
#[test]
fn a_forgotten_difference_shows() {
    let plain = json!({"rope_type": "default", "rope_theta": 5e5});
    for (name, key, value) in [
        ("llama3.1", "rope_parameters", plain.clone()),
        ("llama3.2", "rope_parameters", plain.clone()),
        (
            "deepseek-coder",
            "rope_parameters",
            json!({"rope_type": "default", "rope_theta": 1e5}),
        ),
        (
            "codellama",
            "rope_parameters",
            json!({"rope_type": "default", "rope_theta": 1e4}),
        ),
        ("mistral", "sliding_window", Value::Null),
        ("qwen2-sliding", "use_sliding_window", json!(false)),
        ("qwen3", "rms_norm_eps", json!(1e-2)),
        ("llama-biased", "mlp_bias", json!(false)),
        ("llama-biased", "attention_bias", json!(false)),
        ("qwen2-tied", "model_type", json!("llama")),
    ] {
        let golden = golden(name);
        let mut config = golden.config.clone();
        config[key] = value;
        // What would leave tensors over is refused; all else is missed by far.
        match open(&golden, &config) {
            Err(error) => assert!(error.to_string().contains("bias"), "{name}: {error}"),
            Ok(decoder) => {
                let error = logits_error(&golden, &decoder);
                assert!(error > 1e-3, "{name} without its {key}: {error}");
            }
        }
    }
}

fn read(config: &Value) -> Result<ModelConfig, String> {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("config.json"), config.to_string()).unwrap();
    ModelConfig::from_folder(folder.path()).map_err(|error| error.to_string())
}

/// `config.json` as transformers 4 wrote it, which is what the hubs are full of.
#[test]
fn older_configurations_say_the_same() {
    for (name, theta, scaling) in [
        ("codellama", 1e6, Value::Null),
        (
            "deepseek-coder",
            1e5,
            json!({"type": "linear", "factor": 4.0}),
        ),
        (
            "llama3.1",
            5e5,
            json!({"rope_type": "llama3", "factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0,
                "original_max_position_embeddings": 16}),
        ),
        ("qwen2-tied", 1e6, Value::Null),
    ] {
        let newer = golden(name).config;
        let mut older = newer.clone();
        older.as_object_mut().unwrap().remove("rope_parameters");
        older["rope_theta"] = json!(theta);
        older["rope_scaling"] = scaling;
        assert_eq!(read(&older), read(&newer), "{name}");
    }
    let mut mistral = golden("mistral").config;
    mistral.as_object_mut().unwrap().remove("sliding_window");
    let silent = read(&mistral).unwrap();
    assert_eq!(silent.window.unwrap().tokens, 4096);
}

#[test]
fn what_is_not_computed_is_refused_by_name() {
    let refused = |name: &str, key: &str, value: Value| {
        let mut config = golden(name).config;
        config[key] = value;
        read(&config).unwrap_err()
    };
    let error = refused("llama3", "model_type", json!("gemma2"));
    assert!(error.contains("gemma2"), "{error}");
    for family in Family::ALL {
        assert!(error.contains(family.name()), "{error}");
    }
    for (name, key, value, part) in [
        (
            "llama3",
            "rope_parameters",
            json!({"rope_type": "yarn", "factor": 4.0}),
            "yarn",
        ),
        (
            "llama3",
            "rope_parameters",
            json!({"rope_type": "dynamic", "factor": 4.0}),
            "dynamic",
        ),
        (
            "llama3.1",
            "rope_parameters",
            json!({"rope_type": "llama3", "low_freq_factor": 1.0, "high_freq_factor": 4.0}),
            "factor",
        ),
        (
            "llama3.1",
            "rope_parameters",
            json!({"rope_type": "llama3", "factor": 8.0, "low_freq_factor": 4.0, "high_freq_factor": 4.0}),
            "high_freq_factor",
        ),
        (
            "deepseek-coder",
            "rope_parameters",
            json!({"rope_type": "linear", "factor": -1.0}),
            "factor",
        ),
        ("llama3", "hidden_act", json!("gelu"), "gelu"),
        (
            "llama3",
            "num_key_value_heads",
            json!(3),
            "num_key_value_heads",
        ),
        ("llama3", "head_dim", json!(7), "head_dim"),
        ("qwen2-tied", "vocab_size", json!(2), "eos_token_id"),
        (
            "qwen2-sliding",
            "layer_types",
            json!(["sliding_attention"]),
            "layer_types",
        ),
        ("mistral", "sliding_window", json!(0), "sliding_window"),
        (
            "llama3",
            "quantization_config",
            json!({"bits": 4}),
            "quantization_config",
        ),
    ] {
        let error = refused(name, key, value);
        assert!(
            error.contains(part) && error.contains("config.json"),
            "{error}"
        );
    }
}
