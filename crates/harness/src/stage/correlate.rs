//! Gains, and their correlation with alignment.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::Result;
use harness_align::{Cell, CorrelateOptions, correlate};
use harness_eval::{Paired, PairedOptions, Summary, paired};
use harness_experiment::plan::BASE;
use serde::{Deserialize, Serialize};

use super::align::{self, Alignment};
use super::{Inputs, Left, score};
use crate::context::Context;
use crate::files::write_json;

/// One training set and one target: all that the tables say of them.
#[derive(Debug, Serialize, Deserialize)]
pub struct Row {
    pub train_set: String,
    pub target: String,
    pub before: Summary,
    pub after: Summary,
    pub paired: Paired,
    /// The scores that are correlated with the gain.
    pub cell: Cell,
    pub alignment: Alignment,
    /// Ids that were wrong before and right after.
    pub fixed: Vec<String>,
    /// Ids that were right before and wrong after.
    pub broken: Vec<String>,
}

pub fn run(context: &Context, inputs: &Inputs<'_>, folder: &Path) -> Result<Left> {
    let spec = &context.spec;
    let mut rows = Vec::new();
    for train in spec.train_sets.keys() {
        for target in spec.targets.keys() {
            rows.push(row(context, inputs, train, target)?);
        }
    }
    let cells: Vec<Cell> = rows.iter().map(|row| row.cell.clone()).collect();
    let options = CorrelateOptions {
        seed: spec.seed,
        ..CorrelateOptions::default()
    };
    write_json(&folder.join("rows.json"), &rows)?;
    write_json(&folder.join("cells.json"), &cells)?;
    write_json(
        &folder.join("correlation.json"),
        &correlate(&cells, &options),
    )?;
    Ok(Left::default())
}

fn row(context: &Context, inputs: &Inputs<'_>, train: &str, target: &str) -> Result<Row> {
    let spec = &context.spec;
    let metric = spec.eval.metric_of[&spec.targets[target].dataset].as_str();
    let before = score::verdicts(inputs, BASE, target)?;
    let after = score::verdicts(inputs, train, target)?;
    let options = PairedOptions {
        draws: spec.eval.bootstrap_draws,
        seed: spec.seed,
        ..PairedOptions::default()
    };
    let gain = paired(&before, &after, metric, &options)?;
    let alignment = align::read(inputs, train, target)?;
    let mut scores: BTreeMap<String, f64> = alignment.train.scores();
    scores.insert(
        "a_kl_style_free".to_owned(),
        alignment.train_style_free.a_kl,
    );
    for row in &alignment.scores {
        for (name, value) in [
            (row.name.clone(), row.value),
            (format!("{}_ratio", row.name), row.ratio),
        ] {
            if let Some(value) = value {
                scores.insert(name, value);
            }
        }
    }
    // `ar` and its like have names of their own.
    for name in ["a_kl_ratio", "ovlp_template_ratio", "ovlp_ngram_ratio"] {
        scores.remove(name);
    }
    scores.insert("train_size".to_owned(), alignment.train.n_source as f64);
    if let Some(predictions) = &alignment.predictions {
        scores.insert("a_kl_predictions".to_owned(), predictions.a_kl);
    }
    if let Some(ratios) = &alignment.ratios {
        scores.insert("ar".to_owned(), ratios.ar);
        let named = [
            ("ovlp_ratio_template", ratios.ovlp_ratio_template),
            ("ovlp_ratio_ngram", ratios.ovlp_ratio_ngram),
        ];
        for (name, value) in named {
            if let Some(value) = value {
                scores.insert(name.to_owned(), value);
            }
        }
    }
    if let Some(rarefied) = &alignment.rarefied {
        scores.insert("ar_rarefied".to_owned(), rarefied.ar);
    }
    let score_of = |verdicts: &[harness_record::Verdict]| -> BTreeMap<String, Option<f64>> {
        verdicts
            .iter()
            .map(|v| (v.id.clone(), v.scores.get(metric).copied().flatten()))
            .collect()
    };
    let (old, new) = (score_of(&before), score_of(&after));
    let changed = |rise: bool| -> Vec<String> {
        before
            .iter()
            .filter(|verdict| {
                let (Some(old), Some(new)) = (old[&verdict.id], new[&verdict.id]) else {
                    return false;
                };
                if rise { new > old } else { new < old }
            })
            .map(|verdict| verdict.id.clone())
            .collect()
    };
    Ok(Row {
        cell: Cell {
            model: spec.model.name.clone(),
            train_set: train.to_owned(),
            target: target.to_owned(),
            seed: spec.train.seed,
            before: gain.before,
            after: gain.after,
            n: gain.n,
            gain_interval: gain.by_question.as_ref().map(|i| (i.low, i.high)),
            scores,
        },
        train_set: train.to_owned(),
        target: target.to_owned(),
        before: Summary::new(&before, metric),
        after: Summary::new(&after, metric),
        fixed: changed(true),
        broken: changed(false),
        paired: gain,
        alignment,
    })
}
