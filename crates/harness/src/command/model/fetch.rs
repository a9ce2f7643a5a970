//! `harness model fetch`: the files of a model onto this machine, and what they are.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use harness_experiment::{Env, spec};
use harness_model::source::{self, Candidate, ModelFile, ModelSource};
use serde::Serialize;

use crate::cli::ModelFetchArgs;
use crate::model;

/// What is there now.
#[derive(Debug, Serialize)]
struct Fetched {
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
    let found = Fetched {
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

/// A model's name and where it may come from: a part of `configs/model`, a YAML file like those, or a path.
fn named(model: &str) -> Result<(String, ModelSource)> {
    let path = Path::new(model);
    let is_yaml = path.extension().is_some_and(|e| e == "yaml" || e == "yml");
    if path.exists() && !is_yaml {
        let candidates = vec![Candidate::Local(path.to_owned().into())];
        return Ok((model.to_owned(), ModelSource { candidates }));
    }
    let targets = "targets: {any: {dataset: jsonl, split: any}}\n";
    let env = Env::default();
    // A specification has to have something to do; this one is only asked for its model.
    let spec = if is_yaml {
        let text = std::fs::read_to_string(path).with_context(|| format!("cannot read {model}"))?;
        spec::load_text(
            path,
            &format!("{}{targets}", below_model(&text)),
            None,
            &[],
            &env,
        )?
    } else {
        let text = format!("model: {model}\n{targets}");
        let configs = Path::new("configs");
        spec::load_text(Path::new("MODEL"), &text, Some(configs), &[], &env)?
    };
    let source = serde_json::from_value(spec.model.source.clone())
        .with_context(|| format!("the `source` of model {}", spec.model.name))?;
    Ok((spec.model.name, source))
}

/// The text of a part as the value of the key `model`, with its lines where they were if the first one says nothing.
fn below_model(part: &str) -> String {
    let mut lines = part.lines().peekable();
    let says_nothing = |line: &&str| line.trim().is_empty() || line.starts_with('#');
    let mut text = "model:\n".to_owned();
    let _ = lines.next_if(says_nothing);
    for line in lines {
        text.push(' ');
        text.push_str(line);
        text.push('\n');
    }
    text
}

fn print(found: &Fetched) {
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

#[cfg(test)]
mod tests {
    use super::below_model;

    #[test]
    fn lines_of_a_part_stay_where_they_were() {
        assert_eq!(below_model("# A model.\na:\n  b\n"), "model:\n a:\n   b\n");
        assert_eq!(below_model("a: b"), "model:\n a: b\n");
    }
}
