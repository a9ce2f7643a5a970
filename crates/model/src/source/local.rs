//! A model that is on this machine already: a file, or a folder with one.

use std::fs::{self, File};
use std::io::{ErrorKind, Read};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::layout::{self, Choice};
use super::{ResolvedModel, SourceError};

/// How the file begins that stands for a large one in a clone without large files.
const POINTER: &[u8; 23] = b"version https://git-lfs";

/// Where a model lies. It is written as a path alone where no `file` has to be chosen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Written", into = "Written")]
pub struct LocalSource {
    /// A GGUF file, a safetensors file, or a folder with a model.
    pub path: PathBuf,
    /// Which file of the folder, where it has several models; `*` stands for any characters.
    pub file: Option<String>,
}

/// The two ways of writing a local source.
#[derive(Serialize, Deserialize)]
#[serde(
    untagged,
    expecting = "expected a path, or {path: FOLDER, file: PATTERN}"
)]
enum Written {
    Path(PathBuf),
    Choice(Chosen),
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Chosen {
    path: PathBuf,
    file: String,
}

impl From<Written> for LocalSource {
    fn from(written: Written) -> Self {
        match written {
            Written::Path(path) => Self { path, file: None },
            Written::Choice(Chosen { path, file }) => Self {
                path,
                file: Some(file),
            },
        }
    }
}

impl From<LocalSource> for Written {
    fn from(LocalSource { path, file }: LocalSource) -> Self {
        match file {
            None => Self::Path(path),
            Some(file) => Self::Choice(Chosen { path, file }),
        }
    }
}

impl From<PathBuf> for LocalSource {
    fn from(path: PathBuf) -> Self {
        Self { path, file: None }
    }
}

impl From<&str> for LocalSource {
    fn from(path: &str) -> Self {
        Self::from(PathBuf::from(path))
    }
}

/// Finds the model; its weights can be opened and are not empty, more is not looked at.
pub(super) fn resolve(local: &LocalSource) -> Result<ResolvedModel, SourceError> {
    let path = &local.path;
    let meta = fs::metadata(path).map_err(|source| match source.kind() {
        ErrorKind::NotFound => SourceError::NotFound { path: path.clone() },
        _ => io(path, source),
    })?;
    let found = if meta.is_dir() {
        let names = names_in(path)?;
        let choice =
            layout::choose(&names, local.file.as_deref()).map_err(|fault| SourceError::Folder {
                path: path.clone(),
                fault,
            })?;
        check(&path.join(choice.weights()))?;
        choice.stands_in(path)
    } else {
        if let Some(file) = &local.file {
            return Err(SourceError::FileOfFile {
                path: path.clone(),
                file: file.clone(),
            });
        }
        check(path)?;
        path.clone()
    };
    Ok(ResolvedModel {
        origin: format!("local {}", found.display()),
        path: found,
        sha256: None,
    })
}

/// The files of a model in a folder or alone, weights last; names are relative to the folder.
pub(super) fn files(path: &Path) -> Result<Vec<(String, PathBuf)>, SourceError> {
    let (folder, choice) = if path.is_dir() {
        let choice =
            layout::choose(&names_in(path)?, None).map_err(|fault| SourceError::Folder {
                path: path.to_owned(),
                fault,
            })?;
        (path, choice)
    } else {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let choice = if layout::is_a(&name, "safetensors") {
            Choice::Safetensors(name.into_owned())
        } else {
            Choice::Gguf(name.into_owned())
        };
        (path.parent().unwrap_or(Path::new("")), choice)
    };
    let mut names: Vec<String> = Vec::new();
    if choice.has_text_files() {
        let texts = layout::REQUIRED.into_iter().chain(layout::OPTIONAL);
        names.extend(
            texts
                .filter(|name| folder.join(name).is_file())
                .map(str::to_owned),
        );
    }
    let weights = choice.weights().to_owned();
    if choice == Choice::Index {
        let index = folder.join(&weights);
        let shards = layout::shards(&index).map_err(|what| SourceError::Index {
            path: index.clone(),
            what,
        })?;
        names.push(weights);
        names.extend(shards);
    } else {
        names.push(weights);
    }
    Ok(names
        .into_iter()
        .map(|name| {
            let path = folder.join(&name);
            (name, path)
        })
        .collect())
}

fn names_in(folder: &Path) -> Result<Vec<String>, SourceError> {
    let mut names = Vec::new();
    for entry in fs::read_dir(folder).map_err(|e| io(folder, e))? {
        let path = entry.map_err(|e| io(folder, e))?.path();
        // A link that leads nowhere is named all the same: what is wrong with it is said when it is opened.
        if !path.is_dir()
            && let Some(name) = path.file_name()
        {
            names.push(name.to_string_lossy().into_owned());
        }
    }
    names.sort();
    Ok(names)
}

/// Refuses a file that can't be read, is empty, or only stands for one that was not fetched.
fn check(path: &Path) -> Result<(), SourceError> {
    let mut start = [0; POINTER.len()];
    let mut file = File::open(path).map_err(|e| io(path, e))?;
    let read = file.read(&mut start).map_err(|e| io(path, e))?;
    if read == 0 {
        return Err(SourceError::Empty {
            path: path.to_owned(),
        });
    }
    if &start == POINTER {
        return Err(SourceError::Pointer {
            path: path.to_owned(),
        });
    }
    Ok(())
}

fn io(path: &Path, source: std::io::Error) -> SourceError {
    SourceError::Io {
        path: path.to_owned(),
        source,
    }
}
