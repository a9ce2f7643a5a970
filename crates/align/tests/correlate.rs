//! Correlations against the figures of `scripts/reference/correlate.py`, and on tables whose making is known.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

use std::collections::BTreeMap;

use harness_align::correlate::leaderboard::{Place, Usefulness};
use harness_align::correlate::permute::NoTest;
use harness_align::correlate::resample::{Clusters, NoInterval};
use harness_align::correlate::{Coefficient, PredictorReport};
use harness_align::{Cell, Conclusion, CorrelateOptions, Correlation, Interval, correlate};
use rand::Rng;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;
use serde_json::Value;

fn reference() -> Value {
    serde_json::from_str(include_str!("correlate.json")).unwrap()
}

fn cells(reference: &Value) -> Vec<Cell> {
    serde_json::from_value(reference["cells"].clone()).unwrap()
}

fn predictor<'a>(found: &'a Correlation, name: &str) -> &'a PredictorReport {
    found.predictors.iter().find(|p| p.name == name).unwrap()
}

fn place<'a>(found: &'a Correlation, name: &str) -> &'a Place {
    found.leaderboard.iter().find(|p| p.name == name).unwrap()
}

#[track_caller]
fn close(what: &str, found: Option<f64>, expected: &Value) {
    let expected = expected.as_f64().unwrap_or_else(|| panic!("no {what}"));
    let found = found.unwrap_or_else(|| panic!("{what} has no value"));
    assert!(
        (found - expected).abs() < 1e-9,
        "{what}: {found} for {expected}"
    );
}

#[test]
fn figures_agree_with_the_reference() {
    let reference = reference();
    let found = correlate(&cells(&reference), &CorrelateOptions::default());
    for (name, expected) in reference["figures"].as_object().unwrap() {
        let report = predictor(&found, name);
        let of = |what: &str| format!("{what} of {name}");
        for (what, value) in [
            ("pearson", report.pearson.value),
            ("spearman", report.spearman.value),
            ("kendall", report.kendall.value),
            ("auc", report.auc.value),
            ("partial_pearson", report.partial.pearson.value),
            ("partial_spearman", report.partial.spearman.value),
            ("best_threshold", report.best_threshold.threshold.value),
            (
                "best_balanced_accuracy",
                report.best_threshold.balanced_accuracy.value,
            ),
        ] {
            close(&of(what), value, &expected[what]);
        }
        for (what, pair) in [
            ("within_target", report.within.target),
            ("within_model", report.within.model),
            ("within_model_and_target", report.within.model_and_target),
        ] {
            close(&of(what), pair.pearson.value, &expected[what]["pearson"]);
            close(&of(what), pair.spearman.value, &expected[what]["spearman"]);
        }
        for (what, held_out) in [
            ("leave_one_model_out", report.leave_one_model_out),
            ("leave_one_target_out", report.leave_one_target_out),
        ] {
            let expected = &expected[what];
            close(&of(what), held_out.rmse.value, &expected["rmse"]);
            close(&of(what), held_out.mae.value, &expected["mae"]);
            close(&of(what), held_out.rmse_of_mean, &expected["rmse_of_mean"]);
            close(&of(what), held_out.mae_of_mean, &expected["mae_of_mean"]);
            close(&of(what), held_out.skill.value, &expected["skill"]);
        }
    }
}

#[test]
fn sides_of_the_threshold_agree_with_the_reference() {
    let reference = reference();
    let found = correlate(&cells(&reference), &CorrelateOptions::default());
    let (ar, expected) = (predictor(&found, "ar"), &reference["figures"]["ar"]);
    close(
        "balanced accuracy",
        ar.balanced_accuracy.unwrap().value,
        &expected["balanced_accuracy"],
    );
    let sides = ar.sides.unwrap();
    for (what, side) in [("claimed", sides.claimed), ("others", sides.others)] {
        let expected = &expected[what];
        assert_eq!(
            (side.gains as u64, side.n as u64),
            (
                expected["gains"].as_u64().unwrap(),
                expected["n"].as_u64().unwrap()
            )
        );
        close(what, Some(side.low), &expected["low"]);
        close(what, Some(side.high), &expected["high"]);
    }
    let decision = ar.decision.as_ref().unwrap();
    let net = decision
        .curve
        .iter()
        .find(|net| (net.probability - 0.3).abs() < 1e-12)
        .unwrap();
    close("net benefit", net.rule.value, &expected["net_benefit_0.3"]);
    assert!(!decision.chosen_here && (decision.threshold - 1.0).abs() < 1e-15);
    // Bins hold every cell once.
    assert_eq!(ar.bins.iter().map(|bin| bin.gain.n).sum::<usize>(), ar.n);
}

#[test]
fn all_assignments_of_training_sets_give_the_reference_p() {
    let reference = reference();
    let mut small = cells(&reference);
    small.retain(|cell| cell.model == "small" && cell.train_set != "tiny");
    let found = correlate(&small, &CorrelateOptions::default());
    for (name, expected) in reference["permutation_of_small"].as_object().unwrap() {
        let report = predictor(&found, name);
        assert!(report.permutation.exact);
        close(
            "arrangements",
            Some(report.permutation.arrangements),
            &expected["arrangements"],
        );
        close("p of Pearson", report.pearson.p, &expected["pearson"]);
        close("p of Spearman", report.spearman.p, &expected["spearman"]);
        close("p of Kendall", report.kendall.p, &expected["kendall"]);
    }
    // Drawn at random, p is the same but for what chance allows: five standard deviations of a share.
    let drawn = correlate(
        &small,
        &CorrelateOptions {
            permutations: 200,
            ..CorrelateOptions::default()
        },
    );
    for name in ["ar", "a_kl", "js"] {
        let (all, some) = (predictor(&found, name), predictor(&drawn, name));
        assert!(!some.permutation.exact);
        let (tail, p) = (
            all.spearman.p.unwrap() / 2.0,
            some.spearman.p.unwrap() / 2.0,
        );
        let chance = 5.0 * (tail * (1.0 - tail) / 200.0).sqrt() + 1.0 / 201.0;
        assert!((tail - p).abs() <= chance, "{name}: {tail} and {p}");
    }
}

#[test]
fn intervals_agree_with_an_implementation_of_other_make() {
    let reference = reference();
    let found = correlate(&cells(&reference), &CorrelateOptions::default());
    let ar = predictor(&found, "ar");
    assert_eq!(ar.clusters, Clusters::ModelsAndTargets);
    let difference = place(&found, "ar").less_best_control.clone().unwrap();
    let best = reference["best_control"].as_str().unwrap();
    assert_eq!(difference.to, format!("control:{best}"));
    let inside = |what: &str, found: Option<Interval>| {
        let expected = &reference["intervals_of_ar"][what];
        let found = found.unwrap_or_else(|| panic!("{what} has no interval"));
        for (end, value) in [("low", found.low), ("high", found.high)] {
            let bound = |at: usize| expected[end][at].as_f64().unwrap();
            assert!(
                bound(0) - 1e-9 <= value && value <= bound(1) + 1e-9,
                "{what}, {end}: {value} for {}",
                expected[end]
            );
        }
    };
    inside("clustered_pearson", ar.pearson.interval);
    inside("clustered_spearman", ar.spearman.interval);
    inside("plain_pearson", ar.pearson.plain_interval);
    inside("plain_spearman", ar.spearman.plain_interval);
    inside("ar_less_best_control", difference.difference.interval);
}

/// Cells of 5 models, 5 targets, 4 training sets; `gain` of the base model's quality, the alignment of the training
/// set and chance, and AR as alignment over the alignment of what the base model writes.
fn simulated(seed: u64, gain: impl Fn(f64, f64) -> f64) -> Vec<Cell> {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    // A sum of uniform numbers is normal enough; mean 0, variance 1.
    let mut normal = || (0..12).map(|_| random.random::<f64>()).sum::<f64>() - 6.0;
    let mut cells = Vec::new();
    for model in 0..5 {
        for target in 0..5 {
            let before = (0.4 + 0.1 * normal()).clamp(0.1, 0.7);
            let own = 0.4 + 0.8 * before + 0.01 * normal();
            for set in 0..4 {
                let aligned = (0.75 + 0.1 * normal()).clamp(0.4, 1.0);
                let gained = gain(before, aligned) + 0.02 * normal();
                cells.push(Cell {
                    model: format!("m{model}"),
                    train_set: format!("s{set}"),
                    target: format!("t{target}"),
                    seed: 0,
                    before,
                    after: (before + gained).clamp(0.0, 1.0),
                    n: 500,
                    gain_interval: None,
                    scores: [
                        ("a_kl", aligned),
                        ("a_kl_predictions", own),
                        ("ar", aligned / own),
                    ]
                    .map(|(name, value)| (name.to_owned(), value))
                    .into(),
                });
            }
        }
    }
    cells
}

#[test]
fn a_ratio_that_lives_off_its_denominator_is_not_useful() {
    // The worse a model is before, the more it gains, on whatever it is trained.
    let cells = simulated(1, |before, _| 0.5 * (0.45 - before));
    let found = correlate(&cells, &CorrelateOptions::default());
    let ar = predictor(&found, "ar");
    // Pooled, AR goes with the gain: this is the trap.
    assert_eq!(found.conclusion, Conclusion::Positive, "{}", found.text);
    assert_eq!(found.usefulness, Some(Usefulness::Worse), "{}", found.text);
    assert!(
        found.text.contains("worse than the best control"),
        "{}",
        found.text
    );
    assert!(
        found.leaderboard[0].control,
        "{}",
        found.leaderboard[0].name
    );
    // Neither the permutation of training sets nor what is left inside model and target shows anything.
    assert!(ar.spearman.p.unwrap() > 0.05);
    assert!(ar.within.model_and_target.spearman.value.unwrap().abs() < 0.25);
    assert!(ar.partial.pearson.value.unwrap().abs() < 0.25);
}

#[test]
fn a_ratio_that_tells_the_gain_is_useful() {
    let cells = simulated(2, |before, aligned| 0.8 * (aligned - 0.4 - 0.8 * before));
    let found = correlate(&cells, &CorrelateOptions::default());
    assert_eq!(found.conclusion, Conclusion::Positive, "{}", found.text);
    assert_eq!(found.usefulness, Some(Usefulness::Useful), "{}", found.text);
    assert_eq!(found.leaderboard[0].name, "ar");
    let ar = predictor(&found, "ar");
    assert!(ar.spearman.p.unwrap() < 0.01 && ar.auc.value.unwrap() > 0.9);
    assert!(ar.leave_one_target_out.skill.value.unwrap() > 0.5);
    assert!(
        ar.decision
            .as_ref()
            .unwrap()
            .advantage
            .interval
            .unwrap()
            .low
            > 0.0
    );
    // With enough cells: eight of them show nothing yet.
    let few = correlate(&cells[..7], &CorrelateOptions::default());
    assert_eq!(few.usefulness, Some(Usefulness::TooFewCells));
    assert_eq!(few.conclusion, Conclusion::TooFewCells);
    assert_eq!(
        predictor(&few, "ar").spearman.no_interval,
        Some(NoInterval::TooFewCells)
    );
}

#[test]
fn one_training_set_each_leaves_nothing_to_shuffle() {
    let mut cells = simulated(3, |_, aligned| aligned - 0.7);
    cells.retain(|cell| cell.train_set == "s0");
    let found = correlate(&cells, &CorrelateOptions::default());
    let ar = predictor(&found, "ar");
    assert_eq!(ar.permutation.reason, Some(NoTest::NothingToShuffle));
    assert_eq!((ar.spearman.p, ar.spearman.value.is_some()), (None, true));
    assert!(found.notes.iter().any(|note| note.starts_with("no p:")));
}

#[test]
fn seeds_of_a_training_set_move_together() {
    // Three training sets with three seeds each, on one target: 3! assignments and not 9!.
    let mut cells = Vec::new();
    for seed in 0..3 {
        let mut of_seed = simulated(4 + seed, |_, aligned| aligned - 0.7);
        of_seed.retain(|c| c.model == "m0" && c.target == "t0" && c.train_set != "s3");
        for cell in &mut of_seed {
            cell.seed = seed;
        }
        cells.extend(of_seed);
    }
    let found = correlate(&cells, &CorrelateOptions::default());
    let ar = predictor(&found, "ar");
    assert!((ar.permutation.arrangements - 6.0).abs() < 1e-12 && ar.permutation.exact);
    assert_eq!(ar.clusters, Clusters::Cells);
    // A seed less, and that training set stays where it is.
    cells.remove(0);
    let found = correlate(&cells, &CorrelateOptions::default());
    let arrangements = predictor(&found, "ar").permutation.arrangements;
    assert!((arrangements - 2.0).abs() < 1e-12);
}

#[test]
fn distances_are_turned_round() {
    let mut cells = simulated(5, |_, aligned| aligned - 0.7);
    for cell in &mut cells {
        let distance = 1.0 - cell.scores["a_kl"];
        cell.scores.insert("js".to_owned(), distance);
    }
    let found = correlate(&cells, &CorrelateOptions::default());
    let (a, js) = (predictor(&found, "a_kl"), predictor(&found, "js"));
    let sum = |x: Coefficient, y: Coefficient| (x.value.unwrap() + y.value.unwrap()).abs();
    assert!(sum(a.spearman, js.spearman) < 1e-12);
    assert_eq!(a.auc.value, js.auc.value);
    assert!(
        (place(&found, "a_kl").skill.unwrap() - place(&found, "js").skill.unwrap()).abs() < 1e-12
    );
    let (cut, mirrored) = (
        a.best_threshold.threshold.value.unwrap(),
        js.best_threshold.threshold.value.unwrap(),
    );
    assert!((cut + mirrored - 1.0).abs() < 1e-9);
}

#[test]
fn any_number_of_threads_gives_the_same_bytes() {
    let cells = simulated(6, |before, aligned| aligned - before - 0.3);
    let options = CorrelateOptions {
        resamples: 200,
        permutations: 200,
        ..CorrelateOptions::default()
    };
    let bytes = |threads| {
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(threads)
            .build()
            .unwrap();
        pool.install(|| serde_json::to_string(&correlate(&cells, &options)).unwrap())
    };
    assert_eq!(bytes(1), bytes(3));
}

/// A cell that lacks a score leaves the others' figures alone, and differences are over the cells of both.
#[test]
fn missing_scores() {
    let mut cells = simulated(7, |_, aligned| aligned - 0.7);
    let before = correlate(&cells, &CorrelateOptions::default());
    cells[0].scores.remove("a_kl");
    let after = correlate(&cells, &CorrelateOptions::default());
    assert_eq!(predictor(&before, "ar"), predictor(&after, "ar"));
    let less = place(&after, "a_kl").less_headline.clone().unwrap();
    assert_eq!((less.n, place(&after, "a_kl").n), (99, 99));
    assert!(less.difference.interval.is_some());
    let names: BTreeMap<_, _> = after
        .predictors
        .iter()
        .map(|p| (p.name.as_str(), p.n))
        .collect();
    assert_eq!((names["ar"], names["a_kl"]), (100, 99));
}
