//! The shape and constants of a model, read from `config.json` or a GGUF header and checked.
//!
//! It knows which architectures and settings the decoder computes exactly. What it does not know it
//! refuses by name: a setting silently ignored does not crash, it makes every result a little wrong.

mod error;
mod family;
mod gguf;
mod hf;
mod rope;
mod window;

pub use error::ConfigError;
pub use family::Family;
pub(crate) use family::WindowRule;
pub use rope::RopeScaling;
use serde::{Deserialize, Serialize};
pub use window::SlidingWindow;

/// Everything a decoder needs to know about its model beside the weights.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ModelConfig {
    /// The family.
    pub family: Family,
    /// Rows of the embedding; at least the number of tokens.
    pub vocab_size: usize,
    /// Width of the residual stream.
    pub hidden: usize,
    /// Width inside the feed-forward block.
    pub intermediate: usize,
    /// Number of blocks.
    pub layers: usize,
    /// Query heads.
    pub heads: usize,
    /// Key and value heads; divides `heads`.
    pub kv_heads: usize,
    /// Width of one head; even. `heads * head_dim` is `hidden` in most models.
    pub head_dim: usize,
    /// Longest sequence the model was made for, in tokens.
    pub context: usize,
    /// Base of the rotary frequencies: position p turns pair i by p · theta^(-2i/head_dim).
    pub rope_theta: f64,
    /// How those frequencies are changed for longer contexts.
    pub rope_scaling: RopeScaling,
    /// Where attention sees the latest positions only; none: nowhere.
    pub window: Option<SlidingWindow>,
    /// The constant under the root of `RMSNorm`.
    pub rms_eps: f64,
    /// Whether the output head is the embedding.
    pub tied: bool,
    /// Which projections have a bias.
    pub biases: Biases,
    /// Whether the heads of queries and keys are normalised before they are rotated.
    pub qk_norm: bool,
    /// Token that begins a sequence.
    pub bos: Option<u32>,
    /// Tokens that end an answer; the first is the one to train on.
    pub eos: Vec<u32>,
    /// Token for padding; may equal an end token, so masks go by position.
    pub pad: Option<u32>,
    /// Whether the tokenizer begins a sequence with `bos`.
    pub add_bos: bool,
}

/// Which linear layers have a bias.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Biases {
    /// Queries, keys and values.
    pub qkv: bool,
    /// The output projection of attention.
    pub output: bool,
    /// All of the feed-forward part.
    pub feed_forward: bool,
}

/// No model within reach is near these; a file beyond them is damaged, and the products below cannot overflow.
const MAX_WIDTH: usize = 1 << 20;
/// Bound on the number of layers.
const MAX_LAYERS: usize = 4096;
/// Bound on the vocabulary and the context length.
const MAX_ROWS: usize = 1 << 26;

impl ModelConfig {
    /// Frequencies of the rotary positions, in radians a position, one for each pair of a head.
    pub fn rope_frequencies(&self) -> Vec<f32> {
        self.rope_scaling
            .frequencies(self.head_dim, self.rope_theta)
    }

    /// How many positions a query of this layer sees, its own among them; none: all before it.
    pub fn window_of(&self, layer: usize) -> Option<usize> {
        let window = self.window.as_ref()?;
        window.layers.contains(&layer).then_some(window.tokens)
    }

    /// Checks that the numbers agree with each other; `file` and the key names of its format go into the error.
    pub(crate) fn check(self, source: &KeyNames<'_>) -> Result<Self, ConfigError> {
        let fail = |key: &str, expected: String, found: String| {
            Err(ConfigError::Contradiction {
                file: source.file.to_owned(),
                key: (source.key)(key),
                expected,
                found,
            })
        };
        for (key, value, max) in [
            ("vocab_size", self.vocab_size, MAX_ROWS),
            ("max_position_embeddings", self.context, MAX_ROWS),
            ("hidden_size", self.hidden, MAX_WIDTH),
            ("intermediate_size", self.intermediate, MAX_WIDTH),
            ("num_hidden_layers", self.layers, MAX_LAYERS),
            ("num_attention_heads", self.heads, MAX_WIDTH),
            ("num_key_value_heads", self.kv_heads, MAX_WIDTH),
            ("head_dim", self.head_dim, MAX_WIDTH),
        ] {
            if value == 0 || value > max {
                return fail(key, format!("1 to {max}"), value.to_string());
            }
        }
        if !self.heads.is_multiple_of(self.kv_heads) {
            let expected = format!("a divisor of the {} attention heads", self.heads);
            return fail("num_key_value_heads", expected, self.kv_heads.to_string());
        }
        if !self.head_dim.is_multiple_of(2) {
            return fail(
                "head_dim",
                "an even number".into(),
                self.head_dim.to_string(),
            );
        }
        for (key, value) in [
            ("rope_theta", self.rope_theta),
            ("rms_norm_eps", self.rms_eps),
        ] {
            if !(value.is_finite() && value > 0.0) {
                return fail(key, "a positive number".into(), value.to_string());
            }
        }
        let ids = [("bos_token_id", self.bos.as_slice())]
            .into_iter()
            .chain([("eos_token_id", self.eos.as_slice())])
            .chain([("pad_token_id", self.pad.as_slice())]);
        for (key, values) in ids {
            if let Some(id) = values.iter().find(|id| **id as usize >= self.vocab_size) {
                let expected = format!("less than the vocabulary of {}", self.vocab_size);
                return fail(key, expected, id.to_string());
            }
        }
        Ok(self)
    }
}

/// Where a configuration comes from: the file, and how its format spells a key of `config.json`.
pub(crate) struct KeyNames<'a> {
    pub(crate) file: &'a std::path::Path,
    pub(crate) key: &'a dyn Fn(&str) -> String,
}
