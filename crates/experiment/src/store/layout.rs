//! Where stages lie below the results' folder, and the moves between these places.
//!
//! `KIND/NAME` is a finished stage, `KIND/.NAME.partial` one that is being computed, and `KIND/.NAME.old` an
//! earlier result in the moment in which it is replaced.

use std::fs;
use std::path::{Path, PathBuf};

use super::StoreError;
use super::files::{MANIFEST, remove, remove_scratch};
use crate::plan::{StageId, StageKind};

pub(super) fn finished(root: &Path, id: &StageId) -> PathBuf {
    root.join(id.kind.as_str()).join(&id.name)
}

pub(super) fn partial(root: &Path, id: &StageId) -> PathBuf {
    root.join(id.kind.as_str())
        .join(format!(".{}.partial", id.name))
}

fn old(root: &Path, id: &StageId) -> PathBuf {
    root.join(id.kind.as_str())
        .join(format!(".{}.old", id.name))
}

/// Puts a complete work folder (it has its manifest) in the place of the finished stage.
pub(super) fn publish(root: &Path, id: &StageId) -> Result<(), StoreError> {
    let (partial, finished, old) = (partial(root, id), finished(root, id), old(root, id));
    // Only now, with the manifest written: until then an attempt may have to go on from its checkpoint.
    remove_scratch(&partial)?;
    remove(&old)?;
    if fs::symlink_metadata(&finished).is_ok() {
        fs::rename(&finished, &old).map_err(StoreError::io("rename", &finished))?;
    }
    fs::rename(&partial, &finished).map_err(StoreError::io("rename", &partial))?;
    if let Some(folder) = finished.parent() {
        // Not every file system can flush a folder; the rename is done either way.
        let _ = fs::File::open(folder).and_then(|folder| folder.sync_all());
    }
    remove(&old)
}

/// Completes what a crash interrupted: a complete work folder is published, a replaced result without a
/// successor is put back. Incomplete work folders stay for the stage to go on.
pub(super) fn recover(root: &Path) -> Result<(), StoreError> {
    for kind in StageKind::ALL {
        let folder = root.join(kind.as_str());
        let Ok(entries) = fs::read_dir(&folder) else {
            // There is nothing of this kind yet.
            continue;
        };
        let mut names: Vec<String> = entries
            .flatten()
            .filter_map(|entry| entry.file_name().into_string().ok())
            .collect();
        names.sort();
        let hidden = |name: &str, end: &str| {
            let inner = name.strip_prefix('.')?.strip_suffix(end)?;
            Some(StageId::new(kind, inner))
        };
        // Publishing also removes the replaced result, so what is left over below has no successor.
        for id in names.iter().filter_map(|name| hidden(name, ".partial")) {
            if partial(root, &id).join(MANIFEST).is_file() {
                publish(root, &id)?;
            }
        }
        for id in names.iter().filter_map(|name| hidden(name, ".old")) {
            let (from, to) = (old(root, &id), finished(root, &id));
            if fs::symlink_metadata(&to).is_ok() {
                remove(&from)?;
            } else if fs::symlink_metadata(&from).is_ok() {
                fs::rename(&from, &to).map_err(StoreError::io("rename", &from))?;
            }
        }
    }
    Ok(())
}
