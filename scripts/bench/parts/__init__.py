"""The parts of the benchmark of the evaluator; `scripts/bench/eval` is the program."""
