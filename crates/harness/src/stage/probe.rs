//! A few steps of training on a set, at the full learning rate, and what the model says of the targets after them. The
//! adapter is thrown away.

use std::cell::OnceCell;
use std::path::Path;

use anyhow::{Context as _, Result};
use harness_model::{Adapter, AdapterWeights, Engine, watch_interrupts};
use harness_train::{LoraObjective, Run};
use serde_json::{Value, json};

use super::Left;
use super::measure::{LOSSES, LossRow, Sample, losses};
use super::train::{prepare, settings, watch};
use crate::context::Context;
use crate::files::write_lines;

pub fn run(context: &Context, name: &str, folder: &Path) -> Result<Left> {
    let asked = context.spec.align.model_scores.as_ref();
    let asked = asked.context("the experiment has no `align.model_scores`")?;
    let spec = context.spec.train.probe(asked.probe_steps);
    let config = settings::train_config(&spec);
    config.validate()?;
    // Before anything is trained: what can't be measured afterwards is told at once.
    let mut samples = Vec::new();
    for target in context.spec.targets.keys() {
        samples.push((target, Sample::draw(context, target)?));
    }
    let prepared = prepare::prepare(context, name, 0)?;
    let model = context.model()?;
    let shape = spec
        .lora
        .as_ref()
        .context("align.model_scores needs an adapter to probe with: `train.method: lora`")?;
    let adapter = Adapter::new(
        model.weights.config(),
        settings::lora_config(shape)?,
        spec.seed,
    )?;
    let kept = OnceCell::new();
    let decoder = settings::frozen(&spec, model, &kept)?;
    watch::tell_memory(
        &spec,
        context.spec.generate.precision,
        model.weights.config(),
        prepared.longest(config.max_length),
    );
    let interrupts = watch_interrupts();
    let run = Run {
        config: &config,
        examples: &prepared.examples,
        development: &[],
        checkpoints: None,
        resume: false,
        score: None,
        stop: interrupts.flag(),
    };
    let objective = LoraObjective::new(decoder, &adapter, spec.recompute);
    let summary = watch::follow(name, &objective, &run, &folder.join("log.jsonl"))?;

    let weights = AdapterWeights::new(&adapter, model.weights.config().layers)?;
    let engine = Engine::new(model.decoder()?, Some(&weights));
    let mut rows: Vec<LossRow> = Vec::new();
    let mut means = serde_json::Map::new();
    for (target, sample) in samples {
        let label = format!("losses of {target} after {} steps on {name}", summary.steps);
        let found = losses(&engine, &sample, &label)?;
        let tokens: usize = found.iter().map(|row| row.tokens).sum();
        let nats: f64 = found.iter().map(|row| row.nats).sum();
        let mean = nats / tokens as f64;
        eprintln!(
            "  {target}: {mean:.3} nats a token after {} steps on {name}",
            summary.steps
        );
        means.insert(target.clone(), json!(mean));
        rows.extend(found.into_iter().map(|row| LossRow {
            set: Some(target.clone()),
            ..row
        }));
    }
    write_lines(&folder.join(LOSSES), &rows)?;
    Ok(Left {
        external: Vec::new(),
        notes: json!({ "steps": summary.steps, "nats_per_token": Value::Object(means) }),
    })
}
