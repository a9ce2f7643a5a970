use super::{Conclusion, CorrelateOptions, Correlation, NoValue, PredictorReport, correlate};
use crate::cell::Cell;

/// Cells with these values of `ar` and these gains; accuracy before falls from cell to cell.
fn cells(pairs: &[(f64, f64)]) -> Vec<Cell> {
    let cell = |(i, (ar, gain)): (usize, &(f64, f64))| {
        let before = 0.5 - 0.01 * i as f64;
        Cell {
            model: "m".to_owned(),
            train_set: format!("s{i}"),
            target: "t".to_owned(),
            seed: 0,
            before,
            after: before + gain,
            n: 100,
            gain_interval: (i % 2 == 0).then_some((gain - 0.01, gain + 0.01)),
            scores: [("ar".to_owned(), *ar), ("a_kl_predictions".to_owned(), 0.9)].into(),
        }
    };
    pairs.iter().enumerate().map(cell).collect()
}

fn run(pairs: &[(f64, f64)]) -> Correlation {
    correlate(
        &cells(pairs),
        &CorrelateOptions {
            resamples: 200,
            permutations: 199,
            ..CorrelateOptions::default()
        },
    )
}

fn predictor<'a>(found: &'a Correlation, name: &str) -> &'a PredictorReport {
    found.predictors.iter().find(|p| p.name == name).unwrap()
}

const RISING: [(f64, f64); 9] = [
    (0.90, -0.05),
    (0.92, -0.02),
    (0.95, -0.03),
    (0.97, 0.015),
    (1.01, 0.02),
    (1.04, 0.01),
    (1.07, 0.05),
    (1.10, 0.04),
    (1.20, 0.09),
];

#[test]
fn a_rising_relation() {
    let found = run(&RISING);
    assert_eq!((found.n, found.conclusion), (9, Conclusion::Positive));
    assert!(
        found
            .text
            .starts_with("a higher ar goes with a larger gain: Spearman 0.9"),
        "{}",
        found.text
    );
    let ar = predictor(&found, "ar");
    let interval = ar.pearson.interval.unwrap();
    assert!(
        interval.contains(ar.pearson.value.unwrap())
            && interval.resamples + ar.pearson.degenerate == 200
    );
    // Of 199 permutations hardly one is as far from 0.
    assert!(ar.spearman.p.unwrap() <= 0.015);
    let sign = ar.sign.unwrap();
    assert_eq!(
        (sign.agree, sign.of, sign.agree_clear, sign.of_clear),
        (8, 9, 5, 5)
    );
    // Scores by name, controls behind them.
    let names: Vec<_> = found.predictors.iter().map(|p| p.name.as_str()).collect();
    assert_eq!(
        names,
        [
            "ar",
            "control:accuracy_before",
            "control:inverse_a_kl_predictions",
            "control:target_size",
            "control:constant"
        ]
    );
    assert!(
        predictor(&found, "control:accuracy_before")
            .spearman
            .value
            .unwrap()
            < -0.9
    );
}

#[test]
fn few_cells() {
    let three = run(&RISING[..3]);
    let ar = predictor(&three, "ar");
    assert_eq!(
        (ar.pearson.value, ar.pearson.reason, ar.n),
        (None, Some(NoValue::TooFewCells), 3)
    );
    let seven = run(&RISING[..7]);
    assert!(predictor(&seven, "ar").kendall.value.is_some());
    for found in [run(&[]), three, seven] {
        assert_eq!(found.conclusion, Conclusion::TooFewCells);
        assert!(found.text.starts_with("too few cells to conclude"));
    }
}

#[test]
fn no_variance() {
    let constant_gain: Vec<_> = RISING.iter().map(|(ar, _)| (*ar, 0.0)).collect();
    let found = run(&constant_gain);
    assert_eq!(
        predictor(&found, "ar").pearson.reason,
        Some(NoValue::ConstantGain)
    );
    assert_eq!(found.conclusion, Conclusion::NotMeasurable);
    let sign = predictor(&found, "ar").sign.unwrap();
    assert_eq!((sign.agree, sign.of), (0, 0));
    let found = run(&RISING);
    assert_eq!(
        predictor(&found, "control:inverse_a_kl_predictions")
            .kendall
            .reason,
        Some(NoValue::ConstantScore)
    );
}

#[test]
fn unfinished_cells_count_as_missing() {
    let mut table = cells(&RISING);
    table[0].scores.insert("ar".to_owned(), f64::NAN);
    table[1].scores.clear();
    table[2].after = f64::NAN;
    let found = correlate(&table, &CorrelateOptions::default());
    assert_eq!((found.n, predictor(&found, "ar").n), (9, 6));
    assert_eq!(predictor(&found, "control:accuracy_before").n, 8);
}

#[test]
fn the_same_seed_gives_the_same_bytes() {
    let bytes = |seed| {
        let options = CorrelateOptions {
            resamples: 50,
            permutations: 50,
            seed,
            ..CorrelateOptions::default()
        };
        serde_json::to_string(&correlate(&cells(&RISING), &options)).unwrap()
    };
    assert_eq!(bytes(3), bytes(3));
    assert_ne!(bytes(3), bytes(4));
}
