//! Training on a training set: of an adapter, or of all weights.

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::{Context as _, Result, bail, ensure};
use harness_data::hold_out;
use harness_data::prompt::{self, TrainingPair};
use harness_experiment::WorkDir;
use harness_experiment::spec::{Loss, Method, Schedule};
use harness_model::{Adapter, FullModel, LoraConfig};
use harness_record::Example;
use harness_train::{
    Event, FullObjective, LoraObjective, Objective, Outcome, Run, ScheduleKind, StepLog, Summary,
    TrainConfig, TrainExample, preview, train,
};
use serde_json::json;

use super::Left;
use crate::context::{Context, convert};
use crate::files::{write, write_json};
use crate::progress::Progress;

/// The decoded first example with its mask: it holds text of the data set, so it is not kept with the results.
const FIRST_EXAMPLE: &str = "first_example.txt";

pub fn run(context: &Context, name: &str, work: &WorkDir<'_>) -> Result<Left> {
    let (folder, resume) = (work.path(), work.resumed());
    let spec = &context.spec.train;
    let dataset = context.dataset(name)?;
    let config = train_config(spec);
    config.validate()?;
    let held = hold_out(dataset.examples.clone(), spec.dev_examples, spec.seed);
    let (options, sources) = context.prompt_sources(name)?;
    let pairs = |examples: &[Example]| {
        let examples: Vec<&Example> = examples.iter().collect();
        prompt::training_pairs(&options, &sources, &examples)
    };
    // Before the model is loaded: what can't be asked is told at once.
    let (kept, held_out) = (pairs(&held.kept)?, pairs(&held.held_out)?);
    let pruned = super::pruning(&options, dataset);
    let model = context.model()?;
    let encode = |examples: &[Example], pairs: &[TrainingPair]| -> Result<Vec<TrainExample>> {
        examples
            .iter()
            .zip(pairs)
            .map(|(example, pair)| {
                let (prompt, completion) = model
                    .training_ids(pair)
                    .with_context(|| format!("example {}", example.id))?;
                let (prompt, completion) = match spec.loss {
                    Loss::Completion => (prompt, completion),
                    Loss::All => (Vec::new(), [prompt, completion].concat()),
                };
                Ok(TrainExample {
                    id: example.id.clone(),
                    prompt,
                    completion,
                })
            })
            .collect()
    };
    let (examples, development) = (
        encode(&held.kept, &kept)?,
        encode(&held.held_out, &held_out)?,
    );
    ensure!(!examples.is_empty(), "no example is left to train on");
    let first = preview(&examples[0], |ids| {
        model.tokenizer.decode_with_specials(ids)
    })?;
    eprintln!("the first example; what is trained stands in ⟦ ⟧:\n{first}");
    write(&folder.join(FIRST_EXAMPLE), first.to_string().as_bytes())?;

    let checkpoints = folder.join("checkpoint");
    let stop = AtomicBool::new(false);
    let run = Run {
        config: &config,
        examples: &examples,
        development: &development,
        checkpoints: (spec.checkpoint_every > 0).then_some(checkpoints.as_path()),
        resume,
        stop: &stop,
    };
    let log = folder.join("log.jsonl");
    let (summary, mut external) = match spec.method {
        Method::Lora => {
            let lora: LoraConfig = convert(&spec.lora)?;
            let adapter = Adapter::new(model.weights.config(), lora, spec.seed)?;
            let objective = LoraObjective::new(model.decoder()?, &adapter, false);
            let summary = follow(name, &objective, &run, &log)?;
            adapter.to_file(&context.spec.model.name)?.write(folder)?;
            (summary, vec!["adapter_model.safetensors"])
        }
        Method::Full => {
            let trained = FullModel::load(&model.weights)?;
            let summary = follow(name, &FullObjective { model: &trained }, &run, &log)?;
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
    if let Some(loss) = pruned {
        notes["pruning"] = json!(loss);
    }
    Ok(Left { external, notes })
}

/// Trains, shows how it goes, and logs it.
fn follow(name: &str, objective: &dyn Objective, run: &Run<'_>, log: &Path) -> Result<Summary> {
    let mut log = StepLog::open(log)?;
    let mut failure = None;
    let mut progress = None;
    let outcome = train(objective, run, &mut |event| {
        if let Err(error) = log.record(&event) {
            // The loop ends after this step; the error is told below.
            run.stop.store(true, Ordering::Relaxed);
            failure.get_or_insert(error);
        }
        show(name, &event, &mut progress);
    })?;
    drop(progress);
    if let Some(error) = failure {
        return Err(error.into());
    }
    let Outcome::Finished(summary) = outcome else {
        bail!("training was stopped; run again to go on");
    };
    Ok(summary)
}

fn train_config(spec: &harness_experiment::spec::Train) -> TrainConfig {
    TrainConfig {
        epochs: spec.epochs.unwrap_or(1.0),
        steps: spec.steps,
        batch_size: spec.batch_size,
        micro_batch_tokens: spec.micro_batch_tokens,
        learning_rate: spec.learning_rate,
        warmup_ratio: spec.warmup_ratio,
        warmup_steps: None,
        schedule: match spec.schedule {
            Schedule::Constant => ScheduleKind::Constant,
            Schedule::Linear => ScheduleKind::Linear,
            Schedule::Cosine => ScheduleKind::Cosine,
        },
        weight_decay: spec.weight_decay,
        betas: (spec.betas[0], spec.betas[1]),
        eps: spec.eps,
        max_grad_norm: spec.max_grad_norm,
        max_length: spec.max_length,
        seed: spec.seed,
        dev_every: spec.dev_every,
        checkpoint_every: spec.checkpoint_every,
    }
}

fn show(name: &str, event: &Event, progress: &mut Option<Progress>) {
    match event {
        Event::Started {
            examples,
            left_out,
            steps,
            done,
            trainable_parameters,
            ..
        } => {
            eprintln!(
                "training on {examples} examples ({} too long, {} without a target token left out), \
                 {steps} steps, {trainable_parameters} trainable parameters",
                left_out.too_long.len(),
                left_out.no_target.len()
            );
            *progress = Some(Progress::new(
                format!("training {name}"),
                "steps",
                *steps,
                *done,
            ));
        }
        Event::Step(step) => {
            if let Some(progress) = progress {
                progress.set(
                    step.step,
                    &format!(
                        "loss {:.4}, lr {:.2e}, |g| {:.2}, {} tokens, {} trained",
                        step.loss,
                        step.learning_rate,
                        step.grad_norm,
                        step.tokens,
                        step.target_tokens
                    ),
                );
            }
        }
        Event::DevLoss(dev) => eprintln!(
            "  development loss after step {}: {:.4}",
            dev.step, dev.loss
        ),
        Event::Checkpoint { .. } => {}
    }
}
