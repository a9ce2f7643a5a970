//! Which of many files are a model: safetensors as the hub lays them out, or one GGUF file.
//!
//! The same choice is made among the names of a folder and of a repository; the files themselves are not looked at.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::BufReader;
use std::path::Path;

use serde::Deserialize;
use thiserror::Error;

use super::pattern::matches;

/// Files beside safetensors without which there is no model.
pub(super) const REQUIRED: [&str; 2] = ["config.json", "tokenizer.json"];
/// Files beside safetensors that not every model has.
pub(super) const OPTIONAL: [&str; 3] = [
    "tokenizer_config.json",
    "generation_config.json",
    "chat_template.jinja",
];
const SINGLE: &str = "model.safetensors";
/// Says which shard holds which tensor.
pub(super) const INDEX: &str = "model.safetensors.index.json";
/// Names told in an error.
const TOLD: usize = 12;

/// The files that are a model.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Choice {
    /// `model.safetensors`, which the folder stands for.
    Single,
    /// The shards of an index, which the folder stands for.
    Index,
    /// A safetensors file of another name.
    Safetensors(String),
    /// A GGUF file, which holds all.
    Gguf(String),
}

/// Why no model can be chosen.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum LayoutFault {
    /// There is nothing this program reads.
    #[error(
        "there are no weights: expected model.safetensors, {INDEX} or a file *.gguf, found {}",
        told(has)
    )]
    NoWeights {
        /// The names that are there.
        has: Vec<String>,
    },
    /// There are several models, and it is not said which.
    #[error(
        "there are several models: {}; choose one with the key `file`",
        told(found)
    )]
    SeveralGguf {
        /// The names of the GGUF files.
        found: Vec<String>,
    },
    /// The key `file` fits nothing.
    #[error("`file: {pattern}` fits nothing; there are {}", told(has))]
    NoneMatches {
        /// The pattern.
        pattern: String,
        /// The names of files with weights.
        has: Vec<String>,
    },
    /// The key `file` fits more than one.
    #[error("`file: {pattern}` fits {}; make it fit one", told(found))]
    SeveralMatch {
        /// The pattern.
        pattern: String,
        /// What it fits.
        found: Vec<String>,
    },
}

/// Chooses among names (paths with `/`): what `pattern` fits, or else safetensors in the hub's layout, or else the one
/// GGUF file.
pub(super) fn choose(names: &[String], pattern: Option<&str>) -> Result<Choice, LayoutFault> {
    let has = |wanted: &str| names.iter().any(|name| name == wanted);
    let ending = |wanted: &[&str]| -> Vec<String> {
        let fits = |name: &&String| wanted.iter().any(|ending| is_a(name, ending));
        let mut found: Vec<String> = names.iter().filter(fits).cloned().collect();
        found.sort();
        found
    };
    if let Some(pattern) = pattern {
        let has = ending(&["gguf", "safetensors"]);
        let base = |name: &str| name.rsplit('/').next().unwrap_or(name).to_owned();
        let fits = |name: &&String| matches(pattern, name) || matches(pattern, &base(name));
        let found: Vec<String> = has.iter().filter(fits).cloned().collect();
        let pattern = pattern.to_owned();
        return match found.as_slice() {
            [one] if is_a(one, "gguf") => Ok(Choice::Gguf(one.clone())),
            [one] => Ok(Choice::Safetensors(one.clone())),
            [] => Err(LayoutFault::NoneMatches { pattern, has }),
            _ => Err(LayoutFault::SeveralMatch { pattern, found }),
        };
    }
    if has(SINGLE) {
        return Ok(Choice::Single);
    }
    if has(INDEX) {
        return Ok(Choice::Index);
    }
    let found = ending(&["gguf"]);
    match found.as_slice() {
        [one] => Ok(Choice::Gguf(one.clone())),
        [] => Err(LayoutFault::NoWeights {
            has: names.to_vec(),
        }),
        _ => Err(LayoutFault::SeveralGguf { found }),
    }
}

/// Whether a name has this extension, in small letters as those who open the file expect it.
pub(super) fn is_a(name: &str, extension: &str) -> bool {
    let found = Path::new(name).extension();
    found.is_some_and(|found| found == extension)
}

impl Choice {
    /// The file with weights, or the index of them.
    pub(super) fn weights(&self) -> &str {
        match self {
            Self::Single => SINGLE,
            Self::Index => INDEX,
            Self::Safetensors(name) | Self::Gguf(name) => name,
        }
    }

    /// What stands for the model below its folder.
    pub(super) fn stands_in(&self, folder: &Path) -> std::path::PathBuf {
        match self {
            Self::Single | Self::Index => folder.to_owned(),
            Self::Safetensors(name) | Self::Gguf(name) => folder.join(name),
        }
    }

    /// Whether configuration and tokenizer are files of their own.
    pub(super) fn has_text_files(&self) -> bool {
        !matches!(self, Self::Gguf(_))
    }
}

/// The shard names of an index, sorted; they are plain file names, never paths.
pub(super) fn shards(index: &Path) -> Result<BTreeSet<String>, String> {
    #[derive(Deserialize)]
    struct Index {
        weight_map: std::collections::BTreeMap<String, String>,
    }
    let file = File::open(index).map_err(|e| e.to_string())?;
    let index: Index =
        serde_json::from_reader(BufReader::new(file)).map_err(|e| format!("is malformed: {e}"))?;
    let shards: BTreeSet<String> = index.weight_map.into_values().collect();
    match shards
        .iter()
        .find(|s| s.is_empty() || s.contains(['/', '\\']) || s.starts_with('.'))
    {
        Some(bad) => Err(format!("its shard {bad:?} is not a plain file name")),
        None if shards.is_empty() => Err("it names no shard".to_owned()),
        None => Ok(shards),
    }
}

/// Some names in a line.
fn told(names: &[String]) -> String {
    match names.len() {
        0 => "nothing".to_owned(),
        n if n <= TOLD => names.join(", "),
        n => format!("{} and {} more", names[..TOLD].join(", "), n - TOLD),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(text: &str) -> Vec<String> {
        text.split_whitespace().map(str::to_owned).collect()
    }

    #[test]
    fn one_model_is_chosen() {
        for (has, pattern, expected) in [
            ("model.safetensors x.gguf", None, Choice::Single),
            (
                "model.safetensors.index.json a.safetensors",
                None,
                Choice::Index,
            ),
            ("README.md q/x.gguf", None, Choice::Gguf("q/x.gguf".into())),
            (
                "a-q4.gguf a-q8.gguf",
                Some("*q8*"),
                Choice::Gguf("a-q8.gguf".into()),
            ),
            (
                "d/a.gguf d/b.gguf",
                Some("a.gguf"),
                Choice::Gguf("d/a.gguf".into()),
            ),
            (
                "model.safetensors b.safetensors",
                Some("b.*"),
                Choice::Safetensors("b.safetensors".into()),
            ),
        ] {
            assert_eq!(choose(&names(has), pattern), Ok(expected), "{has}");
        }
    }

    #[test]
    fn what_is_in_the_way_is_told() {
        for (has, pattern, words) in [
            ("", None, "found nothing"),
            (
                "pytorch_model.bin config.json",
                None,
                "found pytorch_model.bin, config.json",
            ),
            (
                "b.gguf a.gguf",
                None,
                "several models: a.gguf, b.gguf; choose one with the key `file`",
            ),
            (
                "b.gguf a.gguf",
                Some("c*"),
                "`file: c*` fits nothing; there are a.gguf, b.gguf",
            ),
            (
                "b.gguf a.gguf",
                Some("*"),
                "`file: *` fits a.gguf, b.gguf; make it fit one",
            ),
        ] {
            let text = choose(&names(has), pattern).unwrap_err().to_string();
            assert!(text.contains(words), "{text}");
        }
        let many: Vec<String> = (10..30).map(|n| format!("{n}.gguf")).collect();
        let text = choose(&many, None).unwrap_err().to_string();
        assert!(text.contains("21.gguf and 8 more"), "{text}");
    }
}
