//! A stage that is being computed.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::files::{KEY, MANIFEST, record_all, remove, write_whole};
use super::manifest::{FORMAT, seeds_in};
use super::{Manifest, StageDir, Store, StoreError, layout};
use crate::canonical::Digest;
use crate::plan::StageKey;
use crate::provenance::{Host, Meter, rfc3339};
use crate::spec::portable;

/// The folder in which a stage works. It outlives a killed process, so that the stage can go on; it becomes
/// the result by being renamed.
///
/// What the stage writes here is its own affair, but for these names, which are gone once it is finished:
/// `key.json`, `checkpoint/`, and files with `.partial` in their names or ending in `.tmp`.
#[derive(Debug)]
pub struct WorkDir<'a> {
    store: &'a Store,
    key: StageKey,
    path: PathBuf,
    attempt: Attempt,
    meter: Meter,
}

/// What a work folder says about itself.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Attempt {
    digest: Digest,
    attempts: u32,
    started: String,
}

/// What a stage adds to its manifest.
#[derive(Debug, Clone, Copy, Default)]
pub struct Finish<'a> {
    /// Files, as paths below the folder, that are not kept with the results.
    pub external: &'a [&'a str],
    /// Figures to keep, such as counts; `None` for none.
    pub notes: Option<&'a Value>,
}

impl<'a> WorkDir<'a> {
    pub(super) fn begin(store: &'a Store, key: &StageKey) -> Result<Self, StoreError> {
        let path = layout::partial(&store.root, &key.id);
        let digest = key.digest();
        let mark = path.join(KEY);
        let before: Option<Attempt> = fs::read(&mark)
            .ok()
            .and_then(|bytes| serde_json::from_slice(&bytes).ok())
            .filter(|before: &Attempt| before.digest == digest);
        if before.is_none() {
            remove(&path)?;
        }
        fs::create_dir_all(&path).map_err(StoreError::io("create", &path))?;
        // A manifest here would have a later run publish the folder as it is then.
        remove(&path.join(MANIFEST))?;
        let attempt = match before {
            Some(before) => Attempt {
                attempts: before.attempts.saturating_add(1),
                ..before
            },
            None => Attempt {
                digest,
                attempts: 1,
                started: rfc3339(SystemTime::now()),
            },
        };
        write_whole(&mark, &json_bytes(&attempt)?)?;
        Ok(Self {
            store,
            key: key.clone(),
            path,
            attempt,
            meter: Meter::start(),
        })
    }

    /// The folder to work in.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Whether an earlier attempt at this very result was interrupted and left its files here.
    pub fn resumed(&self) -> bool {
        self.attempt.attempts > 1
    }

    /// Makes the result final: files are hashed and flushed, the manifest is written, and the folder takes the
    /// place of an earlier result. Until that moment the earlier one and the scratch files stay as they were.
    ///
    /// # Errors
    /// Whatever the file system refuses; the work folder stays, so that a later attempt can go on.
    pub fn finish(self, finish: Finish<'_>) -> Result<StageDir, StoreError> {
        let cost = self.meter.cost();
        let files = record_all(&self.path, finish.external)?;
        if let Some(name) = finish
            .external
            .iter()
            .find(|name| !files.iter().any(|file| file.path == **name))
        {
            return Err(StoreError::NoFile {
                stage: self.key.id.to_string(),
                file: (*name).to_owned(),
            });
        }
        let manifest = Manifest {
            format: FORMAT,
            digest: self.attempt.digest,
            kind: self.key.id.kind,
            name: self.key.id.name.clone(),
            code_version: self.key.code_version,
            seeds: seeds_in(&self.key.parameters),
            parameters: self.key.parameters,
            inputs: self.key.inputs,
            files,
            notes: finish.notes.map(portable).unwrap_or_default(),
            code: self.store.code.clone(),
            host: Host::current(),
            started: self.attempt.started,
            finished: rfc3339(SystemTime::now()),
            attempts: self.attempt.attempts,
            cost,
        };
        write_whole(&self.path.join(MANIFEST), &json_bytes(&manifest)?)?;
        layout::publish(&self.store.root, &self.key.id)?;
        StageDir::verify(&layout::finished(&self.store.root, &self.key.id), manifest)
    }
}

fn json_bytes(value: &impl Serialize) -> Result<Vec<u8>, StoreError> {
    let mut bytes = serde_json::to_vec_pretty(value)
        .map_err(std::io::Error::other)
        .map_err(StoreError::io("serialise", MANIFEST))?;
    bytes.push(b'\n');
    Ok(bytes)
}
