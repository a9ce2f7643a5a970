//! Finished stages of neighbouring results' folders, by digest: what one cell of a matrix has done, another need not do.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use super::files::{MANIFEST, remove};
use super::{Manifest, StageDir, Store, StoreError, layout};
use crate::canonical::Digest;
use crate::plan::{StageKey, StageKind};

/// Where stages of given digests are.
#[derive(Debug, Default)]
pub struct Shared {
    places: BTreeMap<Digest, PathBuf>,
}

impl Shared {
    /// Notes what is finished in a results' folder; what cannot be read is left out.
    pub fn add(&mut self, root: &Path) {
        for kind in StageKind::ALL {
            let folder = root.join(kind.as_str());
            for entry in fs::read_dir(&folder).into_iter().flatten().flatten() {
                let hidden = entry.file_name().to_string_lossy().starts_with('.');
                if let (false, Ok(Some(manifest))) = (hidden, Manifest::read(&entry.path())) {
                    self.places.insert(manifest.digest, entry.path());
                }
            }
        }
    }

    /// The finished stage of a key, verified; `None` if it is not here, is called otherwise, or is not whole.
    pub fn find(&self, key: &StageKey) -> Option<StageDir> {
        let path = self.places.get(&key.digest())?;
        let manifest = Manifest::read(path).ok().flatten()?;
        if manifest.id() != key.id || manifest.digest != key.digest() {
            return None;
        }
        let stage = StageDir::verify(path, manifest).ok()?;
        stage.absent().is_empty().then_some(stage)
    }
}

impl Store {
    /// Takes over a stage that another results' folder has, with its manifest: files are linked, or copied where they cannot be.
    ///
    /// # Errors
    /// [`StoreError::ReadOnlyStore`] for a store opened by [`Store::read`]; else what the system refuses.
    pub fn adopt(&self, stage: &StageDir) -> Result<StageDir, StoreError> {
        if self.lock.is_none() {
            return Err(StoreError::ReadOnlyStore {
                root: self.root.clone(),
            });
        }
        let id = stage.manifest().id();
        let partial = layout::partial(&self.root, &id);
        remove(&partial)?;
        fs::create_dir_all(&partial).map_err(StoreError::io("create", &partial))?;
        let files = stage.manifest().files.iter().map(|file| file.path.as_str());
        // The manifest last: with it the folder counts as whole.
        for name in files.chain([MANIFEST]) {
            let (from, to) = (stage.path().join(name), partial.join(name));
            if let Some(folder) = to.parent() {
                fs::create_dir_all(folder).map_err(StoreError::io("create", folder))?;
            }
            if fs::hard_link(&from, &to).is_err() {
                fs::copy(&from, &to).map_err(StoreError::io("copy", &from))?;
            }
        }
        layout::publish(&self.root, &id)?;
        StageDir::verify(&layout::finished(&self.root, &id), stage.manifest().clone())
    }
}
