//! `harness eval --config`: predict and score in one go.

use std::path::Path;

use anyhow::{Context as _, Result, bail};
use harness_eval::Summary;
use harness_experiment::plan::BASE;
use harness_experiment::{StageId, StageKind};
use serde_json::{Map, Value};

use super::super::open;
use crate::cli::EvalArgs;
use crate::context::{Context, answers, load_spec};
use crate::files::{read_json, read_lines, write_json};
use crate::made;
use crate::stage::predict::{self, Trained};
use crate::stage::score;

pub fn eval(config: &Path, arguments: &EvalArgs) -> Result<()> {
    let trained = &arguments.trained;
    let results = match (&trained.adapter, &trained.out) {
        (None, None) => in_experiment(config, arguments)?,
        (Some(_), None) => {
            bail!("an adapter of your own needs a folder for its scores: --out FOLDER")
        }
        (adapter, Some(out)) => in_folder(config, arguments, adapter.as_deref(), out)?,
    };
    if arguments.json {
        println!("{}", serde_json::to_string_pretty(&results)?);
    } else {
        for (target, summaries) in &results {
            for summary in serde_json::from_value::<Vec<Summary>>(summaries.clone())? {
                println!("{target}: {}", score::line(&summary));
            }
        }
    }
    Ok(())
}

/// The targets that are meant: the one that was named, or all.
pub fn targets<'a>(context: &'a Context, only: Option<&str>) -> Result<Vec<&'a String>> {
    let all = &context.spec.targets;
    let Some(name) = only else {
        return Ok(all.keys().collect());
    };
    let Some((name, _)) = all.get_key_value(name) else {
        let known: Vec<_> = all.keys().map(String::as_str).collect();
        bail!("there is no target {name}; there are: {}", known.join(", "))
    };
    Ok(vec![name])
}

/// The base model, as stages of the experiment.
fn in_experiment(config: &Path, arguments: &EvalArgs) -> Result<Map<String, Value>> {
    let mut opened = open(config, &arguments.spec)?;
    let names: Vec<String> = targets(&opened.context, arguments.trained.target.as_deref())?
        .into_iter()
        .cloned()
        .collect();
    let wanted: Vec<StageId> = names
        .iter()
        .map(|target| answers(StageKind::Score, BASE, target))
        .collect();
    opened
        .plan
        .stages
        .retain(|stage| stage.id.kind != StageKind::Score || wanted.contains(&stage.id));
    opened.run(&[StageKind::Score])?;
    let mut results = Map::new();
    for (target, id) in names.into_iter().zip(&wanted) {
        let stage = opened
            .store
            .latest(id)?
            .with_context(|| format!("stage {id} is not done"))?;
        results.insert(target, read_json(&stage.file("summary.json")?)?);
    }
    Ok(results)
}

/// Any adapter, into a folder; rows that an interrupted attempt left there are kept.
fn in_folder(
    config: &Path,
    arguments: &EvalArgs,
    adapter: Option<&Path>,
    out: &Path,
) -> Result<Map<String, Value>> {
    let spec = load_spec(config, &arguments.spec)?;
    made::ensure(&spec)?;
    let context = Context::new(spec);
    let mut results = Map::new();
    for target in targets(&context, arguments.trained.target.as_deref())? {
        let folder = out.join(target);
        std::fs::create_dir_all(&folder)
            .with_context(|| format!("cannot create {}", folder.display()))?;
        let made_by = made_by(&context, adapter)?;
        let mark = folder.join("made_by.json");
        if mark.exists() && read_json::<Value>(&mark)? != made_by {
            bail!(
                "{} holds predictions made by something else; choose another --out, or remove it",
                folder.display()
            );
        }
        write_json(&mark, &made_by)?;
        let trained = adapter.map_or(Trained::Nothing, Trained::Adapter);
        predict::predict(&context, target, trained, &folder)?;
        let predictions = read_lines(&folder.join(predict::PREDICTIONS))?;
        score::score(&context, target, &predictions, &folder)?;
        results.insert(target.clone(), read_json(&folder.join("summary.json"))?);
    }
    Ok(results)
}

/// What determines the predictions, so that rows of another model or prompt are never mixed in.
pub fn made_by(context: &Context, adapter: Option<&Path>) -> Result<Value> {
    let adapter = adapter
        .map(|folder| {
            let file = folder.join("adapter_model.safetensors");
            let bytes =
                std::fs::read(&file).with_context(|| format!("cannot read {}", file.display()))?;
            anyhow::Ok(
                harness_experiment::Digest::of_bytes(&bytes)
                    .as_str()
                    .to_owned(),
            )
        })
        .transpose()?;
    Ok(serde_json::json!({
        "spec": context.spec.to_portable_json(),
        "weights_sha256": context.model_files()?.sha256,
        "adapter_sha256": adapter,
    }))
}
