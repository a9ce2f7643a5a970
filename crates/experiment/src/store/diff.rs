//! What two folders of results have otherwise, and of that what is a cause and what follows from another stage.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use serde::Serialize;

use super::{Manifest, StoreError};
use crate::canonical::first_difference;
use crate::plan::{StageId, StageKind};

/// What is otherwise of a stage.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case", tag = "difference")]
pub enum StageDifference {
    /// Only the first folder has it.
    OnlyFirst,
    /// Only the second folder has it.
    OnlySecond,
    /// A parameter.
    Parameter {
        /// What it is about.
        about: About,
        /// Its path.
        path: String,
        /// Its value in the first folder, as JSON.
        first: String,
        /// And in the second.
        second: String,
    },
    /// What was read from outside: a data file, databases, weights.
    Input {
        /// What it is about.
        about: About,
        /// Its name.
        name: String,
    },
    /// The version of the code behind it.
    CodeVersion {
        /// In the first folder.
        first: u32,
        /// In the second.
        second: u32,
    },
    /// A stage that it reads; nothing of its own.
    Follows {
        /// The first of them.
        from: String,
    },
    /// All that determines it is the same, and a file is not.
    Result {
        /// The first such file.
        file: String,
    },
}

/// What a difference is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum About {
    /// Questions, queries, databases.
    Data,
    /// How questions become prompts.
    Prompt,
    /// How tokens are chosen.
    Decoding,
    /// Which model.
    Weights,
    /// How it is trained.
    Training,
    /// How it is scored or compared.
    Scoring,
}

/// The stages that differ, in the order of a run.
///
/// # Errors
/// If a folder or a manifest cannot be read.
pub fn diff(first: &Path, second: &Path) -> Result<Vec<(StageId, StageDifference)>, StoreError> {
    let (first, second) = (manifests(first)?, manifests(second)?);
    let mut ids: Vec<&StageId> = first
        .keys()
        .chain(second.keys())
        .collect::<BTreeSet<_>>()
        .into_iter()
        .collect();
    ids.sort_by_key(|id| (order(id), &id.name));
    let mut found = Vec::new();
    for id in ids {
        let difference = match (first.get(id), second.get(id)) {
            (Some(_), None) => Some(StageDifference::OnlyFirst),
            (None, Some(_)) => Some(StageDifference::OnlySecond),
            (Some(first), Some(second)) => between(first, second),
            (None, None) => None,
        };
        found.extend(difference.map(|it| (id.clone(), it)));
    }
    Ok(found)
}

/// Where a stage comes in a run: those of the model before training before those after it.
fn order(id: &StageId) -> usize {
    let base = id.name.starts_with("base--");
    match id.kind {
        StageKind::Data => 0,
        StageKind::Predict if base => 1,
        StageKind::Score if base => 2,
        StageKind::Measure => 3,
        StageKind::Probe => 4,
        StageKind::Align => 5,
        StageKind::Train => 6,
        StageKind::Predict => 7,
        StageKind::Score => 8,
        StageKind::Correlate => 9,
        StageKind::Report => 10,
    }
}

/// The manifests below a folder of results.
fn manifests(root: &Path) -> Result<BTreeMap<StageId, Manifest>, StoreError> {
    let mut found = BTreeMap::new();
    // A folder that is not there is a mistake and not a run without stages.
    fs::read_dir(root).map_err(StoreError::io("list", root))?;
    for kind in StageKind::ALL {
        let folder = root.join(kind.as_str());
        for entry in fs::read_dir(&folder).into_iter().flatten().flatten() {
            let name = entry.file_name();
            let Some(name) = name.to_str().filter(|name| !name.starts_with('.')) else {
                continue;
            };
            if let Some(manifest) = Manifest::read(&entry.path())? {
                found.insert(StageId::new(kind, name), manifest);
            }
        }
    }
    Ok(found)
}

fn between(first: &Manifest, second: &Manifest) -> Option<StageDifference> {
    if let Some(found) = first_difference(&first.parameters, &second.parameters) {
        return Some(StageDifference::Parameter {
            about: about(first.kind, &found.path),
            path: found.path,
            first: found.old,
            second: found.new,
        });
    }
    let names: BTreeSet<&String> = first.inputs.keys().chain(second.inputs.keys()).collect();
    let mut others = names
        .into_iter()
        .filter(|name| first.inputs.get(*name) != second.inputs.get(*name));
    // Files and weights are causes; other stages have a line of their own.
    let stage = |name: &&String| !name.starts_with("file:") && *name != "weights";
    let (stages, outside): (Vec<_>, Vec<_>) = others.by_ref().partition(stage);
    if let Some(name) = outside.first() {
        let about = if *name == "weights" {
            About::Weights
        } else {
            About::Data
        };
        return Some(StageDifference::Input {
            about,
            name: (*name).clone(),
        });
    }
    if first.code_version != second.code_version {
        return Some(StageDifference::CodeVersion {
            first: first.code_version,
            second: second.code_version,
        });
    }
    if let Some(from) = stages.first() {
        return Some(StageDifference::Follows {
            from: (*from).clone(),
        });
    }
    // A page tells times, which are others each time.
    if first.kind == StageKind::Report {
        return None;
    }
    first
        .first_other_file(second)
        .map(|file| StageDifference::Result { file })
}

fn about(kind: StageKind, path: &str) -> About {
    let head = path.split('.').next().unwrap_or_default();
    match (kind, head) {
        (StageKind::Data, _) => About::Data,
        (_, "prompt") => About::Prompt,
        (_, "model" | "precision") => About::Weights,
        (_, "generate") => About::Decoding,
        (StageKind::Train | StageKind::Probe | StageKind::Measure, _) => About::Training,
        _ => About::Scoring,
    }
}
