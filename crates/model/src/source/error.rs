//! Why a model could not be fetched, and what to do about it.

use std::path::PathBuf;

use thiserror::Error;

use super::{HubFault, LayoutFault};

/// A candidate that did not work.
#[derive(Debug)]
pub struct Attempt {
    /// The candidate in words.
    pub candidate: String,
    /// Its error.
    pub error: SourceError,
}

/// An error of fetching or verifying the files of a model.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum SourceError {
    /// The list of candidates is empty.
    #[error("the model's source names no candidate; give local, hub, package or init")]
    NoCandidates,
    /// The program was built without the feature that fetches from a hub.
    #[error("this program was built without the feature `hub`; give the model as local or package")]
    NoHub,
    /// All candidates failed.
    #[error("no source of the model works:{}", list(attempts))]
    NoneWorked {
        /// Each candidate with its error, in order.
        attempts: Vec<Attempt>,
    },
    /// A local path does not exist.
    #[error("{}: no such file or folder", path.display())]
    NotFound {
        /// The path.
        path: PathBuf,
    },
    /// A folder holds no model, or several.
    #[error("{}: {fault}", path.display())]
    Folder {
        /// The folder.
        path: PathBuf,
        /// What is in the way.
        #[source]
        fault: LayoutFault,
    },
    /// The key `file` beside a path that is a file already.
    #[error("{}: is a file, of which `file: {file}` chooses none; leave `file` out", path.display())]
    FileOfFile {
        /// The path.
        path: PathBuf,
        /// The pattern.
        file: String,
    },
    /// A file without content.
    #[error("{}: is empty; fetch it again", path.display())]
    Empty {
        /// The file.
        path: PathBuf,
    },
    /// A clone without its large files.
    #[error("{}: only stands for a large file that was not fetched; run `git lfs pull` in its folder", path.display())]
    Pointer {
        /// The file.
        path: PathBuf,
    },
    /// An index of weights can't be used.
    #[error("{}: {what}", path.display())]
    Index {
        /// The index.
        path: PathBuf,
        /// The fault.
        what: String,
    },
    /// A file could not be read or written.
    #[error("{}: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// A file does not hold what its hash promises.
    #[error("{}: SHA-256 is {found}, expected {expected}; the file is damaged or was replaced: delete it and fetch again, and trust no other content", path.display())]
    HashMismatch {
        /// The file.
        path: PathBuf,
        /// The hash in the configuration.
        expected: String,
        /// The hash of the content.
        found: String,
    },
    /// The joined file has another size than stated.
    #[error("{}: {found} bytes, expected {expected}", path.display())]
    WrongSize {
        /// The file.
        path: PathBuf,
        /// Bytes stated in the configuration.
        expected: u64,
        /// Bytes found so far when it was noticed.
        found: u64,
    },
    /// A package source is not well-formed.
    #[error("package source of {file}: {key} is {found:?}, expected {expected}")]
    BadPackage {
        /// The file the source would make.
        file: String,
        /// The key.
        key: &'static str,
        /// Its value.
        found: String,
        /// What it should be.
        expected: &'static str,
    },
    /// A wheel lacks the member, or has several that fit.
    #[error("{}: {found} members match {member:?}, expected one; the wheel has {names}", wheel.display())]
    Member {
        /// The wheel.
        wheel: PathBuf,
        /// The member or pattern.
        member: String,
        /// How many members match.
        found: usize,
        /// Some names of members.
        names: String,
    },
    /// A configuration or tokenizer that no fresh model can be made of.
    #[error("init from {}: {what}", path.display())]
    Init {
        /// The file.
        path: PathBuf,
        /// The fault.
        what: String,
    },
    /// A wheel is not a readable zip archive.
    #[error("{}: not a readable wheel: {what}", wheel.display())]
    BadWheel {
        /// The wheel.
        wheel: PathBuf,
        /// The fault.
        what: String,
    },
    /// No Python interpreter to run pip with.
    #[error("cannot run {interpreter}: {what}; install Python with pip, or name an interpreter in HARNESS_PYTHON, or fetch the wheels elsewhere and put them into {}:\n  {command}", folder.display())]
    NoPython {
        /// The interpreter tried.
        interpreter: String,
        /// What the system said.
        what: String,
        /// Where wheels are looked for.
        folder: PathBuf,
        /// The command that fetches the wheel.
        command: String,
    },
    /// pip ran and failed.
    #[error("pip could not fetch {package}: {what}\nwithout a network, fetch the wheel elsewhere and put it into {}:\n  {command}", folder.display())]
    Pip {
        /// Name and version.
        package: String,
        /// The last lines pip wrote.
        what: String,
        /// Where wheels are looked for.
        folder: PathBuf,
        /// The command that fetches the wheel.
        command: String,
    },
    /// The hub did not give a file.
    #[error("hub {repo}@{revision}: {file}: {fault}")]
    Hub {
        /// The repository.
        repo: String,
        /// The revision.
        revision: String,
        /// The file asked for, or the repository as a whole.
        file: String,
        /// What went wrong, and what to do.
        #[source]
        fault: Box<HubFault>,
    },
}

fn list(attempts: &[Attempt]) -> String {
    let lines: Vec<String> = attempts
        .iter()
        .map(|a| format!("\n  {}: {}", a.candidate, a.error))
        .collect();
    lines.concat()
}
