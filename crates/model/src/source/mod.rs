//! Where the files of a model come from: a local path, a model hub, wheels of a package registry, or nothing but a seed.
//!
//! A source is a list of candidates, tried in order. It knows how to fetch and verify files, not what they hold.

mod error;
#[cfg(feature = "hub")]
mod hub;
mod hub_fault;
mod hub_source;
mod init;
mod join;
mod layout;
mod local;
mod lock;
mod package;
mod pattern;
mod wheel;

use std::path::{Path, PathBuf};

pub use error::{Attempt, SourceError};
#[cfg(feature = "hub")]
pub use hub::{HubAccess, Patience, Token, hub_dataset_url};
pub use hub_fault::HubFault;
pub use hub_source::HubSource;
pub use init::InitSource;
pub use layout::LayoutFault;
pub use local::LocalSource;
pub use package::{PackagePart, PackageSource};
use serde::{Deserialize, Serialize};

use crate::digest::sha256_file;

/// Candidates for the files of one model, tried in order until one works.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ModelSource {
    /// The candidates.
    pub candidates: Vec<Candidate>,
}

/// One place a model may come from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase", deny_unknown_fields)]
pub enum Candidate {
    /// A GGUF file, a safetensors file, or a folder in Hugging Face layout, on this machine.
    Local(LocalSource),
    /// A repository of a model hub.
    Hub(HubSource),
    /// A file that packages of a package registry carry in parts.
    Package(PackageSource),
    /// Nothing yet: random weights.
    Init(InitSource),
}

/// A model's files on this machine.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ResolvedModel {
    /// A GGUF file, a safetensors file, or a folder in Hugging Face layout.
    pub path: PathBuf,
    /// Which candidate it came from, in words for a manifest.
    pub origin: String,
    /// SHA-256 of the file, if the source states one; it was checked when the file was made.
    pub sha256: Option<String>,
}

/// What a fetch is doing; handed to the caller's callback.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Progress<'a> {
    /// An item of several is being fetched; its size is not known.
    Fetching {
        /// Name of the item.
        item: &'a str,
        /// Its number, from 1.
        number: usize,
        /// How many there are.
        of: usize,
    },
    /// Bytes of an item that are done.
    Bytes {
        /// Name of the item.
        item: &'a str,
        /// Bytes done.
        done: u64,
        /// Bytes in all.
        total: u64,
    },
}

/// A file of a model.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ModelFile {
    /// Its name in the model's folder.
    pub name: String,
    /// Its size in bytes.
    pub bytes: u64,
    /// SHA-256 of its content.
    pub sha256: String,
}

/// Finds or fetches the files of a model. Fetched files are kept under `cache` (hub files in the hub's own cache).
/// If no candidate works the error lists what was wrong with each.
pub fn resolve(
    source: &ModelSource,
    cache: &Path,
    progress: &mut dyn FnMut(Progress<'_>),
) -> Result<ResolvedModel, SourceError> {
    resolve_each(source, &mut |candidate| match candidate {
        #[cfg(feature = "hub")]
        Candidate::Hub(it) => hub::resolve(it, cache, None, progress),
        other => without_hub(other, cache, progress),
    })
}

/// As [`resolve`], with a hub that is reached in the given way instead of the one that the environment says.
#[cfg(feature = "hub")]
pub fn resolve_with(
    source: &ModelSource,
    cache: &Path,
    access: &HubAccess,
    progress: &mut dyn FnMut(Progress<'_>),
) -> Result<ResolvedModel, SourceError> {
    resolve_each(source, &mut |candidate| match candidate {
        Candidate::Hub(it) => hub::resolve(it, cache, Some(access), progress),
        other => without_hub(other, cache, progress),
    })
}

fn without_hub(
    candidate: &Candidate,
    cache: &Path,
    progress: &mut dyn FnMut(Progress<'_>),
) -> Result<ResolvedModel, SourceError> {
    match candidate {
        Candidate::Local(it) => local::resolve(it),
        Candidate::Hub(_) => Err(SourceError::NoHub),
        Candidate::Package(it) => package::resolve(it, cache, progress),
        Candidate::Init(it) => init::resolve(it, cache, progress),
    }
}

fn resolve_each(
    source: &ModelSource,
    resolve: &mut dyn FnMut(&Candidate) -> Result<ResolvedModel, SourceError>,
) -> Result<ResolvedModel, SourceError> {
    let mut attempts: Vec<Attempt> = Vec::new();
    for candidate in &source.candidates {
        match resolve(candidate) {
            Ok(model) => {
                // Where none works the error says all of it.
                for Attempt { candidate, error } in &attempts {
                    tracing::warn!(candidate, %error, "a model source did not work");
                }
                return Ok(model);
            }
            Err(error) => attempts.push(Attempt {
                candidate: candidate.describe(),
                error,
            }),
        }
    }
    match attempts.len() {
        0 => Err(SourceError::NoCandidates),
        1 => Err(attempts.remove(0).error),
        _ => Err(SourceError::NoneWorked { attempts }),
    }
}

/// The files of a resolved model with their hashes, weights last; every byte is read.
pub fn files(model: &ResolvedModel) -> Result<Vec<ModelFile>, SourceError> {
    let describe = |(name, path): (String, PathBuf)| {
        let io = |source| SourceError::Io {
            path: path.clone(),
            source,
        };
        Ok(ModelFile {
            name,
            bytes: std::fs::metadata(&path).map_err(io)?.len(),
            sha256: sha256_file(&path).map_err(io)?,
        })
    };
    local::files(&model.path)?
        .into_iter()
        .map(describe)
        .collect()
}

/// The folder for fetched models: `HARNESS_CACHE`, else `harness` in the user's cache folder
/// (`XDG_CACHE_HOME`, else `.cache` in the home folder); nothing if none of these is set.
pub fn default_cache() -> Option<PathBuf> {
    let var = |name| {
        std::env::var_os(name)
            .filter(|v| !v.is_empty())
            .map(PathBuf::from)
    };
    var("HARNESS_CACHE")
        .or_else(|| var("XDG_CACHE_HOME").map(|p| p.join("harness")))
        .or_else(|| var("HOME").map(|p| p.join(".cache").join("harness")))
}

/// Checks the whole of a resolved file against its stated hash, reading every byte.
pub fn verify(model: &ResolvedModel) -> Result<(), SourceError> {
    match &model.sha256 {
        Some(expected) => package::check_hash(&model.path, expected),
        None => Ok(()),
    }
}

impl Candidate {
    /// The candidate in a few words.
    pub fn describe(&self) -> String {
        match self {
            Self::Local(local) => format!("local {}", local.path.display()),
            Self::Hub(hub) => format!("hub {}@{}", hub.repo, hub.revision),
            Self::Package(p) => match p.packages.as_slice() {
                [one] => format!("package {}=={}", one.name, one.version),
                [first, .., last] => format!(
                    "packages {}=={} to {}=={}",
                    first.name, first.version, last.name, last.version
                ),
                [] => format!("no packages for {}", p.file),
            },
            Self::Init(init) => format!("init {} of seed {}", init.config.display(), init.seed),
        }
    }
}
