"""Prints the figures that the tests of the correlation coefficients expect. Needs scipy."""

from scipy import stats

X = [1.05, 0.97, 1.10, 0.88, 1.02, 0.97, 1.21, 0.93, 1.00, 1.05]
Y = [0.031, -0.012, 0.054, -0.040, 0.0, 0.012, 0.047, -0.012, 0.031, 0.0]

print("pearson", repr(float(stats.pearsonr(X, Y).statistic)))
print("spearman", repr(float(stats.spearmanr(X, Y).statistic)))
print("kendall", repr(float(stats.kendalltau(X, Y, variant="b").statistic)))
