//! Which modules an adapter changes, by the rules of PEFT (`check_target_module_exists` in `peft/tuners/tuners_utils.py`).

use std::path::Path;

use fancy_regex::Regex;
use serde_json::Value;

use super::{PeftError, malformed};

/// What stands for all linear layers but the output head.
const ALL_LINEAR: &str = "all-linear";
/// Longest pattern that is read, in bytes; those of real adapters have some dozens.
const MAX_PATTERN: usize = 4096;

/// Names of modules, or a pattern.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Modules {
    /// Modules of these names, or whose names end so behind a dot.
    List(Vec<String>),
    /// Modules whose whole names match this regular expression; `all-linear` stands for every linear layer.
    Pattern(String),
}

impl Modules {
    /// From a setting; nothing if it is of neither kind.
    pub(super) fn of(value: &Value) -> Option<Self> {
        match value {
            Value::String(pattern) => Some(Self::Pattern(pattern.clone())),
            Value::Array(all) => {
                let names = all.iter().map(|name| name.as_str().map(str::to_owned));
                let mut names: Vec<String> = names.collect::<Option<_>>()?;
                // PEFT keeps them as a set and writes them in any order.
                names.sort();
                Some(Self::List(names))
            }
            _ => None,
        }
    }

    pub(super) fn json(&self) -> Value {
        match self {
            Self::List(names) => names.clone().into(),
            Self::Pattern(pattern) => pattern.clone().into(),
        }
    }
}

/// [`Modules`], ready to ask.
#[derive(Debug, Clone)]
pub(super) enum Matcher {
    List(Vec<String>),
    Pattern(Box<Regex>),
    All,
}

impl Matcher {
    /// Fails on a pattern that is none; `key` names it.
    pub fn new(modules: &Modules, file: &Path, key: &str) -> Result<Self, PeftError> {
        Ok(match modules {
            Modules::List(names) => Self::List(names.clone()),
            Modules::Pattern(pattern) if pattern == ALL_LINEAR && key == "target_modules" => {
                Self::All
            }
            Modules::Pattern(pattern) => Self::Pattern(Box::new(compile(
                &format!("^(?:{pattern})$"),
                pattern,
                file,
                key,
            )?)),
        })
    }

    /// Whether a module is meant. A pattern that takes too long to match means none.
    pub fn has(&self, module: &str) -> bool {
        match self {
            Self::List(names) => names.iter().any(|name| {
                module == name
                    || module
                        .strip_suffix(name.as_str())
                        .is_some_and(|rest| rest.ends_with('.'))
            }),
            Self::Pattern(pattern) => pattern.is_match(module).unwrap_or(false),
            Self::All => true,
        }
    }
}

/// A setting by patterns of module names: the first that matches a module's whole name, or its end behind a dot, counts.
#[derive(Debug, Clone)]
pub(super) struct ByPattern<T> {
    entries: Vec<(Regex, T)>,
}

impl<T: Copy> ByPattern<T> {
    pub fn new(entries: &[(String, T)], file: &Path, key: &str) -> Result<Self, PeftError> {
        let compiled = entries.iter().map(|(pattern, value)| {
            let regex = compile(&format!("^(?:.*\\.)?(?:{pattern})$"), pattern, file, key)?;
            Ok((regex, *value))
        });
        Ok(Self {
            entries: compiled.collect::<Result<_, PeftError>>()?,
        })
    }

    pub fn find(&self, module: &str) -> Option<T> {
        let mut entries = self.entries.iter();
        entries.find_map(|(regex, value)| regex.is_match(module).unwrap_or(false).then_some(*value))
    }
}

/// The layers that an adapter changes, of those whose modules it names.
#[derive(Debug, Clone)]
pub(super) struct Layers {
    wanted: Vec<usize>,
    /// Each finds the number of a layer in the name of a module.
    patterns: Vec<Regex>,
}

impl Layers {
    pub fn new(wanted: &[usize], names: &[String], file: &Path) -> Result<Self, PeftError> {
        let key = "layers_pattern";
        let patterns = if names.is_empty() {
            vec![compile(r"^.*?\.[^.]*\.(\d+)\.", "", file, key)?]
        } else {
            let each = names
                .iter()
                .map(|name| compile(&format!(r"^(?:.*?\.)?{name}\.(\d+)\."), name, file, key));
            each.collect::<Result<_, _>>()?
        };
        Ok(Self {
            wanted: wanted.to_vec(),
            patterns,
        })
    }

    pub fn has(&self, module: &str) -> bool {
        let layer = self.patterns.iter().find_map(|pattern| {
            let found = pattern.captures(module).ok()??;
            found.get(1)?.as_str().parse::<usize>().ok()
        });
        layer.is_some_and(|layer| self.wanted.contains(&layer))
    }
}

fn compile(regex: &str, shown: &str, file: &Path, key: &str) -> Result<Regex, PeftError> {
    if shown.len() > MAX_PATTERN {
        let what = format!(
            "key {key} has a pattern of {} bytes, at most {MAX_PATTERN} are read",
            shown.len()
        );
        return Err(malformed(file, what));
    }
    Regex::new(regex)
        .map_err(|e| malformed(file, format!("key {key}: {shown:?} is no pattern: {e}")))
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::{ByPattern, Layers, Matcher, Modules};

    const Q7: &str = "model.layers.7.self_attn.q_proj";

    fn has(modules: &Modules, module: &str) -> bool {
        Matcher::new(modules, Path::new("x"), "target_modules")
            .unwrap()
            .has(module)
    }

    #[test]
    fn names_and_patterns() {
        let list =
            |names: &[&str]| Modules::List(names.iter().map(|&name| name.to_owned()).collect());
        assert!(has(&list(&["v_proj", "q_proj"]), Q7));
        assert!(has(&list(&["self_attn.q_proj"]), Q7) && has(&list(&[Q7]), Q7));
        assert!(!has(&list(&["proj", "_proj", "attn.q_proj"]), Q7));
        let pattern = |text: &str| Modules::Pattern(text.to_owned());
        assert!(has(&pattern(r".*\.[0-7]\.self_attn\.(q|k)_proj"), Q7));
        assert!(
            !has(&pattern("q_proj"), Q7),
            "a pattern matches whole names"
        );
        assert!(
            !has(&pattern("a|q_proj"), Q7),
            "and each of its branches does"
        );
        assert!(has(&pattern(r"(?!.*v_proj).*_proj"), Q7));
        assert!(has(&pattern("all-linear"), Q7));
        let broken = Matcher::new(&pattern("(q_proj"), Path::new("x"), "target_modules");
        assert!(broken.unwrap_err().to_string().contains("target_modules"));
    }

    #[test]
    fn the_first_pattern_that_matches_counts() {
        let entries = [
            ("q_proj", 1),
            (r"layers\.\d+\.self_attn\..*", 2),
            ("proj", 3),
        ];
        let entries = entries.map(|(pattern, value)| (pattern.to_owned(), value));
        let found = ByPattern::new(&entries, Path::new("x"), "rank_pattern").unwrap();
        assert_eq!(found.find(Q7), Some(1));
        assert_eq!(found.find("model.layers.7.self_attn.k_proj"), Some(2));
        assert_eq!(found.find("model.layers.7.mlp.up_proj"), None);
    }

    #[test]
    fn layers_by_their_number() {
        let layers = |names: &[&str]| {
            let names: Vec<String> = names.iter().map(|&name| name.to_owned()).collect();
            Layers::new(&[1, 7], &names, Path::new("x")).unwrap()
        };
        assert!(layers(&[]).has(Q7) && layers(&["layers"]).has(Q7));
        assert!(!layers(&[]).has("model.layers.2.self_attn.q_proj"));
        assert!(!layers(&["h"]).has(Q7) && !layers(&[]).has("lm_head"));
    }
}
