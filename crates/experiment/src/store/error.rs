//! What can go wrong with the results' folder.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

/// A fault of the results' folder. Whatever it is, finished stages are whole: they are published last and at
/// once.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The system refused an operation on a file.
    #[error("cannot {action} {}: {source}", path.display())]
    Io {
        /// What was tried: `read`, `write`, `rename`, …
        action: &'static str,
        /// On which file or folder.
        path: PathBuf,
        /// The system's words.
        source: std::io::Error,
    },
    /// Another run works in the same folder.
    #[error("another run is working in {}{}", root.display(), holder.as_ref().map(|pid| format!(" (process {pid})")).unwrap_or_default())]
    Locked {
        /// The results' folder.
        root: PathBuf,
        /// The process that holds it, as it wrote down itself.
        holder: Option<String>,
    },
    /// A manifest that is not one.
    #[error("{} is not a manifest: {message}", path.display())]
    BadManifest {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        message: String,
    },
    /// A finished stage whose file is not what its manifest says.
    #[error("{stage}: {file} is not what was finished: {found}")]
    Changed {
        /// The stage.
        stage: String,
        /// The file.
        file: String,
        /// What was found.
        found: String,
    },
    /// A finished stage has no such file.
    #[error("{stage} has no file {file}")]
    NoFile {
        /// The stage.
        stage: String,
        /// The file that was asked for.
        file: String,
    },
    /// A file that is not kept with the results, and is not here.
    #[error("{stage}: {file} is not kept with the results and is not on this machine")]
    Absent {
        /// The stage.
        stage: String,
        /// The file.
        file: String,
    },
    /// A file's name in a work folder is not UTF-8.
    #[error("the name of {} is not UTF-8", path.display())]
    BadName {
        /// The file.
        path: PathBuf,
    },
    /// A store that was opened for reading was asked to write.
    #[error("{} was opened for reading only", root.display())]
    ReadOnlyStore {
        /// The results' folder.
        root: PathBuf,
    },
}

impl StoreError {
    pub(super) fn io(
        action: &'static str,
        path: impl Into<PathBuf>,
    ) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.into();
        move |source| Self::Io {
            action,
            path,
            source,
        }
    }

    /// What the user can do, in one sentence.
    pub fn hint(&self) -> Option<String> {
        Some(match self {
            Self::Io { source, path, .. } => return io_hint(source.kind(), path),
            Self::Locked { .. } => {
                "wait until it ends, or choose another folder with `out`".to_owned()
            }
            Self::BadManifest { path, .. } => format!(
                "delete {} to have the stage computed again",
                path.parent().unwrap_or(path).display()
            ),
            Self::Changed { stage, .. } => {
                format!(
                    "restore the file, or delete the folder of {stage} to have it computed again"
                )
            }
            Self::Absent { stage, .. } => format!("run {stage} again on this machine"),
            Self::NoFile { .. } | Self::BadName { .. } | Self::ReadOnlyStore { .. } => return None,
        })
    }
}

fn io_hint(kind: ErrorKind, path: &Path) -> Option<String> {
    Some(match kind {
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded | ErrorKind::FileTooLarge => {
            "the disk or a limit on files is full; nothing finished was lost: free space and run again".to_owned()
        }
        ErrorKind::ReadOnlyFilesystem | ErrorKind::PermissionDenied => format!(
            "{} cannot be written to; choose another folder with `out`",
            path.parent().unwrap_or(path).display()
        ),
        ErrorKind::NotADirectory | ErrorKind::AlreadyExists => {
            "a file stands where a folder is needed; move it away".to_owned()
        }
        _ => return None,
    })
}
