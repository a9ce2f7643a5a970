//! `harness eval`: a file of predictions, a file of pairs, or an experiment; and what changed between two evaluations.

mod dataset;
mod diff;
pub mod experiment;
mod figures;
mod judge;
mod pairs;
mod places;
mod policies;
mod verdicts;

use anyhow::{Result, bail};
use harness_eval::Row;

use crate::cli::{EvalArgs, EvalCommand};

/// What is to be judged.
struct Task {
    /// What it is, in a line.
    title: String,
    /// Rows in the order of the examples, or of the pairs.
    rows: Vec<Row>,
    /// How hard each row is, as the data set states it or by Spider's count.
    levels: Vec<Option<String>>,
    /// What a reader of the figures should know of the input.
    notes: Vec<String>,
    /// The policies if none are asked for, the main one first.
    policies: &'static [&'static str],
}

pub fn eval(arguments: &EvalArgs) -> Result<()> {
    if let Some(EvalCommand::Diff(diff)) = &arguments.command {
        return diff::diff(diff);
    }
    if let Some(config) = &arguments.config {
        return experiment::eval(config, arguments);
    }
    // Asked for before anything is read: a name that does not exist is told at once.
    let asked = policies::by_name(&arguments.judge.policy)?;
    let task = if let Some(predictions) = &arguments.predictions {
        let data = arguments.spec.data.as_deref();
        dataset::task(predictions, &arguments.examples, data)?
    } else if let (Some(pairs), Some(root)) = (&arguments.pairs, &arguments.examples.root) {
        pairs::task(pairs, root)?
    } else {
        bail!("nothing to evaluate: give a file of predictions, --pairs or --config")
    };
    let policies = if asked.is_empty() {
        policies::by_name(task.policies)?
    } else {
        asked
    };
    judge::judge(&task, &policies, &arguments.judge, arguments.json)
}
