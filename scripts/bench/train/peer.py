#!/usr/bin/env python3
"""Seconds of an optimisation step of LoRA with PyTorch and PEFT, at the shapes and with the options of
`crates/train/benches/step.rs`; it prints one line of JSON with the same keys.

Wants `pip install torch transformers peft`. `--precision bf16` is a base in bfloat16 under autocast, `bf16-pure` one without.
"""

import argparse
import json
import resource
import statistics
import time

import torch
from peft import LoraConfig, get_peft_model
from transformers import LlamaConfig, LlamaForCausalLM, Qwen2Config, Qwen2ForCausalLM

SHAPES = {
    "135m": (LlamaConfig, LlamaForCausalLM, 576, 1536, 30, 9, 3, 49_152),
    "0.5b": (Qwen2Config, Qwen2ForCausalLM, 896, 4864, 24, 14, 2, 151_936),
    "1.5b": (Qwen2Config, Qwen2ForCausalLM, 1536, 8960, 28, 12, 2, 151_936),
}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--shape", default="135m", choices=SHAPES)
    parser.add_argument("--batch", type=int, default=4)
    parser.add_argument("--length", type=int, default=256)
    parser.add_argument("--trained", type=int)
    parser.add_argument("--rank", type=int, default=16)
    parser.add_argument("--precision", default="f32", choices=("f32", "bf16", "bf16-pure"))
    parser.add_argument("--steps", type=int, default=10)
    parser.add_argument("--threads", type=int)
    a = parser.parse_args()
    if a.threads:
        torch.set_num_threads(a.threads)
    trained = min(a.trained or a.length - 1, a.length - 1)
    config_class, model_class, hidden, intermediate, layers, heads, kv_heads, vocabulary = SHAPES[a.shape]
    config = config_class(
        hidden_size=hidden, intermediate_size=intermediate, num_hidden_layers=layers, num_attention_heads=heads,
        num_key_value_heads=kv_heads, vocab_size=vocabulary, tie_word_embeddings=True, max_position_embeddings=8192,
    )
    torch.manual_seed(0)
    dtype = torch.float32 if a.precision == "f32" else torch.bfloat16
    model = model_class(config).to(dtype)
    modules = ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"]
    lora = LoraConfig(r=a.rank, lora_alpha=2 * a.rank, lora_dropout=0.0, target_modules=modules, task_type="CAUSAL_LM")
    model = get_peft_model(model, lora).train()
    model.config.use_cache = False
    optimizer = torch.optim.AdamW([p for p in model.parameters() if p.requires_grad], lr=1e-4)
    seconds = []
    for step in range(a.steps + 1):
        ids = torch.randint(0, 49_152, (a.batch, a.length))
        labels = ids.clone()
        labels[:, : a.length - trained] = -100
        start = time.perf_counter()
        with torch.autocast("cpu", torch.bfloat16, enabled=a.precision == "bf16"):
            loss = model(input_ids=ids, labels=labels).loss
        loss.backward()
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        if step:
            seconds.append(time.perf_counter() - start)
    median = statistics.median(seconds)
    print(json.dumps({
        "side": "pytorch", "shape": a.shape, "batch": a.batch, "length": a.length, "trained": trained, "rank": a.rank,
        "precision": a.precision, "seconds": seconds, "median_s": median, "tokens_per_s": a.batch * a.length / median,
        "peak_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, "threads": torch.get_num_threads(),
    }))


if __name__ == "__main__":
    main()
