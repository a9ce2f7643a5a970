#!/usr/bin/env python3
"""What other programs make of our exports: an adapter of real PEFT is merged by `harness`, and the logits of what comes out
are compared with those of PEFT itself.

    exports.py MODEL [--harness PROGRAM] [--work FOLDER]

Wants `pip install torch transformers peft gguf`, and `llama-cpp-python` for the last line, which is left out without it.
MODEL is anything that `harness model merge` takes. Differences are shares of the largest logit.
"""

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import torch
from peft import LoraConfig, get_peft_model
from transformers import AutoModelForCausalLM, AutoTokenizer

TEXT = "CREATE TABLE singer (singer_id int, name text, age int);\n-- How many singers are older than 30?\nSELECT count(*)"


def logits(model, ids):
    with torch.no_grad():
        return model(torch.tensor([ids])).logits[0].float().numpy()


def report(what, expected, found, tolerance):
    error = float(np.abs(expected - found).max() / np.abs(expected).max())
    same = float((expected.argmax(-1) == found.argmax(-1)).mean())
    print(f"{what:42} difference {error:.1e}, same likeliest token after {100 * same:.0f} %", flush=True)
    if not error < tolerance:
        sys.exit(f"{what}: more than {tolerance}")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("model")
    parser.add_argument("--harness", default="target/release/harness")
    parser.add_argument("--work", type=Path)
    arguments = parser.parse_args()
    # Without a folder of the caller's nothing is left behind.
    temporary = None if arguments.work else tempfile.TemporaryDirectory()
    work = arguments.work or Path(temporary.name)

    def harness(*words):
        subprocess.run([arguments.harness, "model", *map(str, words)], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    harness("merge", arguments.model, "--type", "f32", "--out", work / "base")
    tokenizer = AutoTokenizer.from_pretrained(work / "base")
    ids = tokenizer(TEXT)["input_ids"]
    print(len(ids), "tokens")
    torch.manual_seed(0)
    base = AutoModelForCausalLM.from_pretrained(work / "base", dtype=torch.float32)
    modules = ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"]
    adapted = get_peft_model(base, LoraConfig(r=8, lora_alpha=16, target_modules=modules, task_type="CAUSAL_LM")).eval()
    for name, parameter in adapted.named_parameters():
        if "lora_B" in name:
            torch.nn.init.normal_(parameter, std=0.01)
    adapted.save_pretrained(work / "adapter")
    expected = logits(adapted, ids)
    with adapted.disable_adapter():
        plain = logits(adapted, ids)
    print(f"the adapter moves logits by {np.abs(plain - expected).max() / np.abs(expected).max():.1e}")

    harness("merge", arguments.model, "--adapter", work / "adapter", "--type", "f32", "--out", work / "merged")
    merged = AutoModelForCausalLM.from_pretrained(work / "merged", dtype=torch.float32).eval()
    report("merged folder in transformers, f32", expected, logits(merged, ids), 1e-5)
    assert AutoTokenizer.from_pretrained(work / "merged")(TEXT)["input_ids"] == ids
    for kind, tolerance in (("f32", 1e-5), ("f16", 1e-2), ("q8_0", 0.2)):
        file = f"merged.{kind}.gguf"
        harness("export", arguments.model, "--adapter", work / "adapter", "--type", kind, "--out", work / file)
        opened = AutoModelForCausalLM.from_pretrained(work, gguf_file=file, dtype=torch.float32).eval()
        report(f"GGUF {kind} in transformers", expected, logits(opened, ids), tolerance)
        vocabulary = AutoTokenizer.from_pretrained(work, gguf_file=file)
        if vocabulary(TEXT, add_special_tokens=False)["input_ids"] != tokenizer(TEXT, add_special_tokens=False)["input_ids"]:
            print("   transformers' own reading of the GGUF vocabulary cuts the text another way")
    try:
        from llama_cpp import Llama
    except ImportError:
        print("llama-cpp-python is not there: GGUF files are not opened with it")
        return
    for kind, tolerance in (("f32", 0.05), ("f16", 0.05), ("q8_0", 0.2)):
        llama = Llama(str(work / f"merged.{kind}.gguf"), n_ctx=256, logits_all=True, verbose=False)
        own = llama.tokenize(TEXT.encode(), add_bos=False, special=True)
        if own != tokenizer(TEXT, add_special_tokens=False)["input_ids"]:
            sys.exit(f"llama.cpp cuts the text into {own}")
        llama.eval(ids)
        report(f"GGUF {kind} in llama.cpp", expected, np.array(llama.scores[: len(ids)]), tolerance)


if __name__ == "__main__":
    main()
