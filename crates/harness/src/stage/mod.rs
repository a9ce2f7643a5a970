//! The work of each stage: files of earlier stages in, files in the stage's own folder out.

mod align;
mod correlate;
mod data;
pub mod leaks;
pub mod measure;
pub mod predict;
mod probe;
mod report;
pub mod score;
pub mod train;
pub mod verify;

use std::collections::BTreeMap;

use anyhow::{Context as _, Result, anyhow};
use harness_data::Dataset;
use harness_data::prompt::{PromptOptions, loss_by_pruning};
use harness_data::prune::PruneLoss;
use harness_experiment::store::{Finish, Pending, Shared, pending};
use harness_experiment::{Plan, StageDir, StageId, StageKind, Store, WorkDir};
use serde_json::Value;

use crate::context::Context;

pub use train::Interrupted;

/// What a stage leaves beside its files.
#[derive(Default)]
pub struct Left {
    /// Files that are not kept with the results: weights, text of the data sets.
    pub external: Vec<&'static str>,
    /// Figures for the manifest.
    pub notes: Value,
}

/// The finished stages that a stage reads.
pub struct Inputs<'a> {
    store: &'a Store,
}

impl<'a> Inputs<'a> {
    /// What is finished in a store.
    pub fn new(store: &'a Store) -> Self {
        Self { store }
    }

    /// A finished stage.
    pub fn stage(&self, id: &StageId) -> Result<StageDir> {
        self.store
            .latest(id)?
            .ok_or_else(|| anyhow!("stage {id} is not done"))
    }
}

/// Does all stages of `kinds` and those they need, as far as they are not done; all stages if `kinds` is empty.
/// What `others` have done is taken over. Returns how many were done now.
pub fn run(
    context: &Context,
    store: &Store,
    plan: &Plan,
    kinds: &[StageKind],
    others: &Shared,
) -> Result<usize> {
    let keys = plan.keys(&context.external(plan)?);
    let wanted = closure(plan, kinds);
    let mut wanted_keys = keys.clone();
    wanted_keys.retain(|key| wanted.contains(&key.id));
    let plan = Plan {
        stages: plan
            .stages
            .iter()
            .filter(|stage| wanted.contains(&stage.id))
            .cloned()
            .collect(),
    };
    leaks::refuse(context, &wanted)?;
    let todo = pending(store, &plan, &wanted_keys)?;
    let mut number = 0;
    for key in &wanted_keys {
        let Some(reason) = todo.get(&key.id) else {
            tracing::info!(stage = %key.id, "done already");
            continue;
        };
        number += 1;
        let why = match reason {
            Pending::Missing => String::new(),
            Pending::Stale(why) => format!(" (again: {why})"),
            Pending::Absent(files) => format!(" (again: {} is not here)", files.join(", ")),
        };
        // A report tells of its own folder.
        if let Some(stage) = others
            .find(key)
            .filter(|_| key.id.kind != StageKind::Report)
        {
            eprintln!(
                "[{number}/{}] {}: as in {}",
                todo.len(),
                key.id,
                stage.path().display()
            );
            store.adopt(&stage)?;
            continue;
        }
        eprintln!("[{number}/{}] {}{why}", todo.len(), key.id);
        let work = store.begin(key)?;
        let left = one(context, &Inputs { store }, &key.id, &work)
            .with_context(|| format!("stage {}", key.id))?;
        work.finish(Finish {
            external: &left.external,
            notes: Some(&left.notes),
        })?;
    }
    if number == 0 {
        eprintln!("all {} stages are done already", wanted_keys.len());
    }
    Ok(number)
}

fn one(context: &Context, inputs: &Inputs<'_>, id: &StageId, work: &WorkDir<'_>) -> Result<Left> {
    match id.kind {
        StageKind::Data => data::run(context, &id.name, work.path()),
        StageKind::Predict => predict::run(context, inputs, &id.name, work),
        StageKind::Score => score::run(context, inputs, &id.name, work.path()),
        StageKind::Measure => measure::run(context, &id.name, work.path()),
        StageKind::Probe => probe::run(context, &id.name, work.path()),
        StageKind::Align => align::run(context, inputs, &id.name, work.path()),
        StageKind::Train => train::run(context, &id.name, work),
        StageKind::Correlate => correlate::run(context, inputs, work.path()),
        StageKind::Report => report::run(context, inputs, work.path()),
    }
}

/// The stages of some kinds with all that they need.
fn closure(plan: &Plan, kinds: &[StageKind]) -> Vec<StageId> {
    let needs: BTreeMap<&StageId, &[StageId]> = plan
        .stages
        .iter()
        .map(|stage| (&stage.id, stage.needs.as_slice()))
        .collect();
    let mut wanted: Vec<StageId> = Vec::new();
    let mut open: Vec<&StageId> = plan
        .stages
        .iter()
        .map(|stage| &stage.id)
        .filter(|id| kinds.is_empty() || kinds.contains(&id.kind))
        .collect();
    while let Some(id) = open.pop() {
        if !wanted.contains(id) {
            wanted.push(id.clone());
            open.extend(needs.get(id).copied().unwrap_or_default());
        }
    }
    wanted
}

/// What the limits on schemas cost a set, told to the user; `None` without limits.
fn pruning(options: &PromptOptions, dataset: &Dataset) -> Option<PruneLoss> {
    let loss = loss_by_pruning(options, dataset)?;
    eprintln!(
        "schemas are cut for {} of {} questions; {} lose a table of their gold query, {} a column",
        loss.pruned, loss.examples, loss.lost_table, loss.lost_column
    );
    Some(loss)
}

/// The two names in `TRAIN--TARGET`.
pub fn split_pair(name: &str) -> Result<(&str, &str)> {
    name.split_once("--")
        .ok_or_else(|| anyhow!("{name} is not the name of a pair"))
}
