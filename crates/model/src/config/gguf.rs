//! A model's configuration from the metadata of a GGUF file.

use super::family::WindowRule;
use super::{
    Biases, ConfigError, Family, KeyNames, MAX_LAYERS, ModelConfig, RopeScaling, SlidingWindow,
};
use crate::weights::gguf::{Array, Header, Value};

/// Control tokens that end an answer, by their text. A GGUF header names one end token only, though
/// models were trained with two (Qwen2.5: `<|im_end|>` after a turn, `<|endoftext|>` after a text).
const END_TOKENS: [&str; 5] = [
    "<|im_end|>",
    "<|endoftext|>",
    "<|eot_id|>",
    "<|end_of_text|>",
    "<|EOT|>",
];
/// `tokenizer.ggml.token_type` of a control token.
const CONTROL: f64 = 3.0;

impl ModelConfig {
    /// Reads the metadata. `tied` says whether output head and embedding are one matrix, which no key tells.
    ///
    /// # Errors
    /// If a key is missing, of another kind, or contradicts another, or names what is not supported.
    pub fn from_gguf(header: &Header, tied: bool) -> Result<Self, ConfigError> {
        let keys = Keys::new(header)?;
        let arch = keys.arch;
        let layers = keys.size("block_count")?;
        let hidden = keys.size("embedding_length")?;
        let heads = keys.size("attention.head_count")?;
        let head_dim = match keys.optional_size("attention.key_length")? {
            Some(n) => n,
            None if heads > 0 && hidden.is_multiple_of(heads) => hidden / heads,
            None => {
                return Err(ConfigError::Contradiction {
                    file: header.file.clone(),
                    key: format!("{arch}.embedding_length"),
                    expected: format!(
                        "a multiple of the {heads} attention heads, as there is no attention.key_length"
                    ),
                    found: hidden.to_string(),
                });
            }
        };
        if let Some(n) = keys
            .optional_size("rope.dimension_count")?
            .filter(|n| *n != head_dim)
        {
            return Err(keys.unsupported(&format!("{arch}.rope.dimension_count"), &n.to_string()));
        }
        let rows = header
            .tensors
            .get("token_embd.weight")
            .and_then(|t| t.shape.first().copied());
        let tokens = header
            .metadata
            .get("tokenizer.ggml.tokens")
            .and_then(Value::as_array)
            .map(Array::len);
        let stated = keys.optional_size("vocab_size")?;
        let vocab_size = rows.or(stated).or(tokens).unwrap_or(0);
        if let Some(stated) = stated.filter(|s| *s != vocab_size) {
            return Err(ConfigError::Contradiction {
                file: header.file.clone(),
                key: format!("{arch}.vocab_size"),
                expected: format!("the {vocab_size} rows of token_embd.weight"),
                found: stated.to_string(),
            });
        }
        let config = Self {
            family: keys.family,
            vocab_size,
            hidden,
            intermediate: keys.size("feed_forward_length")?,
            layers,
            heads,
            kv_heads: keys
                .optional_size("attention.head_count_kv")?
                .unwrap_or(heads),
            head_dim,
            context: keys.size("context_length")?,
            rope_theta: keys.float("rope.freq_base")?.unwrap_or(10_000.0),
            rope_scaling: keys.rope_scaling()?,
            window: keys.window(layers)?,
            rms_eps: keys
                .float("attention.layer_norm_rms_epsilon")?
                .ok_or_else(|| ConfigError::MissingKey {
                    file: header.file.clone(),
                    key: format!("{arch}.attention.layer_norm_rms_epsilon"),
                    expected: "a positive number",
                })?,
            tied,
            biases: Biases {
                qkv: header.tensors.contains_key("blk.0.attn_q.bias"),
                output: header.tensors.contains_key("blk.0.attn_output.bias"),
                feed_forward: header.tensors.contains_key("blk.0.ffn_gate.bias"),
            },
            qk_norm: keys.family.differences().qk_norm,
            bos: keys.token("bos_token_id")?,
            eos: end_tokens(header, &keys)?,
            pad: keys.token("padding_token_id")?,
            add_bos: add_bos(header),
        };
        config.check(&KeyNames {
            file: &header.file,
            key: &|key| gguf_key(arch, key),
        })
    }
}

/// Whether encoding begins with the beginning-of-sequence token. `SentencePiece` vocabularies do so unless told not to.
pub(crate) fn add_bos(header: &Header) -> bool {
    header
        .metadata
        .get("tokenizer.ggml.add_bos_token")
        .and_then(Value::as_bool)
        .unwrap_or_else(|| header.text("tokenizer.ggml.model") == Some("llama"))
}

/// The stated end token first, then control tokens known to end an answer.
fn end_tokens(header: &Header, keys: &Keys<'_>) -> Result<Vec<u32>, ConfigError> {
    let mut eos: Vec<u32> = Vec::new();
    for key in ["eos_token_id", "eot_token_id"] {
        eos.extend(keys.token(key)?);
    }
    let array = |key: &str| header.metadata.get(key).and_then(Value::as_array);
    if let (Some(tokens), Some(types)) = (
        array("tokenizer.ggml.tokens").and_then(Array::texts),
        array("tokenizer.ggml.token_type").and_then(Array::numbers),
    ) {
        let ends = tokens
            .iter()
            .zip(types)
            .enumerate()
            .filter(|(_, (text, kind))| (*kind - CONTROL).abs() < 0.5 && END_TOKENS.contains(text));
        eos.extend(ends.map(|(id, _)| id as u32));
    }
    let mut seen = std::collections::BTreeSet::new();
    eos.retain(|id| seen.insert(*id));
    Ok(eos)
}

/// How a GGUF header spells a key of `config.json`.
fn gguf_key(arch: &str, key: &str) -> String {
    let name = match key {
        "hidden_size" => "embedding_length",
        "intermediate_size" => "feed_forward_length",
        "num_hidden_layers" => "block_count",
        "num_attention_heads" => "attention.head_count",
        "num_key_value_heads" => "attention.head_count_kv",
        "head_dim" => "attention.key_length",
        "max_position_embeddings" => "context_length",
        "rope_theta" => "rope.freq_base",
        "rms_norm_eps" => "attention.layer_norm_rms_epsilon",
        "bos_token_id" | "eos_token_id" => return format!("tokenizer.ggml.{key}"),
        "pad_token_id" => return "tokenizer.ggml.padding_token_id".into(),
        other => other,
    };
    format!("{arch}.{name}")
}

/// Typed access to the keys of one architecture.
struct Keys<'a> {
    header: &'a Header,
    arch: &'a str,
    family: Family,
}

impl<'a> Keys<'a> {
    fn new(header: &'a Header) -> Result<Self, ConfigError> {
        let key = "general.architecture";
        let arch = header.text(key).ok_or_else(|| ConfigError::MissingKey {
            file: header.file.clone(),
            key: key.into(),
            expected: "the name of an architecture",
        })?;
        let family =
            Family::from_gguf(arch).ok_or_else(|| ConfigError::UnsupportedArchitecture {
                file: header.file.clone(),
                found: arch.to_owned(),
                supported: Family::supported(),
            })?;
        Ok(Self {
            header,
            arch,
            family,
        })
    }

    /// How the rotary frequencies are scaled; factors of their own stand in a tensor and are read with the tensors.
    fn rope_scaling(&self) -> Result<RopeScaling, ConfigError> {
        let key = format!("{}.rope.scaling.type", self.arch);
        let factor = match self.float("rope.scaling.factor")? {
            Some(factor) => Some(factor),
            None => self.float("rope.scale_linear")?,
        };
        match (self.header.text(&key), factor) {
            // Older files state the factor alone.
            (Some("linear") | None, Some(factor)) if (factor - 1.0).abs() > 1e-9 => {
                if factor.is_finite() && factor > 0.0 {
                    Ok(RopeScaling::Linear { factor })
                } else {
                    Err(self.unsupported("rope.scaling.factor", &factor.to_string()))
                }
            }
            (Some("linear" | "none") | None, _) => Ok(RopeScaling::None),
            (Some(other), _) => Err(self.unsupported(&key, other)),
        }
    }

    /// Where attention slides. Files of the llama architecture that state a window are Mistral's, all of whose layers
    /// slide; others keep their window switched off.
    fn window(&self, layers: usize) -> Result<Option<SlidingWindow>, ConfigError> {
        let window = self.optional_size("attention.sliding_window")?;
        match (
            window.filter(|tokens| *tokens > 0),
            self.family.differences().window,
        ) {
            (None, _) => Ok(None),
            (Some(tokens), WindowRule::Never | WindowRule::Stated) => Ok(Some(SlidingWindow {
                tokens,
                layers: (0..layers.min(MAX_LAYERS)).collect(),
            })),
            (Some(tokens), WindowRule::Upper) => {
                Err(self.unsupported("attention.sliding_window", &tokens.to_string()))
            }
        }
    }

    fn unsupported(&self, key: &str, value: &str) -> ConfigError {
        ConfigError::UnsupportedSetting {
            file: self.header.file.clone(),
            key: key.to_owned(),
            value: value.to_owned(),
        }
    }

    fn wrong(&self, key: &str, expected: &'static str, value: &Value) -> ConfigError {
        ConfigError::WrongType {
            file: self.header.file.clone(),
            key: key.to_owned(),
            expected,
            found: value.kind().to_owned(),
        }
    }

    fn optional_size(&self, key: &str) -> Result<Option<usize>, ConfigError> {
        let key = format!("{}.{key}", self.arch);
        let Some(value) = self.header.metadata.get(&key) else {
            return Ok(None);
        };
        value
            .as_u64()
            .and_then(|n| usize::try_from(n).ok())
            .map(Some)
            .ok_or_else(|| self.wrong(&key, "a non-negative integer", value))
    }

    fn size(&self, key: &str) -> Result<usize, ConfigError> {
        self.optional_size(key)?
            .ok_or_else(|| ConfigError::MissingKey {
                file: self.header.file.clone(),
                key: format!("{}.{key}", self.arch),
                expected: "a non-negative integer",
            })
    }

    fn float(&self, key: &str) -> Result<Option<f64>, ConfigError> {
        let key = format!("{}.{key}", self.arch);
        let Some(value) = self.header.metadata.get(&key) else {
            return Ok(None);
        };
        value
            .as_f64()
            .map(Some)
            .ok_or_else(|| self.wrong(&key, "a number", value))
    }

    fn token(&self, key: &str) -> Result<Option<u32>, ConfigError> {
        let key = format!("tokenizer.ggml.{key}");
        let Some(value) = self.header.metadata.get(&key) else {
            return Ok(None);
        };
        value
            .as_u64()
            .and_then(|n| u32::try_from(n).ok())
            .map(Some)
            .ok_or_else(|| self.wrong(&key, "a token id", value))
    }
}
