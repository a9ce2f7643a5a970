//! Checkpoints on disk: complete or absent, never half. It knows bytes and folders, not tensors.
//!
//! A checkpoint is a folder `step-NNNNNNNN` with `weights.safetensors`, `optimizer.safetensors` and
//! `progress.json`. It is written under another name, flushed to the disk and renamed; then those go that are neither
//! among the newest to be kept nor the best. A disk that is full leaves the ones before as they were.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::config::TrainConfig;
use crate::event::{DevLoss, StepRecord};
use crate::optimizer::OptimizerError;
use crate::tensors::TensorsError;

const WEIGHTS: &str = "weights.safetensors";
const OPTIMIZER: &str = "optimizer.safetensors";
const PROGRESS: &str = "progress.json";
const PREFIX: &str = "step-";
const UNFINISHED: &str = "unfinished-";
const FORMAT: u32 = 2;

/// Why a checkpoint could not be written or used.
#[derive(Debug, thiserror::Error)]
pub enum CheckpointError {
    /// The file system refused.
    #[error("cannot {action} {}: {source}", path.display())]
    Io {
        /// What was attempted.
        action: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// The reason.
        source: io::Error,
    },
    /// `progress.json` is not what this version writes.
    #[error("{} is not a progress file of this version: {source}", path.display())]
    Progress {
        /// The file.
        path: PathBuf,
        /// Where it differs.
        source: serde_json::Error,
    },
    /// The checkpoint belongs to another run.
    #[error(
        "{} was written by a run with another {what}; start afresh, or go back to what it was",
        path.display()
    )]
    OtherRun {
        /// The checkpoint.
        path: PathBuf,
        /// What differs.
        what: String,
    },
    /// The weights do not fit the objective's variables.
    #[error("{}: {source}", path.display())]
    Weights {
        /// The checkpoint.
        path: PathBuf,
        /// Which tensor differs, and how.
        source: TensorsError,
    },
    /// The optimiser's state does not fit the objective's variables.
    #[error("{}: {source}", path.display())]
    Optimizer {
        /// The checkpoint.
        path: PathBuf,
        /// Which tensor differs, and how.
        source: OptimizerError,
    },
}

impl CheckpointError {
    /// Whether the files are not what was once written, rather than those of another run or model.
    pub(crate) fn is_damage(&self) -> bool {
        let torn = |error: &TensorsError| {
            matches!(
                error,
                TensorsError::Format { .. } | TensorsError::Header { .. }
            )
        };
        match self {
            Self::Io { .. } | Self::Progress { .. } => true,
            Self::OtherRun { .. } => false,
            Self::Weights { source, .. } => torn(source),
            Self::Optimizer { source, .. } => {
                matches!(source, OptimizerError::State(source) if torn(source))
            }
        }
    }
}

/// Where a run is, and what names the run: all of its state that is not a tensor.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Progress {
    /// Version of this file.
    pub format: u32,
    /// The options of the run.
    pub config: TrainConfig,
    /// Hash of the examples that are used, 16 hexadecimal digits.
    pub data: String,
    /// Every step done. Order of the data, schedule and random streams are functions of their number.
    pub steps: Vec<StepRecord>,
    /// The development losses so far.
    pub dev: Vec<DevLoss>,
}

impl Progress {
    /// The start of a run.
    pub fn new(config: TrainConfig, data: String) -> Self {
        Self {
            format: FORMAT,
            config,
            data,
            steps: Vec::new(),
            dev: Vec::new(),
        }
    }

    /// Refuses a checkpoint of another run than `self`'s.
    pub fn continues(&self, saved: &Self, path: &Path) -> Result<(), CheckpointError> {
        let what = if saved.format != self.format {
            Some("checkpoint format")
        } else if saved.config != self.config {
            Some("configuration")
        } else if saved.data != self.data {
            Some("set of examples")
        } else {
            None
        };
        what.map_or(Ok(()), |what| {
            Err(CheckpointError::OtherRun {
                path: path.to_owned(),
                what: what.to_owned(),
            })
        })
    }
}

/// A checkpoint as read.
pub(crate) struct Checkpoint {
    pub progress: Progress,
    pub weights: Vec<u8>,
    pub optimizer: Vec<u8>,
}

/// Which checkpoints stay when one is written.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Keep {
    /// How many of the newest, the written one among them; at least 1.
    pub newest: usize,
    /// The step of one more.
    pub also: Option<usize>,
}

/// The newest complete checkpoint in `folder`, if there is one. A missing folder holds none.
pub fn latest(folder: &Path) -> Result<Option<PathBuf>, CheckpointError> {
    Ok(all(folder)?.pop())
}

/// The complete checkpoints in `folder`, oldest first.
pub(crate) fn all(folder: &Path) -> Result<Vec<PathBuf>, CheckpointError> {
    let mut found: Vec<(u64, PathBuf)> = folders(folder)?
        .into_iter()
        .filter_map(|(name, path)| Some((step_of(&name)?, path)))
        .collect();
    found.sort();
    Ok(found.into_iter().map(|(_, path)| path).collect())
}

/// Where the checkpoint of `step` lies, if it is there.
pub(crate) fn path_of(folder: &Path, step: usize) -> PathBuf {
    folder.join(name_of(step))
}

/// Reads the checkpoint at `path`.
pub(crate) fn read(path: &Path) -> Result<Checkpoint, CheckpointError> {
    let load = |name: &str| {
        let file = path.join(name);
        fs::read(&file).map_err(io_at("read", &file))
    };
    let progress =
        serde_json::from_slice(&load(PROGRESS)?).map_err(|source| CheckpointError::Progress {
            path: path.join(PROGRESS),
            source,
        })?;
    Ok(Checkpoint {
        progress,
        weights: load(WEIGHTS)?,
        optimizer: load(OPTIMIZER)?,
    })
}

/// Writes a checkpoint into `folder` and removes those that `keep` does not name, later ones of an earlier run among
/// them. Returns its path.
pub(crate) fn write(
    folder: &Path,
    checkpoint: &Checkpoint,
    keep: Keep,
) -> Result<PathBuf, CheckpointError> {
    let step = checkpoint.progress.steps.len();
    let name = name_of(step);
    let target = folder.join(&name);
    let unfinished = folder.join(format!("{UNFINISHED}{name}"));
    fs::create_dir_all(folder).map_err(io_at("create", folder))?;
    if let Err(error) = fill(&unfinished, &target, checkpoint) {
        // What fits on no disk would be in the way of everything else on it. The first error is the one to tell.
        let _ = fs::remove_dir_all(&unfinished);
        return Err(error);
    }
    // An older run may have left a checkpoint of the same name; a folder cannot be renamed onto a full one.
    remove(&target)?;
    fs::rename(&unfinished, &target).map_err(io_at("rename", &unfinished))?;
    sync_folder(folder).map_err(io_at("flush", folder))?;
    let mut others = Vec::new();
    for (other, path) in folders(folder)? {
        if other == name {
            continue;
        }
        if let Some(other) = step_of(&other) {
            others.push((other, path));
        } else if other.strip_prefix(UNFINISHED).and_then(step_of).is_some() {
            remove(&path)?;
        }
    }
    others.sort();
    let mut places = keep.newest.max(1) - 1;
    for (other, path) in others.into_iter().rev() {
        let earlier = other < step as u64;
        if earlier && places > 0 {
            places -= 1;
        } else if !earlier || keep.also.map(|also| also as u64) != Some(other) {
            remove(&path)?;
        }
    }
    Ok(target)
}

/// Writes the files of a checkpoint that is to be called `target` into the folder `unfinished`.
fn fill(unfinished: &Path, target: &Path, checkpoint: &Checkpoint) -> Result<(), CheckpointError> {
    remove(unfinished)?;
    fs::create_dir(unfinished).map_err(io_at("create", unfinished))?;
    let progress =
        serde_json::to_vec(&checkpoint.progress).map_err(|source| CheckpointError::Progress {
            path: target.join(PROGRESS),
            source,
        })?;
    for (file, bytes) in [
        (WEIGHTS, &checkpoint.weights),
        (OPTIMIZER, &checkpoint.optimizer),
        (PROGRESS, &progress),
    ] {
        let path = unfinished.join(file);
        write_through(&path, bytes).map_err(io_at("write", &path))?;
    }
    sync_folder(unfinished).map_err(io_at("flush", unfinished))
}

fn name_of(step: usize) -> String {
    format!("{PREFIX}{step:08}")
}

/// Number of steps in the name of a checkpoint; nothing for a folder that is not ours to read or remove.
fn step_of(name: &str) -> Option<u64> {
    name.strip_prefix(PREFIX)?.parse().ok()
}

fn folders(folder: &Path) -> Result<Vec<(String, PathBuf)>, CheckpointError> {
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(io_at("read", folder)(error)),
    };
    let mut found = Vec::new();
    for entry in entries {
        let entry = entry.map_err(io_at("read", folder))?;
        if let Ok(name) = entry.file_name().into_string()
            && entry.path().is_dir()
        {
            found.push((name, entry.path()));
        }
    }
    Ok(found)
}

fn write_through(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = File::create(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

/// Makes the names in a folder durable. Only Unix lets a folder be opened for this.
fn sync_folder(path: &Path) -> io::Result<()> {
    if cfg!(unix) {
        File::open(path)?.sync_all()?;
    }
    Ok(())
}

fn remove(path: &Path) -> Result<(), CheckpointError> {
    match fs::remove_dir_all(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(io_at("remove", path)(error)),
        _ => Ok(()),
    }
}

fn io_at(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> CheckpointError {
    let path = path.to_owned();
    move |source| CheckpointError::Io {
        action,
        path,
        source,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn checkpoint(steps: usize) -> Checkpoint {
        let record = |step| StepRecord {
            step,
            of: 9,
            loss: 0.1 + step as f64,
            learning_rate: 1e-4,
            grad_norm: 2.0,
            tokens: 5,
            target_tokens: 2,
            micro_batches: 1,
        };
        let mut progress = Progress::new(TrainConfig::default(), "0".repeat(16));
        progress.steps = (1..=steps).map(record).collect();
        Checkpoint {
            progress,
            weights: vec![steps as u8],
            optimizer: vec![7],
        }
    }

    const ONE: Keep = Keep {
        newest: 1,
        also: None,
    };

    #[test]
    fn only_the_newest_stays() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().join("a/b");
        assert_eq!(latest(&root).unwrap(), None);
        for steps in [2, 12, 12, 4] {
            let path = write(&root, &checkpoint(steps), ONE).unwrap();
            assert_eq!(latest(&root).unwrap(), Some(path.clone()));
            let back = read(&path).unwrap();
            assert_eq!(back.progress, checkpoint(steps).progress);
            assert_eq!((back.weights, back.optimizer), (vec![steps as u8], vec![7]));
            assert_eq!(fs::read_dir(&root).unwrap().count(), 1);
        }
    }

    #[test]
    fn the_newest_few_stay_and_the_best() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        for (steps, also, left) in [
            (2, None, &[2][..]),
            (4, Some(2), &[2, 4]),
            (6, Some(2), &[2, 4, 6]),
            (8, Some(2), &[2, 6, 8]),
            (10, Some(8), &[8, 10]),
            (12, None, &[10, 12]),
            // What another run has left beyond is none of this one's.
            (6, Some(12), &[6]),
        ] {
            write(root, &checkpoint(steps), Keep { newest: 2, also }).unwrap();
            let expected: Vec<PathBuf> = left.iter().map(|&step| path_of(root, step)).collect();
            assert_eq!(all(root).unwrap(), expected);
        }
    }

    #[test]
    fn a_disk_that_refuses_leaves_the_one_before() {
        let folder = tempfile::tempdir().unwrap();
        let path = write(folder.path(), &checkpoint(2), ONE).unwrap();
        // A name longer than a file system takes stands for a disk without room.
        let target = folder.path().join("x".repeat(300));
        let unfinished = folder.path().join("y".repeat(300));
        let error = fill(&unfinished, &target, &checkpoint(4)).unwrap_err();
        assert!(matches!(error, CheckpointError::Io { .. }), "{error}");
        assert!(error.is_damage());
        assert_eq!(latest(folder.path()).unwrap(), Some(path));
    }

    #[test]
    fn what_is_unfinished_is_not_seen() {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("unfinished-step-00000099")).unwrap();
        fs::create_dir(folder.path().join("step-notes")).unwrap();
        fs::write(folder.path().join("step-00000098"), "a file").unwrap();
        assert_eq!(latest(folder.path()).unwrap(), None);
        let path = write(folder.path(), &checkpoint(1), ONE).unwrap();
        assert_eq!(latest(folder.path()).unwrap(), Some(path));
        assert!(!folder.path().join("unfinished-step-00000099").exists());
        assert!(folder.path().join("step-notes").exists());
    }

    #[test]
    fn damage_is_an_error_that_names_the_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = write(folder.path(), &checkpoint(1), ONE).unwrap();
        fs::write(path.join(PROGRESS), "{").unwrap();
        let error = read(&path).err().unwrap().to_string();
        assert!(error.contains(PROGRESS), "{error}");
        fs::remove_file(path.join(PROGRESS)).unwrap();
        let error = read(&path).err().unwrap().to_string();
        assert!(error.starts_with("cannot read"), "{error}");
    }
}
