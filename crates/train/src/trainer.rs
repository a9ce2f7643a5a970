//! The training loop. It does not know what is trained, nor who listens; every step of it is a function elsewhere.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use candle_core::Tensor;

use crate::batch::{LeftOut, TrainExample, admit};
use crate::checkpoint::Progress;
use crate::clip::clip_global_norm;
use crate::config::{Select, TrainConfig};
use crate::error::TrainError;
use crate::event::{Event, Outcome, StepRecord, Summary};
use crate::gradients::{guilty_of_gradients, step_gradients, trainable};
use crate::measure::{Score, best, is_over, measure};
use crate::objective::Objective;
use crate::optimizer::AdamW;
use crate::order::{bucketed_step_examples, step_examples};
use crate::resume::{copy, go_back, put, resume, save};

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
    /// What measures the weights, where the configuration asks for a score.
    pub score: Option<Score<'a>>,
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
    let mut optimizer = AdamW::new(&vars, config.adamw())?.with_rates(|name| config.rate_of(name));
    let mut progress = Progress::new(config.clone(), digest(&examples, &development));
    if let Some(folder) = run.checkpoints.filter(|_| run.resume) {
        resume(folder, &vars, &mut optimizer, &mut progress, on_event)?;
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
    // Without a folder the best weights are kept in memory.
    let mut best_weights: Option<BTreeMap<String, Tensor>> = None;
    let keeps_best = config.select == Select::Best;
    if progress.steps.is_empty() {
        // The log of a run that starts with its first step is empty, whatever was measured before it.
        for &measured in &progress.dev {
            on_event(Event::DevLoss(measured));
        }
    }
    if measures && progress.dev.is_empty() && progress.steps.is_empty() {
        let measured = measure(objective, &development, config, run.score, 0)?;
        progress.dev.push(measured);
        on_event(Event::DevLoss(measured));
        if keeps_best {
            match run.checkpoints {
                Some(folder) => save(folder, &vars, &optimizer, &progress, on_event)?,
                None => best_weights = Some(copy(&vars)?),
            }
        }
    }
    let lengths: Vec<usize> = examples.iter().map(|example| example.len()).collect();
    let mut over = is_over(config, &progress.dev);
    let mut stopped = false;
    while progress.steps.len() < steps && !stopped && !over {
        let step = progress.steps.len();
        let chosen = if config.length_bucketing {
            bucketed_step_examples(step, &lengths, config.batch_size, config.seed)
        } else {
            step_examples(step, examples.len(), config.batch_size, config.seed)
        };
        let batch: Vec<&TrainExample> = chosen.into_iter().map(|index| examples[index]).collect();
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
                ids: guilty_of_gradients(objective, &batch),
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
        let mut better = false;
        if measures && (done.is_multiple_of(config.dev_every) || done == steps) {
            let measured = measure(objective, &development, config, run.score, done)?;
            progress.dev.push(measured);
            on_event(Event::DevLoss(measured));
            better = best(&progress.dev).is_some_and(|best| best.step == done);
            over = is_over(config, &progress.dev);
        }
        if over
            && done < steps
            && let Some(best) = best(&progress.dev)
        {
            on_event(Event::EarlyStop { step: done, best });
        }
        stopped = done < steps && !over && run.stop.load(Ordering::Relaxed);
        let due = config.checkpoint_every > 0 && done.is_multiple_of(config.checkpoint_every);
        match run.checkpoints {
            Some(folder) if due || better || stopped || over || done == steps => {
                save(folder, &vars, &optimizer, &progress, on_event)?;
            }
            None if better && keeps_best => best_weights = Some(copy(&vars)?),
            _ => {}
        }
    }
    let selected = best(&progress.dev).filter(|_| keeps_best && !stopped);
    if let Some(best) = selected.filter(|best| best.step != progress.steps.len()) {
        match (run.checkpoints, best_weights) {
            (Some(folder), _) => go_back(folder, best.step, &vars)?,
            (None, Some(weights)) => put(&weights, &vars)?,
            (None, None) => {}
        }
    }
    let mut summary = summarise(
        &progress,
        examples.len(),
        trainable_parameters,
        left_out,
        dev_left_out,
    );
    summary.stopped_early = over && progress.steps.len() < steps;
    summary.selected = selected;
    Ok(if stopped {
        Outcome::Stopped(summary)
    } else {
        Outcome::Finished(summary)
    })
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
        stopped_early: false,
        selected: None,
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
