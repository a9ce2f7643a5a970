//! `harness train`: one adapter in a folder of its own.

use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result, bail, ensure};
use harness_experiment::{Plan, StageId, StageKind, Store};

use crate::cli::TrainArgs;
use crate::context::{Context, load_spec};
use crate::stage;

/// Where the work is kept until it is done, below the folder for the result.
const WORK: &str = ".work";

pub fn train(arguments: &TrainArgs) -> Result<()> {
    let mut spec = load_spec(&arguments.stage.config, &arguments.stage.spec)?;
    let name = match (&arguments.train_set, spec.train_sets.len()) {
        (Some(name), _) => name.clone(),
        (None, 1) => spec.train_sets.keys().next().cloned().unwrap_or_default(),
        (None, _) => bail!(
            "the experiment has {} training sets; choose one with --train-set",
            spec.train_sets.len()
        ),
    };
    let known: Vec<_> = spec.train_sets.keys().cloned().collect();
    spec.train_sets.retain(|set, _| *set == name);
    ensure!(
        !spec.train_sets.is_empty(),
        "there is no training set {name}; there are: {}",
        known.join(", ")
    );
    spec.targets.clear();
    let out = &arguments.out;
    let work = out.join(WORK);
    let plan = Plan::new(&spec);
    let store = Store::open(&work)?;
    let context = Context::new(spec);
    stage::run(&context, &store, &plan, &[StageKind::Train])?;
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
