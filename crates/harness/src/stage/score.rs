//! Executing predictions and comparing them with the gold queries.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use anyhow::{Context as _, Result};
use harness_eval::{
    Answer, Limits, Metric, Options, Place, Progress as Done, Summary, WorkerCommand, evaluate,
    join, metric,
};
use harness_experiment::StageKind;
use harness_record::{Example, Prediction, Schema, Verdict};
use serde_json::json;

use super::predict::PREDICTIONS;
use super::{Inputs, Left, split_pair};
use crate::context::{Context, answers};
use crate::files::{read_lines, write_json, write_lines};
use crate::progress::Progress;

/// The file of verdicts in a stage's folder.
pub const VERDICTS: &str = "verdicts.jsonl";

pub fn run(context: &Context, inputs: &Inputs<'_>, name: &str, folder: &Path) -> Result<Left> {
    let (train, target) = split_pair(name)?;
    let stage = inputs.stage(&answers(StageKind::Predict, train, target))?;
    let predictions = read_lines(&stage.file(PREDICTIONS)?)?;
    score(context, target, &predictions, folder)
}

/// Scores predictions for a target into `folder`.
pub fn score(
    context: &Context,
    target: &str,
    predictions: &[Prediction],
    folder: &Path,
) -> Result<Left> {
    let examples = &context.dataset(target)?.examples;
    let metrics = context
        .spec
        .eval
        .metrics
        .iter()
        .map(|name| metric(name.as_str()))
        .collect::<Result<Vec<_>, _>>()?;
    let mut progress = Progress::new(format!("scoring {target}"), "queries", examples.len(), 0);
    let verdicts = judge(
        context,
        target,
        examples,
        predictions,
        &metrics,
        &mut |now| {
            progress.set(now.done, &format!("{} stopped", now.stopped));
        },
    )?;
    drop(progress);
    write_lines(&folder.join(VERDICTS), &verdicts)?;
    let summaries: Vec<Summary> = metrics
        .iter()
        .map(|metric| Summary::new(&verdicts, metric.name))
        .collect();
    for summary in &summaries {
        eprintln!("  {}", line(summary));
    }
    write_json(&folder.join("summary.json"), &summaries)?;
    Ok(Left {
        notes: json!({ "verdicts": verdicts.len() }),
        ..Left::default()
    })
}

/// Executes predictions for `examples` of the set `name`, one for each, and compares them with the gold queries.
pub fn judge(
    context: &Context,
    name: &str,
    examples: &[Example],
    predictions: &[Prediction],
    metrics: &[Metric],
    on_progress: &mut dyn FnMut(Done),
) -> Result<Vec<Verdict>> {
    let dataset = context.dataset(name)?;
    let eval = &context.spec.eval;
    let schemas: BTreeMap<&str, Arc<Schema>> = dataset
        .schemas
        .iter()
        .map(|(db, schema)| (db.as_str(), Arc::new(schema.clone())))
        .collect();
    let rows = join(predictions.iter().map(Answer::from), examples, |db| Place {
        files: dataset
            .databases
            .get(db)
            .cloned()
            .flatten()
            .into_iter()
            .collect(),
        schema: schemas.get(db).cloned(),
    })?;
    let options = worker_options(eval.timeout_seconds, eval.workers)?;
    let judgements = evaluate(&rows, metrics, &options, on_progress)?;
    Ok(judgements.into_iter().map(|one| one.verdict).collect())
}

/// Runs for metrics of time, which experiments have none of.
const REPEATS: u32 = 1;

/// Copies of this program as workers, each query with a limit that stands for so many seconds.
pub fn worker_options(timeout_seconds: f64, workers: Option<usize>) -> Result<Options> {
    let limits = Limits::default();
    // The limits' defaults stand for BIRD's 30 seconds.
    let share = timeout_seconds / 30.0;
    Ok(Options {
        worker: WorkerCommand {
            program: std::env::current_exe().context("cannot find this program's own file")?,
            args: vec!["exec-worker".into()],
        },
        limits: Limits {
            steps: (limits.steps as f64 * share) as u64,
            wall_ms: (limits.wall_ms as f64 * share).max(1000.0) as u64,
            ..limits
        },
        workers: workers
            .or_else(|| std::thread::available_parallelism().ok().map(Into::into))
            .unwrap_or(1),
        as_script: false,
        check_gold: true,
        repeats: REPEATS,
        cache: None,
    })
}

/// One metric in a line: no accuracy without n and interval.
pub fn line(summary: &Summary) -> String {
    let Some((accuracy, interval)) = summary.accuracy.zip(summary.interval.as_ref()) else {
        return format!("{}: nothing could be scored", summary.metric);
    };
    let outcomes: Vec<String> = summary
        .outcomes
        .iter()
        .map(|(outcome, count)| format!("{outcome:?} {count}").to_lowercase())
        .collect();
    format!(
        "{}: {}/{} = {:.1} % [{:.1}, {:.1}]; {}",
        summary.metric,
        summary.right,
        summary.n,
        100.0 * accuracy,
        100.0 * interval.low,
        100.0 * interval.high,
        outcomes.join(", ")
    )
}

/// The verdicts of a finished stage.
pub fn verdicts(inputs: &Inputs<'_>, train: &str, target: &str) -> Result<Vec<Verdict>> {
    let stage = inputs.stage(&answers(StageKind::Score, train, target))?;
    read_lines(&stage.file(VERDICTS)?)
}
