//! What is left to do of a plan.

use std::collections::BTreeMap;

use super::{Staleness, Status, Store, StoreError};
use crate::plan::{Plan, StageId, StageKey};

/// A stage that has to be run, and why.
#[derive(Debug)]
pub enum Pending {
    /// It was never finished.
    Missing,
    /// Its result was made from something else, or is damaged.
    Stale(Staleness),
    /// It is done, but a stage that has to be run reads files of it that are not on this machine.
    Absent(Vec<String>),
}

/// The stages of a plan that have to be run, with the reason; all others are done. `keys` are those of
/// [`Plan::keys`].
///
/// A finished stage whose files are not kept with the results (weights, questions) is only run again if a
/// stage that reads them has to be run.
///
/// # Errors
/// If results cannot be read.
pub fn pending(
    store: &Store,
    plan: &Plan,
    keys: &[StageKey],
) -> Result<BTreeMap<StageId, Pending>, StoreError> {
    let mut todo = BTreeMap::new();
    let mut absent: BTreeMap<StageId, Vec<String>> = BTreeMap::new();
    for key in keys {
        let reason = match store.status(key)? {
            Status::Done(stage) => {
                absent.insert(key.id.clone(), stage.absent().to_vec());
                continue;
            }
            Status::Missing => Pending::Missing,
            Status::Stale(staleness) => Pending::Stale(staleness),
        };
        todo.insert(key.id.clone(), reason);
    }
    // Backwards, so that a stage that is run again for its files' sake asks for its own inputs in turn.
    for stage in plan.stages.iter().rev() {
        if !todo.contains_key(&stage.id) || !stage.id.kind.reads_external_files() {
            continue;
        }
        for need in &stage.needs {
            if let Some(files) = absent.get(need).filter(|files| !files.is_empty())
                && !todo.contains_key(need)
            {
                todo.insert(need.clone(), Pending::Absent(files.clone()));
            }
        }
    }
    Ok(todo)
}
