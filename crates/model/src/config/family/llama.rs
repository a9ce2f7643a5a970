//! Llama (Touvron et al. 2023) and what follows its layout: Llama 2 and 3, `CodeLlama`, `DeepSeek-Coder`, `SmolLM2`.

use super::{AttentionBias, Differences, WindowRule};

pub(super) const DIFFERENCES: Differences = Differences {
    name: "llama",
    gguf: "llama",
    class: "LlamaForCausalLM",
    attention_bias: AttentionBias::Stated,
    mlp_bias: true,
    qk_norm: false,
    window: WindowRule::Never,
};
