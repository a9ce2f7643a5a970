"""Rows without end: a made-up corpus of `harness data synth`, and queries on it that are all different."""

import json
import subprocess

# One a kind: time without end, time in steps that do work, and one enormous value.
PATHOLOGICAL = {
    "endless recursion": "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c) SELECT count(*) FROM c",
    "cross join": "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c WHERE x < 100000) "
    "SELECT count(*) FROM c a, c b, c d WHERE a.x + b.x + d.x = 7",
    "10 GB string": "SELECT replace(hex(zeroblob(100000)), '0', hex(zeroblob(50000)))",
}


def corpus(harness, work):
    """A corpus in Spider's layout with its databases; what is already there is left as it is."""
    folder = work / "synth"
    words = [harness, "data", "synth", "--out", folder, "--corpus", "spider", "--seed", "7"]
    subprocess.run([str(it) for it in words], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return folder / "spider"


def rows(corpus, count, target):
    """So many rows for `--pairs`, from the golds of the corpus over and over. A comment makes every query differ, so
    that none is answered by another's result; every third prediction is the gold of the row after."""
    golds = []
    for name in ("train_spider.json", "dev.json"):
        file = corpus / name
        if file.exists():
            golds += [(row["db_id"], row["query"]) for row in json.loads(file.read_text())]
    with open(target, "w") as out:
        for number in range(count):
            database, gold = golds[number % len(golds)]
            other, predicted = golds[(number + 1) % len(golds)] if number % 3 == 0 else (database, gold)
            if other != database:
                predicted = gold
            row = {
                "name": f"row-{number}",
                "db": database,
                "gold": f"{gold} -- gold {number}",
                "pred": f"{predicted} -- prediction {number}",
            }
            out.write(json.dumps(row) + "\n")
    return target


def with_one_more(good, database, sql, target):
    """The rows with one more in their middle, named `bad`."""
    lines = good.read_text().splitlines()
    row = {"name": "bad", "db": database, "gold": "SELECT 1", "pred": sql}
    lines.insert(len(lines) // 2, json.dumps(row))
    target.write_text("\n".join(lines) + "\n")
    return target
