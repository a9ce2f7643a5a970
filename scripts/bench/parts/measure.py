"""Whole processes by the clock: what one run took, and runs of two commands in turn.

Wall seconds are from start to end of the process. CPU seconds are user and system time of the process and of all
children that it waited for. The peak is the largest resident set of any single one of these processes, in MiB.
"""

import json
import os
import statistics
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Command:
    """What is run, and where."""

    words: list
    folder: Path
    environment: dict | None = None
    # Exit statuses that are no failure of the benchmark.
    accepted: tuple = (0,)


@dataclass(frozen=True)
class Run:
    """What one run took."""

    wall: float
    cpu: float
    peak: float


def run(command, log):
    """Runs the command once; what it prints goes into the file `log`."""
    told = log.with_suffix(".json")
    launcher = [sys.executable, "-I", "-S", Path(__file__).with_name("launch.py"), told]
    with open(log, "wb") as out:
        subprocess.run(
            [str(word) for word in [*launcher, *command.words]],
            cwd=command.folder,
            env={**os.environ, **(command.environment or {})},
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.STDOUT,
            check=True,
        )
    figures = json.loads(told.read_text())
    status = figures.pop("status")
    if status not in command.accepted:
        tail = log.read_text(errors="replace")[-2000:]
        raise SystemExit(f"{command.words} ended with {status}:\n{tail}")
    return Run(**figures)


def in_turn(commands, rounds, logs, before=lambda name: None):
    """Runs the commands of a dictionary one after the other, `rounds` times, so that a change in what else the machine
    does falls on all of them. One more round goes ahead and is not counted: files are then in memory for all."""
    runs = {name: [] for name in commands}
    for number in range(rounds + 1):
        for name, command in commands.items():
            before(name)
            it = run(command, logs / f"{name}.log")
            if number:
                runs[name].append(it)
    return runs


def spread(values):
    """Median (minimum to maximum)."""
    values = list(values)
    return f"{figure(statistics.median(values))} ({figure(min(values))} to {figure(max(values))})"


def ratios(upper, lower, what):
    """The ratios of the pairs, as `spread` has them."""
    return spread(getattr(a, what) / getattr(b, what) for a, b in zip(upper, lower, strict=True))


def figure(value):
    """Three significant digits without an exponent."""
    return f"{value:.3g}" if value < 1000 else f"{value:.0f}"
