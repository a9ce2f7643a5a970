#!/usr/bin/env python3
"""How fast alignment scores are, as whole processes, beside two peers in Python.

    run.py [--data FOLDER] [--harness PROGRAM] [--rounds N] [--sqlglot PYTHON] [--stream COUNT ...] [--out FILE]

The pair is Spider train against BIRD train, 16,428 queries: both programs read the files and compute all scores, with and
without marks of style. The sides run in turn after one round that is not counted; figures are those of the operating
system for each finished process. `--sqlglot` names a Python that has sqlglot. `--stream` also times the program on so many
generated queries against BIRD dev. Figures that differ from the peer's end it.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[2]


def measured(command):
    """Output, wall seconds, CPU seconds and peak MiB of a process."""
    started = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.PIPE)
    output = process.stdout.read()
    _, status, usage = os.wait4(process.pid, 0)
    wall = time.perf_counter() - started
    if status:
        sys.exit(f"{command[0]} ended with {status}")
    return output, wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024


def compare(ours, theirs):
    for field in ("a_kl", "a_kl_rev", "d_kl", "d_kl_rev", "c", "js", "ovlp_template", "ovlp_ngram"):
        for one, other in ((ours, theirs), (ours["style_free"], theirs["style_free"])):
            if abs(one[field] - other[field]) > 1e-9 * abs(other[field]):
                sys.exit(f"{field}: {one[field]}, the scanner says {other[field]}")


def middle(values):
    return f"{statistics.median(values):.3f} ({min(values):.3f} to {max(values):.3f})"


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--data", type=Path, default=ROOT.parent / "shared" / "data")
    parser.add_argument("--harness", default=str(ROOT / "target" / "release" / "harness"))
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--sqlglot")
    parser.add_argument("--stream", type=int, nargs="*", default=[])
    parser.add_argument("--out", type=Path)
    arguments = parser.parse_args()
    spider, bird = arguments.data / "spider", arguments.data / "bird"
    files = [str(spider / "train_spider.json"), str(bird / "derived" / "train.json")]
    ours = [arguments.harness, "align", "--source", f"spider:train@{spider}", "--target", f"bird:train@{bird}", "--json"]
    sides = {"harness": ours, "scanner": [sys.executable, str(HERE / "scanner.py"), *files, "--style-free"]}
    if arguments.sqlglot:
        sides["sqlglot"] = [arguments.sqlglot, str(HERE / "sqlglot_peer.py"), *files, "--style-free"]
    runs = {name: [] for name in sides}
    for _ in range(arguments.rounds + 1):
        for name, command in sides.items():
            runs[name].append(measured(command))
    compare(json.loads(runs["harness"][0][0]), json.loads(runs["scanner"][0][0]))
    result = {"rounds": arguments.rounds, "sides": {}, "stream": []}
    print("| side | wall, s | CPU, s | peak, MiB | wall by ours | CPU by ours |\n| --- | --- | --- | --- | --- | --- |")
    for name, found in runs.items():
        found = found[1:]
        wall, cpu = [run[1] for run in found], [run[2] for run in found]
        own = runs["harness"][1:]
        by_wall = statistics.median(w / run[1] for w, run in zip(wall, own))
        by_cpu = statistics.median(c / run[2] for c, run in zip(cpu, own))
        peak = max(run[3] for run in found)
        result["sides"][name] = {"wall_s": wall, "cpu_s": cpu, "peak_mib": peak, "wall_ratio": by_wall, "cpu_ratio": by_cpu}
        print(f"| {name} | {middle(wall)} | {middle(cpu)} | {peak:.0f} | {by_wall:.1f} | {by_cpu:.1f} |")
    if arguments.stream:
        print("\n| queries | MiB | wall, s | CPU, s | peak, MiB |\n| --- | --- | --- | --- | --- |")
    for count in arguments.stream:
        with tempfile.NamedTemporaryFile(suffix=".jsonl") as file:
            subprocess.run([sys.executable, str(HERE / "generate.py"), str(count)], stdout=file, check=True)
            command = [arguments.harness, "align", "--source", file.name, "--target", f"bird:dev@{bird}", "--json"]
            size = os.path.getsize(file.name) / 2**20
            _, wall, cpu, peak = measured(command)
        result["stream"].append({"queries": count, "wall_s": wall, "cpu_s": cpu, "peak_mib": peak})
        print(f"| {count:,} | {size:.0f} | {wall:.2f} | {cpu:.2f} | {peak:.0f} |", flush=True)
    if arguments.out:
        arguments.out.write_text(json.dumps(result, indent=1) + "\n")


if __name__ == "__main__":
    main()
