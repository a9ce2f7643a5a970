#!/usr/bin/env python3
"""Greedy answers and log-probabilities of `harness` and of transformers in turn, as whole processes; with a GGUF file also the
speed on its codes beside llama.cpp's.

    run.py --peer PYTHON [--rounds N] [--weights FOLDER --prompts FILE] [--gguf FILE] [--only NAME] [--out FILE]

`setup` makes PYTHON. Each round runs every task on both sides: greedy answers to random prompts alone and eight at
a time, log-probabilities of given completions, and, with a checkpoint (`harness model merge smollm2-135m-instruct --out FOLDER`)
and `prompts.py`'s file, all questions of five databases. Ratios are of neighbours in a round: the peer's seconds by ours. Build
first: `cargo bench -p harness-model --bench generate --profile release --no-run`.
"""

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[2]
# Ends of an answer in the vocabulary of SmolLM2: the end token, and a semicolon with and without a space.
ENDS = "2,43,8544"


def program():
    """The newest built benchmark."""
    found = [p for p in (ROOT / "target" / "release" / "deps").glob("generate-*") if p.suffix == ""]
    if not found:
        sys.exit("build first: cargo bench -p harness-model --bench generate --profile release --no-run")
    return str(max(found, key=lambda p: p.stat().st_mtime))


def run(command):
    """The line of JSON that a side prints."""
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"{' '.join(command)}: {done.stderr[-2000:]}")
    return json.loads(done.stdout.strip().splitlines()[-1])


def codes(gguf, peer, rounds):
    """Prefill and decoding of one prompt on the codes of a file, both sides in turn."""
    own = ["--weights", gguf, "--base", "codes", "--prompt", "256", "--rounds", "3"]
    # Laid out anew the file's weights are faster, where the library does not crash on this processor.
    theirs = [peer, str(HERE / "llama.py"), "--gguf", gguf]
    plain = subprocess.run(theirs, capture_output=True).returncode != 0
    theirs += ["--plain"] if plain else []
    found = []
    for number in range(rounds):
        first = run([program(), *own, "--new", "1"])["median_s"]
        whole = run([program(), *own, "--new", "65"])
        ours = {"prefill_tokens_per_s": 256 / first, "decode_tokens_per_s": 64 / (whole["median_s"] - first), "peak_mib": whole["peak_mib"]}
        found.append({"harness": ours, "llama.cpp": run(theirs)})
        print(f"round {number + 1}: codes: {found[-1]}", file=sys.stderr, flush=True)
    print(f"\n| on the codes of a file | harness, tokens/s | llama.cpp{', as in the file' if plain else ''}, tokens/s | times as fast |")
    print("| --- | --- | --- | --- |")
    for name in ("prefill", "decode"):
        both = [[pair[side][f"{name}_tokens_per_s"] for pair in found] for side in ("harness", "llama.cpp")]
        ratios = [a / b for a, b in zip(*both)]
        times = f"{statistics.median(ratios):.2f} ({min(ratios):.2f} to {max(ratios):.2f})"
        print(f"| {name}, 1 at a time | {statistics.median(both[0]):.1f} | {statistics.median(both[1]):.1f} | {times} |")
    return found


def both_answers(folder):
    """The answers of both sides, in pairs."""
    ours, theirs = ((folder / name).read_text().splitlines() for name in ("harness", "transformers"))
    return [(json.loads(a), json.loads(b)) for a, b in zip(ours, theirs, strict=True)]


def check(common, peer):
    """Whether the answers to real prompts are the same but for what two close logits allow."""
    with tempfile.TemporaryDirectory() as folder:
        run([program(), *common, "--batch", "16", "--answers", f"{folder}/harness"])
        run([peer, str(HERE / "peer.py"), *common, "--batch", "1", "--close", "1e-4", "--answers", f"{folder}/transformers"])
        pairs = both_answers(Path(folder))
    unlike = [place for place, (ours, theirs) in enumerate(pairs) if ours[: len(theirs)] != theirs]
    print(f"{len(pairs)} prompts, {sum(len(theirs) for _, theirs in pairs)} ids up to two logits within 1e-4; unlike: {unlike or 'none'}")
    sys.exit(1 if unlike else 0)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--peer", required=True)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--weights")
    parser.add_argument("--prompts")
    parser.add_argument("--gguf")
    parser.add_argument("--check", action="store_true", help="compare answers, time nothing")
    parser.add_argument("--only")
    parser.add_argument("--out", type=Path)
    a = parser.parse_args()
    # The peer batches log-probabilities in eights, its fastest of 1, 4, 8 and 16.
    tasks = {
        "greedy, 256 + 64 tokens, 1 at a time": (["--batch", "1", "--rounds", "3"], ["--batch", "1", "--rounds", "3"]),
        "greedy, 256 + 64 tokens, 8 at a time": (["--batch", "8", "--rounds", "3"], ["--batch", "8", "--rounds", "3"]),
        "log-probabilities, 200 of 256 + 64": (["--completions", "200"], ["--completions", "200", "--batch", "8"]),
    }
    if a.weights and a.prompts:
        common = ["--weights", a.weights, "--prompts", a.prompts, "--ends", ENDS, "--new", "64"]
        if a.check:
            check(common, a.peer)
        tasks["questions of five databases"] = ([*common, "--batch", "16"], [*common, "--batch", "8"])
    if a.only:
        # The codes have a table of their own.
        tasks = {name: both for name, both in tasks.items() if a.only in name}
    found = {name: [] for name in tasks}
    for number in range(a.rounds):
        for name, (own, peer) in tasks.items():
            with tempfile.TemporaryDirectory() as folder:
                answers = [["--answers", f"{folder}/{side}"] if "--prompts" in own else [] for side in ("harness", "transformers")]
                ours = run([program(), *own, *answers[0]])
                theirs = run([a.peer, str(HERE / "peer.py"), *peer, *answers[1]])
                pair = {"harness": ours, "transformers": theirs}
                if "--prompts" in own:
                    pair["unlike"] = sum(a != b for a, b in both_answers(Path(folder)))
            found[name].append(pair)
            print(f"round {number + 1}: {name}: {ours['median_s']:.2f} s, {theirs['median_s']:.2f} s", file=sys.stderr, flush=True)
    if found:
        print("| task | harness, s | transformers, s | times as fast | peak, MiB | peak of the other |")
        print("| --- | --- | --- | --- | --- | --- |")
    for name, pairs in found.items():
        ours, theirs = ([pair[side]["median_s"] for pair in pairs] for side in ("harness", "transformers"))
        ratios = [b / a for a, b in zip(ours, theirs)]
        peaks = [max(pair[side]["peak_mib"] for pair in pairs) for side in ("harness", "transformers")]
        times = f"{statistics.median(ratios):.2f} ({min(ratios):.2f} to {max(ratios):.2f})"
        print(f"| {name} | {statistics.median(ours):.2f} | {statistics.median(theirs):.2f} | {times} | {peaks[0]:.0f} | {peaks[1]:.0f} |")
        if "unlike" in pairs[0]:
            print(f"{name}: {pairs[0]['unlike']} of {pairs[0]['harness']['prompts']} answers differ")
    if a.gguf and (not a.only or a.only in "codes"):
        found["codes"] = codes(a.gguf, a.peer, a.rounds)
    if a.out:
        a.out.write_text(json.dumps(found, indent=1) + "\n")


if __name__ == "__main__":
    main()
