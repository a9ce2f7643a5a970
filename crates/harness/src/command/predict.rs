//! `harness predict`: the answers to one target in a folder of its own, or those of an experiment.

use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result, bail};
use harness_experiment::StageKind;
use serde_json::{Value, json};

use super::eval::experiment::{made_by, targets};
use super::{for_a_shell, run};
use crate::cli::PredictArgs;
use crate::context::{Context, load_spec};
use crate::files::{read_json, write_json};
use crate::made;
use crate::stage::predict::{self, PREDICTIONS, SAMPLES, TIMING, Trained};

/// Where the work is kept until it is done, below the folder for the result.
const WORK: &str = ".work";

/// What made the predictions, and figures of them. It is written last.
const MANIFEST: &str = "manifest.json";

pub fn predict(arguments: &PredictArgs) -> Result<()> {
    let Some(out) = &arguments.out else {
        return run::stages(&arguments.stage, StageKind::Predict);
    };
    let spec = load_spec(&arguments.stage.config, &arguments.stage.spec)?;
    made::ensure(&spec)?;
    let context = Context::new(spec);
    let names = targets(&context, arguments.target.as_deref())?;
    let &[target] = names.as_slice() else {
        bail!(
            "the experiment has {} targets; choose one with --target",
            names.len()
        )
    };
    let made_by = of_target(&context, target, arguments.adapter.as_deref())?;
    let manifest = out.join(MANIFEST);
    if !manifest.exists() {
        answer(arguments, &context, target, &made_by, out)?;
    } else if read_json::<Value>(&manifest)?["made_by"] != made_by {
        return Err(taken(out));
    } else {
        // What was ended between the manifest and the end of the work.
        remove_work(&out.join(WORK))?;
        eprintln!("{} is there already", out.join(PREDICTIONS).display());
    }
    tell(arguments, &context, target, out)
}

fn answer(
    arguments: &PredictArgs,
    context: &Context,
    target: &str,
    made_by: &Value,
    out: &Path,
) -> Result<()> {
    let work = out.join(WORK);
    fs::create_dir_all(&work).with_context(|| format!("cannot create {}", work.display()))?;
    let mark = work.join("made_by.json");
    // A mark that is not whole was being written, and then there are no answers yet.
    match read_json::<Value>(&mark) {
        Ok(found) if found != *made_by => return Err(taken(out)),
        Ok(_) => {}
        Err(_) => {
            if fs::metadata(work.join("predictions.partial.jsonl")).is_ok_and(|it| it.len() > 0) {
                return Err(taken(out));
            }
            write_json(&mark, made_by)?;
        }
    }
    let trained = arguments
        .adapter
        .as_deref()
        .map_or(Trained::Nothing, Trained::Adapter);
    let left = predict::predict(context, target, trained, &work)?;
    for name in [PREDICTIONS, SAMPLES, TIMING] {
        let from = work.join(name);
        if from.exists() {
            let to = out.join(name);
            fs::copy(&from, &to).with_context(|| format!("cannot write {}", to.display()))?;
        }
    }
    let manifest = json!({ "target": target, "made_by": made_by, "notes": left.notes });
    let beside = work.join(MANIFEST);
    write_json(&beside, &manifest)?;
    let to = out.join(MANIFEST);
    fs::rename(&beside, &to).with_context(|| format!("cannot write {}", to.display()))?;
    remove_work(&work)
}

/// Removes the folder of the work, if it is there.
fn remove_work(work: &Path) -> Result<()> {
    match fs::remove_dir_all(work) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(error).with_context(|| format!("cannot remove {}", work.display()))
        }
        _ => Ok(()),
    }
}

/// What determines the predictions for one target: rows of other data are not mixed in either.
fn of_target(context: &Context, target: &str, adapter: Option<&Path>) -> Result<Value> {
    let mut value = made_by(context, adapter)?;
    let files = &context.dataset(target)?.files;
    let files = files
        .iter()
        .map(|file| json!({ "path": file.path, "sha256": file.sha256 }));
    value["target"] = json!(target);
    value["data"] = files.collect();
    Ok(value)
}

fn taken(out: &Path) -> anyhow::Error {
    anyhow::anyhow!(
        "{} holds predictions made by something else; choose another --out, or remove it",
        out.display()
    )
}

/// Says where the predictions are and how they are scored.
fn tell(arguments: &PredictArgs, context: &Context, target: &str, out: &Path) -> Result<()> {
    let file = out.join(PREDICTIONS);
    let next = context.spec.set(target).map(|set| {
        let root = context.spec.root_of(set);
        for_a_shell(&[
            "harness".to_owned(),
            "eval".to_owned(),
            file.display().to_string(),
            "--dataset".to_owned(),
            set.dataset.as_str().to_owned(),
            "--split".to_owned(),
            set.split.clone(),
            "--root".to_owned(),
            root.display().to_string(),
        ])
    });
    if arguments.stage.json {
        let manifest: Value = read_json(&out.join(MANIFEST))?;
        let told = json!({ "predictions": file, "manifest": manifest, "next": next });
        println!("{}", serde_json::to_string_pretty(&told)?);
    } else {
        println!("{}", file.display());
        if let Some(next) = next {
            println!("to score them: {next}");
        }
    }
    Ok(())
}
