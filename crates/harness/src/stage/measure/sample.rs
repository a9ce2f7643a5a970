//! The examples of a set that the model is asked about, and the loss of their gold queries.

use anyhow::{Context as _, Result, ensure};
use harness_data::prompt;
use harness_experiment::spec::ModelScores;
use harness_model::Engine;
use harness_record::Example;
use serde::{Deserialize, Serialize};

use crate::context::Context;
use crate::progress::Progress;

/// The loss of one gold query behind its prompt.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LossRow {
    /// The set, where a file holds several.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub set: Option<String>,
    /// The example.
    pub id: String,
    /// Sum over the query's tokens of `−ln p`.
    pub nats: f64,
    /// How many they are, the end token included.
    pub tokens: usize,
    /// Those that the model holds likeliest.
    pub right: usize,
}

/// Some examples of a set, at most as many as the experiment says.
pub struct Sample<'a> {
    /// Those that fit the model's context, in the order of the set.
    pub examples: Vec<&'a Example>,
    /// Token ids of each one's prompt and gold query, as in training.
    pub pairs: Vec<(Vec<u32>, Vec<u32>)>,
    /// How many were drawn and do not fit.
    pub too_long: usize,
}

/// What the experiment wants to know of its model.
pub fn asked(context: &Context) -> Result<&ModelScores> {
    let asked = context.spec.align.model_scores.as_ref();
    asked.context("the experiment has no `align.model_scores`")
}

impl<'a> Sample<'a> {
    /// Draws the sample of the set `name` by the experiment's seed.
    pub fn draw(context: &'a Context, name: &str) -> Result<Self> {
        let all = &context.dataset(name)?.examples;
        let drawn = harness_data::sample(all.len(), asked(context)?.sample, context.spec.seed);
        let drawn: Vec<&Example> = drawn.into_iter().map(|at| &all[at]).collect();
        let (options, sources) = context.prompt_sources(name)?;
        // Before the model is loaded: what can't be asked is told at once.
        let written = prompt::training_pairs(&options, &sources, &drawn)?;
        let model = context.model()?;
        let room = model.decoder()?.context();
        let (mut examples, mut pairs) = (Vec::new(), Vec::new());
        let mut too_long = 0;
        for (example, pair) in drawn.into_iter().zip(&written) {
            let ids = model
                .training_ids(pair)
                .with_context(|| format!("example {}", example.id))?;
            if ids.0.len() + ids.1.len() > room {
                too_long += 1;
                continue;
            }
            examples.push(example);
            pairs.push(ids);
        }
        ensure!(
            !examples.is_empty(),
            "none of the {too_long} examples drawn from {name} fits the model's context of {room} tokens; shorter prompts would: \
             prompt.format compact, prompt.max_schema_tables"
        );
        if too_long > 0 {
            eprintln!(
                "  {too_long} examples of {name} do not fit the model's context and are left out"
            );
        }
        Ok(Self {
            examples,
            pairs,
            too_long,
        })
    }
}

/// The losses of the sample's gold queries under a model, in its order.
pub fn losses(engine: &Engine<'_>, sample: &Sample<'_>, label: &str) -> Result<Vec<LossRow>> {
    let mut progress = Progress::new(label, "queries", sample.pairs.len(), 0);
    let mut found = vec![None; sample.pairs.len()];
    let mut finished = 0;
    engine.completion_losses::<anyhow::Error>(&sample.pairs, &mut |index, loss| {
        found[index] = Some(loss);
        finished += 1;
        progress.set(finished, "");
        Ok(())
    })?;
    let rows = sample.examples.iter().zip(found);
    Ok(rows
        .filter_map(|(example, loss)| {
            let loss = loss?;
            Some(LossRow {
                set: None,
                id: example.id.clone(),
                nats: loss.nats,
                tokens: loss.tokens,
                right: loss.right,
            })
        })
        .collect())
}
