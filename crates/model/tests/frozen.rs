//! Training on weights that stay packed is training on their values.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

mod common;

use std::collections::BTreeMap;

use harness_kernel::{Nf4, Stored};
use harness_model::weights::{Base, Tensors, Weights};
use harness_model::{
    Adapter, AdapterWeights, Decoder, Engine, FullModel, GenerateOptions, LoraConfig,
    LoraGradients, ModelConfig, ModelError, Precision, Projection, Sequences, Sweep, Workspace,
};
use serde_json::json;

/// The weights with the projections rounded to four bits, as numbers.
struct Rounded<'a>(&'a Weights);

impl Tensors for Rounded<'_> {
    fn config(&self) -> &ModelConfig {
        self.0.config()
    }

    fn tensor(&self, name: &str, shape: &[usize]) -> Result<Vec<f32>, ModelError> {
        let mut values = self.0.tensor(name, shape)?;
        if name.contains("_proj.weight") {
            let inputs = shape[1];
            let matrix = Nf4::read_rows(shape[0], inputs, |row, out| {
                out.copy_from_slice(&values[row * inputs..][..inputs]);
                Ok::<_, ModelError>(())
            })?;
            for (row, values) in values.chunks_exact_mut(inputs).enumerate() {
                matrix.read(row, 0, values);
            }
        }
        Ok(values)
    }
}

fn adapter(decoder: &Decoder) -> Adapter {
    let config = LoraConfig {
        rank: 4,
        alpha: 8.0,
        dropout: 0.0,
        targets: Projection::ALL.to_vec(),
        rank_stabilized: false,
    };
    let adapter = Adapter::new(decoder.config(), config, 5).unwrap();
    for (name, var) in adapter.named_vars() {
        if name.contains("lora_B") {
            var.set(&var.as_tensor().ones_like().unwrap()).unwrap();
        }
    }
    adapter
}

/// Loss and gradients of a short micro-batch.
fn gradients(decoder: &Decoder, precision: Precision) -> (f64, BTreeMap<String, Vec<f32>>) {
    let adapter = adapter(decoder);
    let batch = Sequences {
        tokens: &[5, 6, 7, 8, 9, 10, 11, 12, 13],
        starts: &[0, 4, 9],
        targets: &[(1, 7), (2, 8), (6, 12), (7, 13)],
    };
    let mut found = LoraGradients::new();
    let loss = Sweep::new(decoder, Some(&adapter))
        .gradients(&batch, None, &mut Workspace::new(precision), &mut found)
        .unwrap();
    (loss, found.into_named())
}

fn answer(decoder: &Decoder) -> Vec<u32> {
    let weights = AdapterWeights::new(&adapter(decoder), decoder.config().layers).unwrap();
    let options = GenerateOptions {
        batch_size: 2,
        max_new_tokens: 5,
        end_tokens: Vec::new(),
        cache_bytes: None,
    };
    let mut answers = Vec::new();
    Engine::new(decoder, Some(&weights))
        .generate::<ModelError>(&[vec![3, 4, 5]], &options, &|_| false, &mut |_, it| {
            answers.extend(it.tokens);
            Ok(())
        })
        .unwrap();
    answers
}

#[test]
fn four_bits_are_their_values_and_take_a_seventh() {
    let folder = tempfile::tempdir().unwrap();
    let config = json!({
        "model_type": "llama", "vocab_size": 90, "hidden_size": 96, "intermediate_size": 200,
        "num_hidden_layers": 2, "num_attention_heads": 4, "num_key_value_heads": 2,
        "max_position_embeddings": 64, "rms_norm_eps": 1e-5, "rope_theta": 1e4, "tie_word_embeddings": true,
        "bos_token_id": 1, "eos_token_id": 2,
    });
    std::fs::write(folder.path().join("config.json"), config.to_string()).unwrap();
    let config = ModelConfig::from_folder(folder.path()).unwrap();
    let model = FullModel::random(config, 3).unwrap();
    model.save(folder.path(), Precision::F32).unwrap();
    let weights = Weights::open(folder.path()).unwrap();
    for precision in [Precision::F32, Precision::Bf16] {
        let open = |base| Decoder::load_base(&weights, precision, base, &mut |_, _| {}).unwrap();
        let (packed, plain) = (open(Base::Nf4), open(Base::Plain));
        assert!(packed.bytes() < plain.bytes());
        let blocks = Decoder::load_base(&weights, precision, Base::Blocks, &mut |_, _| {});
        assert!(blocks.is_err_and(|error| error.to_string().contains("no GGUF file")));
        let values = Decoder::load_tensors(&Rounded(&weights), Precision::F32, &mut |_, _| {});
        let values = values.unwrap();
        if precision == Precision::F32 {
            assert_eq!(gradients(&packed, precision), gradients(&values, precision));
            assert_eq!(answer(&packed), answer(&values));
        }
        let (found, wanted) = (
            gradients(&packed, precision).0,
            gradients(&values, precision).0,
        );
        assert!(
            (found - wanted).abs() < 1e-2 * wanted,
            "{found} for {wanted}"
        );
    }
}

#[test]
fn the_blocks_of_a_file_are_their_values() {
    let Some(path) = common::cached(&common::SMOLLM2) else {
        return;
    };
    let weights = Weights::open(&path).unwrap();
    let open = |base| Decoder::load_base(&weights, Precision::F32, base, &mut |_, _| {}).unwrap();
    let (packed, plain) = (open(Base::Blocks), open(Base::Plain));
    assert!(
        4 * packed.bytes() < 3 * plain.bytes(),
        "{} of {}",
        packed.bytes(),
        plain.bytes()
    );
    assert_eq!(
        gradients(&packed, Precision::F32),
        gradients(&plain, Precision::F32)
    );
    assert_eq!(answer(&packed), answer(&plain));
}
