//! Qwen2 and Qwen2.5 (Yang et al. 2024): biases on query, key and value.

use super::{AttentionBias, Differences, WindowRule};

pub(super) const DIFFERENCES: Differences = Differences {
    name: "qwen2",
    gguf: "qwen2",
    class: "Qwen2ForCausalLM",
    attention_bias: AttentionBias::Qkv,
    mlp_bias: false,
    qk_norm: false,
    window: WindowRule::Upper,
};
