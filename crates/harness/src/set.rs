//! Data sets as they are named on the command line: `KIND:SPLIT`, `KIND:SPLIT@FOLDER`, a file of JSON Lines, or the sets
//! of an experiment.

use std::path::{Path, PathBuf};

use anyhow::{Result, bail, ensure};
use harness_data::{DatasetKind, DatasetRef};
use harness_model::source::default_cache;

use crate::cli::SetArgs;
use crate::context::{Context, load_spec};
use crate::made;

/// Where data lies if nothing says otherwise: a folder with one for each kind.
const DEFAULT_DATA: &str = "../shared/data";

/// A data set and what it is called.
#[derive(Debug, Clone)]
pub struct NamedSet {
    /// The experiment's name for it, or its `id`.
    pub name: String,
    /// `KIND:SPLIT`, as lists of defects name it.
    pub id: String,
    /// What to load.
    pub reference: DatasetRef,
}

/// The sets that the arguments name, in their order; those of the experiment come first.
pub fn named_sets(arguments: &SetArgs) -> Result<Vec<NamedSet>> {
    let mut sets = Vec::new();
    if let Some(config) = &arguments.config {
        let context = Context::new(load_spec(config, &arguments.spec)?);
        made::ensure(&context.spec)?;
        let spec = &context.spec;
        let known: Vec<&String> = spec.train_sets.keys().chain(spec.targets.keys()).collect();
        let wanted = match arguments.set_name.as_slice() {
            [] => known,
            names => names.iter().collect(),
        };
        for name in wanted {
            sets.push(of(name.clone(), context.reference(name)?));
        }
    }
    for text in &arguments.sets {
        sets.push(parse(text, arguments.spec.data.as_deref())?);
    }
    ensure!(
        !sets.is_empty(),
        "no data set is given: name one as KIND:SPLIT@FOLDER, or an experiment with --config"
    );
    Ok(sets)
}

/// Reads one name. Without a folder the set is looked for below `data`.
pub fn parse(text: &str, data: Option<&Path>) -> Result<NamedSet> {
    let path = Path::new(text);
    if path.extension().is_some_and(|it| it == "jsonl") && !text.contains(':') {
        let split = path.file_stem().unwrap_or_default().to_string_lossy();
        let root = match path.parent() {
            Some(root) if root != Path::new("") => root.to_owned(),
            _ => PathBuf::from("."),
        };
        return Ok(whole(DatasetKind::Jsonl, &split, root));
    }
    let kinds = || DatasetKind::ALL.map(DatasetKind::name).join(", ");
    let Some((kind, rest)) = text.split_once(':') else {
        bail!(
            "`{text}` names no data set: write KIND:SPLIT@FOLDER, where KIND is one of {}, or a file that ends in .jsonl",
            kinds()
        );
    };
    let Some(kind) = DatasetKind::ALL.into_iter().find(|it| it.name() == kind) else {
        bail!(
            "`{text}`: there is no kind of data set `{kind}`; there are {}",
            kinds()
        );
    };
    let (split, root) = match rest.split_once('@') {
        Some((split, root)) => (split, Some(Path::new(root))),
        None => (rest, None),
    };
    ensure!(!split.is_empty(), "`{text}` names no split");
    Ok(at(kind, split, root, data))
}

/// A whole split. Without a folder the set is looked for below `data`.
pub fn at(kind: DatasetKind, split: &str, root: Option<&Path>, data: Option<&Path>) -> NamedSet {
    let root = root.map_or_else(
        || data.unwrap_or(Path::new(DEFAULT_DATA)).join(kind.name()),
        Path::to_owned,
    );
    whole(kind, split, root)
}

fn whole(dataset: DatasetKind, split: &str, root: PathBuf) -> NamedSet {
    let reference = DatasetRef {
        cache: default_cache().map(|it| it.join("databases")),
        ..DatasetRef::new(dataset, root, split)
    };
    of(format!("{}:{split}", dataset.name()), reference)
}

fn of(name: String, reference: DatasetRef) -> NamedSet {
    NamedSet {
        name,
        id: format!("{}:{}", reference.dataset.name(), reference.split),
        reference,
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read() {
        for (text, id, root) in [
            ("spider:dev@some/where", "spider:dev", "some/where"),
            ("bird:mini-dev", "bird:mini-dev", "../shared/data/bird"),
            ("own/data/shop.jsonl", "jsonl:shop", "own/data"),
            ("shop.jsonl", "jsonl:shop", "."),
        ] {
            let set = parse(text, None).unwrap();
            assert_eq!(
                (set.id.as_str(), set.reference.root.as_path()),
                (id, Path::new(root))
            );
        }
        let below = parse("bird:dev", Some(Path::new("x"))).unwrap();
        assert_eq!(below.reference.root, Path::new("x/bird"));
        for (text, part) in [
            ("spider", "names no data set"),
            ("spyder:dev", "there are spider"),
            ("spider:", "no split"),
        ] {
            assert!(
                parse(text, None).unwrap_err().to_string().contains(part),
                "{text}"
            );
        }
    }
}
