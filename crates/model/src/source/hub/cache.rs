//! The hub's cache on this machine, in the layout that its own libraries have: `blobs/ETAG` with the content,
//! `snapshots/COMMIT/FILE` as links to them, `refs/BRANCH` with a commit.
//!
//! Beside it, in the cache of this program, the names of a commit's files are kept: without them it can't be told
//! whether a snapshot that lacks a file is whole.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use hf_hub::{Cache, CacheRepo, Repo, RepoType};

use super::super::lock::hold;
use super::super::package::unique;
use super::super::{HubFault, HubSource};

/// The part of the cache that belongs to a repository at a revision.
pub(super) struct Kept {
    repo: CacheRepo,
    /// Folder of the repository below the hub's cache.
    folder: PathBuf,
    /// Locks that the hub's own libraries take too.
    locks: PathBuf,
    /// Folder for the names of a commit's files.
    lists: PathBuf,
    revision: String,
}

impl Kept {
    pub(super) fn new(hub: &HubSource, hub_cache: &Path, cache: &Path) -> Self {
        let repo = Repo::with_revision(hub.repo.clone(), RepoType::Model, hub.revision.clone());
        let name = repo.folder_name();
        Self {
            repo: Cache::new(hub_cache.to_owned()).repo(repo),
            folder: hub_cache.join(&name),
            locks: hub_cache.join(".locks").join(&name),
            lists: cache.join("hub").join(&name),
            revision: hub.revision.clone(),
        }
    }

    /// The commit of the revision, as far as it is known here.
    pub(super) fn commit(&self) -> Option<String> {
        if is_commit(&self.revision) {
            return Some(self.revision.clone());
        }
        let text = fs::read_to_string(self.folder.join("refs").join(&self.revision)).ok()?;
        let commit = text.trim().to_owned();
        is_commit(&commit).then_some(commit)
    }

    /// Notes which commit the branch or tag is.
    pub(super) fn note(&self, commit: &str) -> Result<(), HubFault> {
        if commit == self.revision {
            return Ok(());
        }
        let path = self.folder.join("refs").join(&self.revision);
        self.repo.create_ref(commit).map_err(|e| fault(&path, e))
    }

    /// Folder of the files of a commit.
    pub(super) fn snapshot(&self, commit: &str) -> PathBuf {
        self.repo.pointer_path(commit)
    }

    /// Where the content with a tag lies.
    pub(super) fn blob(&self, etag: &str) -> PathBuf {
        self.repo.blob_path(etag)
    }

    /// Names of a commit's files at the hub, if they were noted.
    pub(super) fn list(&self, commit: &str) -> Option<Vec<String>> {
        let bytes = fs::read(self.lists.join(format!("{commit}.json"))).ok()?;
        serde_json::from_slice(&bytes).ok()
    }

    /// Notes the names of a commit's files at the hub.
    pub(super) fn note_list(&self, commit: &str, names: &[String]) -> Result<(), HubFault> {
        let path = self.lists.join(format!("{commit}.json"));
        let partial = self.lists.join(unique("list"));
        let text = serde_json::to_vec(names).map_err(|e| fault(&path, e.into()))?;
        fs::create_dir_all(&self.lists)
            .and_then(|()| fs::write(&partial, text))
            .and_then(|()| fs::rename(&partial, &path))
            .map_err(|e| fault(&path, e))
    }

    /// Names of a commit's files that are here.
    pub(super) fn names(&self, commit: &str) -> Vec<String> {
        let mut names = Vec::new();
        walk(&self.snapshot(commit), "", &mut names);
        names.sort();
        names
    }

    /// Holds the lock of a content until the file is dropped, as the hub's own libraries do.
    pub(super) fn lock(&self, etag: &str) -> Result<File, HubFault> {
        let path = self.locks.join(format!("{etag}.lock"));
        hold(&path).map_err(|e| fault(&path, e))
    }

    /// Makes a name of a commit lead to a content.
    pub(super) fn link(&self, commit: &str, name: &str, etag: &str) -> Result<PathBuf, HubFault> {
        let path = self.snapshot(commit).join(name);
        let above = path.parent().unwrap_or(&path);
        fs::create_dir_all(above).map_err(|e| fault(above, e))?;
        // Beside it and then over it: another process may have made it meanwhile, and be reading.
        let partial = above.join(unique("link"));
        let up = "../".repeat(2 + name.matches('/').count());
        link_or_copy(&format!("{up}blobs/{etag}"), &self.blob(etag), &partial)
            .and_then(|()| fs::rename(&partial, &path))
            .map_err(|e| fault(&path, e))?;
        Ok(path)
    }
}

#[cfg(unix)]
fn link_or_copy(relative: &str, _: &Path, path: &Path) -> io::Result<()> {
    std::os::unix::fs::symlink(relative, path)
}

/// Links need a privilege elsewhere.
#[cfg(not(unix))]
fn link_or_copy(_: &str, blob: &Path, path: &Path) -> io::Result<()> {
    fs::copy(blob, path).map(|_| ())
}

fn walk(folder: &Path, prefix: &str, names: &mut Vec<String>) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let name = format!("{prefix}{}", entry.file_name().to_string_lossy());
        let path = entry.path();
        if path.is_dir() {
            walk(&path, &format!("{name}/"), names);
        } else if path.is_file() {
            names.push(name);
        }
    }
}

/// Forty hexadecimal digits, which no branch is called.
pub(super) fn is_commit(revision: &str) -> bool {
    revision.len() == 40 && revision.bytes().all(|b| b.is_ascii_hexdigit())
}

pub(super) fn fault(path: &Path, source: io::Error) -> HubFault {
    HubFault::Io {
        path: path.to_owned(),
        source,
    }
}
