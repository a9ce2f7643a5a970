"""Makes the expected figures of crates/eval/src/interval with SciPy and statsmodels.

    pip install scipy statsmodels && python scripts/reference/eval_intervals.py
"""

import numpy as np
import scipy
import statsmodels
from scipy.stats import bootstrap
from statsmodels.stats.contingency_tables import mcnemar
from statsmodels.stats.proportion import proportion_confint

print("scipy", scipy.__version__, "statsmodels", statsmodels.__version__)

print("wilson: right, n, low, high")
for right, n in [(0, 1), (1, 1), (0, 20), (42, 120), (84, 129), (809, 972), (1034, 1034)]:
    print((right, n, *map(float, proportion_confint(right, n, alpha=0.05, method="wilson"))))

print("mcnemar: fixed, broken, p")
for fixed, broken in [(0, 0), (1, 0), (5, 5), (10, 2), (3, 30), (120, 80), (900, 700)]:
    print((fixed, broken, float(mcnemar([[0, fixed], [broken, 0]], exact=True).pvalue)))

# 200 questions on 8 databases of unequal size; which are right before and after is a fixed rule.
ids = np.arange(200)
before = ids % 3 == 0
after = ((ids % 3 == 0) & (ids % 7 != 0)) | ((ids % 5 == 0) & (ids % 8 < 5))
difference = after.astype(float) - before
print("paired: before, after, gain, fixed, broken, p")
fixed, broken = int((difference > 0).sum()), int((difference < 0).sum())
p = float(mcnemar([[0, fixed], [broken, 0]], exact=True).pvalue)
print(before.mean(), after.mean(), difference.mean(), fixed, broken, p)

rng = np.random.default_rng(0)
result = bootstrap((difference,), np.mean, n_resamples=1_000_000, batch=10_000, method="percentile", rng=rng)
print("by question", result.confidence_interval)


def mean_of_clusters(clusters, axis=-1):
    """The mean over all questions of the drawn databases."""
    sums = np.array([difference[ids % 11 % 8 == d].sum() for d in range(8)])
    counts = np.array([(ids % 11 % 8 == d).sum() for d in range(8)])
    return sums[clusters].sum(axis) / counts[clusters].sum(axis)


result = bootstrap((np.arange(8),), mean_of_clusters, n_resamples=1_000_000, batch=100_000, method="percentile", rng=rng)
print("by database", result.confidence_interval)


def accuracy_of_clusters(clusters, axis=-1):
    """The share of right answers before, over all questions of the drawn databases."""
    sums = np.array([before[ids % 11 % 8 == d].sum() for d in range(8)])
    counts = np.array([(ids % 11 % 8 == d).sum() for d in range(8)])
    return sums[clusters].sum(axis) / counts[clusters].sum(axis)


result = bootstrap((np.arange(8),), accuracy_of_clusters, n_resamples=1_000_000, batch=100_000, method="percentile", rng=rng)
print("accuracy by database", result.confidence_interval)

# A score between right and wrong: the share of the id's last digit.
shares = (ids % 10) / 9
result = bootstrap((shares,), np.mean, n_resamples=1_000_000, batch=10_000, method="percentile", rng=rng)
print("graded", shares.mean(), result.confidence_interval)
