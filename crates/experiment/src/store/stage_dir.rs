//! A finished stage.

use std::path::{Path, PathBuf};

use super::files::hash;
use super::{Manifest, StoreError};

/// The folder of a finished stage whose files are what its manifest says.
#[derive(Debug, Clone, PartialEq)]
pub struct StageDir {
    path: PathBuf,
    manifest: Manifest,
    absent: Vec<String>,
}

impl StageDir {
    /// Opens the stage in `path` and verifies the size and digest of each of its files.
    pub(super) fn verify(path: &Path, manifest: Manifest) -> Result<Self, StoreError> {
        let mut absent = Vec::new();
        for record in &manifest.files {
            let changed = |found: String| StoreError::Changed {
                stage: manifest.id().to_string(),
                file: record.path.clone(),
                found,
            };
            let file = path.join(&record.path);
            match std::fs::metadata(&file) {
                Ok(found) if found.len() != record.bytes => {
                    return Err(changed(format!(
                        "{} bytes, expected {}",
                        found.len(),
                        record.bytes
                    )));
                }
                Ok(_) => {
                    let (sha256, _) = hash(&file)?;
                    if sha256 != record.sha256 {
                        let expected = record.sha256.short();
                        return Err(changed(format!(
                            "SHA-256 {}…, expected {expected}…",
                            sha256.short()
                        )));
                    }
                }
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                    if !record.external {
                        return Err(changed("it is missing".to_owned()));
                    }
                    absent.push(record.path.clone());
                }
                Err(error) => return Err(StoreError::io("look at", file)(error)),
            }
        }
        Ok(Self {
            path: path.to_owned(),
            manifest,
            absent,
        })
    }

    /// The folder.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// What made it.
    pub fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// Files that are not kept with the results and are not on this machine.
    pub fn absent(&self) -> &[String] {
        &self.absent
    }

    /// The path of one of its files, given as in the manifest.
    ///
    /// # Errors
    /// [`StoreError::NoFile`] if the stage has none of that name, [`StoreError::Absent`] if it is not here.
    pub fn file(&self, name: &str) -> Result<PathBuf, StoreError> {
        let stage = || self.manifest.id().to_string();
        let file = name.to_owned();
        if !self.manifest.files.iter().any(|record| record.path == name) {
            return Err(StoreError::NoFile {
                stage: stage(),
                file,
            });
        }
        if self.absent.contains(&file) {
            return Err(StoreError::Absent {
                stage: stage(),
                file,
            });
        }
        Ok(self.path.join(name))
    }
}
