//! The specification of an experiment: from YAML, parts and overrides to a [`Resolved`] one.
//!
//! The way: the file is read to a tree, overrides are laid over it, names of parts are replaced by what
//! the parts hold, the tree becomes the raw specification, and that the resolved one. Faults are
//! gathered on the whole way and told at once.

mod fault;
mod names;
mod parts;
mod prompt;
mod raw;
mod resolve;
mod resolved;
mod typed;

use std::path::{Path, PathBuf};

pub use fault::{Fault, SpecErrors};
pub use names::{
    Base, DatasetKind, DevMeasure, LeakRule, Loss, Method, Metric, Precision, Projection,
    PromptFormat, Schedule, Select,
};
pub use prompt::{FewShot, Prompt};
pub use resolved::{
    Align, Draw, EarlyStop, Eval, Generate, Lora, MaxNewTokens, Model, ModelScores, Resolved, Set,
    Synth, Train, portable,
};

use crate::tree::{Origin, Place, Sources};

/// What the environment adds to a specification. The caller reads the variables.
#[derive(Debug, Clone, Default)]
pub struct Env {
    /// Data root that replaces the specification's (`HARNESS_DATA`).
    pub data: Option<PathBuf>,
}

/// Reads and resolves the experiment in a file.
///
/// Parts that it names are looked for in `configs/{model,data,train,eval,align}`, where `configs` is the
/// nearest folder of that name above the file. `sets` are overrides `path.to.key=value`, in order; the
/// value is YAML, and an empty one (or `null`) takes the key away, so that its default rules.
///
/// # Errors
/// All faults that could be found, from an unreadable file to an impossible value.
pub fn load(path: &Path, sets: &[String], env: &Env) -> Result<Resolved, SpecErrors> {
    let text = parts::read(path).map_err(|fault| SpecErrors {
        faults: vec![fault],
    })?;
    let above = |path: &Path| {
        path.ancestors()
            .find(|folder| folder.file_name().is_some_and(|name| name == "configs"))
            .map(Path::to_owned)
    };
    // The working directory itself may lie below `configs`; else messages keep the path as it was given.
    let configs = above(path).or_else(|| above(&std::path::absolute(path).ok()?));
    let configs = configs.as_deref();
    load_text(path, &text, configs, sets, env)
}

/// Resolves the experiment in `text`, which was read from `path`; see [`load`]. `configs` is the folder of
/// the parts.
///
/// # Errors
/// As [`load`].
pub fn load_text(
    path: &Path,
    text: &str,
    configs: Option<&Path>,
    sets: &[String],
    env: &Env,
) -> Result<Resolved, SpecErrors> {
    let mut desk = Desk::default();
    let source = desk
        .sources
        .add(Origin::File, path.display().to_string(), text.to_owned());
    if let Some(mut tree) = desk.parse(source, text) {
        if matches!(tree.value, crate::tree::Value::Map(_)) {
            for set in sets {
                parts::apply_override(&mut desk, &mut tree, set, configs);
            }
            parts::expand_all(&mut desk, &mut tree, configs);
            let raw = typed::read(&mut desk, &mut tree);
            let resolved = resolve::resolve(raw, path, env, &tree, &mut desk);
            if desk.faults.is_empty() {
                return Ok(resolved);
            }
        } else {
            let message = match tree.value {
                crate::tree::Value::Null => "the file is empty".to_owned(),
                _ => format!("expected a mapping of keys, found {}", tree.noun()),
            };
            desk.fault(tree.place, "", message, None);
        }
    }
    // As a reader goes through the files, not as the program came across them.
    desk.faults.sort_by_key(|(place, _)| *place);
    Err(SpecErrors {
        faults: desk.faults.into_iter().map(|(_, fault)| fault).collect(),
    })
}

/// The texts that were read so far and the faults that were found.
#[derive(Default)]
struct Desk {
    sources: Sources,
    faults: Vec<(Place, Fault)>,
    /// Paths of what was faulty and is no longer in the tree: what they lack is no fault of its own.
    cut: Vec<String>,
}

impl Desk {
    fn fault(&mut self, place: Place, path: &str, message: String, help: Option<String>) {
        let fault = Fault {
            place: self.sources.locate(place),
            path: path.to_owned(),
            message,
            excerpt: self.sources.excerpt(place),
            help,
        };
        self.faults.push((place, fault));
    }

    /// Parses a source and notes its faults; `None` if it is not YAML.
    fn parse(&mut self, source: usize, text: &str) -> Option<crate::tree::Node> {
        match crate::tree::parse(source, text) {
            Ok((node, doubles)) => {
                for double in doubles {
                    self.fault(double.place, "", double.message, None);
                }
                Some(node)
            }
            Err(fault) => {
                self.fault(fault.place, "", fault.message, None);
                None
            }
        }
    }
}
