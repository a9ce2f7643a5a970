//! Mistral (Jiang et al. 2023): Llama whose attention may slide. GGUF files call it llama.

use super::{AttentionBias, Differences, WindowRule};

pub(super) const DIFFERENCES: Differences = Differences {
    name: "mistral",
    gguf: "mistral",
    class: "MistralForCausalLM",
    attention_bias: AttentionBias::Never,
    mlp_bias: false,
    qk_norm: false,
    window: WindowRule::Stated,
};
