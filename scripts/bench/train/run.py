#!/usr/bin/env python3
"""LoRA steps of `harness` and of PyTorch + PEFT in turn, as whole processes.

    run.py --peer PYTHON [--rounds N] [--steps N] [--shape S] [--batch N] [--length N] [--trained N] [--rank N] [--out FILE]
    run.py --scaling [--steps N] [--out FILE]

PYTHON has torch, transformers and peft. Each round runs every side once: ours in f32, in bf16, and in bf16 with the base in four
bits and activations computed again; the peer in f32, in bf16 (base in bfloat16, autocast) and in bf16 alone. Ratios are of
neighbours in a round: the peer's median step by ours, the better of the peer's two for bf16. `--scaling` runs ours alone,
over lengths, batches, ranks and shapes. Build first:
`cargo bench -p harness-train --profile release --no-run`.
"""

import argparse
import json
import statistics
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[2]


def program():
    """The newest built benchmark."""
    found = [p for p in (ROOT / "target" / "release" / "deps").glob("step-*") if p.suffix == ""]
    if not found:
        sys.exit("build first: cargo bench -p harness-train --profile release --no-run")
    return str(max(found, key=lambda p: p.stat().st_mtime))


def run(command):
    """The line of JSON that a side prints."""
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"{' '.join(command)}: {done.stderr[-2000:]}")
    return json.loads(done.stdout.strip().splitlines()[-1])


def scaling(steps, out):
    """Ours alone, one setting away from the usual one at a time."""
    settings = [("135m", 4, 256, 16, p) for p in ("f32", "bf16")]
    settings += [("135m", 1024 // length or 1, length, 16, "bf16") for length in (128, 512, 1024, 2048)]
    settings += [("135m", batch, 256, 16, "bf16") for batch in (1, 2, 8)]
    settings += [("135m", 4, 256, rank, "bf16") for rank in (4, 64)]
    settings += [("0.5b", 4, 256, 16, p) for p in ("f32", "bf16")]
    settings += [("1.5b", 4, 256, 16, "bf16")]
    found = []
    print("| shape | sequences x tokens | rank | precision | step, s | tokens/s | peak, MiB | share of products, of vectors' |")
    print("| --- | --- | --- | --- | --- | --- | --- | --- |")
    for shape, batch, length, rank, precision in settings:
        options = ["--shape", shape, "--batch", batch, "--length", length, "--rank", rank, "--precision", precision, "--steps", steps]
        it = run([program(), *map(str, options)])
        found.append(it)
        share = f"{100 * it['share']:.0f} %, {100 * it['vector_share']:.0f} %"
        size = f"{batch} x {length}"
        print(f"| {shape} | {size} | {rank} | {precision} | {it['median_s']:.2f} | {it['tokens_per_s']:.0f} | {it['peak_mib']:.0f} | {share} |", flush=True)
    if out:
        out.write_text(json.dumps(found, indent=1) + "\n")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--peer")
    parser.add_argument("--scaling", action="store_true")
    parser.add_argument("--rounds", type=int, default=3)
    for name, default in (("steps", 20), ("shape", "135m"), ("batch", 4), ("length", 256), ("trained", None), ("rank", 16)):
        parser.add_argument(f"--{name}", default=default)
    parser.add_argument("--out", type=Path)
    a = parser.parse_args()
    options = []
    for name in ("steps", "shape", "batch", "length", "trained", "rank"):
        if getattr(a, name) is not None:
            options += [f"--{name}", str(getattr(a, name))]
    if a.scaling:
        return scaling(a.steps, a.out)
    if not a.peer:
        sys.exit("--peer PYTHON: one that has torch, transformers and peft")
    own, peer = program(), [a.peer, str(HERE / "peer.py")]
    sides = {
        "harness f32": [own, *options, "--precision", "f32"],
        "pytorch f32": [*peer, *options, "--precision", "f32"],
        "harness bf16": [own, *options, "--precision", "bf16"],
        "pytorch bf16": [*peer, *options, "--precision", "bf16"],
        "pytorch bf16-pure": [*peer, *options, "--precision", "bf16-pure"],
        "harness nf4": [own, *options, "--precision", "bf16", "--base", "nf4", "--recompute", "yes"],
    }
    runs = {name: [] for name in sides}
    for number in range(a.rounds):
        for name, command in sides.items():
            runs[name].append(run(command))
            print(f"round {number + 1}: {name} {runs[name][-1]['median_s']:.2f} s", file=sys.stderr, flush=True)
    print("| side | step, s (median of medians; least to most) | tokens/s | peak, MiB | share of products, of vectors' |")
    print("| --- | --- | --- | --- | --- |")
    for name, found in runs.items():
        medians = [it["median_s"] for it in found]
        share = ""
        if "share" in found[0]:
            share = ", ".join(f"{100 * statistics.median(it[key] for it in found):.0f} %" for key in ("share", "vector_share"))
        tokens = statistics.median(it["tokens_per_s"] for it in found)
        peak = max(it["peak_mib"] for it in found)
        middle = statistics.median(medians)
        print(f"| {name} | {middle:.2f} ({min(medians):.2f} to {max(medians):.2f}) | {tokens:.0f} | {peak:.0f} | {share} |")
    best = min(("pytorch bf16", "pytorch bf16-pure"), key=lambda name: statistics.median(it["median_s"] for it in runs[name]))
    for own, other in (("harness f32", "pytorch f32"), ("harness bf16", best), ("harness nf4", best)):
        ratios = [p["median_s"] / h["median_s"] for p, h in zip(runs[other], runs[own])]
        memory = max(it["peak_mib"] for it in runs[own]) / max(it["peak_mib"] for it in runs[other])
        middle = statistics.median(ratios)
        print(f"{own}: {middle:.2f} times the speed of {other} ({min(ratios):.2f} to {max(ratios):.2f}), {memory:.2f} of its memory")
    if a.out:
        a.out.write_text(json.dumps(runs, indent=1) + "\n")


if __name__ == "__main__":
    main()
