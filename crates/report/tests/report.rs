//! A made-up report in all its forms.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

use std::collections::BTreeMap;

use harness_record::{Outcome, Verdict};
use harness_report::{
    Cell, ChangedExample, Coefficient, Correlation, Curve, Estimate, LossPoint, OutcomeCounts,
    OutcomeRow, Provenance, ReportInput, StageRow, from_json, json, markdown, terminal_table,
};

fn estimate(value: f64, low: f64, high: f64) -> Estimate {
    Estimate { value, low, high }
}

fn verdicts() -> Vec<Verdict> {
    [
        (Outcome::Executed, Some(1.0)),
        (Outcome::Executed, Some(0.0)),
        (Outcome::Executed, Some(0.0)),
        (Outcome::Error, Some(0.0)),
        (Outcome::NoDatabase, None),
    ]
    .into_iter()
    .map(|(outcome, score)| Verdict {
        id: "x".into(),
        db_id: "d".into(),
        outcome,
        scores: BTreeMap::from([("ex".to_owned(), score)]),
        error_class: None,
        unstable: Vec::new(),
        error: None,
    })
    .collect()
}

fn input() -> ReportInput {
    ReportInput {
        experiment: "made|up".into(),
        model: "tiny".into(),
        cells: vec![
            Cell {
                model: "tiny".into(),
                train_set: "spider-train".into(),
                target: "bird-superhero".into(),
                seed: Some(17),
                n: 120,
                metric: "bird_ex".into(),
                ex_before: Some(estimate(0.35, 0.2707, 0.4384)),
                ex_after: Some(estimate(0.4, 0.3168, 0.4894)),
                gain: Some(estimate(0.05, -0.0083, 0.1083)),
                gain_by_database: Some(estimate(0.05, -0.02, 0.12)),
                mcnemar_p: Some(0.0004),
                a_kl: Some(0.81234),
                a_kl_rev: Some(0.7),
                a_kl_pred: Some(0.65),
                js: Some(0.1),
                ovlp_template: Some(0.5),
                ovlp_ngram: Some(0.9),
                ovlp_ratio_template: None,
                ovlp_ratio_ngram: None,
                ar: Some(1.25),
                ar_rarefied_interval: Some((1.1, 1.4)),
                ar_rarefied: Some(1.2),
                left_out: BTreeMap::from([("predictions without a query".to_owned(), 0.025)]),
                warnings: vec!["only one database".into()],
            },
            Cell {
                train_set: "b".into(),
                target: "t".into(),
                metric: "bird_ex".into(),
                ..Cell::default()
            },
        ],
        outcomes: vec![
            OutcomeRow {
                target: "t".into(),
                train_set: None,
                counts: OutcomeCounts::of(&verdicts(), "ex"),
            },
            OutcomeRow {
                target: "t".into(),
                train_set: Some("b".into()),
                counts: OutcomeCounts::default(),
            },
        ],
        correlations: vec![Correlation {
            score: "A_KL".into(),
            n: 2,
            pearson: Some(Coefficient {
                value: 0.5,
                interval: Some((-0.9, 0.99)),
            }),
            spearman: Some(Coefficient {
                value: -0.25,
                interval: None,
            }),
            kendall: None,
            note: "too few cells to conclude".into(),
        }],
        conclusion: "Two cells say nothing.\n\nMore are needed.".into(),
        curves: vec![Curve {
            train_set: "b".into(),
            examples: 256,
            left_out: 3,
            losses: (1..=34)
                .map(|step| LossPoint {
                    step,
                    loss: 1.0 / step as f64,
                })
                .collect(),
            dev_losses: vec![
                LossPoint { step: 0, loss: 2.0 },
                LossPoint {
                    step: 34,
                    loss: 0.5,
                },
            ],
        }],
        changed: vec![
            ChangedExample {
                id: "dev-1".into(),
                train_set: "b".into(),
                target: "t".into(),
                fixed: true,
                before: "SELECT\n a || b".into(),
                after: "SELECT `a` FROM t".into(),
            },
            ChangedExample {
                id: "dev-2".into(),
                train_set: "b".into(),
                target: "t".into(),
                fixed: false,
                before: "SELECT 1".into(),
                after: String::new(),
            },
        ],
        stages: vec![StageRow {
            stage: "train/b".into(),
            wall_seconds: 61.26,
            cpu_seconds: None,
            peak_memory_bytes: Some(2 << 30),
        }],
        provenance: Provenance {
            version: "0.1.0".into(),
            commit: Some("abc".into()),
            dirty: Some(true),
            cpu: None,
            command: Some("harness run made-up.yaml".into()),
            hashes: BTreeMap::from([("weights".to_owned(), "00ff".to_owned())]),
            seeds: BTreeMap::from([("train".to_owned(), 17)]),
        },
    }
}

#[test]
fn as_markdown() {
    let expected = include_str!("report.md");
    let found = markdown(&input());
    assert_eq!(found, expected, "\nfound:\n{found}");
}

#[test]
fn for_a_terminal() {
    let expected = include_str!("report.txt");
    let found = terminal_table(&input());
    assert_eq!(found, expected, "\nfound:\n{found}");
}

#[test]
fn as_json_and_back() {
    let text = json(&input());
    assert_eq!(from_json(&text).unwrap(), input());
    assert!(text.ends_with("}\n"));
    let error = from_json("{\n\"experiment\": 3}").unwrap_err().to_string();
    assert!(
        error.starts_with("not a report: line 2, column "),
        "{error}"
    );
}

#[test]
fn a_terminal_line_is_at_most_100_columns_wide() {
    let mut input = input();
    input.cells[0].train_set = "ä".repeat(300);
    input.cells[0].target = "long-target-name".repeat(9);
    input.cells[0].gain = Some(estimate(-1.0, -1.0, -1.0));
    input.cells[0].ex_before = Some(estimate(1.0, 1.0, 1.0));
    input.cells[0].ex_after = Some(estimate(1.0, 1.0, 1.0));
    input.correlations[0].score = "x".repeat(200);
    input.conclusion = format!("{} {}", "w".repeat(250), "words ".repeat(40));
    input.experiment = "e".repeat(120);
    for line in terminal_table(&input).lines() {
        assert!(line.chars().count() <= 100, "{line}");
    }
}

#[test]
fn an_empty_report_is_one_too() {
    let empty = ReportInput::default();
    assert!(markdown(&empty).contains("## Provenance"));
    assert_eq!(from_json(&json(&empty)).unwrap(), empty);
    assert!(!terminal_table(&empty).is_empty());
}
