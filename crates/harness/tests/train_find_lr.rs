//! `harness train --find-lr`: a table, a plot, a suggestion, a file; and no adapter.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

use serde_json::Value;

mod support;
use support::Lab;

const FIND: &str = "train --config tiny.yaml --train-set plain --out rates --find-lr";

#[test]
fn rates_are_tried_and_one_is_suggested() {
    let lab = Lab::new();
    let said = lab.succeed(&format!("{FIND} --lr-min 1e-5 --lr-max 100 --lr-steps 60"));
    for expected in [
        "learning rates for tiny on plain: ",
        "rate       loss   smoothed   held out",
        "the loss falls fastest at",
        "the loss does not explode up to 1.0e2",
        "least loss held out at",
        "to begin with: --set train.learning_rate=",
        "|",
        "*",
    ] {
        assert!(said.contains(expected), "{expected}: {said}");
    }
    let names: Vec<String> = lab.tree("rates").into_keys().collect();
    assert_eq!(names, ["find-lr.json"]);

    let found = lab.json("rates/find-lr.json");
    assert_eq!(
        (&found["train_set"], &found["held_out"]),
        (&"plain".into(), &2.into())
    );
    let points = found["points"].as_array().unwrap();
    assert_eq!(points.len(), 60);
    let rates: Vec<f64> = points
        .iter()
        .map(|point| point["rate"].as_f64().unwrap())
        .collect();
    assert!((rates[0] - 1e-5).abs() < 1e-18);
    for pair in rates.windows(2) {
        assert!((pair[1] / pair[0] / 1e7_f64.powf(1.0 / 59.0) - 1.0).abs() < 1e-9);
    }
    // The mean of the first two, the first weighted 0.9.
    let loss = |index: usize| points[index]["loss"].as_f64().unwrap();
    let smoothed = points[1]["smoothed"].as_f64().unwrap();
    assert!((smoothed - (0.9 * loss(0) + loss(1)) / 1.9).abs() < 1e-12);
    assert!(points.iter().any(|point| point["dev_loss"].is_number()));
    // A model of random weights is never worse than one that guesses, so no rate is four times as bad as the best.
    assert!(found["diverged_at"].is_null());
    let steepest = found["steepest"].as_f64().unwrap();
    let least = found["least_dev_loss"].as_f64().unwrap();
    assert!(
        1e-3 < steepest && steepest < least && least < 1.0,
        "{steepest} {least}"
    );

    // The same again, as JSON.
    let again = lab.succeed(&format!(
        "{FIND} --lr-min 1e-5 --lr-max 100 --lr-steps 60 --json"
    ));
    assert_eq!(serde_json::from_str::<Value>(&again).unwrap(), found);
}

#[test]
fn what_is_held_out_comes_from_the_training_set() {
    let lab = Lab::new();
    lab.succeed(&format!("{FIND} --lr-steps 12 --set train.dev_examples=0"));
    // A tenth of sixteen.
    assert_eq!(lab.json("rates/find-lr.json")["held_out"], 1);
    lab.succeed(&format!(
        "{FIND} --lr-steps 12 --lr-max 1e-5 --set train.lora= --set train.method=full"
    ));
    let found = lab.json("rates/find-lr.json");
    assert_eq!(found["points"].as_array().unwrap().len(), 12);
    assert!(found["diverged_at"].is_null());
}

#[test]
fn what_cannot_be_tried_is_said() {
    let lab = Lab::new();
    let error = lab.fail(&format!("{FIND} --lr-min 1 --lr-max 0.5 --lr-steps 3"));
    assert!(
        error.contains("lr-max is 0.5, expected a finite number above lr-min")
            && error.contains("lr-steps is 3"),
        "{error}"
    );
    let error = lab.fail("train --config tiny.yaml --train-set plain --out x --lr-steps 3");
    assert!(error.contains("--find-lr"), "{error}");
    let help = lab.succeed("train --help");
    assert!(help.contains("--out rates --find-lr"), "{help}");
}
