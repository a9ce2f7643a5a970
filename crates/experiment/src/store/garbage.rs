//! What a results' folder holds that no plan asks for.

use std::fs;
use std::path::{Path, PathBuf};

use serde::Serialize;

use super::files::{KEY, remove, walk};
use super::{Manifest, Store, StoreError};
use crate::canonical::{Digest, first_difference};
use crate::plan::{StageKey, StageKind};

/// A folder that can go.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Garbage {
    /// Where it is.
    pub path: PathBuf,
    /// What its files take.
    pub bytes: u64,
    /// Why nobody wants it.
    pub why: Unwanted,
}

/// Why nobody wants a folder.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Unwanted {
    /// The experiment has no such stage.
    NotPlanned,
    /// It was made from something else than the experiment says now: the first difference.
    Stale(String),
    /// An interrupted attempt at a result that is not wanted any more.
    Interrupted,
    /// What another result has replaced.
    Replaced,
}

impl Store {
    /// The folders of stages that none of the keys asks for, in the order of their paths. An interrupted attempt that can go on is not
    /// among them.
    ///
    /// # Errors
    /// If a folder cannot be listed.
    pub fn garbage(&self, keys: &[StageKey]) -> Result<Vec<Garbage>, StoreError> {
        let mut found = Vec::new();
        for kind in StageKind::ALL {
            let folder = self.root.join(kind.as_str());
            for entry in fs::read_dir(&folder).into_iter().flatten().flatten() {
                let name = entry.file_name();
                let Some(name) = name.to_str() else { continue };
                let key = |name: &str| {
                    keys.iter()
                        .find(|key| key.id.kind == kind && key.id.name == name)
                };
                if let Some(why) = unwanted(&entry.path(), name, key) {
                    found.push(Garbage {
                        bytes: size(&entry.path())?,
                        path: entry.path(),
                        why,
                    });
                }
            }
        }
        found.sort_by(|a, b| a.path.cmp(&b.path));
        Ok(found)
    }

    /// Removes such a folder.
    ///
    /// # Errors
    /// [`StoreError::ReadOnlyStore`] for a store opened by [`Store::read`]; else what the system refuses.
    pub fn discard(&self, garbage: &Garbage) -> Result<(), StoreError> {
        if self.lock.is_none() {
            return Err(StoreError::ReadOnlyStore {
                root: self.root.clone(),
            });
        }
        remove(&garbage.path)
    }
}

fn unwanted<'k>(
    path: &Path,
    name: &str,
    key: impl Fn(&str) -> Option<&'k StageKey>,
) -> Option<Unwanted> {
    if let Some(hidden) = name.strip_prefix('.') {
        if hidden.strip_suffix(".old").is_some() {
            return Some(Unwanted::Replaced);
        }
        let wanted = key(hidden.strip_suffix(".partial")?);
        let goes_on = wanted.is_some_and(|key| attempted(path) == Some(key.digest()));
        return (!goes_on).then_some(Unwanted::Interrupted);
    }
    let Some(key) = key(name) else {
        return Some(Unwanted::NotPlanned);
    };
    // What cannot be read is told by those that want to read it.
    let manifest = Manifest::read(path).ok().flatten()?;
    first_difference(&manifest.key().to_json(), &key.to_json())
        .map(|found| Unwanted::Stale(found.to_string()))
}

/// The result that a work folder is for.
fn attempted(path: &Path) -> Option<Digest> {
    let mark: serde_json::Value = serde_json::from_slice(&fs::read(path.join(KEY)).ok()?).ok()?;
    serde_json::from_value(mark.get("digest")?.clone()).ok()
}

fn size(folder: &Path) -> Result<u64, StoreError> {
    let sizes = walk(folder)?
        .into_iter()
        .map(|path| fs::symlink_metadata(path).map_or(0, |found| found.len()));
    Ok(sizes.sum())
}
