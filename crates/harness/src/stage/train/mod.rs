//! Training on a training set: of an adapter, or of all weights.

mod find_lr;
mod measure;
pub mod prepare;
pub mod settings;
pub mod watch;

use std::cell::OnceCell;

use anyhow::{Context as _, Result};
use harness_experiment::WorkDir;
use harness_experiment::spec::{DevMeasure, Method};
use harness_model::{Adapter, AdapterWeights, FullModel, watch_interrupts};
use harness_train::{FullObjective, LoraObjective, Run, Score, ScoreError, preview};
use serde_json::json;

use super::Left;
use crate::context::Context;
use crate::files::{write, write_json};

pub use find_lr::find_lr;
pub use watch::Interrupted;

use prepare::Prepared;

/// The decoded first example with its mask: it holds text of the data set, so it is not kept with the results.
const FIRST_EXAMPLE: &str = "first_example.txt";

pub fn run(context: &Context, name: &str, work: &WorkDir<'_>) -> Result<Left> {
    let (folder, resume) = (work.path(), work.resumed());
    let spec = &context.spec.train;
    let config = settings::train_config(spec);
    config.validate()?;
    let prepared = prepare::prepare(context, name, spec.dev_examples)?;
    let longest = prepared.longest(config.max_length);
    let Prepared {
        examples,
        development,
        held,
        pruned,
    } = prepared;
    let model = context.model()?;
    let first = preview(&examples[0], |ids| {
        model.tokenizer.decode_with_specials(ids)
    })?;
    eprintln!("the first example; what is trained stands in ⟦ ⟧:\n{first}");
    write(&folder.join(FIRST_EXAMPLE), first.to_string().as_bytes())?;

    let precision = context.spec.generate.precision;
    watch::tell_memory(spec, precision, model.weights.config(), longest);

    let checkpoints = folder.join("checkpoint");
    let interrupts = watch_interrupts();
    let run = Run {
        config: &config,
        examples: &examples,
        development: &development,
        checkpoints: (spec.checkpoint_every > 0).then_some(checkpoints.as_path()),
        resume,
        score: None,
        stop: interrupts.flag(),
    };
    let scores = spec.dev_measure == DevMeasure::Ex;
    let log = folder.join("log.jsonl");
    let (summary, mut external) = match spec.method {
        Method::Lora => {
            let shape = spec.lora.as_ref().context("there is no `train.lora`")?;
            let layers = model.weights.config().layers;
            let adapter = Adapter::new(
                model.weights.config(),
                settings::lora_config(shape)?,
                spec.seed,
            )?;
            let kept = OnceCell::new();
            let decoder = settings::frozen(spec, model, &kept)?;
            let objective = LoraObjective::new(decoder, &adapter, spec.recompute);
            let score = |_| -> Result<f64, ScoreError> {
                let now = AdapterWeights::new(&adapter, layers)?;
                measure::share_right(context, name, &held.held_out, decoder, Some(&now), run.stop)
                    .map_err(Into::into)
            };
            let run = Run {
                score: scores.then_some(Score(&score)),
                ..run
            };
            let summary = watch::follow(name, &objective, &run, &log)?;
            adapter.to_file(&context.spec.model.name)?.write(folder)?;
            (summary, vec!["adapter_model.safetensors"])
        }
        Method::Full => {
            let trained = FullModel::load(&model.weights)?;
            // The decoder of prediction packs its weights from a file.
            let now = checkpoints.join("measured");
            let score = |_| -> Result<f64, ScoreError> {
                std::fs::create_dir_all(&now)?;
                trained.save(&now, model.precision())?;
                let decoder = model.trained(&now)?;
                measure::share_right(context, name, &held.held_out, &decoder, None, run.stop)
                    .map_err(Into::into)
            };
            let run = Run {
                score: scores.then_some(Score(&score)),
                ..run
            };
            let summary = watch::follow(name, &FullObjective { model: &trained }, &run, &log)?;
            trained.save(folder, model.precision())?;
            let mut external = model.copy_text_files(folder)?;
            external.push("model.safetensors");
            (summary, external)
        }
    };
    write_json(&folder.join("summary.json"), &summary)?;
    external.push(FIRST_EXAMPLE);
    let mut notes = json!({
        "examples": examples.len(),
        "too_long": summary.left_out.too_long.len(),
        "without_target": summary.left_out.no_target.len(),
        "trainable_parameters": summary.trainable_parameters,
        "final_loss": summary.final_loss,
    });
    if let Some(best) = summary.selected {
        notes["selected"] = json!(best);
    }
    if summary.stopped_early {
        notes["stopped_early_after"] = json!(summary.steps);
    }
    if let Some(loss) = pruned {
        notes["pruning"] = json!(loss);
    }
    Ok(Left { external, notes })
}
