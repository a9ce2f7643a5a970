#!/usr/bin/env python3
"""Greedy answers of transformers to 200 prompts, which `cargo test` holds ours against.

    greedy.py MODEL OUT

Wants `pip install torch transformers`; the figures in the repository are of torch 2.15.0 and transformers 5.23.0 (CPU, f32).
MODEL is a folder in transformers' layout: `harness model merge smollm2-135m-instruct --type f32 --out MODEL`. OUT gets a JSON list of
`prompt` and `ids`: the ids of the answer, up to the end token or 32 of them, or up to the first whose likeliest and second
likeliest logit are within 1e-4, where another order of sums may choose the other.

Prompts are tables, some columns and a question, made from word lists by a fixed seed; neighbours share a schema.
"""

import json
import random
import sys
from pathlib import Path

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

THINGS = "farm boat bridge garden lamp orchard tower violin glacier bakery kite harbour meadow telescope quarry ferry loom beacon mill canal".split()
COLUMNS = "name colour weight price owner city opened height rating length country material score".split()
QUESTIONS = [
    "How many {things} are there?",
    "List the {a} of every {thing}.",
    "What is the average {b} of the {things}?",
    "Which {thing} has the highest {b}?",
    "Show {a} and {b} of all {things}, ordered by {b}.",
    "How many {things} does each {a} have?",
    "What are the distinct values of {a}?",
    "Which {things} have a {b} above 10?",
    "Find the {a} of the {thing} with the lowest {b}.",
    "How many {things} have no {a}?",
]
LONGEST = 32
APART = 1e-4


def prompts():
    draw = random.Random(17)
    for thing in THINGS:
        columns = draw.sample(COLUMNS, 5)
        kinds = [draw.choice(("TEXT", "INTEGER", "REAL")) for _ in columns]
        rows = ",\n".join(f"  {column} {kind}" for column, kind in zip(columns, kinds))
        schema = f"CREATE TABLE {thing} (\n  id INTEGER PRIMARY KEY,\n{rows}\n);\n"
        for question in QUESTIONS:
            a, b = draw.sample(columns, 2)
            yield f"{schema}-- {question.format(thing=thing, things=thing + 's', a=a, b=b)}\nSELECT"


def main():
    folder, out = sys.argv[1:]
    tokenizer = AutoTokenizer.from_pretrained(folder)
    model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32).eval()
    end = 2
    found = []
    for prompt in prompts():
        ids = tokenizer(prompt, add_special_tokens=False, return_tensors="pt").input_ids
        with torch.inference_mode():
            answer = model.generate(
                input_ids=ids, attention_mask=torch.ones_like(ids), do_sample=False, max_new_tokens=LONGEST, eos_token_id=end,
                pad_token_id=end, output_logits=True, return_dict_in_generate=True,
            )
        tokens = answer.sequences[0, ids.shape[1] :].tolist()
        kept = []
        for token, logits in zip(tokens, answer.logits, strict=True):
            first, second = logits[0].topk(2).values.tolist()
            if first - second <= APART:
                break
            kept.append(token)
        found.append({"prompt": prompt, "ids": kept})
    lines = ",\n".join(json.dumps(row) for row in found)
    Path(out).write_text(f"[\n{lines}\n]\n")
    print(f"{len(found)} prompts, {sum(len(row['ids']) for row in found)} ids")


if __name__ == "__main__":
    main()
