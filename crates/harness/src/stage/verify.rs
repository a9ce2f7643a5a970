//! Are results what they say they are? Files against their manifests, manifests against the experiment, and what follows from
//! questions and predictions alone against what comes out when it is computed again.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use harness_experiment::store::Staleness;
use harness_experiment::{Digest, Plan, StageDir, StageId, StageKey, StageKind, Status, Store};
use serde::Serialize;

use super::{Inputs, align, correlate, data, score};
use crate::context::Context;

/// What was found of a stage.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case", tag = "found", content = "what")]
pub enum Found {
    /// Its files are those that were finished, made from what the experiment says. It was not computed again: that takes a model.
    Whole,
    /// The same, and computed again it gave the same files.
    Same,
    /// Computed again it gave another file.
    Differs(String),
    /// Its files are not those that were finished.
    Damaged(String),
    /// It was made from something else than what the experiment says.
    Stale(String),
    /// There is no such result.
    Missing,
}

impl Found {
    /// Whether there is nothing wrong with it.
    pub fn is_good(&self) -> bool {
        matches!(self, Self::Whole | Self::Same)
    }
}

/// Looks at every stage of a plan; `on_stage` is told each as it is looked at. With `recompute` what needs no model is computed again.
pub fn verify(
    context: &Context,
    store: &Store,
    plan: &Plan,
    recompute: bool,
    on_stage: &mut dyn FnMut(&StageId),
) -> Result<Vec<(StageId, Found)>> {
    let scratch = Scratch::new()?;
    let mut found = Vec::new();
    for key in plan.keys(&context.external(plan)?) {
        on_stage(&key.id);
        let one = one(
            context,
            store,
            &key,
            recompute.then_some(scratch.0.as_path()),
        )
        .with_context(|| format!("stage {}", key.id))?;
        found.push((key.id, one));
    }
    Ok(found)
}

fn one(context: &Context, store: &Store, key: &StageKey, scratch: Option<&Path>) -> Result<Found> {
    let stage = match store.status(key)? {
        Status::Done(stage) => stage,
        Status::Missing => return Ok(Found::Missing),
        Status::Stale(Staleness::Damaged(error)) => return Ok(Found::Damaged(error.to_string())),
        Status::Stale(why) => return Ok(Found::Stale(why.to_string())),
    };
    let Some(scratch) = scratch else {
        return Ok(Found::Whole);
    };
    let folder = scratch.join(key.id.to_string().replace('/', "-"));
    fs::create_dir(&folder).with_context(|| format!("cannot create {}", folder.display()))?;
    let inputs = Inputs::new(store);
    let name = &key.id.name;
    match key.id.kind {
        StageKind::Data => data::run(context, name, &folder)?,
        StageKind::Score => score::run(context, &inputs, name, &folder)?,
        StageKind::Align => align::run(context, &inputs, name, &folder)?,
        StageKind::Correlate => correlate::run(context, &inputs, &folder)?,
        // A model's work, or a page that tells times.
        StageKind::Predict
        | StageKind::Train
        | StageKind::Measure
        | StageKind::Probe
        | StageKind::Report => return Ok(Found::Whole),
    };
    Ok(compare(&stage, &folder)?.map_or(Found::Same, Found::Differs))
}

/// The first file that is another than the stage's.
fn compare(stage: &StageDir, folder: &Path) -> Result<Option<String>> {
    let mut made = BTreeMap::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let bytes = fs::read(&path).with_context(|| format!("cannot read {}", path.display()))?;
        let name = path.file_name().unwrap_or_default();
        made.insert(
            name.to_string_lossy().into_owned(),
            Digest::of_bytes(&bytes),
        );
    }
    for file in &stage.manifest().files {
        match made.remove(&file.path) {
            Some(digest) if digest == file.sha256 => {}
            _ => return Ok(Some(file.path.clone())),
        }
    }
    Ok(made.into_keys().next())
}

/// A folder for what is computed again; it goes with its owner.
struct Scratch(PathBuf);

impl Scratch {
    fn new() -> Result<Self> {
        let path = std::env::temp_dir().join(format!("harness-verify-{}", std::process::id()));
        fs::create_dir(&path).with_context(|| {
            format!(
                "cannot create {}; TMPDIR says where such folders go",
                path.display()
            )
        })?;
        Ok(Self(path))
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // What is left in a folder for such things does no harm.
        let _ = fs::remove_dir_all(&self.0);
    }
}
