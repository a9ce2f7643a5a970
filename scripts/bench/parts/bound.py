"""Builds the C program that is the lower bound, with the SQLite that the evaluator has in it."""

import json
import os
import subprocess
from pathlib import Path


def build(repository, work):
    """The program `open_per_query`, against the source that `libsqlite3-sys` brings along."""
    source = sqlite(repository)
    program = work / "open_per_query"
    library = work / "sqlite3.o"
    compiler = os.environ.get("CC", "cc")
    # As libsqlite3-sys builds it where it matters for time.
    options = ["-O3", "-DSQLITE_THREADSAFE=1", "-DSQLITE_USE_URI", "-DSQLITE_ENABLE_API_ARMOR"]
    if not library.exists() or library.stat().st_mtime < source.stat().st_mtime:
        subprocess.run([compiler, *options, "-c", source, "-o", library], check=True)
    text = repository / "scripts" / "bench" / "open_per_query.c"
    words = [compiler, "-O3", f"-I{source.parent}", text, library, "-o", program, "-lpthread", "-ldl", "-lm"]
    subprocess.run(words, check=True)
    return program


def sqlite(repository):
    """The file `sqlite3.c` of the version in the lock file."""
    words = ["cargo", "metadata", "--format-version", "1", "--locked", "--offline"]
    told = subprocess.run(words, cwd=repository, check=True, capture_output=True, text=True)
    packages = json.loads(told.stdout)["packages"]
    (manifest,) = [it["manifest_path"] for it in packages if it["name"] == "libsqlite3-sys"]
    return Path(manifest).parent / "sqlite3" / "sqlite3.c"
