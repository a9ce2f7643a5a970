//! Leaks between training sets and targets: always recorded beside the alignment, and a reason to stop where the
//! experiment says `leaks: deny`.

use std::path::Path;

use anyhow::{Result, bail};
use harness_data::leak::{LeakOptions, Leaks, leaks};
use harness_experiment::spec::LeakRule;
use harness_experiment::{StageId, StageKind};
use serde_json::json;

use super::{Inputs, Left, split_pair};
use crate::context::{Context, answers};
use crate::files::{read_json, write_json};

/// The file of findings in a stage's folder: identifiers only.
const LEAKS: &str = "leaks.json";
/// Pairs that a refusal names of each kind.
const NAMED: usize = 5;

/// Looks for leaks in the pair of an alignment and writes them into its folder.
pub fn record(context: &Context, pair: &str, folder: &Path) -> Result<Left> {
    let (train, target) = split_pair(pair)?;
    let found = find(context, train, target)?;
    eprintln!("  {train} and {target} share: {found}");
    write_json(&folder.join(LEAKS), &found)?;
    Ok(Left {
        notes: json!({ "leaks": found.to_string() }),
        ..Left::default()
    })
}

/// The findings beside a finished alignment; `None` where it was made before they were looked for.
pub fn read(inputs: &Inputs<'_>, train: &str, target: &str) -> Result<Option<Leaks>> {
    let stage = inputs.stage(&answers(StageKind::Align, train, target))?;
    let recorded = stage.manifest().files.iter().any(|file| file.path == LEAKS);
    recorded.then(|| read_json(&stage.file(LEAKS)?)).transpose()
}

/// Where leaks are denied, fails if a training set that `wanted` stages compare or train on shares anything with a
/// target, and names what.
pub fn refuse(context: &Context, wanted: &[StageId]) -> Result<()> {
    if context.spec.leaks != LeakRule::Deny {
        return Ok(());
    }
    let mut refused = Vec::new();
    for train in context.spec.train_sets.keys() {
        for target in context.spec.targets.keys() {
            let aligned = answers(StageKind::Align, train, target);
            let trained = StageId::new(StageKind::Train, train);
            let probed = StageId::new(StageKind::Probe, train);
            if ![aligned, trained, probed]
                .iter()
                .any(|id| wanted.contains(id))
            {
                continue;
            }
            let found = find(context, train, target)?;
            if !found.is_empty() {
                refused.push(format!("{train} and {target} share {}", named(&found)));
            }
        }
    }
    if refused.is_empty() {
        return Ok(());
    }
    bail!(
        "`leaks: deny` refuses this experiment:\n  {}\nname other sets or databases, or write `leaks: report`",
        refused.join("\n  ")
    )
}

fn find(context: &Context, train: &str, target: &str) -> Result<Leaks> {
    let options = LeakOptions {
        seed: context.spec.seed,
        ..LeakOptions::default()
    };
    Ok(leaks(
        context.dataset(train)?,
        context.dataset(target)?,
        &options,
    ))
}

/// The findings with the first identifiers of each kind.
fn named(found: &Leaks) -> String {
    let pair = |(train, target): (&String, &String)| format!("{train} = {target}");
    let same = found
        .same_question
        .iter()
        .chain(&found.same_sql)
        .map(|it| (&it.train, &it.target));
    let near = found
        .near_question
        .iter()
        .chain(&found.near_sql)
        .map(|it| (&it.train, &it.target));
    let databases = found.shared_databases.iter().take(NAMED).cloned();
    let names: Vec<String> = databases
        .chain(same.take(NAMED).map(pair))
        .chain(near.take(NAMED).map(pair))
        .collect();
    format!("{found} ({}, …)", names.join(", "))
}
