//! The training loop. It does not know what is trained, nor who listens; every step of it is a function elsewhere.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use candle_core::{Tensor, Var};

use crate::batch::{LeftOut, TrainExample, admit};
use crate::checkpoint::{self, Checkpoint, CheckpointError, Progress};
use crate::clip::clip_global_norm;
use crate::config::TrainConfig;
use crate::error::TrainError;
use crate::event::{DevLoss, Event, Outcome, StepRecord, Summary};
use crate::gradients::{ids, mean_loss, step_gradients, trainable};
use crate::objective::Objective;
use crate::optimizer::AdamW;
use crate::order::step_examples;
use crate::tensors;

/// What a run works on. It borrows everything, so one configuration can serve many runs.
#[derive(Debug, Clone, Copy)]
pub struct Run<'a> {
    /// The options.
    pub config: &'a TrainConfig,
    /// Examples to train on.
    pub examples: &'a [TrainExample],
    /// Held-out examples for the development loss; may be empty.
    pub development: &'a [TrainExample],
    /// Folder for checkpoints. Without it none is written, and a stopped run cannot be resumed.
    pub checkpoints: Option<&'a Path>,
    /// Whether to continue from the checkpoint in that folder, where there is one.
    pub resume: bool,
    /// Raised (by a signal handler, say) to end the run after the step that is being computed.
    pub stop: &'a AtomicBool,
}

/// Trains the variables of `objective` in place.
///
/// On the CPU a run that is resumed, however often, leaves the bytes of one that was never interrupted; the same
/// seed, data and thread count leave the same bytes.
///
/// # Errors
/// See [`TrainError`]. The last checkpoint stays.
pub fn train(
    objective: &dyn Objective,
    run: &Run<'_>,
    on_event: &mut dyn FnMut(Event),
) -> Result<Outcome, TrainError> {
    let config = run.config;
    config.validate()?;
    let (examples, left_out) = admit(run.examples, config.max_length);
    let (development, dev_left_out) = admit(run.development, config.max_length);
    if examples.is_empty() {
        return Err(TrainError::NoExamples {
            given: run.examples.len(),
            too_long: left_out.too_long.len(),
            no_target: left_out.no_target.len(),
            max_length: config.max_length,
        });
    }
    let vars = trainable(objective)?;
    let mut optimizer = AdamW::new(&vars, config.adamw())?;
    let mut progress = Progress::new(config.clone(), digest(&examples, &development));
    if let Some(folder) = run.checkpoints.filter(|_| run.resume) {
        resume(folder, &vars, &mut optimizer, &mut progress)?;
    }
    let steps = config.total_steps(examples.len());
    let schedule = config.schedule(steps);
    let trainable_parameters = vars.values().map(|var| var.elem_count()).sum();
    on_event(Event::Started {
        examples: examples.len(),
        left_out: left_out.clone(),
        dev_examples: development.len(),
        dev_left_out: dev_left_out.clone(),
        steps,
        done: progress.steps.len(),
        trainable_parameters,
    });

    let measures = config.dev_every > 0 && !development.is_empty();
    if measures && progress.dev.is_empty() && progress.steps.is_empty() {
        measure(objective, &development, &mut progress, on_event)?;
    }
    let mut stopped = false;
    while progress.steps.len() < steps && !stopped {
        let step = progress.steps.len();
        let batch: Vec<&TrainExample> =
            step_examples(step, examples.len(), config.batch_size, config.seed)
                .into_iter()
                .map(|index| examples[index])
                .collect();
        let mut computed = step_gradients(
            objective,
            &vars,
            &batch,
            config.micro_batch_tokens,
            config.seed,
            step,
        )?;
        let grad_norm =
            clip_global_norm(&mut computed.gradients, config.max_grad_norm).map_err(|source| {
                TrainError::Tensor {
                    during: "the gradient norm",
                    source: Box::new(source),
                }
            })?;
        if !grad_norm.is_finite() {
            return Err(TrainError::NotFinite {
                quantity: "the gradient norm",
                step: step + 1,
                ids: ids(&batch),
            });
        }
        let learning_rate = schedule.rate(step);
        optimizer.step(learning_rate, &computed.gradients)?;

        let record = StepRecord {
            step: step + 1,
            of: steps,
            loss: computed.loss,
            learning_rate,
            grad_norm,
            tokens: computed.tokens,
            target_tokens: computed.target_tokens,
            micro_batches: computed.micro_batches,
        };
        progress.steps.push(record);
        on_event(Event::Step(record));
        let done = step + 1;
        if measures && (done.is_multiple_of(config.dev_every) || done == steps) {
            measure(objective, &development, &mut progress, on_event)?;
        }
        stopped = done < steps && run.stop.load(Ordering::Relaxed);
        let due = config.checkpoint_every > 0 && done.is_multiple_of(config.checkpoint_every);
        if let Some(folder) = run.checkpoints
            && (due || stopped || done == steps)
        {
            save(folder, &vars, &optimizer, &progress, on_event)?;
        }
    }
    let summary = summarise(
        &progress,
        examples.len(),
        trainable_parameters,
        left_out,
        dev_left_out,
    );
    Ok(if stopped {
        Outcome::Stopped(summary)
    } else {
        Outcome::Finished(summary)
    })
}

/// Takes over the newest checkpoint of `folder`, where there is one. On an error nothing has changed.
fn resume(
    folder: &Path,
    vars: &BTreeMap<String, Var>,
    optimizer: &mut AdamW,
    progress: &mut Progress,
) -> Result<(), TrainError> {
    let Some(path) = checkpoint::latest(folder)? else {
        return Ok(());
    };
    let checkpoint = checkpoint::read(&path)?;
    progress.continues(&checkpoint.progress, &path)?;
    let (weights, _) = tensors::decode(&checkpoint.weights, &weights(vars)).map_err(|source| {
        CheckpointError::Weights {
            path: path.clone(),
            source,
        }
    })?;
    optimizer
        .restore(&checkpoint.optimizer)
        .map_err(|source| CheckpointError::Optimizer { path, source })?;
    for (name, var) in vars {
        if let Some(weight) = weights.get(name) {
            var.set(weight).map_err(|source| TrainError::Tensor {
                during: "restoring the weights",
                source: Box::new(source),
            })?;
        }
    }
    *progress = checkpoint.progress;
    Ok(())
}

fn save(
    folder: &Path,
    vars: &BTreeMap<String, Var>,
    optimizer: &AdamW,
    progress: &Progress,
    on_event: &mut dyn FnMut(Event),
) -> Result<(), TrainError> {
    let weights = tensors::encode(&weights(vars), optimizer.steps()).map_err(|source| {
        CheckpointError::Weights {
            path: folder.to_owned(),
            source,
        }
    })?;
    let checkpoint = Checkpoint {
        progress: progress.clone(),
        weights,
        optimizer: optimizer.save()?,
    };
    let path = checkpoint::write(folder, &checkpoint)?;
    on_event(Event::Checkpoint {
        step: progress.steps.len(),
        path,
    });
    Ok(())
}

fn measure(
    objective: &dyn Objective,
    development: &[&TrainExample],
    progress: &mut Progress,
    on_event: &mut dyn FnMut(Event),
) -> Result<(), TrainError> {
    let budget = progress.config.micro_batch_tokens;
    let (loss, target_tokens) = mean_loss(objective, development, budget)?;
    let step = progress.steps.len();
    if !loss.is_finite() {
        return Err(TrainError::NotFinite {
            quantity: "the development loss",
            step,
            ids: ids(development),
        });
    }
    let measured = DevLoss {
        step,
        loss,
        target_tokens,
    };
    progress.dev.push(measured);
    on_event(Event::DevLoss(measured));
    Ok(())
}

fn summarise(
    progress: &Progress,
    examples: usize,
    trainable_parameters: usize,
    left_out: LeftOut,
    dev_left_out: LeftOut,
) -> Summary {
    let steps = &progress.steps;
    let last = &steps[steps.len() - steps.len().div_ceil(10)..];
    let total = |of: fn(&StepRecord) -> usize| steps.iter().map(|step| of(step) as u64).sum();
    Summary {
        steps: steps.len(),
        trainable_parameters,
        examples_used: examples.min(steps.len().saturating_mul(progress.config.batch_size)),
        left_out,
        dev_left_out,
        first_loss: steps.first().map_or(0.0, |step| step.loss),
        final_loss: last.iter().map(|step| step.loss).sum::<f64>() / last.len().max(1) as f64,
        dev: progress.dev.clone(),
        tokens: total(|step| step.tokens),
        target_tokens: total(|step| step.target_tokens),
    }
}

fn weights(vars: &BTreeMap<String, Var>) -> BTreeMap<String, Tensor> {
    vars.iter()
        .map(|(name, var)| (name.clone(), var.as_detached_tensor()))
        .collect()
}

/// FNV-1a (64 bits) over ids, lengths and tokens: it tells a resumed run that its data changed by mistake. It is
/// no defence against intent.
fn digest(examples: &[&TrainExample], development: &[&TrainExample]) -> String {
    let mut hash = 0xcbf2_9ce4_8422_2325_u64;
    let mut eat = |bytes: &[u8]| {
        for &byte in bytes {
            hash = (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
        }
    };
    for set in [examples, development] {
        eat(&(set.len() as u64).to_le_bytes());
        for example in set {
            eat(&(example.id.len() as u64).to_le_bytes());
            eat(example.id.as_bytes());
            for tokens in [&example.prompt, &example.completion] {
                eat(&(tokens.len() as u64).to_le_bytes());
                for token in tokens {
                    eat(&token.to_le_bytes());
                }
            }
        }
    }
    format!("{hash:016x}")
}
