//! Executes and scores the rows, writes their verdicts, prints the figures.

use anyhow::Result;
use harness_eval::{Metric, evaluate};

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
    for note in &task.notes {
        eprintln!("note: {note}");
    }
    let options = harness_eval::Options {
        as_script: arguments.as_script,
        ..score::worker_options(
            arguments.timeout_seconds,
            arguments.workers.map(usize::from),
        )?
    };
    let mut progress = Progress::new("evaluating", "predictions", task.rows.len(), 0);
    let judgements = evaluate(&task.rows, policies, &options, &mut |now| {
        progress.set(now.done, &format!("{} stopped at a limit", now.stopped));
    })?;
    drop(progress);
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
