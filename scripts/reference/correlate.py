"""Makes the expected figures of crates/align/src/correlate with SciPy, scikit-learn, statsmodels and NumPy.

    pip install numpy pandas scipy scikit-learn statsmodels pingouin
    python scripts/reference/correlate.py > crates/align/tests/correlate.json

The table is made up: 2 models, 3 targets, 4 training sets, 1 or 2 seeds. pingouin is used where it is there.
Bootstrap intervals are those of an implementation of its own (weights on cells instead of repeated cells), with
40,000 resamples. The share of 2,000 resamples that lie below the true q-quantile has a standard deviation of
sqrt(q (1 - q) / 2000); an end of the harness's interval must therefore lie between the quantiles of the reference
at q less and more five of these (with what the reference's own resamples add). That holds for discrete
distributions, too, which those of two models and three targets are.
"""

import itertools
import json

import numpy as np
import pandas as pd
import scipy
import sklearn
import statsmodels
from scipy import stats
from sklearn.linear_model import LinearRegression
from sklearn.metrics import balanced_accuracy_score, roc_auc_score
from sklearn.model_selection import LeaveOneGroupOut, cross_val_predict
from statsmodels.stats.proportion import proportion_confint

try:
    import pingouin
except ImportError:
    pingouin = None

# Two columns with ties, for the unit tests of the coefficients.
X = [1.05, 0.97, 1.10, 0.88, 1.02, 0.97, 1.21, 0.93, 1.00, 1.05]
Y = [0.031, -0.012, 0.054, -0.040, 0.0, 0.012, 0.047, -0.012, 0.031, 0.0]

# Those of the harness, and those made here.
RESAMPLES, HERE = 2_000, 40_000


def table():
    """The made-up cells. Figures are rounded so that both programs read the same numbers."""
    rng = np.random.default_rng(7)
    rows = []
    for m, model in enumerate(["small", "large"]):
        for t, target in enumerate(["shop", "school", "air"]):
            base = round(0.2 + 0.2 * m + 0.07 * t + rng.normal(0, 0.02), 3)
            own = round(0.7 + 0.5 * base + rng.normal(0, 0.02), 4)
            for s, train_set in enumerate(["near", "far", "mixed", "tiny"]):
                a = round(float(np.clip(0.92 - 0.09 * s + 0.05 * ((s + t) % 3) + rng.normal(0, 0.03), 0.3, 1)), 4)
                for seed in range(2 if (m, t) == (0, 0) else 1):
                    gain = 0.5 * (a / own - 1) + rng.normal(0, 0.11)
                    rows.append(
                        {
                            "model": model,
                            "train_set": train_set,
                            "target": target,
                            "seed": seed,
                            "before": base,
                            "after": round(float(np.clip(base + gain, 0.01, 0.99)), 3),
                            "n": 200 + 50 * t,
                            "a_kl": a,
                            "a_kl_predictions": own,
                            "ar": round(a / own, 5),
                            "js": round(1 - a + rng.normal(0, 0.03), 4),
                            "train_size": [900, 4000, 2500, 120][s],
                        }
                    )
    rows[5]["after"] = rows[5]["before"]  # a gain of exactly 0
    return pd.DataFrame(rows)


def partial(x, y, z):
    """Correlation of what regressions on z leave."""
    z = np.column_stack([np.ones(len(z)), z])
    left = [v - z @ np.linalg.lstsq(z, v, rcond=None)[0] for v in (x, y)]
    return stats.pearsonr(*left).statistic


def held_out(frame, score, group):
    x, y = frame[[score]].to_numpy(), frame["gain"].to_numpy()
    folds, groups = LeaveOneGroupOut(), frame[group].to_numpy()
    line = cross_val_predict(LinearRegression(), x, y, groups=groups, cv=folds)
    mean = cross_val_predict(LinearRegression(), np.zeros_like(x), y, groups=groups, cv=folds)
    rmse = lambda of: float(np.sqrt(np.mean((y - of) ** 2)))
    return {
        "rmse": rmse(line),
        "mae": float(np.mean(np.abs(y - line))),
        "rmse_of_mean": rmse(mean),
        "mae_of_mean": float(np.mean(np.abs(y - mean))),
        "skill": 1 - rmse(line) / rmse(mean),
    }


def within(frame, score, by, rank):
    """Correlation of what is left of both sides after a mean (of values or ranks) for each group."""
    grouped = frame.groupby(by)
    sides = []
    for column in (score, "gain"):
        values = grouped[column].rank() if rank else frame[column]
        sides.append(values - values.groupby([frame[b] for b in by]).transform("mean"))
    return float(stats.pearsonr(*sides).statistic)


def assignments(frame):
    """All tables in which training sets have changed places within model and target."""
    blocks = []
    for _, pair in frame.groupby(["model", "target"]):
        sets = [list(rows.sort_values("seed").index) for _, rows in pair.groupby("train_set")]
        by_seeds = {}
        for places in sets:
            by_seeds.setdefault(len(places), []).append(places)
        blocks += [block for block in by_seeds.values() if len(block) > 1]
    for orders in itertools.product(*[itertools.permutations(range(len(b))) for b in blocks]):
        gain = frame["gain"].to_numpy().copy()
        for block, order in zip(blocks, orders):
            for to, source in enumerate(order):
                gain[block[to]] = frame["gain"].to_numpy()[block[source]]
        yield gain


def permutation_p(frame, score):
    """Twice the smaller tail over all assignments, as scipy.stats.permutation_test has it."""
    frame = frame.reset_index(drop=True)
    gains = list(assignments(frame))
    result = {"arrangements": len(gains)}
    for name, of in [
        ("pearson", lambda x, y: stats.pearsonr(x, y).statistic),
        ("spearman", lambda x, y: stats.spearmanr(x, y).statistic),
        ("kendall", lambda x, y: stats.kendalltau(x, y).statistic),
    ]:
        found = of(frame[score], frame["gain"])
        null = np.array([of(frame[score], gain) for gain in gains])
        tail = min((null <= found + 1e-12).mean(), (null >= found - 1e-12).mean())
        result[name] = float(min(1.0, 2 * tail))
    return result


def weighted_ranks(values, weights):
    """Average ranks of a sample in which value i occurs weights[i] times."""
    below = (weights * (values[:, None] > values[None, :])).sum(1)
    same = (weights * (values[:, None] == values[None, :])).sum(1)
    return below + (same + 1) / 2


def weighted_pearson(x, y, w):
    mx, my = np.average(x, weights=w), np.average(y, weights=w)
    return np.average((x - mx) * (y - my), weights=w) / np.sqrt(
        np.average((x - mx) ** 2, weights=w) * np.average((y - my) ** 2, weights=w)
    )


def bootstrap(frame, columns, statistic, two_way, draws, rng):
    """The statistic in resamples; nan where it has no value."""
    model, target = (pd.factorize(frame[c])[0] for c in ("model", "target"))
    values = []
    for _ in range(draws):
        if two_way:
            of_models = np.bincount(rng.integers(0, model.max() + 1, model.max() + 1), minlength=model.max() + 1)
            of_targets = np.bincount(rng.integers(0, target.max() + 1, target.max() + 1), minlength=target.max() + 1)
            w = of_models[model] * of_targets[target]
        else:
            w = np.bincount(rng.integers(0, len(frame), len(frame)), minlength=len(frame))
        kept = w > 0
        with np.errstate(all="ignore"):
            values.append(statistic(*[c[kept] for c in columns], w[kept]))
    return np.array(values)


def ends(frame, columns, statistic, two_way, rng):
    """The two values between which each end must lie."""
    values = bootstrap(frame, columns, statistic, two_way, HERE, rng)
    values = values[np.isfinite(values)]
    off = 5 * np.sqrt(0.025 * 0.975 * (1 / RESAMPLES + 1 / HERE))
    return {
        "low": [float(q) for q in np.quantile(values, [0.025 - off, 0.025 + off])],
        "high": [float(q) for q in np.quantile(values, [0.975 - off, 0.975 + off])],
    }


def wrank_spearman(x, y, w):
    return weighted_pearson(weighted_ranks(x, w), weighted_ranks(y, w), w)


def figures(frame, score, lower):
    x, y, before = (frame[c].to_numpy() for c in (score, "gain", "before"))
    sign = -1 if lower else 1
    kept = y != 0
    gains = y[kept] > 0
    oriented = sign * x[kept]
    result = {
        "pearson": float(stats.pearsonr(x, y).statistic),
        "spearman": float(stats.spearmanr(x, y).statistic),
        "kendall": float(stats.kendalltau(x, y, variant="b").statistic),
        "auc": float(roc_auc_score(gains, oriented)),
        "partial_pearson": float(partial(x, y, before)),
        "partial_spearman": float(partial(*map(stats.rankdata, (x, y, before)))),
        "leave_one_model_out": held_out(frame, score, "model"),
        "leave_one_target_out": held_out(frame, score, "target"),
    }
    for name, by in [("target", ["target"]), ("model", ["model"]), ("model_and_target", ["model", "target"])]:
        result["within_" + name] = {
            "pearson": within(frame, score, by, False),
            "spearman": within(frame, score, by, True),
        }
    cuts = np.unique(oriented)
    cuts = (cuts[1:] + cuts[:-1]) / 2
    accuracies = [balanced_accuracy_score(gains, oriented > cut) for cut in cuts]
    best = int(np.argmax(np.array(accuracies) > max(accuracies) - 1e-12))
    result["best_threshold"] = float(sign * cuts[best])
    result["best_balanced_accuracy"] = float(accuracies[best])
    if score == "ar":
        result["balanced_accuracy"] = float(balanced_accuracy_score(gains, oriented > 1))
        for name, side in [("claimed", x > 1), ("others", x <= 1)]:
            right, n = int((y[side] > 0).sum()), int(side.sum())
            low, high = proportion_confint(right, n, method="wilson")
            result[name] = {"gains": right, "n": n, "low": float(low), "high": float(high)}
        trained, p = x > 1, 0.3
        result["net_benefit_0.3"] = float(
            ((trained & (y > 0)).sum() - (trained & (y <= 0)).sum() * p / (1 - p)) / len(y)
        )
    if pingouin is not None:
        for method in ("pearson", "spearman"):
            frame = frame.assign(score=x)
            found = pingouin.partial_corr(frame, "score", "gain", "before", method=method)["r"].iloc[0]
            assert abs(found - result["partial_" + method]) < 1e-6, (method, found)
        found = pingouin.rm_corr(frame.assign(score=x), "score", "gain", "target")["r"].iloc[0]
        assert abs(found - result["within_target"]["pearson"]) < 1e-6, found
    return result


def main():
    frame = table()
    frame["gain"] = frame["after"] - frame["before"]
    rng = np.random.default_rng(1)
    columns = ["ar", "a_kl", "js"]
    small = frame[(frame.model == "small") & (frame.train_set != "tiny")].reset_index(drop=True)
    x, y = frame["ar"].to_numpy(), frame["gain"].to_numpy()
    tie_values = [np.array(X), np.array(Y)]
    intervals = {
        "clustered_pearson": ends(frame, [x, y], weighted_pearson, True, rng),
        "clustered_spearman": ends(frame, [x, y], wrank_spearman, True, rng),
        "plain_pearson": ends(frame, [x, y], weighted_pearson, False, rng),
        "plain_spearman": ends(frame, [x, y], wrank_spearman, False, rng),
    }
    controls = {
        "accuracy_before": frame["before"].to_numpy(),
        "inverse_a_kl_predictions": 1 / frame["a_kl_predictions"].to_numpy(),
        "train_size": frame["train_size"].to_numpy().astype(float),
        "target_size": frame["n"].to_numpy().astype(float),
    }
    skills = {name: stats.spearmanr(values, y).statistic for name, values in controls.items()}
    best = max(skills, key=lambda name: abs(skills[name]))

    def less_best(x, c, y, w):
        # A resample in which the control does not vary gives it no skill.
        of_control = np.sign(skills[best]) * wrank_spearman(c, y, w) if np.ptp(c) > 0 else 0.0
        return wrank_spearman(x, y, w) - of_control

    intervals["ar_less_best_control"] = ends(frame, [x, controls[best], y], less_best, True, rng)
    cells = []
    for row in frame.to_dict("records"):
        names = ["a_kl", "a_kl_predictions", "ar", "js", "train_size"]
        cells.append(
            {k: row[k] for k in ["model", "train_set", "target", "seed", "before", "after", "n"]}
            | {"scores": {name: row[name] for name in names}}
        )
    document = {
        "made_by": "scripts/reference/correlate.py",
        "versions": {m.__name__: m.__version__ for m in (np, scipy, sklearn, statsmodels, pingouin) if m},
        "ties": {
            "pearson": float(stats.pearsonr(*tie_values).statistic),
            "spearman": float(stats.spearmanr(*tie_values).statistic),
            "kendall": float(stats.kendalltau(*tie_values, variant="b").statistic),
        },
        "cells": cells,
        "figures": {name: figures(frame, name, name == "js") for name in columns},
        "permutation_of_small": {name: permutation_p(small, name) for name in columns},
        "best_control": best,
        "intervals_of_ar": intervals,
    }
    print(json.dumps(document, indent=1))


main()
