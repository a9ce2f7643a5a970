//! Executes and scores the rows, writes their verdicts, prints the figures.

use std::sync::Arc;

use anyhow::Result;
use harness_eval::exec::Cache;
use harness_eval::{Metric, Options, Phase, evaluate};
use harness_model::source::default_cache;
use harness_record::Verdict;

use super::{Task, figures, verdicts};
use crate::cli::JudgeArgs;
use crate::files::Pending;
use crate::progress::Progress;
use crate::stage::score;

/// What queries returned is held for so many rows at once, however many there are.
const ROWS_AT_ONCE: usize = 16_384;

pub fn judge(task: &Task, policies: &[Metric], arguments: &JudgeArgs, json: bool) -> Result<()> {
    let mut pending = arguments
        .verdicts
        .as_deref()
        .map(Pending::open)
        .transpose()?;
    for note in figures::notes(task, policies) {
        eprintln!("note: {note}");
    }
    let options = Options {
        as_script: arguments.as_script,
        check_gold: !arguments.no_gold_check,
        repeats: arguments.repeats,
        cache: cache(arguments)?,
        ..score::worker_options(
            arguments.timeout_seconds,
            arguments.workers.map(usize::from),
        )?
    };
    let found = in_portions(task, policies, &options, pending.as_mut())?;
    if let Some(cache) = &options.cache {
        for event in cache.take_events() {
            eprintln!("warning: {event}");
        }
        let counts = cache.counts();
        eprintln!(
            "note: {} queries were run, {} results were at hand",
            counts.misses, counts.hits
        );
    }
    if let Some(pending) = pending {
        pending.finish()?;
    }
    let figures = figures::figures(task, found, policies);
    if json {
        println!("{}", serde_json::to_string_pretty(&figures)?);
    } else {
        print!("{}", figures.text());
    }
    Ok(())
}

/// Evaluates so many rows at a time, and hands their verdicts on before the next.
fn in_portions(
    task: &Task,
    policies: &[Metric],
    options: &Options,
    mut pending: Option<&mut Pending>,
) -> Result<Vec<Verdict>> {
    // Right predictions are timed when all are known, so that nothing else runs beside them.
    let at_once = if policies.iter().any(Metric::timed) {
        task.rows.len().max(1)
    } else {
        ROWS_AT_ONCE
    };
    let mut progress = Progress::new("evaluating", "predictions", task.rows.len(), 0);
    let mut phase = Phase::Judging;
    let (mut found, mut stopped) = (Vec::with_capacity(task.rows.len()), 0);
    for rows in task.rows.chunks(at_once) {
        let (done_before, stopped_before) = (found.len(), stopped);
        let judgements = evaluate(rows, policies, options, &mut |now| match now.phase {
            Phase::Judging => {
                stopped = stopped_before + now.stopped;
                let note = format!("{stopped} stopped at a limit");
                progress.set(done_before + now.done, &note);
            }
            Phase::Timing => {
                if phase == Phase::Judging {
                    phase = Phase::Timing;
                    progress = Progress::new("timing", "right predictions", now.total, 0);
                }
                progress.set(now.done, &format!("{} runs each", options.repeats));
            }
        })?;
        if let Some(pending) = &mut pending {
            let rows = rows.iter().zip(&judgements);
            pending.write(rows.map(|(row, judgement)| verdicts::row(row, judgement, policies)))?;
        }
        found.extend(judgements.into_iter().map(|judgement| judgement.verdict));
    }
    Ok(found)
}

/// The results of earlier runs. Where the usual folder can't be had, the queries are run; where a folder was asked for,
/// that is an error.
fn cache(arguments: &JudgeArgs) -> Result<Option<Arc<Cache>>> {
    if arguments.no_cache {
        return Ok(None);
    }
    if let Some(folder) = &arguments.cache {
        return Ok(Some(Arc::new(Cache::open(folder)?)));
    }
    let Some(folder) = default_cache() else {
        return Ok(None);
    };
    match Cache::open(&folder.join("outcomes")) {
        Ok(cache) => Ok(Some(Arc::new(cache))),
        Err(error) => {
            eprintln!("warning: {error}; every query is run");
            Ok(None)
        }
    }
}
