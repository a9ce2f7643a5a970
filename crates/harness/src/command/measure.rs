//! `harness measure`: what the model itself says of the training sets and targets of an experiment.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use anyhow::{Result, ensure};
use harness_align::score::model::{ModelScore, TABLE};
use harness_align::{Direction, ModelScores};
use harness_experiment::StageKind;
use serde::Serialize;

use super::open_stage;
use crate::cli::StageArgs;
use crate::stage::{Inputs, measure as measured};

/// What is printed as JSON.
#[derive(Serialize)]
struct Found {
    /// What each score is.
    scores: [ModelScore; TABLE.len()],
    /// By target and training set.
    cells: BTreeMap<String, BTreeMap<String, ModelScores>>,
}

pub fn measure(arguments: &StageArgs) -> Result<()> {
    let opened = open_stage(arguments)?;
    let spec = &opened.context.spec;
    ensure!(
        spec.align.model_scores.is_some(),
        "the experiment does not ask what the model says: write `align: {{model_scores: {{}}}}` in it, or add \
         --set align.model_scores.sample=200"
    );
    ensure!(
        !spec.train_sets.is_empty() && !spec.targets.is_empty(),
        "there is nothing to compare: the experiment needs a training set and a target"
    );
    opened.run(&[StageKind::Measure, StageKind::Probe])?;
    let inputs = Inputs::new(&opened.store);
    let mut cells: BTreeMap<String, BTreeMap<String, ModelScores>> = BTreeMap::new();
    for target in spec.targets.keys() {
        for train in spec.train_sets.keys() {
            let scores = measured::scores(&inputs, train, target, spec.seed)?;
            let row = cells.entry(target.clone()).or_default();
            row.insert(train.clone(), scores);
        }
    }
    let found = Found {
        scores: TABLE,
        cells,
    };
    if arguments.json {
        println!("{}", serde_json::to_string_pretty(&found)?);
    } else {
        print!("{}", text(&found));
    }
    Ok(())
}

/// A table for each target, with a column for each training set.
fn text(found: &Found) -> String {
    let mut out = String::new();
    // Writing to a text does not fail.
    let _ = write(&mut out, found);
    out
}

fn write(out: &mut String, found: &Found) -> std::fmt::Result {
    let name = |score: &ModelScore| {
        let mark = if score.needs_gold { " *" } else { "" };
        format!("{}{mark}", score.name)
    };
    let first = TABLE
        .iter()
        .map(|score| name(score).len())
        .max()
        .unwrap_or(0);
    for (target, by_train) in &found.cells {
        writeln!(out, "{target}\n")?;
        write!(out, "  {:<first$}  close", "score")?;
        let width = |train: &String| train.chars().count().max(9);
        for train in by_train.keys() {
            write!(out, "  {train:>width$}", width = width(train))?;
        }
        writeln!(out)?;
        for (place, score) in TABLE.iter().enumerate() {
            let close = match score.direction {
                Direction::Likeness => "high",
                Direction::Distance => "low",
            };
            write!(out, "  {:<first$}  {close:<5}", name(score))?;
            for (train, scores) in by_train {
                let value = scores.rows.get(place).and_then(|row| row.value);
                let value = value.map_or_else(|| "-".to_owned(), number);
                write!(out, "  {value:>width$}", width = width(train))?;
            }
            writeln!(out)?;
        }
        writeln!(out)?;
        for (train, scores) in by_train {
            for row in &scores.rows {
                if let Some(missing) = row.missing {
                    writeln!(out, "  {train}, {}: {missing}", row.name)?;
                }
            }
            for note in &scores.notes {
                writeln!(out, "  {train}, {note}")?;
            }
        }
        writeln!(out)?;
    }
    for score in &found.scores {
        writeln!(out, "{:<first$}  {}", name(score), score.says)?;
    }
    writeln!(
        out,
        "\n* is made of gold queries of the target: a target without annotated examples can't have it, nor the structural scores."
    )
}

fn number(value: f64) -> String {
    if value != 0.0 && value.abs() < 1e-3 {
        format!("{value:.2e}")
    } else {
        format!("{value:.4}")
    }
}
