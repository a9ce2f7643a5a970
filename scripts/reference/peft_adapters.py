#!/usr/bin/env python3
"""Adapters of real PEFT, and what PEFT computes with them and with ours.

    peft_adapters.py make OUT             adapters for the tiny Qwen2 of families.py, as PEFT saves them, with PEFT's logits
    peft_adapters.py check BASE ADAPTER LOGITS     opens an adapter of ours with PEFT and compares logits (JSON: ids, logits)

Wants `pip install torch transformers peft`; the files in the repository are of peft 0.21.2, transformers 5.23.0 and torch
2.15.0 (CPU, f32, eager attention).
"""

import json
import sys
from pathlib import Path

import torch
from peft import LoraConfig, PeftModel, get_peft_model
from transformers import AutoModelForCausalLM

import families

ROWS = [0, 5, 11]
TOKENS = 12

ADAPTERS = {
    "plain": dict(r=3, lora_alpha=6, target_modules=["q_proj", "v_proj", "down_proj"]),
    "rslora": dict(r=4, lora_alpha=5, use_rslora=True, target_modules=["q_proj", "gate_proj"]),
    "patterns": dict(
        r=2, lora_alpha=4, target_modules=["q_proj", "k_proj", "up_proj", "o_proj"],
        rank_pattern={"k_proj": 5, r"layers\.1\..*": 3, "o_proj": 1}, alpha_pattern={"up_proj": 7, r"model\.layers\.2\.self_attn\.q_proj": 1},
    ),
    "expression": dict(r=2, lora_alpha=8, target_modules=r".*\.[12]\.(self_attn\.(q|o)|mlp\.gate)_proj"),
    "layers": dict(
        r=3, lora_alpha=3, target_modules=["q_proj", "v_proj", "up_proj"], exclude_modules=["self_attn.v_proj"],
        layers_to_transform=[0, 2], layers_pattern="layers",
    ),
    "all-linear": dict(r=1, lora_alpha=2, target_modules="all-linear"),
}


def base():
    config_class, model_class, settings = families.MODELS["qwen2-tied"]
    config = config_class(**settings)
    config._attn_implementation = "eager"
    model = model_class(config).eval()
    families.weights(model)
    return model


def logits(model, ids):
    with torch.no_grad():
        return model(torch.tensor([ids]), use_cache=False).logits[0].float()


def make(out):
    ids = [int((h + 1) / 2 * 101) for h in families.hashed("ids", TOKENS)]
    plain = logits(base(), ids)
    for name, settings in ADAPTERS.items():
        model = get_peft_model(base(), LoraConfig(task_type="CAUSAL_LM", **settings)).eval()
        for key, parameter in model.named_parameters():
            if "lora_" in key:
                values = families.hashed(key, parameter.numel()) * 0.25
                parameter.data = torch.from_numpy(values.reshape(parameter.shape))
        folder = out / name
        model.save_pretrained(folder)
        (folder / "README.md").unlink(missing_ok=True)
        found = logits(model, ids)
        document = {"ids": ids, "rows": ROWS, "logits": families.rounded(found[ROWS])}
        (folder / "logits.json").write_text(json.dumps(document) + "\n")
        print(name, "moves logits by", float((found - plain).abs().max() / found.abs().max()))


def check(folder, adapter, figures):
    document = json.loads(Path(figures).read_text())
    model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32, attn_implementation="eager")
    plain = logits(model, document["ids"])
    found = logits(PeftModel.from_pretrained(model, adapter).eval(), document["ids"])
    expected = torch.tensor(document["logits"]).reshape(found.shape)
    error = float((found - expected).abs().max() / expected.abs().max())
    moved = float((found - plain).abs().max() / found.abs().max())
    print(f"the adapter moves logits by {moved:.1e}; difference {error:.1e}")
    if not (error < 1e-5 and moved > 1e-3):
        sys.exit(1)


if __name__ == "__main__":
    if sys.argv[1] == "make":
        make(Path(sys.argv[2]))
    else:
        check(*sys.argv[2:5])
