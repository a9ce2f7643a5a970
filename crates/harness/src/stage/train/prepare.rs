//! A training set as token ids: what is trained on, and what is held out of it to measure on.

use anyhow::{Context as _, Result, ensure};
use harness_data::prompt::{self, TrainingPair};
use harness_data::prune::PruneLoss;
use harness_data::{HeldOut, hold_out};
use harness_record::Example;
use harness_train::TrainExample;

use super::settings;
use crate::context::Context;
use crate::model::Model;

/// The examples of a training set, in two parts.
pub struct Prepared {
    /// Examples to train on.
    pub examples: Vec<TrainExample>,
    /// Examples to measure on.
    pub development: Vec<TrainExample>,
    /// The same as questions.
    pub held: HeldOut,
    /// What the limits on schemas cost; `None` without limits.
    pub pruned: Option<PruneLoss>,
}

impl Prepared {
    /// Tokens of the longest example that is not left out.
    pub fn longest(&self, max_length: usize) -> usize {
        let lengths = self.examples.iter().map(TrainExample::len);
        lengths
            .filter(|&length| length <= max_length)
            .max()
            .unwrap_or(0)
    }
}

/// Holds `held_out` examples out of the training set `name`, and turns both parts into token ids.
pub fn prepare(context: &Context, name: &str, held_out: usize) -> Result<Prepared> {
    let spec = &context.spec.train;
    let dataset = context.dataset(name)?;
    let held = hold_out(dataset.examples.clone(), held_out, spec.seed);
    let (options, sources) = context.prompt_sources(name)?;
    let pairs = |examples: &[Example]| {
        let examples: Vec<&Example> = examples.iter().collect();
        prompt::training_pairs(&options, &sources, &examples)
    };
    // Before the model is loaded: what can't be asked is told at once.
    let (kept, held_out) = (pairs(&held.kept)?, pairs(&held.held_out)?);
    let pruned = crate::stage::pruning(&options, dataset);
    let model = context.model()?;
    let examples = encode(context, model, &held.kept, &kept)?;
    let development = encode(context, model, &held.held_out, &held_out)?;
    ensure!(!examples.is_empty(), "no example is left to train on");
    Ok(Prepared {
        examples,
        development,
        held,
        pruned,
    })
}

fn encode(
    context: &Context,
    model: &Model,
    examples: &[Example],
    pairs: &[TrainingPair],
) -> Result<Vec<TrainExample>> {
    examples
        .iter()
        .zip(pairs)
        .map(|(example, pair)| {
            let (prompt, completion) = model
                .training_ids(pair)
                .with_context(|| format!("example {}", example.id))?;
            let (prompt, completion) =
                settings::with_loss(context.spec.train.loss, prompt, completion);
            Ok(TrainExample {
                id: example.id.clone(),
                prompt,
                completion,
            })
        })
        .collect()
}
