"""What both sides are given: folders made of the released data by links, so that they read the very same files."""

import csv
import json
import shutil
import sqlite3
from pathlib import Path

SEPARATOR = "\t----- bird -----\t"


def spider(data, work, predictions):
    """Spider dev. A database that the data lack is made as an empty one, of the tables in `tables.json`: the official
    script can't read a gold query without a schema."""
    root = fresh(work / "spider")
    source = data / "spider"
    for name in ("dev.json", "dev_gold.sql", "tables.json"):
        (root / name).symlink_to(source / name)
    for name in sorted({row["db_id"] for row in json.loads((source / "dev.json").read_text())}):
        folder = root / "database" / name
        folder.mkdir(parents=True)
        file = source / "database" / name / f"{name}.sqlite"
        if file.exists():
            (folder / file.name).symlink_to(file)
        else:
            empty(folder / file.name, source / "tables.json", name)
    return {
        "root": root,
        "gold": root / "dev_gold.sql",
        "predictions": predictions,
        "databases": root / "database",
        "tables": root / "tables.json",
    }


def empty(file, tables, name):
    """A database of that name without rows."""
    (schema,) = [it for it in json.loads(tables.read_text()) if it["db_id"] == name]
    with sqlite3.connect(file) as connection:
        for number, table in enumerate(schema["table_names_original"]):
            columns = [f'"{column}"' for owner, column in schema["column_names_original"] if owner == number]
            connection.execute(f'CREATE TABLE "{table}" ({", ".join(columns)})')


def bird(data, work, predictions, database):
    """The rows of one database of BIRD dev, numbered anew: the official script pairs them by position."""
    root = fresh(work / "bird")
    rows = json.loads((data / "bird" / "dev.json").read_text())
    predicted = json.loads(predictions.read_text())
    kept = [number for number, row in enumerate(rows) if row["db_id"] == database]
    chosen = {str(new): predicted[str(old)] for new, old in enumerate(kept)}
    (root / "predict_dev.json").write_text(json.dumps(chosen, ensure_ascii=False))
    (root / "dev.json").write_text(json.dumps([rows[it] for it in kept], ensure_ascii=False))
    gold = "".join(f"{flat(rows[it]['SQL'])}\t{database}\n" for it in kept)
    (root / "dev_gold.sql").write_text(gold)
    tables = json.loads((data / "bird" / "dev_tables.json").read_text())
    (root / "dev_tables.json").write_text(json.dumps([it for it in tables if it["db_id"] == database]))
    (root / "dev_databases").mkdir()
    (root / "dev_databases" / database).symlink_to(data / "bird" / "dev_databases" / database)
    return {
        "root": root,
        "gold": root / "dev_gold.sql",
        "predictions": root / "predict_dev.json",
        "databases": root / "dev_databases",
        "questions": root / "dev.json",
    }


def golden_pairs(data, golden, work):
    """All prediction files with golden verdicts as files for `--pairs`, by the names of their systems."""
    folder = fresh(work / "pairs")
    dev = json.loads((data / "spider" / "dev.json").read_text())
    files = {}
    for system, source in systems(golden / "spider" / "summary.tsv"):
        rows = zip(dev, spider_lines(data / source), strict=True)
        pairs = [(row["db_id"], row["query"], predicted) for row, predicted in rows]
        files[f"spider {system}"] = write_pairs(folder / f"spider-{system}.jsonl", pairs)
    for system, source in systems(golden / "bird" / "summary.tsv"):
        mini = "mini_dev" in system
        rows = json.loads((data / "bird" / ("mini_dev_sqlite.json" if mini else "dev.json")).read_text())
        predicted = json.loads((data / source).read_text())
        pairs = [
            (row["db_id"], row["SQL"], str(predicted[str(number)]).split(SEPARATOR)[0])
            for number, row in enumerate(rows)
            if row["db_id"] == "superhero"
        ]
        files[f"bird {system}"] = write_pairs(folder / f"bird-{system}.jsonl", pairs)
    return files


def systems(summary):
    """Pairs of system and prediction file, from a summary of goldens."""
    with open(summary, newline="") as lines:
        rows = csv.DictReader(lines, delimiter="\t")
        return [(row["system"], next(it for it in row.values() if "/" in str(it))) for row in rows]


def spider_lines(path):
    """The predictions of a file of lines, or of one of DIN-SQL's tables."""
    if path.suffix == ".csv":
        with open(path, newline="") as lines:
            rows = list(csv.DictReader(lines))
        column = next(it for it in rows[0] if "predict" in it.lower())
        return [flat(row[column]) for row in rows]
    return [line.split("\t")[0] for line in path.read_text().splitlines()]


def write_pairs(path, pairs):
    """A file of rows for `--pairs`."""
    with open(path, "w") as out:
        for number, (database, gold, predicted) in enumerate(pairs):
            row = {"name": f"row-{number}", "db": database, "gold": gold, "pred": predicted}
            out.write(json.dumps(row, ensure_ascii=False) + "\n")
    return path


def flat(text):
    """The text on one line."""
    return " ".join(text.split())


def fresh(folder):
    """An empty folder."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    return folder


def queries(files, target):
    """The gold and predicted queries of Spider dev as lines of database file and text."""
    rows = json.loads((files["root"] / "dev.json").read_text())
    with open(target, "w") as out:
        for row, predicted in zip(rows, spider_lines(Path(files["predictions"])), strict=True):
            name = row["db_id"]
            for text in (row["query"], predicted):
                out.write(f"{files['databases'] / name / name}.sqlite\t{flat(text)}\n")
    return target
