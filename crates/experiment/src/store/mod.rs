//! The folder that keeps the results of an experiment.
//!
//! A finished stage is a folder with a manifest that names, by digest, all that determined the result and
//! every file of it. It is written last and published by a rename, so nothing half-written is ever read and
//! nothing finished is lost. The store does not know what the files mean.

mod diff;
mod error;
mod files;
mod garbage;
mod layout;
mod lock;
mod manifest;
mod pending;
mod shared;
mod stage_dir;
mod work;

use std::path::{Path, PathBuf};

pub use diff::{About, StageDifference, diff};
pub use error::StoreError;
pub use garbage::{Garbage, Unwanted};
pub use manifest::{FileRecord, Manifest};
pub use pending::{Pending, pending};
pub use shared::Shared;
pub use stage_dir::StageDir;
pub use work::{Finish, WorkDir};

use crate::canonical::{Difference, first_difference};
use crate::plan::{StageId, StageKey};
use crate::provenance::Code;

/// The results' folder of one experiment.
#[derive(Debug)]
pub struct Store {
    root: PathBuf,
    code: Code,
    /// Held while this store may write.
    lock: Option<lock::Lock>,
}

/// What is there for a stage.
#[derive(Debug)]
pub enum Status {
    /// The result, made by the same code from the same inputs with the same parameters, and whole.
    Done(Box<StageDir>),
    /// Nothing finished.
    Missing,
    /// A result, but not this one.
    Stale(Staleness),
}

/// Why a result is not the one that is wanted.
#[derive(Debug)]
pub enum Staleness {
    /// It was made from something else; the first thing that differs.
    Differs(Difference),
    /// Its files are not what was finished, or its manifest cannot be read.
    Damaged(StoreError),
}

impl std::fmt::Display for Staleness {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Differs(difference) => difference.fmt(f),
            Self::Damaged(error) => error.fmt(f),
        }
    }
}

impl Store {
    /// Opens the results in `root` for a run: makes the folder, locks it, and completes what a crash left
    /// half-done.
    ///
    /// # Errors
    /// [`StoreError::Locked`] if another run works there; [`StoreError::Io`] if it cannot be written.
    pub fn open(root: &Path) -> Result<Self, StoreError> {
        // Asked first: the lock itself must not make the working directory look changed.
        let code = Code::current(root);
        std::fs::create_dir_all(root).map_err(StoreError::io("create", root))?;
        let lock = lock::acquire(root)?;
        layout::recover(root)?;
        Ok(Self {
            root: root.to_owned(),
            code,
            lock: Some(lock),
        })
    }

    /// Opens the results in `root` for reading only: nothing is locked or changed, even if there is no such
    /// folder.
    pub fn read(root: &Path) -> Self {
        Self {
            root: root.to_owned(),
            code: Code::current(root),
            lock: None,
        }
    }

    /// The results' folder.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Which code this run is.
    pub fn code(&self) -> &Code {
        &self.code
    }

    /// What is there for a stage. Every file of a finished one is read and verified.
    ///
    /// # Errors
    /// [`StoreError::Io`] if files cannot be read; damage is no error but [`Status::Stale`].
    pub fn status(&self, key: &StageKey) -> Result<Status, StoreError> {
        let damaged = |error: StoreError| match error {
            error @ StoreError::Io { .. } => Err(error),
            error => Ok(Status::Stale(Staleness::Damaged(error))),
        };
        let path = layout::finished(&self.root, &key.id);
        let manifest = match Manifest::read(&path) {
            Ok(Some(manifest)) => manifest,
            Ok(None) => return Ok(Status::Missing),
            Err(error) => return damaged(error),
        };
        let found = manifest.key();
        if let Some(difference) = first_difference(&found.to_json(), &key.to_json()) {
            return Ok(Status::Stale(Staleness::Differs(difference)));
        }
        match StageDir::verify(&path, manifest) {
            Ok(stage) => Ok(Status::Done(Box::new(stage))),
            Err(error) => damaged(error),
        }
    }

    /// The finished stage called `id`, whatever made it; `None` if there is none.
    ///
    /// # Errors
    /// If it cannot be read or is not what was finished.
    pub fn latest(&self, id: &StageId) -> Result<Option<StageDir>, StoreError> {
        let path = layout::finished(&self.root, id);
        Manifest::read(&path)?
            .map(|manifest| StageDir::verify(&path, manifest))
            .transpose()
    }

    /// Opens the work folder of a stage. Files of an interrupted attempt are there if it was at the very same
    /// result; those of any other are removed.
    ///
    /// # Errors
    /// [`StoreError::ReadOnlyStore`] for a store opened by [`Store::read`]; else what the system refuses.
    pub fn begin(&self, key: &StageKey) -> Result<WorkDir<'_>, StoreError> {
        if self.lock.is_none() {
            return Err(StoreError::ReadOnlyStore {
                root: self.root.clone(),
            });
        }
        WorkDir::begin(self, key)
    }
}
