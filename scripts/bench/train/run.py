#!/usr/bin/env python3
"""LoRA steps of `harness` and of PyTorch + PEFT in turn, as whole processes.

    run.py --peer PYTHON [--rounds N] [--steps N] [--shape S] [--batch N] [--length N] [--trained N] [--rank N] [--out FILE]

PYTHON has torch, transformers and peft. Each round runs every side once: ours in f32 and bf16, the peer in f32 and in bf16
(base in bfloat16, autocast). Ratios are of neighbours in a round: the peer's median step by ours. Build first:
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


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--peer", required=True)
    parser.add_argument("--rounds", type=int, default=3)
    for name, default in (("steps", 20), ("shape", "135m"), ("batch", 4), ("length", 256), ("trained", None), ("rank", 16)):
        parser.add_argument(f"--{name}", default=default)
    parser.add_argument("--out", type=Path)
    a = parser.parse_args()
    options = []
    for name in ("steps", "shape", "batch", "length", "trained", "rank"):
        if getattr(a, name) is not None:
            options += [f"--{name}", str(getattr(a, name))]
    own, peer = program(), [a.peer, str(HERE / "peer.py")]
    sides = {
        "harness f32": [own, *options, "--precision", "f32"],
        "pytorch f32": [*peer, *options, "--precision", "f32"],
        "harness bf16": [own, *options, "--precision", "bf16"],
        "pytorch bf16": [*peer, *options, "--precision", "bf16"],
    }
    runs = {name: [] for name in sides}
    for number in range(a.rounds):
        for name, command in sides.items():
            done = subprocess.run(command, capture_output=True, text=True)
            if done.returncode:
                sys.exit(f"{name}: {done.stderr[-2000:]}")
            runs[name].append(json.loads(done.stdout.strip().splitlines()[-1]))
            print(f"round {number + 1}: {name} {runs[name][-1]['median_s']:.2f} s", file=sys.stderr, flush=True)
    print("| side | step, s (median of medians; least to most) | tokens/s | peak, MiB | share of products |\n| --- | --- | --- | --- | --- |")
    for name, found in runs.items():
        medians = [run["median_s"] for run in found]
        middle = statistics.median(medians)
        share = f"{100 * statistics.median(run['share'] for run in found):.0f} %" if "share" in found[0] else ""
        tokens = statistics.median(run["tokens_per_s"] for run in found)
        peak = max(run["peak_mib"] for run in found)
        print(f"| {name} | {middle:.2f} ({min(medians):.2f} to {max(medians):.2f}) | {tokens:.0f} | {peak:.0f} | {share} |")
    for kind in ("f32", "bf16"):
        ratios = [p["median_s"] / h["median_s"] for p, h in zip(runs[f"pytorch {kind}"], runs[f"harness {kind}"])]
        memory = max(r["peak_mib"] for r in runs[f"harness {kind}"]) / max(r["peak_mib"] for r in runs[f"pytorch {kind}"])
        print(f"{kind}: {statistics.median(ratios):.2f} times the peer's speed ({min(ratios):.2f} to {max(ratios):.2f}), {memory:.2f} of its memory")
    if a.out:
        a.out.write_text(json.dumps(runs, indent=1) + "\n")


if __name__ == "__main__":
    main()
