"""Makes the expected figures of crates/eval/src/metric/soft_f1.rs with the function of BIRD's mini-dev.

    python scripts/reference/eval_soft_f1.py PATH/TO/mini_dev/evaluation/evaluation_f1.py
"""

import runpy
import sys
import types

# The function needs none of what its file imports.
for name in ["func_timeout", "evaluation_utils"]:
    module = types.ModuleType(name)
    module.__getattr__ = lambda _: None
    sys.modules[name] = module
f1 = runpy.run_path(sys.argv[1])["calculate_f1_score"]


def table(text):
    """Rows from text as in the Rust tests: `;` ends a row, blanks part its cells."""

    def cell(word):
        if word == "null":
            return None
        for kind in (int, float):
            try:
                return kind(word)
            except ValueError:
                pass
        return word

    return [tuple(cell(word) for word in row.split()) for row in text.split(";")[:-1]]


for gold, predicted in [
    ("", ""),
    ("1;", ""),
    ("", "1;"),
    ("1 2; 3 4;", "2 1; 4 3;"),
    ("1 2; 3 4;", "3 4; 1 2;"),
    ("1 2;", "1 1;"),
    ("1; 1; 2;", "1; 2; 2.0;"),
    ("1 2 3;", "1 2 4;"),
    ("1 2 3; 4 5 6; 7 8 9;", "1 2; 4 5; 7 8;"),
    ("1;", "1 2;"),
    ("1; 2; 3;", "1;"),
    ("null 1;", "null 2;"),
    ("1 a 3; 4 b 6; 7 c 9; x y z;", "1 a; 4 c; 7 b; 1 2;"),
    ("1 2 3 4 5 6 7;", "1; 2; 3; 4; 5; 6; 7; 8;"),
    ("1; 2; 3; 4; 5; 6; 7; 8;", "1 2 3 4 5 6 7;"),
]:
    print((gold, predicted, f1(table(predicted), table(gold))))
