//! Comparing the structure of a training set and of the predictions with a target's.

use std::path::Path;

use anyhow::Result;
use harness_align::assess::{Ceilings, ceilings};
use harness_align::{
    Comparison, ModelScores, Options, RarefiedRatio, RarefyOptions, Ratios, ScoreRow, Workload,
    compare, rarefied_ratio_of, ratios, score_table,
};
use harness_experiment::StageKind;
use harness_experiment::plan::BASE;
use harness_experiment::spec;
use harness_record::{Prediction, Query};
use serde::{Deserialize, Serialize};

use super::predict::PREDICTIONS;
use super::{Inputs, Left, leaks, measure, split_pair};
use crate::context::{Context, answers, convert};
use crate::files::{read_lines, write_json};

/// The file of scores in a stage's folder.
pub const SCORES: &str = "alignment.json";

/// All alignment figures of one training set, one target and one model.
#[derive(Debug, Serialize, Deserialize)]
pub struct Alignment {
    /// The training set against the target.
    pub train: Comparison,
    /// The base model's predictions against the target.
    pub predictions: Option<Comparison>,
    /// One divided by the other.
    pub ratios: Option<Ratios>,
    /// The same at one sample size, with an interval.
    pub rarefied: Option<RarefiedRatio>,
    /// The first without marks of style (R15).
    pub train_style_free: Comparison,
    /// Why there are no figures for the predictions.
    pub note: Option<String>,
    /// Every score of the table, with its ratio; empty in results of earlier versions.
    #[serde(default)]
    pub scores: Vec<ScoreRow>,
    /// What a reader should know of the scores of what the model says; empty where they were not asked for.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub model_notes: Vec<String>,
    /// What the target's own halves reach; none in results of earlier versions.
    #[serde(default)]
    pub ceilings: Option<Ceilings>,
}

pub fn run(context: &Context, inputs: &Inputs<'_>, name: &str, folder: &Path) -> Result<Left> {
    let (train, target) = split_pair(name)?;
    let structural = spec::Align {
        model_scores: None,
        ..context.spec.align
    };
    let options: Options = convert(&structural)?;
    let gold = |name: &str| -> Result<Workload> {
        let examples = context.dataset(name)?.examples.iter().cloned();
        Ok(Workload::new(name, examples.map(Query::from).collect()))
    };
    let of_model = match &context.spec.align.model_scores {
        Some(_) => measure::scores(inputs, train, target, context.spec.seed)?,
        None => ModelScores::default(),
    };
    let (source, of_target) = (gold(train)?, gold(target)?);
    let stage = inputs.stage(&answers(StageKind::Predict, BASE, target))?;
    let rows: Vec<Prediction> = read_lines(&stage.file(PREDICTIONS)?)?;
    let predicted = rows.into_iter().map(|row| Query {
        id: row.id,
        sql: row.sql,
        question: None,
        db_id: Some(row.db_id),
    });
    let predicted = Workload::new("predictions", predicted.collect());

    let against = |set: &Workload, options: &Options| {
        compare(set.templates(), of_target.templates(), options)
    };
    let train = against(&source, &options)?;
    let style_free = Options {
        style_free: true,
        ..options
    };
    let rarefy = RarefyOptions {
        seed: context.spec.seed,
        ..RarefyOptions::default()
    };
    // A model that writes no SQL at all has no alignment; that is a finding, not a failure.
    let both = against(&predicted, &options).and_then(|predictions| {
        let rarefied = rarefied_ratio_of(&source, &predicted, &of_target, &options, &rarefy)?;
        Ok((predictions, rarefied))
    });
    let (predictions, rarefied, note) = match both {
        Ok((predictions, rarefied)) => (Some(predictions), Some(rarefied), None),
        Err(error) => (None, None, Some(error.to_string())),
    };
    let by = predictions.is_some().then_some(&predicted);
    let n = rarefied.as_ref().map(|rarefied| rarefied.n);
    let mut scores = score_table(&source, &of_target, by, &options)?;
    scores.extend(of_model.rows);
    let alignment = Alignment {
        scores,
        model_notes: of_model.notes,
        ceilings: Some(ceilings(&of_target, n, &options, &rarefy)),
        ratios: predictions
            .as_ref()
            .map(|predictions| ratios(&train, predictions)),
        train_style_free: against(&source, &style_free)?,
        train,
        predictions,
        rarefied,
        note,
    };
    let ar = alignment
        .rarefied
        .as_ref()
        .map_or(f64::NAN, |rarefied| rarefied.ar);
    eprintln!(
        "  A(train, target) {:.3}, A(target, train) {:.3}, AR {ar:.3}",
        alignment.train.a_kl, alignment.train.a_kl_rev
    );
    write_json(&folder.join(SCORES), &alignment)?;
    leaks::record(context, name, folder)
}

/// The figures of a finished stage.
pub fn read(inputs: &Inputs<'_>, train: &str, target: &str) -> Result<Alignment> {
    let stage = inputs.stage(&answers(StageKind::Align, train, target))?;
    crate::files::read_json(&stage.file(SCORES)?)
}
