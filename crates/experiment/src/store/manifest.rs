//! What made a result, and what it consists of.

use std::collections::BTreeMap;
use std::path::Path;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::StoreError;
use super::files::MANIFEST;
use crate::canonical::Digest;
use crate::plan::{StageId, StageKey, StageKind};
use crate::provenance::{Code, Cost, Host};

/// Version of the manifest's own layout.
pub(super) const FORMAT: u32 = 1;

/// What made a finished stage. It lies in the stage's folder as `manifest.json`, written last.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Manifest {
    /// Version of this layout.
    pub format: u32,
    /// Digest of kind, code version, parameters and inputs.
    pub digest: Digest,
    /// What the stage does.
    pub kind: StageKind,
    /// The stage's name within its kind.
    pub name: String,
    /// Version of the code behind the kind.
    pub code_version: u32,
    /// The resolved parameters that determine the result.
    pub parameters: Value,
    /// Digests of all that was read, by name.
    pub inputs: BTreeMap<String, Digest>,
    /// Every seed among the parameters, by its path.
    pub seeds: BTreeMap<String, u64>,
    /// The files of the result, sorted by path.
    pub files: Vec<FileRecord>,
    /// Figures that the stage itself wanted kept, such as counts.
    pub notes: Value,
    /// Which code ran.
    pub code: Code,
    /// On what machine.
    pub host: Host,
    /// When the first attempt started, RFC 3339 in UTC.
    pub started: String,
    /// When the result was finished, RFC 3339 in UTC.
    pub finished: String,
    /// Attempts that it took: more than 1 if it was interrupted and went on.
    pub attempts: u32,
    /// What the last attempt cost.
    pub cost: Cost,
}

/// One file of a result.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileRecord {
    /// Path below the stage's folder, with `/`.
    pub path: String,
    /// Size.
    pub bytes: u64,
    /// Digest of the content.
    pub sha256: Digest,
    /// Whether the file is not kept with the results (large, or under another licence) and may be absent.
    pub external: bool,
}

impl Manifest {
    /// Reads the manifest of the stage in `folder`; `None` if there is none.
    pub(super) fn read(folder: &Path) -> Result<Option<Self>, StoreError> {
        let path = folder.join(MANIFEST);
        let bytes = match std::fs::read(&path) {
            Ok(bytes) => bytes,
            Err(error)
                if matches!(
                    error.kind(),
                    std::io::ErrorKind::NotFound | std::io::ErrorKind::NotADirectory
                ) =>
            {
                return Ok(None);
            }
            Err(error) => return Err(StoreError::io("read", path)(error)),
        };
        let bad = |message: String| StoreError::BadManifest {
            path: path.clone(),
            message,
        };
        let manifest: Self =
            serde_json::from_slice(&bytes).map_err(|error| bad(error.to_string()))?;
        if manifest.format != FORMAT {
            return Err(bad(format!(
                "layout {} is not known, expected {FORMAT}",
                manifest.format
            )));
        }
        // A path that leads out of the folder would have other files read than those that were finished.
        let safe = |path: &str| {
            path.split('/').all(|p| !matches!(p, "" | "." | "..")) && !path.contains('\\')
        };
        if let Some(file) = manifest.files.iter().find(|file| !safe(&file.path)) {
            return Err(bad(format!(
                "`{}` is not a path below the folder",
                file.path
            )));
        }
        let key = manifest.key();
        if key.digest() != manifest.digest {
            return Err(bad(
                "its digest is not that of its parameters and inputs".to_owned()
            ));
        }
        Ok(Some(manifest))
    }

    /// The first file that another result of the same digest has otherwise or has not. Figures of time are not compared: those are kept in
    /// files that promise nothing.
    pub(crate) fn first_other_file(&self, other: &Self) -> Option<String> {
        let kept = |manifest: &Self| -> Vec<FileRecord> {
            let files = manifest.files.iter();
            files
                .filter(|file| !is_measured(&file.path))
                .cloned()
                .collect()
        };
        let (own, other) = (kept(self), kept(other));
        own.iter()
            .chain(&other)
            .find(|file| !own.contains(file) || !other.contains(file))
            .map(|file| file.path.clone())
    }

    /// The stage's name.
    pub fn id(&self) -> StageId {
        StageId::new(self.kind, self.name.clone())
    }

    /// The key that the result was made for.
    pub fn key(&self) -> StageKey {
        StageKey {
            id: self.id(),
            code_version: self.code_version,
            parameters: self.parameters.clone(),
            inputs: self.inputs.clone(),
        }
    }
}

/// Whether a file holds measurements of a run, which are others each time.
fn is_measured(path: &str) -> bool {
    path == "timing.jsonl"
}

/// Every number under a key `seed`, by its dotted path.
pub(super) fn seeds_in(parameters: &Value) -> BTreeMap<String, u64> {
    fn collect(value: &Value, path: &str, seeds: &mut BTreeMap<String, u64>) {
        let Value::Object(map) = value else { return };
        for (key, value) in map {
            let below = if path.is_empty() {
                key.clone()
            } else {
                format!("{path}.{key}")
            };
            match value.as_u64() {
                Some(seed) if key == "seed" => {
                    seeds.insert(below, seed);
                }
                _ => collect(value, &below, seeds),
            }
        }
    }
    let mut seeds = BTreeMap::new();
    collect(parameters, "", &mut seeds);
    seeds
}
