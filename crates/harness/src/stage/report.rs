//! Tables, page and figures of an experiment, from its finished stages alone.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context as _, Result};
use harness_align::correlate::{Coefficient, PredictorReport};
use harness_align::{Correlation, Warning};
use harness_eval::Interval;
use harness_experiment::plan::BASE;
use harness_experiment::{Plan, StageId, StageKind};
use harness_record::Prediction;
use harness_report::{
    Cell, ChangedExample, Curve, Estimate, LossPoint, OutcomeCounts, OutcomeRow, Provenance,
    ReportInput, StageRow,
};
use harness_train::{StepRecord, Summary as TrainSummary};
use serde::Deserialize;

use super::correlate::Row;
use super::predict::PREDICTIONS;
use super::{Inputs, Left, data, leaks, score};
use crate::context::{Context, answers, convert};
use crate::files::{read_json, read_lines, write};

/// Changed answers shown of each cell and direction.
const SHOWN: usize = 5;

pub fn run(context: &Context, inputs: &Inputs<'_>, folder: &Path) -> Result<Left> {
    let input = gather(context, inputs)?;
    write(
        &folder.join("report.json"),
        harness_report::json(&input).as_bytes(),
    )?;
    write(
        &folder.join("report.md"),
        harness_report::markdown(&input).as_bytes(),
    )?;
    write(
        &folder.join("report.txt"),
        harness_report::terminal_table(&input).as_bytes(),
    )?;
    write(
        &folder.join("report.html"),
        harness_report::html(&input).as_bytes(),
    )?;
    let figures = folder.join("figures");
    std::fs::create_dir_all(&figures)
        .with_context(|| format!("cannot create {}", figures.display()))?;
    for figure in harness_report::figures(&input) {
        for (extension, text) in [
            ("svg", figure.svg()),
            ("csv", figure.csv()),
            ("json", figure.json()),
        ] {
            let file = figures.join(format!("{}.{extension}", figure.name));
            write(&file, text.as_bytes())?;
        }
    }
    Ok(Left::default())
}

fn gather(context: &Context, inputs: &Inputs<'_>) -> Result<ReportInput> {
    let spec = &context.spec;
    let mut input = ReportInput {
        experiment: spec.name.clone(),
        model: spec.model.name.clone(),
        ..ReportInput::default()
    };
    input.provenance.command.clone_from(&context.command);
    if !spec.targets.is_empty() {
        let stage = inputs.stage(&StageId::new(StageKind::Correlate, "all"))?;
        let rows: Vec<Row> = read_json(&stage.file("rows.json")?)?;
        let correlation: Correlation = read_json(&stage.file("correlation.json")?)?;
        input.conclusion.clone_from(&correlation.text);
        // The control that says the same of every cell has nothing to show here.
        let shown = correlation.predictors.iter();
        let shown = shown.filter(|p| {
            let is_shown = p.control || SCORES.contains(&p.name.as_str());
            is_shown && p.name != "control:constant"
        });
        input.correlations = shown.map(predictor).collect();
        for row in &rows {
            let mut cell = cell(&spec.model.name, spec.train.seed, row);
            cell.warnings.extend(warnings(inputs, row)?);
            input.cells.push(cell);
            changed(inputs, row, &mut input.changed)?;
        }
    }
    let models = std::iter::once(BASE).chain(spec.train_sets.keys().map(String::as_str));
    for train in models {
        for (target, set) in &spec.targets {
            let metric = spec.eval.metric_of[&set.dataset].as_str();
            input.outcomes.push(OutcomeRow {
                target: target.clone(),
                train_set: (train != BASE).then(|| train.to_owned()),
                counts: OutcomeCounts::of(&score::verdicts(inputs, train, target)?, metric),
            });
        }
    }
    for train in spec.train_sets.keys() {
        input.curves.push(curve(inputs, train)?);
    }
    // Of this stage itself nothing is known yet.
    let plan = Plan::new(spec);
    for stage in plan
        .stages
        .iter()
        .filter(|stage| stage.id.kind != StageKind::Report)
    {
        let manifest = inputs.stage(&stage.id)?.manifest().clone();
        input.stages.push(StageRow::from(&manifest));
        provenance(&manifest, &mut input.provenance);
    }
    Ok(input)
}

fn estimate(value: f64, interval: Option<&Interval>) -> Option<Estimate> {
    interval.map(|interval| Estimate {
        value,
        low: interval.low,
        high: interval.high,
    })
}

fn cell(model: &str, seed: u64, row: &Row) -> Cell {
    let (train, alignment) = (&row.alignment.train, &row.alignment);
    let of_summary =
        |summary: &harness_eval::Summary| estimate(summary.accuracy?, summary.interval.as_ref());
    let share = |excluded: &BTreeMap<harness_sql::Excluded, usize>, kept: usize| {
        let left: usize = excluded.values().sum();
        left as f64 / (left + kept).max(1) as f64
    };
    let mut left_out = BTreeMap::from([
        (
            "training queries".to_owned(),
            share(&train.excluded_source, train.n_source),
        ),
        (
            "target queries".to_owned(),
            share(&train.excluded_target, train.n_target),
        ),
    ]);
    let mut warnings: Vec<&Warning> = train.warnings.iter().collect();
    if let Some(predictions) = &alignment.predictions {
        let lost = share(&predictions.excluded_source, predictions.n_source);
        left_out.insert("predictions".to_owned(), lost);
    }
    if let Some(rarefied) = &alignment.rarefied {
        warnings.extend(&rarefied.warnings);
    }
    let mut texts: Vec<String> = Vec::new();
    for warning in warnings {
        let text = warning.to_string();
        if !texts.contains(&text) {
            texts.push(text);
        }
    }
    texts.extend(alignment.note.clone());
    let rarefied = alignment.rarefied.as_ref();
    Cell {
        model: model.to_owned(),
        train_set: row.train_set.clone(),
        target: row.target.clone(),
        seed: Some(seed),
        n: row.paired.n,
        metric: row.paired.metric.clone(),
        ex_before: of_summary(&row.before),
        ex_after: of_summary(&row.after),
        gain: estimate(row.paired.gain, row.paired.by_question.as_ref()),
        gain_by_database: estimate(row.paired.gain, row.paired.by_database.as_ref()),
        mcnemar_p: Some(row.paired.mcnemar_p),
        a_kl: Some(train.a_kl),
        a_kl_rev: Some(train.a_kl_rev),
        a_kl_pred: alignment.predictions.as_ref().map(|p| p.a_kl),
        js: Some(train.js),
        ovlp_template: Some(train.ovlp_template),
        ovlp_ngram: Some(train.ovlp_ngram),
        ovlp_ratio_template: alignment
            .ratios
            .as_ref()
            .and_then(|r| r.ovlp_ratio_template),
        ovlp_ratio_ngram: alignment.ratios.as_ref().and_then(|r| r.ovlp_ratio_ngram),
        ar: alignment.ratios.as_ref().map(|r| r.ar),
        ar_rarefied_interval: rarefied.and_then(|r| r.interval).map(|i| (i.low, i.high)),
        ar_rarefied: rarefied.map(|r| r.ar),
        left_out,
        warnings: texts,
    }
}

/// What a reader has to know of the data behind a cell.
fn warnings(inputs: &Inputs<'_>, row: &Row) -> Result<Vec<String>> {
    let mut texts = Vec::new();
    for name in [&row.train_set, &row.target] {
        let left_out = data::defective(inputs, name)?;
        if left_out > 0 {
            texts.push(format!(
                "{left_out} examples of {name} left out: defective gold"
            ));
        }
    }
    if let Some(leaks) = leaks::read(inputs, &row.train_set, &row.target)?
        && !leaks.is_empty()
    {
        texts.push(format!("training set and target share: {leaks}"));
    }
    Ok(texts)
}

/// Scores that the tables show, beside the controls. All of them stand in `correlation.json`, and `harness correlate
/// --cells` prints them in their order.
const SCORES: [&str; 14] = [
    "a_kl",
    "a_kl_min",
    "a_kl_rev",
    "a_kl_style_free",
    "ar",
    "ar_rarefied",
    "feature_energy",
    "js",
    "js_ratio",
    "ovlp_ngram",
    "ovlp_ratio_template",
    "ovlp_template",
    "question_tfidf",
    "subtree_jaccard",
];

fn predictor(report: &PredictorReport) -> harness_report::Correlation {
    let of = |coefficient: &Coefficient| {
        Some(harness_report::Coefficient {
            value: coefficient.value?,
            interval: coefficient.interval.map(|i| (i.low, i.high)),
        })
    };
    let note = match (report.n, report.pearson.reason) {
        (n, _) if n < harness_align::correlate::NO_CONCLUSION => {
            "too few cells to conclude".to_owned()
        }
        (_, Some(reason)) => convert(&reason).unwrap_or_default(),
        (_, None) => String::new(),
    };
    harness_report::Correlation {
        score: report.name.clone(),
        n: report.n,
        pearson: of(&report.pearson),
        spearman: of(&report.spearman),
        kendall: of(&report.kendall),
        note,
    }
}

fn changed(inputs: &Inputs<'_>, row: &Row, into: &mut Vec<ChangedExample>) -> Result<()> {
    let sql = |train: &str| -> Result<BTreeMap<String, String>> {
        let stage = inputs.stage(&answers(StageKind::Predict, train, &row.target))?;
        let rows: Vec<Prediction> = read_lines(&stage.file(PREDICTIONS)?)?;
        Ok(rows.into_iter().map(|row| (row.id, row.sql)).collect())
    };
    let (before, after) = (sql(BASE)?, sql(&row.train_set)?);
    for (ids, fixed) in [(&row.fixed, true), (&row.broken, false)] {
        for id in ids.iter().take(SHOWN) {
            into.push(ChangedExample {
                id: id.clone(),
                train_set: row.train_set.clone(),
                target: row.target.clone(),
                fixed,
                before: before.get(id).cloned().unwrap_or_default(),
                after: after.get(id).cloned().unwrap_or_default(),
            });
        }
    }
    Ok(())
}

/// A line of a training log.
#[derive(Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
enum LogLine {
    Step(StepRecord),
    #[serde(other)]
    Other,
}

fn curve(inputs: &Inputs<'_>, train: &str) -> Result<Curve> {
    let stage = inputs.stage(&StageId::new(StageKind::Train, train))?;
    let summary: TrainSummary = read_json(&stage.file("summary.json")?)?;
    let lines: Vec<LogLine> = read_lines(&stage.file("log.jsonl")?)?;
    Ok(Curve {
        train_set: train.to_owned(),
        examples: summary.examples_used,
        left_out: summary.left_out.too_long.len() + summary.left_out.no_target.len(),
        losses: lines
            .into_iter()
            .filter_map(|line| match line {
                LogLine::Step(step) => Some(LossPoint {
                    step: step.step,
                    loss: step.loss,
                }),
                LogLine::Other => None,
            })
            .collect(),
        dev_losses: summary
            .dev
            .iter()
            .map(|dev| LossPoint {
                step: dev.step,
                loss: dev.loss,
            })
            .collect(),
    })
}

fn provenance(manifest: &harness_experiment::Manifest, into: &mut Provenance) {
    into.version.clone_from(&manifest.code.version);
    into.commit.clone_from(&manifest.code.commit);
    into.dirty = into.dirty.max(manifest.code.dirty);
    into.cpu.clone_from(&manifest.host.cpu);
    for (name, digest) in &manifest.inputs {
        let outside = name
            .strip_prefix("file:")
            .or((name == "weights").then_some("weights"));
        if let Some(name) = outside {
            into.hashes
                .insert(name.to_owned(), digest.as_str().to_owned());
        }
    }
    for (path, seed) in &manifest.seeds {
        into.seeds
            .insert(format!("{}: {path}", manifest.id()), *seed);
    }
}
