//! Executes and scores the rows, writes their verdicts, prints the figures.

use std::sync::Arc;

use anyhow::Result;
use harness_eval::exec::Cache;
use harness_eval::{Metric, Phase, evaluate};
use harness_model::source::default_cache;

use super::{Task, figures, verdicts};
use crate::cli::JudgeArgs;
use crate::files::Pending;
use crate::progress::Progress;
use crate::stage::score;

pub fn judge(task: &Task, policies: &[Metric], arguments: &JudgeArgs, json: bool) -> Result<()> {
    let pending = arguments
        .verdicts
        .as_deref()
        .map(Pending::open)
        .transpose()?;
    for note in figures::notes(task, policies) {
        eprintln!("note: {note}");
    }
    let options = harness_eval::Options {
        as_script: arguments.as_script,
        repeats: arguments.repeats,
        cache: cache(arguments)?,
        ..score::worker_options(
            arguments.timeout_seconds,
            arguments.workers.map(usize::from),
        )?
    };
    let mut progress = Progress::new("evaluating", "predictions", task.rows.len(), 0);
    let mut phase = Phase::Judging;
    let judgements = evaluate(&task.rows, policies, &options, &mut |now| {
        if now.phase != phase {
            phase = now.phase;
            progress = Progress::new("timing", "right predictions", now.total, 0);
        }
        let note = match phase {
            Phase::Judging => format!("{} stopped at a limit", now.stopped),
            Phase::Timing => format!("{} runs each", options.repeats),
        };
        progress.set(now.done, &note);
    })?;
    drop(progress);
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
        let rows = task.rows.iter().zip(&judgements);
        pending.finish(rows.map(|(row, judgement)| verdicts::row(row, judgement, policies)))?;
    }
    let figures = figures::figures(task, &judgements, policies);
    if json {
        println!("{}", serde_json::to_string_pretty(&figures)?);
    } else {
        print!("{}", figures.text());
    }
    Ok(())
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
