#!/usr/bin/env python3
"""Writes generated queries as JSON Lines: thousands of templates, of which a few are common and most are rare, and other
names and literals in nearly every query. The same count and seed give the same bytes.

    generate.py COUNT [SEED] > queries.jsonl
"""

import json
import random
import sys

COLUMNS = "id name age price total country year title rating status weight height city score".split()
FUNCTIONS = "COUNT SUM AVG MIN MAX".split()


def condition(r, depth):
    column = r.choice(COLUMNS)
    forms = [
        f"T1.{column} = '%s'", f"T1.{column} > %s", f"{column} LIKE '%%%%%s%%%%'", f"T2.{column} BETWEEN %s AND %s",
        f"{column} IS NOT NULL", f"T1.{column} IN ({', '.join(['%s'] * r.randint(1, 6))})",
    ]
    if depth < 2:
        forms.append(f"T1.{column} > (SELECT {r.choice(FUNCTIONS)}({column}) FROM t%s{where(r, depth + 1)})")
    return r.choice(forms)


def where(r, depth):
    n = r.choice([0, 1, 1, 1, 2, 2, 3])
    joined = f" {r.choice(['AND', 'AND', 'OR'])} ".join(condition(r, depth) for _ in range(n))
    return f" WHERE {joined}" if n else ""


def query(r):
    chosen = [
        r.choice([f"T1.{r.choice(COLUMNS)}", f"{r.choice(FUNCTIONS)}({r.choice(COLUMNS)})", "COUNT(*)"])
        for _ in range(r.choice([1, 1, 1, 2, 2, 3]))
    ]
    sql = f"SELECT {r.choice(['', '', 'DISTINCT '])}{', '.join(chosen)} FROM t%s AS T1"
    for join in range(r.choice([0, 0, 1, 1, 2])):
        sql += f" JOIN t%s AS T{join + 2} ON T1.id = T{join + 2}.t%s_id"
    sql += where(r, 0)
    if r.random() < 0.3:
        sql += f" GROUP BY T1.{r.choice(COLUMNS)}"
        sql += r.choice(["", " HAVING COUNT(*) > %s"])
    if r.random() < 0.3:
        sql += f" ORDER BY {r.choice(COLUMNS)} {r.choice(['ASC', 'DESC', ''])} LIMIT %s"
    return sql


def main():
    count = int(sys.argv[1])
    r = random.Random(int(sys.argv[2]) if len(sys.argv) > 2 else 0)
    forms = [json.dumps({"sql": query(r)}) + "\n" for _ in range(20_000)]
    slots = [form.count("%s") for form in forms]
    literals = [r.randint(0, 10**6) for _ in range(10_007)]
    literals += literals[:64]
    buffer = []
    for number in range(count):
        # The square makes the first forms common and the last ones rare.
        form = int(r.random() ** 2 * len(forms))
        at = number * 31 % 10_007
        buffer.append(forms[form] % tuple(literals[at : at + slots[form]]))
        if len(buffer) == 10_000:
            sys.stdout.write("".join(buffer))
            buffer.clear()
    sys.stdout.write("".join(buffer))


if __name__ == "__main__":
    main()
