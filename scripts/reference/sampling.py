#!/usr/bin/env python3
"""Tokens that transformers' warpers keep, and their probabilities, which `cargo test` holds the choice of tokens against.

    sampling.py > crates/model/tests/golden/sampling.json

Wants `pip install torch transformers`; the figures in the repository are of torch 2.15.0 and transformers 5.23.0. No two
logits of a row are the same: where the last token of a top-k set is as likely as the next, transformers keeps both and we
keep the lower id.
"""

import json
import sys

import numpy as np
import torch
from transformers import TemperatureLogitsWarper, TopKLogitsWarper, TopPLogitsWarper


def kept(logits, temperature, top_k, top_p):
    scores = torch.tensor([logits], dtype=torch.float64)
    scores = TemperatureLogitsWarper(temperature)(None, scores)
    if top_k is not None:
        scores = TopKLogitsWarper(top_k)(None, scores)
    if top_p < 1.0:
        scores = TopPLogitsWarper(top_p)(None, scores)
    probabilities = torch.softmax(scores, dim=-1)[0]
    ids = torch.isfinite(scores[0]).nonzero()[:, 0].tolist()
    return {"kept": ids, "probabilities": [round(probabilities[i].item(), 12) for i in ids]}


def main():
    random = np.random.default_rng(11)
    rows = []
    for size, spread in [(8, 1.0), (24, 2.5), (40, 0.3), (40, 6.0)]:
        # Thousandths are exact enough as decimals; as f32 they are what the Rust side reads.
        row = random.permutation(np.arange(-4 * size, 4 * size))[:size] * spread / size
        rows.append([float(np.float32(round(x, 3))) for x in row])
        assert len(set(rows[-1])) == size
    cases = []
    for row, logits in enumerate(rows):
        for temperature in [0.3, 1.0, 1.7]:
            for top_k, top_p in [(None, 0.05), (None, 0.5), (None, 0.9), (3, 1.0), (5, 0.7), (20, 0.95), (1000, 0.99)]:
                case = {"row": row, "temperature": temperature, "top_k": top_k, "top_p": top_p}
                cases.append(case | kept(logits, temperature, top_k, top_p))
    text = ",\n".join(json.dumps(case) for case in cases)
    sys.stdout.write(f'{{"logits": {json.dumps(rows)},\n"cases": [\n{text}\n]}}\n')


main()
