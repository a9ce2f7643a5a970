#!/usr/bin/env python3
"""Writes the prompts of a benchmark: all questions of the five databases of Spider dev that most are asked of, as token ids.

    prompts.py --spider FOLDER --tokenizer FOLDER --out FILE

A prompt is the database's tables as CREATE TABLE statements and the question, and ends in SELECT; prompts of a database differ
behind the statements only. FILE gets a list of ids a line. Wants `pip install transformers`.
"""

import argparse
import collections
import json
from pathlib import Path

from transformers import AutoTokenizer

DATABASES = 5


def schema(tables):
    """The tables of an entry of Spider's tables.json as text."""
    columns = collections.defaultdict(list)
    for (table, name), kind in zip(tables["column_names_original"], tables["column_types"]):
        if table >= 0:
            columns[table].append(f"  {name} {kind}")
    statements = []
    for number, name in enumerate(tables["table_names_original"]):
        statements.append(f"CREATE TABLE {name} (\n" + ",\n".join(columns[number]) + "\n);\n")
    return "".join(statements)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--spider", type=Path, required=True)
    parser.add_argument("--tokenizer", required=True)
    parser.add_argument("--out", type=Path, required=True)
    a = parser.parse_args()
    questions = json.loads((a.spider / "dev.json").read_text())
    schemas = {it["db_id"]: schema(it) for it in json.loads((a.spider / "tables.json").read_text())}
    counts = collections.Counter(it["db_id"] for it in questions)
    chosen = sorted(counts, key=lambda name: (-counts[name], name))[:DATABASES]
    tokenizer = AutoTokenizer.from_pretrained(a.tokenizer)
    lines = []
    for it in questions:
        if it["db_id"] in chosen:
            text = f"{schemas[it['db_id']]}-- {it['question']}\nSELECT"
            lines.append(json.dumps(tokenizer(text)["input_ids"]))
    a.out.write_text("\n".join(lines) + "\n")
    print(f"{len(lines)} prompts of {', '.join(chosen)}")


if __name__ == "__main__":
    main()
