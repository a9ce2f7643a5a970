//! `harness model fetch`: the files of a model onto this machine, and what they are.

use std::path::PathBuf;

use anyhow::{Context as _, Result};
use harness_model::source::{self, ModelFile};
use serde::Serialize;

use super::named::named;
use crate::cli::ModelFetchArgs;
use crate::model;

/// What is there now.
#[derive(Debug, Serialize)]
struct Found {
    name: String,
    /// Whether something came; else it was there already.
    fetched: bool,
    /// Which candidate it came from.
    origin: String,
    /// File or folder.
    path: PathBuf,
    /// Bytes of all files.
    bytes: u64,
    files: Vec<ModelFile>,
}

/// Fetches a model; one that is there is only looked at.
pub fn fetch(arguments: &ModelFetchArgs) -> Result<()> {
    let (name, source) = named(&arguments.model)?;
    let (resolved, fetched) = model::resolve(&source).with_context(|| format!("model {name}"))?;
    let files = source::files(&resolved).with_context(|| format!("model {name}"))?;
    if let (Some(expected), [file]) = (&resolved.sha256, files.as_slice())
        && *expected != file.sha256
    {
        // It was whole when it was fetched.
        source::verify(&resolved).with_context(|| format!("model {name}"))?;
    }
    let found = Found {
        name,
        fetched,
        origin: resolved.origin,
        path: resolved.path,
        bytes: files.iter().map(|file| file.bytes).sum(),
        files,
    };
    if arguments.json {
        println!("{}", serde_json::to_string_pretty(&found)?);
    } else {
        print(&found);
    }
    Ok(())
}

fn print(found: &Found) {
    let what = if found.fetched {
        "fetched"
    } else {
        "there already, nothing was fetched"
    };
    println!("{}: {what}", found.name);
    println!("  from  {}", found.origin);
    println!("  at    {}", found.path.display());
    let wide = found.files.iter().map(|file| file.name.len()).max();
    let wide = wide.unwrap_or(0).max("file".len());
    println!("  {:<wide$}  {:>13}  SHA-256", "file", "bytes");
    for file in &found.files {
        println!(
            "  {:<wide$}  {:>13}  {}",
            file.name, file.bytes, file.sha256
        );
    }
}
