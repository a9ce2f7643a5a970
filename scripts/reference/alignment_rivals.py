#!/usr/bin/env python3
"""Figures for the tests of the rival scores, by numpy and scipy.

    pip install numpy scipy
    scripts/reference/alignment_rivals.py >crates/align/src/score/table/figures.txt

Templates and features of the seven queries of the test are written down here by hand, so that nothing of ours is in the
figures. Standard error has those of number arrays (`score/arrays.rs`) and of questions (`score/question.rs`).
"""

import itertools
import math
import re
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


# Points by a fixed rule, three coordinates each.
def points(n, shift):
    return numpy.array([[((i * i + 3 * j) % 11) / 4 + shift * (j + 1) for j in range(3)] for i in range(n)])


def space(x, y):
    scale = numpy.median([numpy.linalg.norm(a - b) for a, b in itertools.combinations(y, 2)])
    return (
        float(numpy.linalg.norm(x.mean(axis=0) - y.mean(axis=0))),
        float(kernelled(x, y, lambda d: -d)),
        float(kernelled(x, y, lambda d: math.exp(-((d / scale) ** 2) / 2))),
    )


ASKED_S = [
    "How many singers are there?",
    "List the name of each singer, and the names of their songs.",
    "What is the average age of the players?",
    "Which airports have no flights?",
]
ASKED_T = [
    "How many players are there in each team?",
    "What is the name of the oldest singer?",
    "Name the songs, songs, songs!",
    "Größte Städte?",
]


def bags(questions):
    return [Counter(re.findall(r"[^\W_]+", question.lower())) for question in questions]


def tfidf(source, target):
    n, df = len(source + target), Counter(word for bag in source + target for word in bag)
    words = sorted(df)
    weights = lambda bag: numpy.array([bag[word] * (math.log((1 + n) / (1 + df[word])) + 1) for word in words])
    cosine = lambda a, b: a @ b / numpy.linalg.norm(a) / numpy.linalg.norm(b)
    return float(numpy.mean([max(cosine(weights(t), weights(s)) for s in source) for t in target]))


def bm25(source, target, k1=1.2, b=0.75):
    n, df = len(source), Counter(word for bag in source for word in bag)
    mean = numpy.mean([bag.total() for bag in source])

    def score(query, text):
        norm = k1 * (1 - b + b * text.total() / mean)
        idf = {word: math.log(1 + (n - df[word] + 0.5) / (df[word] + 0.5)) for word in query}
        return sum(idf[word] * text[word] * (k1 + 1) / (text[word] + norm) for word in query)

    return float(numpy.mean([min(max(score(t, s) for s in source) / score(t, t), 1) for t in target]))


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
    target = points(5, 0.75)
    for name, x in (("source", points(7, 0)), ("predictions", points(4, 0.375))):
        print("in space, of", name, *space(x, target), file=sys.stderr)
    s, t = bags(ASKED_S), bags(ASKED_T)
    print("question_tfidf, and the other way round:", tfidf(s, t), tfidf(t, s), file=sys.stderr)
    print("question_bm25, and the other way round:", bm25(s, t), bm25(t, s), file=sys.stderr)


if __name__ == "__main__":
    main()
