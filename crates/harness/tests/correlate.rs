//! `harness correlate` on tables of runs.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

mod support;

use std::fmt::Write as _;

use serde_json::{Value, json};
use support::Lab;

/// Three models on four targets, three training sets each, as CSV; the gain follows `ar` and a little of its own.
fn table() -> String {
    let mut text = "model,train_set,target,seed,before,after,n,ar,a_kl_predictions,js\n".to_owned();
    for cell in 0..36_u32 {
        let (model, target, set) = (cell / 12, cell / 3 % 4, cell % 3);
        let ar = 0.8 + 0.01 * f64::from((cell * 17 + set * 13) % 41);
        let before = 0.3 + 0.05 * f64::from(model) + 0.02 * f64::from(target);
        let after = before + 0.5 * (ar - 1.0) + 0.002 * f64::from(cell * 7 % 11);
        let own = 0.7 + 0.02 * f64::from((model * 5 + target * 3) % 7);
        let js = if cell == 4 {
            String::new()
        } else {
            format!("{:.4}", 1.2 - ar)
        };
        writeln!(
            text,
            "m{model},s{set},t{target},1,{before:.4},{after:.4},100,{ar:.4},{own:.4},{js}"
        )
        .unwrap();
    }
    text
}

#[test]
fn a_table_says_whether_a_score_tells_the_gain() {
    let lab = Lab::new();
    lab.write("runs.csv", &table());
    let text = lab.succeed("correlate --cells runs.csv --resamples 500");
    for words in [
        "Does ar tell the gain of fine-tuning?",
        "A higher ar goes with a larger gain: Spearman 0.9",
        "36 cells: 3 models, 3 training sets, 4 targets, 1 seed",
        "Better than the best control: ar",
        "* accuracy_before",
        "- js",
        "Gain along ar",
        "above 1",
        "indifferent at",
        "Furthest from the line gain ~ ar",
    ] {
        assert!(text.contains(words), "{words} in\n{text}");
    }
    for line in text.lines() {
        assert!(line.chars().count() <= 100, "{line}");
    }
    let found: Value =
        serde_json::from_str(&lab.succeed("correlate --cells runs.csv --score js --json")).unwrap();
    assert_eq!(
        (&found["headline"], &found["n"]),
        (&json!("js"), &json!(36))
    );
    assert_eq!(found["conclusion"], "negative");
    assert_eq!(found["usefulness"], "useful");
    let js = found["predictors"]
        .as_array()
        .unwrap()
        .iter()
        .find(|p| p["name"] == "js")
        .unwrap();
    assert_eq!(
        (&js["n"], &js["direction"]),
        (&json!(35), &json!("distance"))
    );
}

#[test]
fn files_of_all_three_kinds_are_put_together() {
    let lab = Lab::new();
    lab.write("runs.csv", &table());
    let cell = |seed: u32| {
        json!({"model": "m9", "train_set": "s", "target": "t0", "seed": seed, "before": 0.2, "after": 0.3,
            "scores": {"ar": 1.1, "js": null}})
    };
    lab.write("list.json", &json!([cell(1), cell(2)]).to_string());
    lab.write("lines.jsonl", &format!("{}\n\n{}\n", cell(3), cell(4)));
    let line = "correlate --json --resamples 20 --cells runs.csv list.json lines.jsonl";
    let found: Value = serde_json::from_str(&lab.succeed(line)).unwrap();
    assert_eq!(
        (&found["n"], &found["table"]["models"]),
        (&json!(40), &json!(4))
    );
    // A run that is in two files would count twice.
    lab.write("again.jsonl", &cell(2).to_string());
    let error = lab.fail("correlate --cells list.json lines.jsonl again.jsonl");
    assert!(
        error.contains("again.jsonl, line 1") && error.contains("list.json, cell 2"),
        "{error}"
    );
}

#[test]
fn four_cells_give_no_more_than_numbers() {
    let (lab, table) = (Lab::new(), table());
    let rows: Vec<&str> = table.lines().take(5).collect();
    lab.write("few.csv", &rows.join("\n"));
    let text = lab.succeed("correlate --cells few.csv");
    assert!(
        text.contains("Too few cells to conclude: 4 with ar, at least 8 are needed"),
        "{text}"
    );
    assert!(text.contains("can't be told from these cells"), "{text}");
    let rows: Vec<&str> = table.lines().take(4).collect();
    lab.write("three.csv", &rows.join("\n"));
    let found: Value =
        serde_json::from_str(&lab.succeed("correlate --cells three.csv --json")).unwrap();
    for predictor in found["predictors"].as_array().unwrap() {
        assert_eq!(predictor["spearman"]["value"], Value::Null, "{predictor}");
        assert_eq!(predictor["auc"]["value"], Value::Null, "{predictor}");
    }
}

#[test]
fn faults_are_told_with_what_to_do() {
    let lab = Lab::new();
    lab.write(
        "percent.csv",
        "model,train_set,target,seed,before,after,ar\nm,s,t,1,20,35.5,1.1\n",
    );
    let error = lab.fail("correlate --cells percent.csv");
    assert!(
        error.contains("percent.csv, line 2: before is 20")
            && error.contains("divide percentages by 100"),
        "{error}"
    );
    lab.write("runs.csv", &table());
    let error = lab.fail("correlate --cells runs.csv --score ra");
    assert!(
        error.contains("no cell has the score ra") && error.contains("ar, js"),
        "{error}"
    );
    let error = lab.fail("correlate --cells nowhere.csv");
    assert!(error.contains("nowhere.csv"), "{error}");
}
