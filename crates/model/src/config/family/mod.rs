//! The families of decoders: one computation, and for each family a file that says how it differs.

mod llama;
mod mistral;
mod qwen2;
mod qwen3;

use serde::{Deserialize, Serialize};

/// A family of decoders.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Family {
    /// Llama and all that follow its layout: `CodeLlama`, `DeepSeek-Coder`, `SmolLM2`, Llama 3.
    Llama,
    /// Mistral: Llama whose attention may slide.
    Mistral,
    /// Qwen2 and Qwen2.5: Llama with biases on query, key and value.
    Qwen2,
    /// Qwen3: Llama with normalised queries and keys.
    Qwen3,
}

/// How a family differs from the others.
#[derive(Debug)]
pub(crate) struct Differences {
    /// `model_type` in `config.json`.
    pub(crate) name: &'static str,
    /// `general.architecture` in GGUF.
    pub(crate) gguf: &'static str,
    /// The class in transformers, as `architectures` names it.
    pub(crate) class: &'static str,
    /// Which of attention's projections have a bias.
    pub(crate) attention_bias: AttentionBias,
    /// Whether `mlp_bias` may give the feed-forward projections a bias.
    pub(crate) mlp_bias: bool,
    /// Whether the heads of queries and keys are normalised before they are rotated.
    pub(crate) qk_norm: bool,
    /// When attention slides.
    pub(crate) window: WindowRule,
}

/// Which of attention's projections have a bias.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum AttentionBias {
    /// None.
    Never,
    /// All four where `attention_bias` says so.
    Stated,
    /// Query, key and value, always.
    Qkv,
}

/// When attention slides.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum WindowRule {
    /// Never.
    Never,
    /// In all layers where `sliding_window` is a number.
    Stated,
    /// Where `use_sliding_window` is true: in the layers from `max_window_layers` on, or those that `layer_types` names.
    Upper,
}

impl Family {
    /// Every family.
    pub const ALL: [Self; 4] = [Self::Llama, Self::Mistral, Self::Qwen2, Self::Qwen3];

    pub(crate) fn differences(self) -> &'static Differences {
        match self {
            Self::Llama => &llama::DIFFERENCES,
            Self::Mistral => &mistral::DIFFERENCES,
            Self::Qwen2 => &qwen2::DIFFERENCES,
            Self::Qwen3 => &qwen3::DIFFERENCES,
        }
    }

    /// The family whose `model_type` this is.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|family| family.name() == name)
    }

    /// The family of a GGUF file of this architecture.
    pub fn from_gguf(name: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|family| family.differences().gguf == name)
    }

    /// The name of the family, which is `model_type` in `config.json`.
    pub fn name(self) -> &'static str {
        self.differences().name
    }

    /// The supported names, for error messages.
    pub fn supported() -> String {
        Self::ALL.map(Self::name).join(", ")
    }
}
