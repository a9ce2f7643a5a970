#!/usr/bin/env python3
"""Greedy answers with transformers, at the shapes and with the options of `crates/model/benches/generate.rs`; it prints one line
of JSON with the same keys.

Wants `pip install torch transformers`. Prompts of a file are answered in batches in the order of their lengths, padded on the left.
"""

import argparse
import json
import resource
import statistics
import time
from pathlib import Path

import torch
from transformers import AutoModelForCausalLM, LlamaConfig, LlamaForCausalLM, Qwen2Config, Qwen2ForCausalLM

SHAPES = {
    "135m": (LlamaConfig, LlamaForCausalLM, 576, 1536, 30, 9, 3, 49_152),
    "0.5b": (Qwen2Config, Qwen2ForCausalLM, 896, 4864, 24, 14, 2, 151_936),
    "1.5b": (Qwen2Config, Qwen2ForCausalLM, 1536, 8960, 28, 12, 2, 151_936),
}


def load(a, dtype):
    if a.weights:
        return AutoModelForCausalLM.from_pretrained(a.weights, dtype=dtype)
    config_class, model_class, hidden, intermediate, layers, heads, kv_heads, vocabulary = SHAPES[a.shape]
    config = config_class(
        hidden_size=hidden, intermediate_size=intermediate, num_hidden_layers=layers, num_attention_heads=heads,
        num_key_value_heads=kv_heads, vocab_size=vocabulary, tie_word_embeddings=True, max_position_embeddings=8192,
    )
    torch.manual_seed(0)
    return model_class(config).to(dtype)


def answer(model, prompts, a, ends):
    """The ids of all answers, in the order of the prompts. With --close they end before the first whose likeliest and second
    likeliest logit are that close: another order of sums may choose the other."""
    order = sorted(range(len(prompts)), key=lambda i: len(prompts[i]), reverse=True)
    answers = [None] * len(prompts)
    for first in range(0, len(order), a.batch):
        chosen = order[first : first + a.batch]
        width = max(len(prompts[i]) for i in chosen)
        ids = torch.tensor([[ends[0] if ends else 0] * (width - len(prompts[i])) + prompts[i] for i in chosen])
        mask = torch.tensor([[0] * (width - len(prompts[i])) + [1] * len(prompts[i]) for i in chosen])
        with torch.inference_mode():
            found = model.generate(
                input_ids=ids, attention_mask=mask, do_sample=False, max_new_tokens=a.new,
                min_new_tokens=None if ends else a.new, eos_token_id=ends or None, pad_token_id=ends[0] if ends else 0,
                output_logits=a.close > 0, return_dict_in_generate=True,
            )
        for place, (i, row) in enumerate(zip(chosen, found.sequences[:, width:].tolist())):
            cut = next((at + 1 for at, id in enumerate(row) if id in ends), len(row))
            if a.close > 0:
                both = [logits[place].topk(2).values.tolist() for logits in found.logits[:cut]]
                cut = next((at for at, (first, second) in enumerate(both) if first - second <= a.close), cut)
            answers[i] = row[:cut]
    return answers


def losses(model, a):
    """Sum of -ln p over all completions: random ones behind random prompts, in batches."""
    total = 0.0
    for first in range(0, a.completions, a.batch):
        count = min(a.batch, a.completions - first)
        ids = torch.randint(3, 49_152, (count, a.prompt + a.new))
        with torch.inference_mode():
            # Only the completion's rows go through the head.
            logits = model(input_ids=ids, logits_to_keep=a.new + 1, use_cache=False).logits[:, :-1]
            found = torch.nn.functional.cross_entropy(logits.flatten(0, 1).float(), ids[:, a.prompt :].flatten(), reduction="sum")
        total += float(found)
    return total


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--shape", default="135m", choices=SHAPES)
    parser.add_argument("--batch", type=int, default=1)
    parser.add_argument("--completions", type=int)
    parser.add_argument("--prompt", type=int, default=256)
    parser.add_argument("--new", type=int, default=64)
    parser.add_argument("--precision", default="f32", choices=("f32", "bf16"))
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--threads", type=int)
    parser.add_argument("--weights")
    parser.add_argument("--prompts", type=Path)
    parser.add_argument("--ends", default="")
    parser.add_argument("--answers", type=Path)
    parser.add_argument("--close", type=float, default=0)
    a = parser.parse_args()
    if a.threads:
        torch.set_num_threads(a.threads)
    model = load(a, torch.float32 if a.precision == "f32" else torch.bfloat16).eval()
    model.generation_config.eos_token_id = None
    if a.completions:
        start = time.perf_counter()
        nats = losses(model, a)
        seconds = time.perf_counter() - start
        print(json.dumps({
            "side": "transformers", "shape": a.shape, "batch": a.batch, "completions": a.completions, "seconds": [seconds],
            "median_s": seconds, "nats": nats, "peak_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
            "threads": torch.get_num_threads(),
        }))
        return
    ends = [int(id) for id in a.ends.split(",") if id]
    if a.prompts:
        prompts = [json.loads(line) for line in a.prompts.read_text().splitlines()]
    else:
        prompts = torch.randint(3, 49_152, (a.batch, a.prompt)).tolist()
    seconds = []
    for number in range(a.rounds + 1):
        if number == 0 and a.prompts:
            continue
        start = time.perf_counter()
        answers = answer(model, prompts, a, ends)
        if number:
            seconds.append(time.perf_counter() - start)
    if a.answers:
        a.answers.write_text("".join(f"{row}\n" for row in answers))
    median = statistics.median(seconds)
    generated = sum(map(len, answers))
    print(json.dumps({
        "side": "transformers", "shape": a.shape, "batch": a.batch, "precision": a.precision, "prompts": len(prompts),
        "seconds": seconds, "median_s": median, "prompt_tokens": sum(map(len, prompts)), "generated_tokens": generated,
        "tokens_per_s": generated / median, "peak_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        "threads": torch.get_num_threads(),
    }))


if __name__ == "__main__":
    main()
