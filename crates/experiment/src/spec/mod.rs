//! The specification of an experiment: from YAML, parts and overrides to a [`Resolved`] one.
//!
//! The way: the file is read to a tree, overrides are laid over it, names of parts are replaced by what
//! the parts hold, the tree becomes the raw specification, and that the resolved one. Faults are
//! gathered on the whole way and told at once.

mod fault;
mod matrix;
mod names;
mod parts;
mod prompt;
mod raw;
mod resolve;
mod resolved;
mod typed;

use std::collections::BTreeMap;
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

/// One cell of a matrix, or the whole of an experiment without one.
#[derive(Debug, Clone, PartialEq)]
pub struct Cell {
    /// Made of what varies, such as `model=a,seed=2`; empty without a matrix.
    pub name: String,
    /// The experiment; its `out` is a folder of its own.
    pub spec: Resolved,
}

/// Reads and resolves the experiment in a file, which is one: it has no matrix, or `cell` names one of its cells.
///
/// Parts that it names are looked for in `configs/{model,data,train,eval,align}`, where `configs` is the
/// nearest folder of that name above the file. `sets` are overrides `path.to.key=value`, in order; the
/// value is YAML, and an empty one (or `null`) takes the key away, so that its default rules.
///
/// # Errors
/// All faults that could be found, from an unreadable file to an impossible value.
pub fn load(
    path: &Path,
    cell: Option<&str>,
    sets: &[String],
    env: &Env,
) -> Result<Resolved, SpecErrors> {
    one(path, cell, load_cells(path, sets, env)?)
}

/// Reads and resolves all cells of an experiment, in the order in which their values are written, the last key running fastest.
///
/// # Errors
/// As [`load`]; a fault that is not of all cells says of which it is.
pub fn load_cells(path: &Path, sets: &[String], env: &Env) -> Result<Vec<Cell>, SpecErrors> {
    let text = parts::read(path).map_err(|fault| SpecErrors {
        faults: vec![fault],
    })?;
    let above = |path: &Path| {
        path.ancestors()
            .find(|folder| folder.file_name().is_some_and(|name| name == "configs"))
            .map(Path::to_owned)
    };
    // The working directory itself may lie below `configs`; else messages keep the path as it was given.
    let absolute = std::path::absolute(path).ok();
    let configs = above(path).or_else(|| above(absolute.as_deref()?));
    cells_in(path, &text, configs.as_deref(), sets, env)
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
    one(path, None, cells_in(path, text, configs, sets, env)?)
}

/// The cell that is asked for.
fn one(path: &Path, cell: Option<&str>, mut cells: Vec<Cell>) -> Result<Resolved, SpecErrors> {
    let at = match cell {
        Some(name) => cells.iter().position(|cell| cell.name == name),
        None => (cells.len() == 1).then_some(0),
    };
    if let Some(at) = at {
        return Ok(cells.swap_remove(at).spec);
    }
    let names: Vec<&str> = cells.iter().map(|cell| cell.name.as_str()).collect();
    let (message, help) = match cell {
        Some(name) if names == [""] => (
            format!("there is no cell `{name}`"),
            Some("the experiment has no matrix: leave --cell out".to_owned()),
        ),
        Some(name) => (
            format!("there is no cell `{name}`"),
            crate::suggest::help(name, &names, "there are"),
        ),
        None => (
            format!("these are {} experiments, and one is wanted", cells.len()),
            Some(format!(
                "choose one, such as --cell {}",
                names.first().unwrap_or(&"")
            )),
        ),
    };
    Err(SpecErrors {
        faults: vec![Fault {
            place: path.display().to_string(),
            path: "matrix".to_owned(),
            message,
            excerpt: None,
            help,
        }],
    })
}

fn cells_in(
    path: &Path,
    text: &str,
    configs: Option<&Path>,
    sets: &[String],
    env: &Env,
) -> Result<Vec<Cell>, SpecErrors> {
    let mut desk = Desk::default();
    let source = desk
        .sources
        .add(Origin::File, path.display().to_string(), text.to_owned());
    let mut cells = Vec::new();
    if let Some(mut tree) = desk.parse(source, text) {
        if matches!(tree.value, crate::tree::Value::Map(_)) {
            let has_matrix = tree.get("matrix").is_some();
            match matrix::take(&mut desk, &mut tree) {
                Some(combinations) => {
                    cells = all(path, configs, sets, env, &tree, combinations, &mut desk);
                }
                // A matrix of which nothing can be made has been told.
                None if has_matrix => {}
                None => {
                    let spec = resolve_one(path, configs, sets, env, &mut tree, &mut desk);
                    let name = String::new();
                    cells.push(Cell { name, spec });
                }
            }
            if desk.faults.is_empty() {
                return Ok(cells);
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

/// Each combination laid over the tree and resolved. Faults are told once, with the cells that they are of where they are not of all.
fn all(
    path: &Path,
    configs: Option<&Path>,
    sets: &[String],
    env: &Env,
    tree: &crate::tree::Node,
    combinations: Vec<matrix::Combination>,
    desk: &mut Desk,
) -> Vec<Cell> {
    let count = combinations.len();
    let mut cells: Vec<Cell> = Vec::with_capacity(count);
    let mut told: Vec<(Place, Fault, Vec<String>)> = Vec::new();
    let before = std::mem::take(&mut desk.faults);
    for combination in combinations {
        let mut tree = tree.clone();
        for (key, place, value) in combination.assignments {
            parts::assign(desk, &mut tree, (&key, place), value, configs);
        }
        let mut spec = resolve_one(path, configs, sets, env, &mut tree, desk);
        spec.out = spec.out.join(&combination.name);
        desk.cut.clear();
        for (place, fault) in desk.faults.drain(..) {
            match told.iter_mut().find(|(_, other, _)| *other == fault) {
                Some((.., names)) => names.push(combination.name.clone()),
                None => told.push((place, fault, vec![combination.name.clone()])),
            }
        }
        cells.push(Cell {
            name: combination.name,
            spec,
        });
    }
    desk.faults = before;
    for (place, mut fault, names) in told {
        if names.len() < count {
            let some: Vec<&str> = names.iter().take(3).map(String::as_str).collect();
            let more = names.len() - some.len();
            let more = if more > 0 {
                format!(" and {more} more")
            } else {
                String::new()
            };
            fault.message = format!("{} (in {}{more})", fault.message, some.join(", "));
        }
        desk.faults.push((place, fault));
    }
    cells
}

fn resolve_one(
    path: &Path,
    configs: Option<&Path>,
    sets: &[String],
    env: &Env,
    tree: &mut crate::tree::Node,
    desk: &mut Desk,
) -> Resolved {
    for set in sets {
        parts::apply_override(desk, tree, set, configs);
    }
    parts::expand_all(desk, tree, configs);
    let raw = typed::read(desk, tree);
    resolve::resolve(raw, path, env, tree, desk)
}

/// The texts that were read so far and the faults that were found.
#[derive(Default)]
struct Desk {
    sources: Sources,
    faults: Vec<(Place, Fault)>,
    /// Parts that were read, so that many cells read each once.
    parts: BTreeMap<PathBuf, crate::tree::Node>,
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
