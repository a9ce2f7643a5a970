#!/usr/bin/env python3
"""Hidden states and logits of transformers on tiny random models of every family, which `cargo test` holds ours against.

    families.py OUT

Wants `pip install torch transformers`; the figures in the repository are of torch 2.15.0 and transformers 5.23.0 (CPU,
f32, eager attention). OUT gets a JSON file for each model: `config` is the `config.json` that transformers writes,
`tensors` names and shapes, `ids` the input, and of the `rows` of the input `hidden` (embeddings, each layer's output, the
last one behind the final norm) and `logits`, at the columns `columns` where the vocabulary is large.

Weights are not stored: value i of a tensor is a 16-bit hash of its name and i, scaled to [-1, 1), times `spread`; factors
of norms are 1 and a quarter of that. The Rust side computes the same.
"""

import json
import sys
from pathlib import Path

import numpy as np
import torch
from transformers import (
    LlamaConfig, LlamaForCausalLM, MistralConfig, MistralForCausalLM, Qwen2Config, Qwen2ForCausalLM, Qwen3Config,
    Qwen3ForCausalLM,
)

SPREAD = 0.25
TOKENS = 48
ROWS = [0, 1, 17, 47]


def hashed(name, count):
    """SplitMix64 of FNV-1a of the name plus i; the highest 16 bits."""
    with np.errstate(over="ignore"):
        seed = np.uint64(0xCBF29CE484222325)
        for byte in name.encode():
            seed = (seed ^ np.uint64(byte)) * np.uint64(0x100000001B3)
        x = seed + (np.arange(count, dtype=np.uint64) + np.uint64(1)) * np.uint64(0x9E3779B97F4A7C15)
        x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        x = x ^ (x >> np.uint64(31))
    return (x >> np.uint64(48)).astype(np.float32) / np.float32(32768) - np.float32(1)


def weights(model):
    state = model.state_dict()
    filled = {}
    for name, tensor in state.items():
        values = hashed(name, tensor.numel()) * np.float32(SPREAD)
        if "norm" in name:
            values = values + np.float32(1)
        filled[name] = torch.from_numpy(values.reshape(tensor.shape))
    if model.config.tie_word_embeddings:
        filled["lm_head.weight"] = filled["model.embed_tokens.weight"]
    model.load_state_dict(filled)


def shape(**changes):
    base = dict(
        vocab_size=101, hidden_size=32, intermediate_size=48, num_hidden_layers=3, num_attention_heads=4,
        num_key_value_heads=2, max_position_embeddings=256, rms_norm_eps=1e-5, bos_token_id=1, eos_token_id=2,
        pad_token_id=None, tie_word_embeddings=False,
    )
    base.update(changes)
    return base


def rope(theta, **scaling):
    return {"rope_type": "default", "rope_theta": theta, **scaling}


LLAMA31 = dict(rope_type="llama3", factor=8.0, low_freq_factor=1.0, high_freq_factor=4.0, original_max_position_embeddings=16)

MODELS = {
    "llama2": (LlamaConfig, LlamaForCausalLM, shape(num_key_value_heads=4, rope_parameters=rope(1e4))),
    "codellama": (
        LlamaConfig, LlamaForCausalLM,
        shape(vocab_size=32016, hidden_size=16, intermediate_size=24, num_key_value_heads=4, rope_parameters=rope(1e6)),
    ),
    "deepseek-coder": (
        LlamaConfig, LlamaForCausalLM,
        shape(num_key_value_heads=4, rms_norm_eps=1e-6, rope_parameters=rope(1e5, rope_type="linear", factor=4.0)),
    ),
    "llama3": (LlamaConfig, LlamaForCausalLM, shape(rope_parameters=rope(5e5))),
    "llama3.1": (LlamaConfig, LlamaForCausalLM, shape(rope_parameters=rope(5e5, **LLAMA31))),
    "llama3.2": (
        LlamaConfig, LlamaForCausalLM,
        shape(tie_word_embeddings=True, head_dim=16, rope_parameters=rope(5e5, **{**LLAMA31, "factor": 32.0})),
    ),
    "smollm2": (
        LlamaConfig, LlamaForCausalLM,
        shape(hidden_size=36, num_attention_heads=9, num_key_value_heads=3, tie_word_embeddings=True, rope_parameters=rope(1e5)),
    ),
    "llama-biased": (
        LlamaConfig, LlamaForCausalLM, shape(attention_bias=True, mlp_bias=True, rope_parameters=rope(1e4)),
    ),
    "mistral": (
        MistralConfig, MistralForCausalLM, shape(sliding_window=7, rope_parameters=rope(1e4)),
    ),
    "qwen2-tied": (
        Qwen2Config, Qwen2ForCausalLM, shape(tie_word_embeddings=True, rms_norm_eps=1e-6, rope_parameters=rope(1e6)),
    ),
    "qwen2-untied": (Qwen2Config, Qwen2ForCausalLM, shape(rms_norm_eps=1e-6, rope_parameters=rope(1e6))),
    "qwen2-sliding": (
        Qwen2Config, Qwen2ForCausalLM,
        shape(use_sliding_window=True, sliding_window=11, max_window_layers=1, rope_parameters=rope(1e6)),
    ),
    "qwen3": (
        Qwen3Config, Qwen3ForCausalLM, shape(head_dim=12, tie_word_embeddings=True, rope_parameters=rope(1e6)),
    ),
}


def rounded(values):
    return [float(f"{v:.8e}") for v in values.flatten().tolist()]


def main():
    out = Path(sys.argv[1])
    for name, (config_class, model_class, settings) in MODELS.items():
        config = config_class(**settings)
        config._attn_implementation = "eager"
        model = model_class(config).eval()
        weights(model)
        vocabulary = config.vocab_size
        ids = [int((h + 1) / 2 * vocabulary) for h in hashed("ids", TOKENS)]
        with torch.no_grad():
            result = model(torch.tensor([ids]), output_hidden_states=True, use_cache=False)
        columns = list(range(vocabulary)) if vocabulary < 1000 else list(range(0, vocabulary, vocabulary // 100)) + [vocabulary - 1]
        told = config.to_dict()
        told["architectures"] = [model_class.__name__]
        tied = config.tie_word_embeddings
        tensors = {
            n: list(t.shape) for n, t in model.state_dict().items() if not (tied and n == "lm_head.weight")
        }
        document = {
            "config": told, "spread": SPREAD, "tensors": tensors, "ids": ids, "rows": ROWS, "columns": columns,
            "hidden": [rounded(h[0, ROWS]) for h in result.hidden_states],
            "logits": rounded(result.logits[0, ROWS][:, columns]),
        }
        (out / f"{name}.json").write_text(json.dumps(document) + "\n")
        print(name, len(tensors), "largest logit", float(result.logits.abs().max()))


if __name__ == "__main__":
    main()
