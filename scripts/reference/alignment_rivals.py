#!/usr/bin/env python3
"""Figures for the tests of the rival scores, by numpy and scipy.

    pip install numpy scipy
    scripts/reference/alignment_rivals.py >crates/align/src/score/table/figures.txt

Templates and features of the seven queries of the test are written down here by hand, so that nothing of ours is in the
figures. The last line of standard error has those of number arrays (`score/arrays.rs`).
"""

import itertools
import math
import sys
from collections import Counter

import numpy
from scipy.stats import wasserstein_distance

S = ["SELECT FROM", "SELECT FROM WHERE =", "SELECT COUNT ( * ) FROM JOIN ON =", "SELECT , , FROM ORDER BY LIMIT"]
T = [
    "SELECT FROM",
    "SELECT MAX ( ) FROM WHERE IN ( SELECT FROM WHERE > )",
    "SELECT FROM INNER JOIN ON = GROUP BY HAVING COUNT ( * ) >",
]
NAMES = (
    "tokens tables joins selects depth set_operations aggregates distinct filters group_by having order_by limit cases"
    " casts ctes windows"
).split()
# Lexical tokens of the queries, names and literals included.
FEATURES_S = [
    dict(tokens=4, tables=1, selects=1, depth=1),
    dict(tokens=8, tables=1, selects=1, depth=1, filters=1),
    dict(tokens=17, tables=2, joins=1, selects=1, depth=1, aggregates=1),
    dict(tokens=13, tables=1, selects=1, depth=1, order_by=1, limit=1),
]
FEATURES_T = [
    dict(tokens=4, tables=1, selects=1, depth=1),
    dict(tokens=20, tables=2, selects=2, depth=2, aggregates=1, filters=2),
    dict(tokens=25, tables=2, joins=1, selects=1, depth=1, aggregates=1, group_by=1, having=1),
]


def ngrams(templates, length=15):
    counts = Counter()
    for template in templates:
        tokens = template.split()
        for start, stop in itertools.combinations(range(len(tokens) + 1), 2):
            run = tokens[start:stop]
            if len(run) > length or "," in (run[0], run[-1]):
                continue
            depth = lowest = 0
            for token in run:
                depth += (token == "(") - (token == ")")
                lowest = min(lowest, depth)
            if depth == 0 == lowest and any(token[0].isalpha() for token in run):
                counts[" ".join(run)] += 1
    return counts


def skewed(p, q, epsilon=0.01):
    n, m = sum(p.values()), sum(q.values())
    divergence = 0.0
    for run, count in p.items():
        a, b = count / n, q[run] / m
        divergence += a * math.log(a / ((1 - epsilon) * b + epsilon * a))
    return math.exp(-divergence / math.log(1 / epsilon))


def vectors(features):
    return numpy.array([[row.get(name, 0) for name in NAMES] for row in features], dtype=float)


def mean_kernel(x, y, kernel):
    return numpy.mean([[kernel(numpy.linalg.norm(a - b)) for b in y] for a in x])


def kernelled(x, y, kernel):
    return mean_kernel(x, x, kernel) + mean_kernel(y, y, kernel) - 2 * mean_kernel(x, y, kernel)


def main():
    p, q = ngrams(S), ngrams(T)
    print("a_skew", skewed(p, q))
    print("a_skew_rev", skewed(q, p))
    print("template_jaccard", len(set(S) & set(T)) / len(set(S) | set(T)))
    x, y = vectors(FEATURES_S), vectors(FEATURES_T)
    spread = y.std(axis=0, ddof=1)
    spread[spread == 0] = 1
    print("feature_energy", kernelled(x / spread, y / spread, lambda d: -d))
    distances = [wasserstein_distance(x[:, i], y[:, i]) for i in range(len(NAMES))]
    print("feature_wasserstein", numpy.mean(distances / spread))
    for name, distance in zip(NAMES, distances):
        print(f"wasserstein_{name}", distance)
    a = numpy.array([[0.0], [1.0], [2.5], [4.0]])
    b = numpy.array([[0.5], [2.0], [3.0]])
    pairs = sorted(abs(u - v) for u, v in itertools.combinations(b[:, 0], 2))
    scale = pairs[len(pairs) // 2]
    print(
        "arrays: gap, energy, mmd:",
        abs(a.mean() - b.mean()),
        kernelled(a, b, lambda d: -d),
        kernelled(a, b, lambda d: math.exp(-((d / scale) ** 2) / 2)),
        file=sys.stderr,
    )


if __name__ == "__main__":
    main()
