//! Names of parts, and overrides, replaced by what they stand for.

use std::path::Path;

use super::{Desk, Fault};
use crate::suggest;
use crate::tree::{Node, Origin, Place, Value};

/// The folder below `configs` whose parts may be named at a path, if any may.
fn folder_of(path: &[&str]) -> Option<&'static str> {
    match path {
        ["model"] => Some("model"),
        ["train"] => Some("train"),
        ["eval"] => Some("eval"),
        ["align"] => Some("align"),
        ["train_sets" | "targets", _] => Some("data"),
        _ => None,
    }
}

/// Reads a file of configuration.
pub(super) fn read(path: &Path) -> Result<String, Fault> {
    let fault = |message: String, help: Option<String>| Fault {
        place: path.display().to_string(),
        path: String::new(),
        message,
        excerpt: None,
        help,
    };
    let bytes = std::fs::read(path).map_err(|error| {
        let wanted = path.file_stem().unwrap_or_default().to_string_lossy();
        let names = path.parent().map(names_in).unwrap_or_default();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let help = match error.kind() {
            std::io::ErrorKind::NotFound => suggest::help(&wanted, &names, "this folder has"),
            _ => None,
        };
        fault(format!("cannot be read: {error}"), help)
    })?;
    String::from_utf8(bytes).map_err(|error| {
        fault(
            format!(
                "is not UTF-8 text (byte {})",
                error.utf8_error().valid_up_to()
            ),
            None,
        )
    })
}

/// The names of the YAML files in a folder, sorted; empty if it cannot be listed.
fn names_in(folder: &Path) -> Vec<String> {
    let folder = if folder.as_os_str().is_empty() {
        Path::new(".")
    } else {
        folder
    };
    let mut names: Vec<String> = std::fs::read_dir(folder)
        .into_iter()
        .flatten()
        .flatten()
        .map(|entry| entry.path())
        .filter(|path| path.extension().is_some_and(|e| e == "yaml"))
        .filter_map(|path| Some(path.file_stem()?.to_str()?.to_owned()))
        .collect();
    names.sort();
    names
}

/// Lays one `path.to.key=value` over the tree.
pub(super) fn apply_override(desk: &mut Desk, tree: &mut Node, set: &str, configs: Option<&Path>) {
    let given = set.split_once('=');
    let value = given.map_or("", |(_, value)| value).to_owned();
    let source = desk
        .sources
        .add(Origin::Override, set.to_owned(), value.clone());
    let place = Place {
        source,
        line: 0,
        column: 0,
    };
    let keys: Vec<&str> = given.map_or(Vec::new(), |(path, _)| path.trim().split('.').collect());
    if keys.is_empty() || keys.contains(&"") {
        let help = "for example `--set train.learning_rate=1e-4`".to_owned();
        let message = "expected `path.to.key=value`".to_owned();
        desk.fault(place, "", message, Some(help));
        return;
    }
    let Some(mut value) = desk.parse(source, &value) else {
        return;
    };
    value.place = place;
    lay(desk, tree, (&keys, place), value, configs);
}

/// Lays what a cell of a matrix sets over the tree.
pub(super) fn assign(
    desk: &mut Desk,
    tree: &mut Node,
    (key, place): (&str, Place),
    value: Node,
    configs: Option<&Path>,
) {
    let keys: Vec<&str> = key.split('.').collect();
    lay(desk, tree, (&keys, place), value, configs);
}

/// Lays a value over the tree; `place` is where its key was written.
fn lay(
    desk: &mut Desk,
    tree: &mut Node,
    (keys, place): (&[&str], Place),
    value: Node,
    configs: Option<&Path>,
) {
    let Some((last, parents)) = keys.split_last() else {
        return;
    };
    let mut node = tree;
    for (depth, key) in parents.iter().enumerate() {
        let above = &keys[..depth];
        expand(desk, node, above, configs);
        // A new set has to come whole; a name that is not there yet is more likely a typing error.
        if matches!(above, ["train_sets" | "targets"]) {
            let names = keys_of(node);
            if !names.contains(key) {
                let help = suggest::help(key, &names, "there are");
                let path = keys[..=depth].join(".");
                desk.fault(place, &path, format!("there is no `{key}`"), help);
                return;
            }
        }
        node = match node.descend(key, place) {
            Ok(next) => next,
            Err(message) => return desk.fault(place, &above.join("."), message, None),
        };
    }
    expand(desk, node, parents, configs);
    if let Err(message) = node.assign(last, value) {
        desk.fault(place, &parents.join("."), message, None);
    }
}

fn keys_of(node: &Node) -> Vec<&str> {
    match &node.value {
        Value::Map(entries) => entries.iter().map(|e| e.key.as_str()).collect(),
        _ => Vec::new(),
    }
}

/// Replaces every name of a part in the tree.
pub(super) fn expand_all(desk: &mut Desk, tree: &mut Node, configs: Option<&Path>) {
    let Value::Map(entries) = &mut tree.value else {
        return;
    };
    for entry in entries {
        let key = entry.key.as_str();
        expand(desk, &mut entry.value, &[key], configs);
        if let ("train_sets" | "targets", Value::Map(sets)) = (key, &mut entry.value.value) {
            for set in sets {
                expand(desk, &mut set.value, &[key, &set.key], configs);
            }
        }
    }
}

/// Replaces `node` by the part it names, if it is a name at a path where parts may stand.
fn expand(desk: &mut Desk, node: &mut Node, path: &[&str], configs: Option<&Path>) {
    let (Some(folder), Value::Text(name)) = (folder_of(path), &node.value) else {
        return;
    };
    let name = name.clone();
    let place = node.place;
    let path = path.join(".");
    // If the part cannot be had, the name is dealt with all the same: no second fault comes of it.
    node.value = Value::Map(Vec::new());
    desk.cut.push(path.clone());
    let Some(configs) = configs else {
        let message =
            format!("`{name}` names a part, but no folder above the file is called `configs`");
        let help = format!("move the file below a `configs` folder, or write `{path}` out");
        desk.fault(place, &path, message, Some(help));
        return;
    };
    let parts = configs.join(folder);
    let names = names_in(&parts);
    if !names.contains(&name) {
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let message = format!("there is no part `{name}` in {}", parts.display());
        let help = suggest::help(&name, &names, "there are");
        desk.fault(place, &path, message, help);
        return;
    }
    let file = parts.join(format!("{name}.yaml"));
    if let Some(part) = desk.parts.get(&file) {
        *node = part.clone();
        desk.cut.pop();
        return;
    }
    let text = match read(&file) {
        Ok(text) => text,
        Err(fault) => return desk.faults.push((place, fault)),
    };
    let source = desk
        .sources
        .add(Origin::File, file.display().to_string(), text.clone());
    let Some(mut part) = desk.parse(source, &text) else {
        return;
    };
    if !matches!(part.value, Value::Map(_)) {
        let message = format!("expected a mapping of keys, found {}", part.noun());
        desk.fault(part.place, "", message, None);
        return;
    }
    if folder == "model" && part.get("name").is_none() {
        let name = Node {
            place: part.place,
            value: Value::Text(name),
        };
        // A mapping takes any key.
        let _ = part.assign("name", name);
    }
    desk.parts.insert(file, part.clone());
    *node = part;
    desk.cut.pop();
}
