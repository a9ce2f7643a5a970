//! A repository of a model hub. What comes is kept in the hub's own cache, which its Python library shares.
//!
//! `hf-hub` knows the layout of that cache. Asking and fetching is done here, for that crate sends the token along to
//! the host a redirect leads to, checks no hash, and takes a whole file for the rest of one.
//!
//! A revision that is in the cache whole is not asked for again, so a branch stays what it was when it was fetched.

mod access;
mod cache;
mod download;
mod listing;
mod request;

use std::path::{Path, PathBuf};

pub use access::{HubAccess, Patience, Token};

use self::cache::Kept;
use self::download::{Wanted, download, is_sha256};
use self::listing::{Listing, listing};
use self::request::{Client, escaped};
use super::layout::{self, Choice};
use super::{HubFault, HubSource, Progress, ResolvedModel, SourceError};
use crate::digest::sha256_file;

/// A fault and the file it is about.
type About<T> = Result<T, (String, HubFault)>;
/// What a fault is about if not about one file.
const REPOSITORY: &str = "the repository";

/// Fetches what is not in the cache yet and returns the folder of the snapshot, or the one file.
pub(super) fn resolve(
    hub: &HubSource,
    cache: &Path,
    access: Option<&HubAccess>,
    progress: &mut dyn FnMut(Progress<'_>),
) -> Result<ResolvedModel, SourceError> {
    let whole = |fault| (REPOSITORY.to_owned(), fault);
    let from_env = || HubAccess::from_env().map_err(whole);
    check(hub)
        .map_err(whole)
        .and_then(|()| access.cloned().map_or_else(from_env, Ok))
        .and_then(|access| find_or_fetch(hub, cache, &access, progress))
        .map_err(|(file, fault)| SourceError::Hub {
            repo: hub.repo.clone(),
            revision: hub.revision.clone(),
            file,
            fault: Box::new(fault),
        })
}

/// The address of a file of a data set repository at the hub (`HF_ENDPOINT` or the hub's own).
///
/// # Errors
/// If the surroundings hold a value that can't be used.
pub fn hub_dataset_url(repo: &str, revision: &str, file: &str) -> Result<String, SourceError> {
    let access = HubAccess::from_env().map_err(|fault| SourceError::Hub {
        repo: repo.to_owned(),
        revision: revision.to_owned(),
        file: file.to_owned(),
        fault: Box::new(fault),
    })?;
    Ok(format!(
        "{}/datasets/{repo}/resolve/{}/{}",
        access.endpoint,
        escaped(revision, false),
        escaped(file, true)
    ))
}

/// Refuses names that would lead out of the cache or to another place of the hub.
fn check(hub: &HubSource) -> Result<(), HubFault> {
    let fault = |key, found: &str, expected| {
        Err(HubFault::Setting {
            key,
            found: found.to_owned(),
            expected,
        })
    };
    let word = |word: &str| {
        !word.is_empty()
            && !word.starts_with('.')
            && !word.contains("..")
            && word
                .chars()
                .all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c))
    };
    let parts: Vec<&str> = hub.repo.split('/').collect();
    if parts.len() > 2 || !parts.iter().all(|part| word(part)) {
        return fault("repo", &hub.repo, "OWNER/NAME");
    }
    if !hub.revision.split('/').all(word) {
        return fault("revision", &hub.revision, "a branch, a tag or a commit");
    }
    Ok(())
}

fn find_or_fetch(
    hub: &HubSource,
    cache: &Path,
    access: &HubAccess,
    progress: &mut dyn FnMut(Progress<'_>),
) -> About<ResolvedModel> {
    let kept = Kept::new(hub, &access.folder, cache);
    let commit = kept.commit();
    if let Some(commit) = &commit
        && let Some(names) = kept.list(commit)
        && let Ok(model) = find(hub, &kept, commit, &names)
    {
        return Ok(model);
    }
    // Without the hub's list, what is here has to do: this is what its own libraries left.
    let find_alone = || {
        let offline = || HubFault::Offline {
            folder: access.folder.clone(),
        };
        let Some(commit) = &commit else {
            return Err((REPOSITORY.to_owned(), offline()));
        };
        let names = kept.names(commit);
        if names.is_empty() {
            return Err((REPOSITORY.to_owned(), offline()));
        }
        find(hub, &kept, commit, &names).map_err(|(file, fault)| match fault {
            HubFault::NoFile => (file, offline()),
            other => (file, other),
        })
    };
    if access.offline {
        return find_alone();
    }
    let client = Client::new(access);
    let listing = match listing(&client, hub) {
        Ok(listing) => listing,
        Err(fault) if fault.is_passing() => {
            return match find_alone() {
                Ok(model) => {
                    tracing::warn!(repo = hub.repo, %fault, "using what is in the cache");
                    Ok(model)
                }
                Err(_) => Err((REPOSITORY.to_owned(), fault)),
            };
        }
        Err(fault) => return Err((REPOSITORY.to_owned(), fault)),
    };
    let fetcher = Fetcher {
        hub,
        kept: &kept,
        client: &client,
        listing: &listing,
    };
    fetcher.fetch(progress)?;
    let note = kept
        .note_list(&listing.commit, &listing.names)
        .and_then(|()| kept.note(&listing.commit));
    note.map_err(|fault| (REPOSITORY.to_owned(), fault))?;
    find(hub, &kept, &listing.commit, &listing.names)
}

/// The model of a commit, if all of it that is among `names` is here.
fn find(hub: &HubSource, kept: &Kept, commit: &str, names: &[String]) -> About<ResolvedModel> {
    let choice = choose(hub, names)?;
    let folder = kept.snapshot(commit);
    let mut files = first_files(&choice, names)?;
    let here = |name: &String| folder.join(name).is_file();
    if choice == Choice::Index && here(&layout::INDEX.to_owned()) {
        files.extend(shards(&folder)?);
    }
    if let Some(missing) = files.into_iter().find(|name| !here(name)) {
        return Err((missing, HubFault::NoFile));
    }
    let path = choice.stands_in(&folder);
    let sha256 = if path.is_file() {
        verified(&path).map_err(|fault| (choice.weights().to_owned(), fault))?
    } else {
        None
    };
    Ok(ResolvedModel {
        path,
        origin: format!("hub {}@{} (commit {commit})", hub.repo, hub.revision),
        sha256,
    })
}

fn choose(hub: &HubSource, names: &[String]) -> About<Choice> {
    layout::choose(names, hub.file.as_deref())
        .map_err(|fault| (REPOSITORY.to_owned(), HubFault::Layout(fault)))
}

/// The files of a model but for the shards of an index, which have to be read from it.
fn first_files(choice: &Choice, names: &[String]) -> About<Vec<String>> {
    let mut files = Vec::new();
    if choice.has_text_files() {
        for name in layout::REQUIRED {
            if !names.iter().any(|it| it == name) {
                return Err((name.to_owned(), HubFault::NoFile));
            }
            files.push(name.to_owned());
        }
        let optional = layout::OPTIONAL.into_iter().map(str::to_owned);
        files.extend(optional.filter(|name| names.contains(name)));
    }
    files.push(choice.weights().to_owned());
    Ok(files)
}

fn shards(folder: &Path) -> About<Vec<String>> {
    layout::shards(&folder.join(layout::INDEX))
        .map(|shards| shards.into_iter().collect())
        .map_err(|what| (layout::INDEX.to_owned(), HubFault::BadIndex { what }))
}

/// The SHA-256 of a file whose content is called by it, compared with its bytes: other programs write to the cache too.
fn verified(path: &Path) -> Result<Option<String>, HubFault> {
    let target = path.canonicalize().map_err(|e| cache::fault(path, e))?;
    let expected = target.file_name().unwrap_or_default().to_string_lossy();
    if !is_sha256(&expected) {
        return Ok(None);
    }
    let found = sha256_file(&target).map_err(|e| cache::fault(path, e))?;
    if found != expected {
        // It would be found again and again; without it, it is fetched anew.
        let _ = std::fs::remove_file(&target);
        return Err(HubFault::Hash {
            expected: expected.into_owned(),
            found,
        });
    }
    Ok(Some(found))
}

struct Fetcher<'a> {
    hub: &'a HubSource,
    kept: &'a Kept,
    client: &'a Client<'a>,
    listing: &'a Listing,
}

impl Fetcher<'_> {
    /// Fetches every file of the model that is not here.
    fn fetch(&self, progress: &mut dyn FnMut(Progress<'_>)) -> About<()> {
        let choice = choose(self.hub, &self.listing.names)?;
        let files = first_files(&choice, &self.listing.names)?;
        self.each(&files, progress)?;
        if choice == Choice::Index {
            let shards = shards(&self.kept.snapshot(&self.listing.commit))?;
            self.each(&shards, progress)?;
        }
        Ok(())
    }

    fn each(&self, files: &[String], progress: &mut dyn FnMut(Progress<'_>)) -> About<()> {
        let folder: PathBuf = self.kept.snapshot(&self.listing.commit);
        for (i, name) in files.iter().enumerate() {
            if folder.join(name).is_file() {
                continue;
            }
            progress(Progress::Fetching {
                item: name,
                number: i + 1,
                of: files.len(),
            });
            let wanted = Wanted {
                repo: &self.hub.repo,
                commit: &self.listing.commit,
                name,
            };
            download(self.client, self.kept, &wanted, progress)
                .map_err(|fault| (name.clone(), fault))?;
        }
        Ok(())
    }
}
