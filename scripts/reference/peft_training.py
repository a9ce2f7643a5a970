#!/usr/bin/env python3
"""Twenty steps of training by torch and PEFT on tiny random models, which `cargo test` holds our trainer against.

    peft_training.py OUT

Wants `pip install torch transformers peft`; the figures in the repository are of torch 2.15.0, transformers 5.23.0 and
PEFT 0.21.2 (CPU). For each case OUT gets CASE.json (the model's `config.json`, names and shapes of its tensors, the adapter's
and the trainer's settings, and for f64 and f32 the loss and the gradient norm before clipping of every step) and
CASE.f64.safetensors and CASE.f32.safetensors (the adapter after the last step; in the case without one all weights).

Weights and first adapters are not stored: they follow the rule of `families.py`, which the Rust side computes too (a matrix A
with spread 1/4, a matrix B with 1/16). So do prompts and completions, by hashes of their names. The loss of a step is the mean
over the tokens of its completions; gradients are clipped to a global norm; the optimiser is `torch.optim.AdamW`, which decays
matrices only; the rate of a step is the formula of `crates/train/src/schedule.rs`. The examples of a step are those that our order draws for seed 3.

transformers rounds to f32 in three places whatever the type of the model: the norms, the rotary tables, and the loss. For f64
they are replaced by the same formulas without the rounding; the rotary angle itself stays rounded to f32, as models were
trained with it. The f32 runs are the library's own code, and show that the replacements mean the same.
"""

import json
import math
import sys
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from families import SPREAD, hashed, rope, shape, weights
from peft import LoraConfig, get_peft_model
from safetensors.torch import save_file
from transformers import LlamaConfig, LlamaForCausalLM, Qwen2Config, Qwen2ForCausalLM, Qwen3Config, Qwen3ForCausalLM

TARGETS = ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"]
TRAINER = dict(
    steps=20, learning_rate=5e-3, warmup_steps=3, betas=[0.9, 0.95], eps=1e-8, weight_decay=0.1, max_grad_norm=1.0,
    batch_size=4, seed=3,
)
# Ten examples of different lengths, in the order of `harness_train::order::step_examples` for seed 3.
LENGTHS = [(7, 5), (1, 9), (12, 3), (4, 4), (9, 8), (3, 1), (15, 6), (2, 12), (6, 2), (10, 7)]
ORDER = [
    [1, 8, 2, 6], [0, 9, 7, 4], [3, 5], [1, 2, 6, 0], [4, 5, 3, 9], [8, 7], [4, 6, 0, 7], [9, 5, 8, 3], [1, 2],
    [5, 3, 8, 4], [2, 7, 6, 0], [9, 1], [7, 6, 8, 4], [9, 0, 3, 5], [2, 1], [9, 0, 5, 2], [8, 1, 6, 3], [4, 7],
    [7, 1, 9, 8], [0, 2, 3, 5],
]

CASES = {
    "llama": (LlamaConfig, LlamaForCausalLM, dict(rope_parameters=rope(1e4)), dict(r=4, alpha=8.0)),
    "llama-tied-rslora": (
        LlamaConfig, LlamaForCausalLM, dict(tie_word_embeddings=True, num_key_value_heads=1, rope_parameters=rope(1e5)),
        dict(r=3, alpha=4.0, rslora=True),
    ),
    "qwen2": (
        Qwen2Config, Qwen2ForCausalLM, dict(tie_word_embeddings=True, rms_norm_eps=1e-6, rope_parameters=rope(1e6)),
        dict(r=4, alpha=8.0),
    ),
    "qwen3-plus": (
        Qwen3Config, Qwen3ForCausalLM, dict(head_dim=12, rope_parameters=rope(1e6)), dict(r=4, alpha=8.0, plus_ratio=4.0),
    ),
    "qwen2-full": (
        Qwen2Config, Qwen2ForCausalLM,
        dict(
            vocab_size=67, hidden_size=16, intermediate_size=24, tie_word_embeddings=True, rms_norm_eps=1e-6,
            rope_parameters=rope(1e4),
        ),
        None,
    ),
}


def frequencies(config, head_dim):
    """Of the rotary positions, computed in f64 and rounded to f32 once; transformers computes in f32, some roundings apart."""
    powers = np.arange(0, head_dim, 2, dtype=np.float64) / head_dim
    return torch.from_numpy((1.0 / config.rope_parameters["rope_theta"] ** powers).astype(np.float32))


def without_rounding(model):
    """Replaces what is hardwired to f32 in a model that is f64."""

    def norm(self, x):
        return self.weight * x * torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + self.variance_epsilon)

    def rotary(self, x, position_ids):
        angles = position_ids[..., None].float() * self.frequencies
        angles = torch.cat((angles, angles), dim=-1).double()
        return angles.cos(), angles.sin()

    for module in model.modules():
        kind = type(module)
        if kind.__name__.endswith("RMSNorm"):
            module.forward = norm.__get__(module, kind)
        elif kind.__name__.endswith("RotaryEmbedding"):
            module.forward = rotary.__get__(module, kind)


def adapted(model, lora):
    """The model with an adapter."""
    return get_peft_model(model, LoraConfig(
        r=lora["r"], lora_alpha=lora["alpha"], use_rslora=lora.get("rslora", False), lora_dropout=0.0, target_modules=TARGETS,
        task_type="CAUSAL_LM",
    ))


def first_adapter(model):
    """The variables of the adapter, filled by the rule; names as PEFT stores them."""
    found = {}
    for name, variable in model.named_parameters():
        if not variable.requires_grad:
            continue
        name = name.replace(".default.", ".")
        values = hashed(name, variable.numel()) * np.float32(0.25 if "lora_A" in name else 0.0625)
        with torch.no_grad():
            variable.copy_(torch.from_numpy(values.reshape(variable.shape)))
        found[name] = variable
    return found


def examples(vocabulary):
    def draw(name, count):
        return [int((h + 1) / 2 * vocabulary) for h in hashed(name, count)]

    return [
        {"prompt": draw(f"prompt {i}", p), "completion": draw(f"completion {i}", c)} for i, (p, c) in enumerate(LENGTHS)
    ]


def rate(step):
    peak, warm, total = TRAINER["learning_rate"], TRAINER["warmup_steps"], TRAINER["steps"]
    if step < warm:
        return peak * (step + 1) / (warm + 1)
    return peak * 0.5 * (1 + math.cos(math.pi * (step - warm) / (total - warm)))


def groups(variables, plus_ratio):
    """For the optimiser: what decays, and what has another rate."""
    found = {}
    for name, variable in variables.items():
        decay = TRAINER["weight_decay"] if variable.dim() > 1 else 0.0
        ratio = plus_ratio if "lora_B" in name else 1.0
        found.setdefault((decay, ratio), []).append(variable)
    return [{"params": group, "weight_decay": decay, "ratio": ratio} for (decay, ratio), group in found.items()]


def train(model, data, variables, plus_ratio):
    """Losses and gradient norms of all steps; `variables` are trained in place."""
    optimizer = torch.optim.AdamW(
        groups(variables, plus_ratio), lr=TRAINER["learning_rate"], betas=tuple(TRAINER["betas"]), eps=TRAINER["eps"],
    )
    losses, norms = [], []
    for step, chosen in enumerate(ORDER):
        batch = [data[i] for i in chosen]
        longest = max(len(e["prompt"]) + len(e["completion"]) for e in batch)
        ids, labels, seen = [], [], []
        for e in batch:
            length = len(e["prompt"]) + len(e["completion"])
            pad = longest - length
            ids.append(e["prompt"] + e["completion"] + [0] * pad)
            labels.append([-100] * len(e["prompt"]) + e["completion"] + [-100] * pad)
            seen.append([1] * length + [0] * pad)
        logits = model(input_ids=torch.tensor(ids), attention_mask=torch.tensor(seen), use_cache=False).logits
        targets = torch.tensor(labels)[:, 1:]
        loss = F.cross_entropy(logits[:, :-1].flatten(0, 1), targets.flatten(), ignore_index=-100)
        optimizer.zero_grad()
        loss.backward()
        norm = torch.nn.utils.clip_grad_norm_(list(variables.values()), TRAINER["max_grad_norm"])
        for group in optimizer.param_groups:
            group["lr"] = rate(step) * group["ratio"]
        optimizer.step()
        losses.append(loss.item())
        norms.append(norm.item())
    return losses, norms


def main():
    out = Path(sys.argv[1])
    torch.set_num_threads(1)
    for case, (config_class, model_class, settings, lora) in CASES.items():
        config = config_class(**shape(num_hidden_layers=2, **settings))
        told = config.to_dict()
        told["architectures"] = [model_class.__name__]
        data = examples(config.vocab_size)
        document = {"config": told, "spread": SPREAD, "lora": lora, "trainer": TRAINER, "order": ORDER, "examples": data}
        for dtype in (torch.float64, torch.float32):
            name = str(dtype).replace("torch.float", "f")
            config = config_class(**shape(num_hidden_layers=2, **settings))
            config._attn_implementation = "sdpa" if dtype == torch.float64 else "eager"
            model = model_class(config)
            weights(model)
            document["tensors"] = {
                n: list(t.shape) for n, t in model.state_dict().items()
                if not (config.tie_word_embeddings and n == "lm_head.weight")
            }
            rotary = model.model.rotary_emb
            exact = frequencies(config, 2 * len(rotary.inv_freq))
            assert torch.allclose(rotary.inv_freq, exact, rtol=1e-6, atol=0)
            rotary.register_buffer("inv_freq", exact)
            if lora is not None:
                model = adapted(model, lora)
            model = model.to(dtype).train()
            if dtype == torch.float64:
                rotary.frequencies = exact
                without_rounding(model)
            trained = dict(model.named_parameters()) if lora is None else first_adapter(model)
            assert all(v.dtype == dtype for v in trained.values())
            losses, norms = train(model, data, trained, (lora or {}).get("plus_ratio", 1.0))
            document[name] = {"losses": losses, "gradient_norms": norms}
            stored = {n: v.detach().contiguous() for n, v in trained.items()}
            save_file(stored, out / f"{case}.{name}.safetensors")
        (out / f"{case}.json").write_text(json.dumps(document) + "\n")
        apart = max(abs(a - b) for a, b in zip(document["f64"]["losses"], document["f32"]["losses"]))
        assert apart < 1e-4, apart
        print(case, document["f64"]["losses"][0], "->", document["f64"]["losses"][-1], "f32 apart", apart,
              "norms", document["f64"]["gradient_norms"][0], document["f64"]["gradient_norms"][-1])


if __name__ == "__main__":
    main()
