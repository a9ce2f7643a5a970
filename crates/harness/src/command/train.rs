//! `harness train`: one adapter, or one model, in a folder of its own.

use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result, bail};
use harness_experiment::store::Shared;
use harness_experiment::{Plan, Resolved, StageId, StageKind, Store};

use super::find_lr::find_lr;
use crate::cli::TrainArgs;
use crate::context::{Context, load_spec};
use crate::made;
use crate::stage;

/// Where the work is kept until it is done, below the folder for the result.
const WORK: &str = ".work";

pub fn train(arguments: &TrainArgs) -> Result<()> {
    let mut spec = load_spec(&arguments.stage.config, &arguments.stage.spec)?;
    made::ensure(&spec)?;
    let name = choose(&spec, arguments.train_set.as_deref())?;
    spec.train_sets.retain(|set, _| *set == name);
    if arguments.find_lr {
        return find_lr(arguments, spec, &name);
    }
    let context = Context::new(spec.clone());
    stage::leaks::refuse(&context, &[StageId::new(StageKind::Train, &name)])?;
    spec.targets.clear();
    let out = &arguments.out;
    let work = out.join(WORK);
    let plan = Plan::new(&spec);
    let store = Store::open(&work)?;
    let context = Context::new(spec);
    stage::run(
        &context,
        &store,
        &plan,
        &[StageKind::Train],
        &Shared::default(),
    )?;
    let done = store
        .latest(&StageId::new(StageKind::Train, &name))?
        .context("training left no result")?;
    copy_all(done.path(), out)?;
    drop(store);
    fs::remove_dir_all(&work).with_context(|| format!("cannot remove {}", work.display()))?;
    if arguments.stage.json {
        println!("{}", serde_json::to_string_pretty(done.manifest())?);
    } else {
        println!("{}", out.display());
    }
    Ok(())
}

/// The training set that is meant: the one that was named, or the only one.
pub(super) fn choose(spec: &Resolved, name: Option<&str>) -> Result<String> {
    let known: Vec<&str> = spec.train_sets.keys().map(String::as_str).collect();
    match (name, known.as_slice()) {
        (Some(name), _) if known.contains(&name) => Ok(name.to_owned()),
        (Some(name), _) => bail!(
            "there is no training set {name}; there are: {}",
            known.join(", ")
        ),
        (None, [only]) => Ok((*only).to_owned()),
        (None, _) => bail!(
            "the experiment has {} training sets; choose one with --train-set",
            known.len()
        ),
    }
}

fn copy_all(from: &Path, to: &Path) -> Result<()> {
    let entries = fs::read_dir(from).with_context(|| format!("cannot list {}", from.display()))?;
    for entry in entries {
        let path = entry?.path();
        if let Some(name) = path.file_name() {
            let target = to.join(name);
            fs::copy(&path, &target)
                .with_context(|| format!("cannot write {}", target.display()))?;
        }
    }
    Ok(())
}
