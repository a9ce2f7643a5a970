//! A trained model as a folder in Hugging Face layout: `model.safetensors` and `config.json`.

use std::fs;
use std::path::Path;

use half::bf16;
use harness_kernel::Precision;
use safetensors::tensor::{Dtype, TensorView};
use serde_json::{Value, json};

use super::FullModel;
use crate::config::{ModelConfig, RopeScaling, WindowRule};
use crate::error::ModelError;
use crate::weights::WeightError;

impl FullModel {
    /// Writes weights and configuration into `folder`, creating it; the tokenizer's files are the caller's to add.
    /// Equal weights give equal bytes. In [`Precision::Bf16`] every weight is rounded, to half the size.
    ///
    /// # Errors
    /// If a file can't be written.
    pub fn save(&self, folder: &Path, precision: Precision) -> Result<(), ModelError> {
        let io = |file: &Path, source| WeightError::Io {
            file: file.to_owned(),
            source,
        };
        fs::create_dir_all(folder).map_err(|e| io(folder, e))?;
        let dtype = match precision {
            Precision::Bf16 => Dtype::BF16,
            Precision::F32 => Dtype::F32,
        };
        let mut stored = Vec::with_capacity(self.vars.len());
        for (name, var) in &self.vars {
            let values: Vec<f32> = var.flatten_all()?.to_vec1()?;
            let bytes: Vec<u8> = match precision {
                Precision::Bf16 => values
                    .iter()
                    .flat_map(|value| bf16::from_f32(*value).to_le_bytes())
                    .collect(),
                Precision::F32 => values.iter().flat_map(|v| v.to_le_bytes()).collect(),
            };
            stored.push((name.as_str(), var.dims().to_vec(), bytes));
        }
        let file = folder.join("model.safetensors");
        let malformed = |e: safetensors::SafeTensorError| WeightError::Malformed {
            file: file.clone(),
            format: "safetensors",
            what: e.to_string(),
        };
        let mut views = Vec::with_capacity(stored.len());
        for (name, shape, bytes) in &stored {
            let view = TensorView::new(dtype, shape.clone(), bytes).map_err(malformed)?;
            views.push((*name, view));
        }
        // Readers of the Python side look for this entry.
        let header = [("format".to_owned(), "pt".to_owned())].into();
        let bytes = safetensors::serialize(views, Some(header)).map_err(malformed)?;
        fs::write(&file, bytes).map_err(|e| io(&file, e))?;
        let file = folder.join("config.json");
        let text = format!("{:#}\n", config_json(&self.config, precision));
        fs::write(&file, text).map_err(|e| io(&file, e))?;
        Ok(())
    }
}

/// The configuration under the keys of `config.json`. What says how the tokenizer begins a text is not among them.
pub(crate) fn config_json(config: &ModelConfig, precision: Precision) -> Value {
    let end = match config.eos.as_slice() {
        [one] => json!(one),
        several => json!(several),
    };
    let mut json = json!({
        "architectures": [config.family.differences().class],
        "model_type": config.family.name(),
        "vocab_size": config.vocab_size,
        "hidden_size": config.hidden,
        "intermediate_size": config.intermediate,
        "num_hidden_layers": config.layers,
        "num_attention_heads": config.heads,
        "num_key_value_heads": config.kv_heads,
        "head_dim": config.head_dim,
        "hidden_act": "silu",
        "max_position_embeddings": config.context,
        "rope_theta": config.rope_theta,
        "rms_norm_eps": config.rms_eps,
        "tie_word_embeddings": config.tied,
        "bos_token_id": config.bos,
        "eos_token_id": end,
        "pad_token_id": config.pad,
        "torch_dtype": match precision {
            Precision::Bf16 => "bfloat16",
            Precision::F32 => "float32",
        },
    });
    match &config.rope_scaling {
        RopeScaling::None => {}
        scaling => json["rope_scaling"] = json!(scaling),
    }
    for (key, flag) in [
        ("attention_bias", config.biases.output),
        ("mlp_bias", config.biases.feed_forward),
    ] {
        if flag {
            json[key] = json!(true);
        }
    }
    if let Some(window) = &config.window {
        let kind = |layer| {
            if window.layers.contains(&layer) {
                "sliding_attention"
            } else {
                "full_attention"
            }
        };
        json["use_sliding_window"] = json!(true);
        json["sliding_window"] = json!(window.tokens);
        json["layer_types"] = (0..config.layers).map(kind).collect();
    } else if config.family.differences().window == WindowRule::Stated {
        // Silence would mean the library's default.
        json["sliding_window"] = Value::Null;
    }
    json
}
