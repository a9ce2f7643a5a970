//! Files of a stage: hashing them, writing them so that a crash leaves the old or the new, never a half.

use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};

use super::StoreError;
use super::manifest::FileRecord;
use crate::canonical::Digest;

/// The manifest's name in a stage's folder.
pub(super) const MANIFEST: &str = "manifest.json";
/// The file in a work folder that says for which result it is.
pub(super) const KEY: &str = "key.json";

/// The digest and the size of a file.
pub(super) fn hash(path: &Path) -> Result<(Digest, u64), StoreError> {
    let file = File::open(path).map_err(StoreError::io("open", path))?;
    Digest::of_reader(file).map_err(StoreError::io("read", path))
}

/// Writes a file beside its place, has it on the disk, and only then gives it its name.
pub(super) fn write_whole(path: &Path, bytes: &[u8]) -> Result<(), StoreError> {
    let mut aside = path.as_os_str().to_owned();
    aside.push(".tmp");
    let aside = PathBuf::from(aside);
    let mut file = File::create(&aside).map_err(StoreError::io("create", &aside))?;
    file.write_all(bytes)
        .and_then(|()| file.sync_all())
        .map_err(StoreError::io("write", &aside))?;
    fs::rename(&aside, path).map_err(StoreError::io("rename", &aside))
}

/// Whether a file, given by its path below the stage's folder, is only needed while the stage runs: `key.json`,
/// what is in `checkpoint`, and files with `.partial` in their names or ending in `.tmp`.
fn is_scratch(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    path == Path::new(KEY)
        || path.starts_with("checkpoint")
        || path.extension().is_some_and(|e| e == "tmp")
        || name.contains(".partial")
}

/// Takes away what a stage only needed while it ran.
pub(super) fn remove_scratch(folder: &Path) -> Result<(), StoreError> {
    for path in walk(folder)? {
        if path.strip_prefix(folder).is_ok_and(is_scratch) {
            remove(&path)?;
        }
    }
    remove(&folder.join("checkpoint"))
}

/// Removes a file or a folder with all in it; what is not there is removed already.
pub(super) fn remove(path: &Path) -> Result<(), StoreError> {
    let result = match fs::symlink_metadata(path) {
        Ok(found) if found.is_dir() => fs::remove_dir_all(path),
        Ok(_) => fs::remove_file(path),
        Err(error) => Err(error),
    };
    match result {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(StoreError::io("remove", path)(error))
        }
        _ => Ok(()),
    }
}

/// Records of all files in a folder but the manifest and scratch, sorted by path; each is on the disk
/// afterwards.
pub(super) fn record_all(folder: &Path, external: &[&str]) -> Result<Vec<FileRecord>, StoreError> {
    let mut records = Vec::new();
    for path in walk(folder)? {
        let bad_name = || StoreError::BadName { path: path.clone() };
        let below = path.strip_prefix(folder).map_err(|_| bad_name())?;
        let parts: Option<Vec<&str>> = below.iter().map(|part| part.to_str()).collect();
        let name = parts.ok_or_else(bad_name)?.join("/");
        if name == MANIFEST || is_scratch(below) {
            continue;
        }
        File::open(&path)
            .and_then(|file| file.sync_all())
            .map_err(StoreError::io("flush", &path))?;
        let (sha256, bytes) = hash(&path)?;
        let external = external.contains(&name.as_str());
        records.push(FileRecord {
            path: name,
            bytes,
            sha256,
            external,
        });
    }
    records.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(records)
}

/// All files below a folder, in no particular order.
pub(super) fn walk(folder: &Path) -> Result<Vec<PathBuf>, StoreError> {
    let mut files = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).map_err(StoreError::io("list", &folder))? {
            let entry = entry.map_err(StoreError::io("list", &folder))?;
            let kind = entry
                .file_type()
                .map_err(StoreError::io("look at", entry.path()))?;
            if kind.is_dir() {
                folders.push(entry.path());
            } else {
                files.push(entry.path());
            }
        }
    }
    Ok(files)
}
