//! What can be wrong with a model's configuration.

use std::path::PathBuf;

use thiserror::Error;

/// An error of reading a model's configuration; each names the file and the key.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// The file could not be read.
    #[error("{}: {source}", file.display())]
    Io {
        /// The file.
        file: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The file is not JSON.
    #[error("{}: {source}", file.display())]
    Json {
        /// The file.
        file: PathBuf,
        /// The place and the fault.
        source: serde_json::Error,
    },
    /// A key the decoder needs is absent.
    #[error("{}: key {key} is missing, expected {expected}", file.display())]
    MissingKey {
        /// The file.
        file: PathBuf,
        /// The key.
        key: String,
        /// What it should hold.
        expected: &'static str,
    },
    /// A key holds another kind of value.
    #[error("{}: key {key} is {found}, expected {expected}", file.display())]
    WrongType {
        /// The file.
        file: PathBuf,
        /// The key.
        key: String,
        /// What it should hold.
        expected: &'static str,
        /// What it holds.
        found: String,
    },
    /// A value is out of range or disagrees with another.
    #[error("{}: key {key} is {found}, expected {expected}", file.display())]
    Contradiction {
        /// The file.
        file: PathBuf,
        /// The key.
        key: String,
        /// What it should be, and why.
        expected: String,
        /// What it is.
        found: String,
    },
    /// No decoder for this architecture.
    #[error("{}: architecture {found:?} is not supported; supported are {supported}", file.display())]
    UnsupportedArchitecture {
        /// The file.
        file: PathBuf,
        /// The architecture named in the file.
        found: String,
        /// The supported names.
        supported: String,
    },
    /// A setting the decoder does not compute; ignoring it would change the results without an error.
    #[error("{}: {key} = {value} is not supported", file.display())]
    UnsupportedSetting {
        /// The file.
        file: PathBuf,
        /// The key.
        key: String,
        /// Its value.
        value: String,
    },
}
