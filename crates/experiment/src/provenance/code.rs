//! Which code ran.

use std::path::{Component, Path};
use std::process::{Command, Stdio};

use serde::{Deserialize, Serialize};

/// Which code ran.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Code {
    /// Version of the harness.
    pub version: String,
    /// The git commit of the working directory; `None` without git or outside a repository.
    pub commit: Option<String>,
    /// Whether the working directory differs from that commit, the results' own folder aside.
    pub dirty: Option<bool>,
}

impl Code {
    /// The code as it is now. Changes below `results` do not count as dirty: a run writes there itself.
    pub fn current(results: &Path) -> Self {
        let commit = git(&["rev-parse", "HEAD"]);
        let mut arguments = vec!["status", "--porcelain", "--", "."];
        let inside = results
            .components()
            .all(|c| matches!(c, Component::Normal(_) | Component::CurDir));
        let exclude = format!(":(exclude){}", results.display());
        if inside && results.components().next().is_some() {
            arguments.push(&exclude);
        }
        let status = commit.as_ref().and_then(|_| git(&arguments));
        Self {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            commit,
            dirty: status.map(|text| !text.is_empty()),
        }
    }
}

/// What git answers, trimmed; `None` if it is absent or fails.
fn git(arguments: &[&str]) -> Option<String> {
    let output = Command::new("git")
        .args(arguments)
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .output()
        .ok()?;
    if !output.status.success() {
        return None;
    }
    Some(String::from_utf8(output.stdout).ok()?.trim().to_owned())
}
