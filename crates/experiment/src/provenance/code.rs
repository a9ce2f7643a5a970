//! Which code ran.

use std::collections::BTreeMap;
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
    /// Versions of the libraries that results depend on; empty in results of earlier versions.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub libraries: BTreeMap<String, String>,
}

/// Libraries whose version can show in a result.
const LIBRARIES: [&str; 6] = [
    "candle-core",
    "gemm",
    "libsqlite3-sys",
    "rusqlite",
    "sqlparser",
    "tokenizers",
];

/// What this program was built from.
const LOCK: &str = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../../Cargo.lock"));

/// The versions of [`LIBRARIES`] in a lock file; of several versions of one the highest, as text.
fn libraries(lock: &str) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    let value = |line: &str, key: &str| {
        let text = line.strip_prefix(key)?.strip_prefix(" = \"")?;
        Some(text.strip_suffix('"')?.to_owned())
    };
    let mut name = None;
    for line in lock.lines() {
        if let Some(found) = value(line, "name") {
            name = Some(found);
        } else if let Some(version) = value(line, "version")
            && let Some(name) = name.take()
            && LIBRARIES.contains(&name.as_str())
        {
            found.insert(name, version);
        }
    }
    found
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
            libraries: libraries(LOCK),
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_library_has_a_version() {
        let found = libraries(LOCK);
        assert_eq!(found.len(), LIBRARIES.len(), "{found:?}");
        for (name, version) in found {
            assert!(
                version.starts_with(|c: char| c.is_ascii_digit()),
                "{name} {version}"
            );
        }
        assert!(libraries("name = \"tokenizers\"\n").is_empty());
    }
}
