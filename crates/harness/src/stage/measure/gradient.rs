//! The gradient that a set gives a fresh adapter: where its first step would go.
//!
//! Before the first step the matrices `B` are 0, so the loss does not depend on the matrices `A`, whose gradient is 0; it is
//! the gradient of all `B` that is kept.

use std::cell::OnceCell;

use anyhow::{Context as _, Result};
use harness_experiment::spec;
use harness_model::Adapter;
use harness_train::batch::admit;
use harness_train::gradients::{step_gradients, trainable};
use harness_train::{LoraObjective, TrainExample};

use super::Sample;
use crate::context::Context;
use crate::model::Model;
use crate::progress::Progress;
use crate::stage::train::{settings, watch};

/// The gradient of the mean loss over the sample's target tokens.
pub struct Gradient {
    /// Of all matrices `B`, in the order of their names, each by rows. Empty where no example could be trained on.
    pub values: Vec<f32>,
    /// Examples that it is of; longer ones than training takes are left out.
    pub examples: usize,
}

pub fn gradient(
    context: &Context,
    model: &Model,
    sample: &Sample<'_>,
    name: &str,
) -> Result<Gradient> {
    let train = &context.spec.train;
    let shape = train.lora.as_ref().context(
        "align.model_scores needs an adapter to take gradients of and to probe with: `train.method: lora`",
    )?;
    // Nothing is dropped: this is a measurement.
    let shape = spec::Lora {
        dropout: 0.0,
        ..shape.clone()
    };
    let adapter = Adapter::new(
        model.weights.config(),
        settings::lora_config(&shape)?,
        train.seed,
    )?;
    let kept = OnceCell::new();
    let decoder = settings::frozen(train, model, &kept)?;
    let objective = LoraObjective::new(decoder, &adapter, train.recompute);
    let vars = trainable(&objective)?;
    let examples: Vec<TrainExample> = sample
        .examples
        .iter()
        .zip(&sample.pairs)
        .map(|(example, (prompt, completion))| {
            let (prompt, completion) =
                settings::with_loss(train.loss, prompt.clone(), completion.clone());
            TrainExample {
                id: example.id.clone(),
                prompt,
                completion,
            }
        })
        .collect();
    let (admitted, _) = admit(&examples, train.max_length);
    let longest = admitted.iter().map(|it| it.len()).max().unwrap_or(0);
    let precision = context.spec.generate.precision;
    watch::tell_memory(train, precision, model.weights.config(), longest);
    let label = format!("gradient of {name}");
    let mut progress = Progress::new(label, "examples", admitted.len(), 0);
    let (mut sum, mut tokens): (Vec<f64>, usize) = (Vec::new(), 0);
    let mut done = 0;
    for some in admitted.chunks(train.batch_size) {
        let step = step_gradients(
            &objective,
            &vars,
            some,
            train.micro_batch_tokens,
            train.seed,
            0,
        )?;
        let weight = step.target_tokens as f64;
        let mut at = 0;
        for (name, gradient) in &step.gradients {
            if !name.contains("lora_B") {
                continue;
            }
            let values: Vec<f32> = gradient.flatten_all()?.to_vec1()?;
            sum.resize(sum.len().max(at + values.len()), 0.0);
            for (sum, value) in sum[at..].iter_mut().zip(&values) {
                *sum += weight * f64::from(*value);
            }
            at += values.len();
        }
        tokens += step.target_tokens;
        done += some.len();
        progress.set(done, "");
    }
    let mean = |value: f64| (value / tokens as f64) as f32;
    Ok(Gradient {
        values: sum.into_iter().map(mean).collect(),
        examples: admitted.len(),
    })
}
