#!/usr/bin/env python3
"""Losses of completions and vectors of texts by transformers, held against ours.

    completions.py MODEL FIGURES

Wants `pip install torch transformers`. MODEL is a folder that transformers opens. FIGURES is JSON with `pairs` (ids of a prompt
and of its completion), `nats` and `right` of each pair, and of the texts `texts` the vectors `vectors` of layer `layer`.
It prints the largest relative differences, and fails if one is above 1e-5 or a count of likeliest tokens is another.
"""

import json
import sys

import torch
from transformers import AutoModelForCausalLM


def main(folder, figures):
    model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32, attn_implementation="eager").eval()
    with open(figures) as file:
        told = json.load(file)
    worst = {"nats": 0.0, "vectors": 0.0}
    with torch.no_grad():
        for (prompt, completion), nats, right in zip(told["pairs"], told["nats"], told["right"], strict=True):
            if not completion:
                assert (nats, right) == (0, 0)
                continue
            logits = model(torch.tensor([prompt + completion])).logits[0, len(prompt) - 1 : -1].double()
            target = torch.tensor(completion)
            loss = torch.nn.functional.cross_entropy(logits, target, reduction="sum").item()
            worst["nats"] = max(worst["nats"], abs(loss - nats) / loss)
            assert int((logits.argmax(dim=1) == target).sum()) == right
        for text, vector in zip(told["texts"], told["vectors"], strict=True):
            states = model(torch.tensor([text]), output_hidden_states=True).hidden_states[told["layer"]][0]
            mean = states.double().mean(dim=0)
            off = (mean - torch.tensor(vector).double()).abs().max() / mean.abs().max()
            worst["vectors"] = max(worst["vectors"], off.item())
    print(worst)
    sys.exit(max(worst.values()) > 1e-5)


if __name__ == "__main__":
    main(*sys.argv[1:])
