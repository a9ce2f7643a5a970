"""What Spider's official script says of pairs of queries: exact set match and hardness.

    python scripts/reference/spider_exact.py CHECKOUT TABLES [--mutate COUNT --seed N] < PAIRS > VERDICTS

CHECKOUT is a checkout of taoyds/spider at b7b5b8c, which is imported as it is; nltk 3.10.4 with its data `punkt_tab` has
to be there. TABLES is a file in the layout of Spider's tables.json. PAIRS has rows of `db`, `gold` and `pred`; VERDICTS
has them again with

    exact     1 or 0; null if the gold query can't be read, "crash" if the script would end at this pair
    hardness  of the gold query; null if there is none
    read      whether the prediction can be read

With --mutate, COUNT pairs are made from those given, by small changes to the words of one or both queries, and judged.
Most of those whose gold query can't be read any more are dropped.

In `crates/eval/tests/data/spider_exact`, `mutations.jsonl` was made from `pairs.jsonl` with --mutate 600 --seed 1.
"""

import argparse
import json
import random
import re
import sys

WORDS = """ select distinct from where group by having order asc desc limit join on as and or not in like between is
exists intersect union except all max min count sum avg none * ( ) , ; . = != > < >= <= ! + - / -- : , 1 2.5 0.5 1. -3
1_000 inf 'x' "y" ' ` a.b t1 t1.* select from """.split()


def mutate(rng, sql, others):
    """The query with a few of its words dropped, doubled, exchanged, replaced, joined or taken from another query."""
    words = re.findall(r"'[^']*'|\"[^\"]*\"|[\w.]+|[<>!]=|\S", sql)
    for _ in range(rng.choice((1, 1, 1, 2, 3))):
        if not words:
            break
        at = rng.randrange(len(words))
        other = rng.choice(others).split()
        kind = rng.randrange(9)
        if kind == 0:
            del words[at]
        elif kind == 1:
            words.insert(at, words[at])
        elif kind == 2:
            to = rng.randrange(len(words))
            words[at], words[to] = words[to], words[at]
        elif kind == 3:
            words[at] = rng.choice(WORDS)
        elif kind == 4:
            words.insert(at, rng.choice(WORDS))
        elif kind == 5:
            words[at : at + 2] = ["".join(words[at : at + 2])]
        elif kind == 6:
            words[at] = rng.choice(words)
        elif kind == 7:
            words[at] = rng.choice(other)
        else:
            start = rng.randrange(len(other))
            words[at:at] = other[start : start + rng.randrange(1, 8)]
    blank = rng.choice((" ", " ", " ", "  ", "\n"))
    return blank.join(words)


def mutated(rng, rows):
    """A pair made from one of the rows."""
    row = {key: value for key, value in rng.choice(rows).items() if key in ("db", "gold", "pred")}
    others = [other[side] for other in rows if other["db"] == row["db"] for side in ("gold", "pred") if other[side].split()]
    if rng.random() < 0.3:
        row["pred"] = row["gold"]
    row["pred"] = mutate(rng, row["pred"], others)
    if rng.random() < 0.5:
        # Both sides with the same change, so that what matches after it is seen too.
        row["gold"] = row["pred"] if rng.random() < 0.5 else mutate(rng, row["gold"], others)
    return row


class Judge:
    def __init__(self, checkout, tables):
        sys.path.insert(0, checkout)
        import evaluation
        import process_sql

        self.script, self.reader = evaluation, process_sql
        self.schemas, self.keys = {}, {}
        for entry in tables:
            names = entry["table_names_original"]
            columns = {name.lower(): [] for name in names}
            for table, column in entry["column_names_original"]:
                if table >= 0:
                    columns[names[table].lower()].append(column.lower())
            self.schemas[entry["db_id"]] = process_sql.Schema(columns)
            self.keys[entry["db_id"]] = evaluation.build_foreign_key_map(entry)

    def read(self, schema, sql):
        try:
            return self.reader.get_sql(schema, sql)
        except Exception:
            return None

    def rebuilt(self, schema, keys, query):
        columns = self.script.build_valid_col_units(query["from"]["table_units"], schema)
        return self.script.rebuild_sql_col(columns, self.script.rebuild_sql_val(query), keys)

    def verdict(self, row):
        schema, keys = self.schemas[row["db"]], self.keys[row["db"]]
        gold, predicted = self.read(schema, row["gold"]), self.read(schema, row["pred"])
        found = {"exact": None, "hardness": None, "read": predicted is not None}
        if gold is None:
            return found
        nothing = {"except": None, "from": {"conds": [], "table_units": []}, "groupBy": [], "having": []}
        nothing |= {"intersect": None, "limit": None, "orderBy": [], "select": [False, []], "union": None, "where": []}
        evaluator = self.script.Evaluator()
        try:
            found["hardness"] = evaluator.eval_hardness(gold)
            gold, predicted = (self.rebuilt(schema, keys, query) for query in (gold, predicted or nothing))
            found["exact"] = int(evaluator.eval_exact_match(predicted, gold))
        except Exception:
            found["exact"] = "crash"
        return found


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("checkout")
    parser.add_argument("tables")
    parser.add_argument("--mutate", type=int)
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    with open(args.tables) as file:
        judge = Judge(args.checkout, json.load(file))
    rows = [json.loads(line) for line in sys.stdin]
    if not args.mutate:
        for row in rows:
            print(json.dumps(row | judge.verdict(row)))
        return
    rng = random.Random(args.seed)
    made = 0
    while made < args.mutate:
        row = mutated(rng, rows)
        found = judge.verdict(row)
        if found["hardness"] or rng.random() < 0.1:
            made += 1
            print(json.dumps(row | found))


if __name__ == "__main__":
    main()
