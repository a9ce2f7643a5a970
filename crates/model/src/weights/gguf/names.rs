//! GGUF tensor names as Hugging Face names.

/// Name of the input embedding in a GGUF file.
pub(super) const EMBEDDING: &str = "token_embd.weight";
/// Name of what the rotary frequencies are divided by, in GGUF files of models with scaled positions.
pub(crate) const ROPE_FACTORS: &str = "rope_freqs.weight";
/// Name of the output head in a GGUF file.
pub(super) const OUTPUT: &str = "output.weight";

/// Names inside a block: GGUF, Hugging Face.
const BLOCK: [(&str, &str); 11] = [
    ("attn_norm", "input_layernorm"),
    ("attn_q", "self_attn.q_proj"),
    ("attn_k", "self_attn.k_proj"),
    ("attn_v", "self_attn.v_proj"),
    ("attn_q_norm", "self_attn.q_norm"),
    ("attn_k_norm", "self_attn.k_norm"),
    ("attn_output", "self_attn.o_proj"),
    ("ffn_norm", "post_attention_layernorm"),
    ("ffn_gate", "mlp.gate_proj"),
    ("ffn_up", "mlp.up_proj"),
    ("ffn_down", "mlp.down_proj"),
];

/// The Hugging Face name of a GGUF tensor, or nothing if the tensor is not part of a Llama-like decoder.
pub(super) fn hf_name(gguf: &str) -> Option<String> {
    match gguf {
        EMBEDDING => return Some("model.embed_tokens.weight".into()),
        "output_norm.weight" => return Some("model.norm.weight".into()),
        OUTPUT => return Some("lm_head.weight".into()),
        _ => {}
    }
    let (layer, rest) = gguf.strip_prefix("blk.")?.split_once('.')?;
    let layer: usize = layer.parse().ok()?;
    let (part, kind) = rest.rsplit_once('.')?;
    let (_, hf) = BLOCK.iter().find(|(g, _)| *g == part)?;
    matches!(kind, "weight" | "bias").then(|| format!("model.layers.{layer}.{hf}.{kind}"))
}

/// The GGUF name of a tensor of a Llama-like decoder, the inverse of [`hf_name`].
pub(crate) fn gguf_name(hf: &str) -> Option<String> {
    match hf {
        "model.embed_tokens.weight" => return Some(EMBEDDING.into()),
        "model.norm.weight" => return Some("output_norm.weight".into()),
        "lm_head.weight" => return Some(OUTPUT.into()),
        _ => {}
    }
    let (layer, rest) = hf.strip_prefix("model.layers.")?.split_once('.')?;
    let (part, kind) = rest.rsplit_once('.')?;
    let (gguf, _) = BLOCK.iter().find(|(_, h)| *h == part)?;
    Some(format!("blk.{layer}.{gguf}.{kind}"))
}

#[cfg(test)]
mod tests {
    use super::{gguf_name, hf_name};

    #[test]
    fn names_are_mapped_or_refused() {
        for (gguf, hf) in [
            ("token_embd.weight", Some("model.embed_tokens.weight")),
            (
                "blk.11.attn_q.bias",
                Some("model.layers.11.self_attn.q_proj.bias"),
            ),
            (
                "blk.0.ffn_norm.weight",
                Some("model.layers.0.post_attention_layernorm.weight"),
            ),
            (
                "blk.0.attn_q_norm.weight",
                Some("model.layers.0.self_attn.q_norm.weight"),
            ),
            ("blk.0.attn_sinks.weight", None),
            ("blk.x.attn_q.weight", None),
        ] {
            assert_eq!(hf_name(gguf).as_deref(), hf, "{gguf}");
            if let Some(hf) = hf {
                assert_eq!(gguf_name(hf).as_deref(), Some(gguf));
            }
        }
    }
}
