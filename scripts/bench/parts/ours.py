"""The command lines of `harness eval`, and what its verdicts say."""

import json

from .measure import Command


class Ours:
    """The program under test, started in a folder of its own so that nothing is found there by chance."""

    def __init__(self, program, folder):
        self.program = program
        self.folder = folder

    def dataset(self, kind, files, policies, *more):
        """Predictions of a file of the official kind, paired by position as the official scripts do."""
        words = ["eval", files["predictions"], "--dataset", kind, "--root", files["root"], "--split", "dev"]
        words += ["--by-position", "--policy", ",".join(policies), "--json", *more]
        return Command([self.program, *words], self.folder)

    def pairs(self, rows, root, policies, *more):
        """Rows of database, gold and prediction."""
        words = ["eval", "--pairs", rows, "--root", root, "--policy", ",".join(policies), "--json", *more]
        return Command([self.program, *words], self.folder)


def verdicts(file):
    """The rows of a file of verdicts by their names, without what a clock measured."""
    rows = {}
    for line in file.read_text().splitlines():
        row = json.loads(line)
        row.pop("ms")
        rows[row["id"]] = row
    return rows
