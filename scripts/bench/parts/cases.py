"""What is measured: one function a case. Each takes the `Bench` and adds its lines to the report."""

import json
from dataclasses import replace

from . import bound, generated, inputs, official
from .measure import Command, figure, in_turn, ratios, run
from .ours import Ours, verdicts

SPIDER = ["spider_exec", "spider_exact"]
# The same work as the other side: nothing is known from earlier runs, and golds are not questioned.
SAME = ["--no-cache", "--no-gold-check"]
DAIL = "predictions/spider/DAIL-SQL/DAIL-SQL+GPT-4.txt"
CODES = "predictions/bird/CodeS/predict_dev-codes-7b-bird-with-evidence.json"


class Bench:
    """The folders, the program, and the report so far."""

    def __init__(self, arguments, repository, report):
        self.arguments = arguments
        self.repository = repository
        self.report = report
        self.work = arguments.work
        self.logs = inputs.fresh(self.work / "logs")
        self.ours = Ours(arguments.harness, inputs.fresh(self.work / "empty"))

    def in_turn(self, title, commands, before=lambda name: None):
        """Runs the commands in turn and writes their figures down."""
        runs = in_turn(commands, self.arguments.rounds, self.logs, before)
        self.report.runs(title, runs)
        return runs

    def official(self):
        """The Python of the official scripts; its versions belong into the report."""
        python = official.environment(self.work)
        self.report.note(f"The official side runs on {official.versions(python)}.")
        return python

    def compare(self, title, slow, fast, target):
        """Runs two commands in turn; `target` is how many times less wall time the second one should take. Beside them
        runs ours with its check of golds."""
        checked = replace(fast, words=[word for word in fast.words if word != "--no-gold-check"])
        commands = {"official": slow, "harness": fast, "harness, with its check of golds": checked}
        runs = self.in_turn(title, commands)
        first, second = runs["official"], runs["harness"]
        wall, cpu = ratios(first, second, "wall"), ratios(first, second, "cpu")
        self.report.ratio(f"wall {wall}, CPU {cpu}; wanted: at least {target} in wall time")


def spider(bench):
    """Spider dev, all Spider metrics, nothing cached."""
    files = inputs.spider(bench.arguments.data, bench.work, bench.arguments.data / DAIL)
    python = bench.official()
    official.check(bench.arguments.spider, official.SPIDER)
    slow = official.spider(python, bench.arguments.spider, bench.work, files)
    fast = bench.ours.dataset("spider", files, SPIDER, "--as-script", *SAME)
    bench.compare("Spider dev, 1,034 rows, DAIL-SQL+GPT-4, all Spider metrics, cold", slow, fast, 20)


def bird(bench):
    """BIRD's superhero, the same number of workers on both sides, nothing cached."""
    files = inputs.bird(bench.arguments.data, bench.work, bench.arguments.data / CODES, "superhero")
    python = bench.official()
    official.check(bench.arguments.bird, official.BIRD)
    slow = official.bird(python, bench.arguments.bird, files, 2)
    fast = bench.ours.dataset("bird", files, ["bird_ex"], "--workers", "2", *SAME)
    bench.compare("BIRD superhero, 129 rows, CodeS-7b with evidence, two workers, cold", slow, fast, 2)


def c_program(bench):
    """The queries of Spider dev against a C program that opens the database for each of them."""
    files = inputs.spider(bench.arguments.data, bench.work, bench.arguments.data / DAIL)
    program = bound.build(bench.repository, bench.work)
    queries = inputs.queries(files, bench.work / "queries.tsv")
    one = bench.ours.dataset("spider", files, ["bird_ex"], "--workers", "1", *SAME)
    commands = {
        "C program": Command([program, queries], bench.work),
        "harness": bench.ours.dataset("spider", files, SPIDER, *SAME),
        "harness, one worker, bird_ex": one,
    }
    runs = bench.in_turn("Spider dev, 2,068 queries, opened read-only for each, cold", commands)
    for name in list(commands)[1:]:
        wall, cpu = (ratios(runs[name], runs["C program"], what) for what in ("wall", "cpu"))
        bench.report.ratio(f"{name}: wall {wall}, CPU {cpu} of the C program's; wanted: at most 2")


def cached(bench):
    """Spider dev from the cache, and the file of a golden that takes longest without one."""
    files = inputs.spider(bench.arguments.data, bench.work, bench.arguments.data / DAIL)
    cache = inputs.fresh(bench.work / "cache")
    command = bench.ours.dataset("spider", files, SPIDER, "--as-script", "--cache", cache)
    run(command, bench.logs / "fill.log")
    bench.in_turn("Spider dev, all Spider metrics, from the cache", {"harness": command})
    bench.report.ratio("wanted: at most 0.1 s of wall time")
    cold = {}
    for name, rows in inputs.golden_pairs(bench.arguments.data, bench.arguments.golden, bench.work).items():
        cold[name] = (run(bench.ours.pairs(rows, *policies(bench, name), "--no-cache"), bench.logs / "cold.log"), rows)
    name = max(cold, key=lambda it: cold[it][0].cpu)
    listed = ", ".join(f"{it} {figure(figures.cpu)}" for it, (figures, _) in cold.items())
    bench.report.note(f"CPU seconds of each file with golden verdicts, cold, one run: {listed}.")
    command = bench.ours.pairs(cold[name][1], *policies(bench, name), "--cache", cache)
    run(command, bench.logs / "fill.log")
    commands = {
        "cold": bench.ours.pairs(cold[name][1], *policies(bench, name), "--no-cache"),
        "cached": command,
    }
    runs = bench.in_turn(f"The longest of these ({name}), cold and from the cache", commands)
    bench.report.ratio(f"wall {ratios(runs['cold'], runs['cached'], 'wall')}; wanted: at least 50")


def policies(bench, name):
    """The root and the policies for the pairs of a golden."""
    return bench.arguments.data, SPIDER[:1] if name.startswith("spider") else ["bird_ex"]


def many(bench):
    """Generated rows in growing number: time a row and memory."""
    corpus = generated.corpus(bench.arguments.harness, bench.work)
    for count in (10_000, 30_000, 100_000):
        rows = generated.rows(corpus, count, bench.work / f"rows-{count}.jsonl")
        out = bench.work / "verdicts.jsonl"
        command = bench.ours.pairs(rows, corpus, ["bird_ex", "spider_exec"], "--no-cache", "--verdicts", out)
        once = run(command, bench.logs / "many.log")
        told = len(verdicts(out))
        if told != count:
            raise SystemExit(f"{told} verdicts of {count} rows")
        bench.report.runs(f"{count} generated rows, all different, cold", {"harness": [once]})
        bench.report.ratio(f"{figure(1e6 * once.wall / count)} µs of wall time a row, peak {figure(once.peak)} MiB")
    bench.report.note("Wanted: time in proportion to the rows, memory that does not grow with them.")


def pathological(bench):
    """A thousand good rows with and without one that never ends: what it costs, and whom."""
    corpus = generated.corpus(bench.arguments.harness, bench.work)
    good = generated.rows(corpus, 1000, bench.work / "good.jsonl")
    database = json.loads(good.read_text().splitlines()[0])["db"]
    out = bench.work / "verdicts.jsonl"

    def evaluated(rows, name):
        limits = ["--timeout-seconds", "5", "--no-cache"]
        command = bench.ours.pairs(rows, corpus, ["bird_ex"], *limits, "--verdicts", out)
        return run(command, bench.logs / f"{name}.log"), verdicts(out)

    base, wanted = evaluated(good, "good")
    bench.report.runs("1,000 generated rows, cold, with a limit of 5 s", {"harness": [base]})
    for name, sql in generated.PATHOLOGICAL.items():
        rows = generated.with_one_more(good, database, sql, bench.work / "bad.jsonl")
        figures, found = evaluated(rows, "bad")
        outcome = found.pop("bad")["outcome"]
        changed = sum(found[it] != wanted[it] for it in wanted)
        bench.report.runs(f"the same with one more: {name}", {"harness": [figures]})
        extra = figure(figures.wall - base.wall)
        bench.report.ratio(f"its outcome: {outcome}; {extra} s more; other verdicts changed: {changed}")


CASES = {
    "spider": spider,
    "bird": bird,
    "c": c_program,
    "cached": cached,
    "many": many,
    "pathological": pathological,
}
