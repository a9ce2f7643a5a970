#!/usr/bin/env python3
"""Figures for the tests of the scores of what a model says, by numpy and scipy.

    pip install numpy scipy
    scripts/reference/model_scores.py >crates/align/src/score/model/figures.txt

A line has the sizes of both sets, the width of the vectors, MMD² with its width, and the squared Fréchet distance with the
share of variance that its components hold. Vectors are by a rule that the test follows too.
"""

import math

import numpy
from scipy.linalg import sqrtm
from scipy.spatial.distance import cdist, pdist

COMPONENTS = 64


def vectors(count, width, seed):
    """Multiples of 1/512, so that they are the same in single precision."""
    rows = []
    for i in range(count):
        row = []
        for j in range(width):
            x = (i * 7919 + j * 104729 + seed * 1299709) % 1000003
            x = (x * x + 12345) % 1000003
            row.append((x % 257 - 128 + seed * (j % 5)) / 64 / 2 ** (j % 4))
        rows.append(row)
    return numpy.array(rows)


def mmd(a, b):
    width = numpy.median(pdist(numpy.vstack([a, b])))
    kernel = lambda x, y: numpy.exp(-cdist(x, y, "sqeuclidean") / (2 * width**2))
    off = lambda x: (kernel(x, x).sum() - len(x)) / (len(x) * (len(x) - 1))
    return off(a) + off(b) - 2 * kernel(a, b).mean(), width


def frechet(a, b):
    pooled = numpy.vstack([a, b])
    centred = pooled - pooled.mean(axis=0)
    _, s, v = numpy.linalg.svd(centred, full_matrices=False)
    k = min(COMPONENTS, int((s**2 > 1e-12 * s[0] ** 2).sum()))
    a, b = (a - pooled.mean(axis=0)) @ v[:k].T, (b - pooled.mean(axis=0)) @ v[:k].T
    c, d = numpy.atleast_2d(numpy.cov(a.T)), numpy.atleast_2d(numpy.cov(b.T))
    # The root of the product of covariances has the nuclear norm of the product of their factors as its trace.
    factor = lambda x: (x - x.mean(axis=0)) / math.sqrt(len(x) - 1)
    shared = numpy.linalg.svd(factor(a) @ factor(b).T, compute_uv=False).sum()
    if min(len(a), len(b)) > k:
        assert math.isclose(shared, sqrtm(c @ d).trace().real, rel_tol=1e-9)
    gap = ((a.mean(axis=0) - b.mean(axis=0)) ** 2).sum()
    return gap + c.trace() + d.trace() - 2 * shared, (s[:k] ** 2).sum() / (s**2).sum()


def main():
    for n, m, width in [(30, 20, 4), (12, 9, 40), (150, 170, 80), (90, 80, 200), (40, 300, 3)]:
        a, b = vectors(n, width, 1), vectors(m, width, 2)
        print(n, m, width, *(repr(float(x)) for x in (*mmd(a, b), *frechet(a, b))))


if __name__ == "__main__":
    main()
