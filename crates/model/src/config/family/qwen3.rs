//! Qwen3 (Yang et al. 2025): the heads of queries and keys are normalised, and no projection has a bias of its own accord.

use super::{AttentionBias, Differences, WindowRule};

pub(super) const DIFFERENCES: Differences = Differences {
    name: "qwen3",
    gguf: "qwen3",
    class: "Qwen3ForCausalLM",
    attention_bias: AttentionBias::Stated,
    mlp_bias: false,
    qk_norm: true,
    window: WindowRule::Upper,
};
