//! Gradients of one optimisation step: micro-batches forward and backward, summed, and divided once by the number
//! of target tokens of the whole step, so that the cut into micro-batches does not change the result.
//! It knows neither learning rate nor optimiser.

use std::collections::BTreeMap;

use candle_core::{Tensor, Var};

use crate::batch::{PackedBatch, TrainExample, micro_batches};
use crate::clip::global_norm;
use crate::error::TrainError;
use crate::objective::{DropoutKey, Objective};
use crate::slices::scaled;

/// One gradient per trainable variable, by name, each of its variable's shape and dtype.
pub type Gradients = BTreeMap<String, Tensor>;

/// What one step's forward and backward passes leave.
#[derive(Debug)]
pub struct StepGradients {
    /// Gradient of the mean loss over the target tokens of the step.
    pub gradients: Gradients,
    /// Mean of −ln p over the target tokens of the step, nats.
    pub loss: f64,
    /// Tokens read.
    pub tokens: usize,
    /// Tokens that carry loss.
    pub target_tokens: usize,
    /// Number of forward and backward passes.
    pub micro_batches: usize,
}

/// The trainable variables by name.
///
/// # Errors
/// When there is none, or two share a name: the optimiser's state would be ambiguous.
pub fn trainable(objective: &dyn Objective) -> Result<BTreeMap<String, Var>, TrainError> {
    let mut vars = BTreeMap::new();
    for (name, var) in objective.named_vars() {
        if vars.insert(name.clone(), var).is_some() {
            return Err(TrainError::DuplicateVar { name });
        }
    }
    if vars.is_empty() {
        return Err(TrainError::NothingToTrain);
    }
    Ok(vars)
}

/// Gradient of the mean loss of `examples` with respect to `vars`.
///
/// `budget` is the token limit of a micro-batch; `seed` and `step` (0-based) name the dropout streams.
///
/// # Errors
/// When a loss is not finite (with the ids of the examples of its micro-batch that are to blame, if that can be told), when a variable gets no gradient at all (its path
/// to the loss runs through an operation without backward), or when the computation itself fails.
pub fn step_gradients(
    objective: &dyn Objective,
    vars: &BTreeMap<String, Var>,
    examples: &[&TrainExample],
    budget: usize,
    seed: u64,
    step: usize,
) -> Result<StepGradients, TrainError> {
    let lengths: Vec<usize> = examples.iter().map(|example| example.len()).collect();
    let runs = micro_batches(&lengths, budget);
    let mut gradients = Gradients::new();
    let mut total = 0.0;
    let mut target_tokens = 0;
    for (micro, run) in runs.iter().enumerate() {
        let batch = PackedBatch::pack(&examples[run.clone()]);
        target_tokens += batch.targets.len();
        let key = DropoutKey::of(seed, step, micro);
        let loss = objective
            .gradients(&batch, Some(key), &mut gradients)
            .map_err(in_pass("the forward and backward pass"))?;
        if !loss.is_finite() {
            let alone = |batch: &PackedBatch| objective.loss(batch);
            return Err(TrainError::NotFinite {
                quantity: "the loss",
                step: step + 1,
                ids: guilty(&examples[run.clone()], alone),
            });
        }
        total += loss;
    }
    let missing: Vec<String> = vars
        .keys()
        .filter(|name| !gradients.contains_key(*name))
        .cloned()
        .collect();
    if !missing.is_empty() {
        return Err(TrainError::MissingGradient {
            step: step + 1,
            names: missing,
        });
    }
    let scale = 1.0 / target_tokens.max(1) as f64;
    for gradient in gradients.values_mut() {
        *gradient = scaled(gradient, scale).map_err(in_pass("the scaling of gradients"))?;
    }
    Ok(StepGradients {
        gradients,
        loss: total * scale,
        tokens: lengths.iter().sum(),
        target_tokens,
        micro_batches: runs.len(),
    })
}

/// Mean loss per target token of `examples` without dropout, nats, and the number of target tokens. It trains nothing.
pub fn mean_loss(
    objective: &dyn Objective,
    examples: &[&TrainExample],
    budget: usize,
) -> Result<(f64, usize), TrainError> {
    let lengths: Vec<usize> = examples.iter().map(|example| example.len()).collect();
    let mut total = 0.0;
    let mut target_tokens = 0;
    for run in micro_batches(&lengths, budget) {
        let batch = PackedBatch::pack(&examples[run]);
        target_tokens += batch.targets.len();
        total += objective
            .loss(&batch)
            .map_err(in_pass("the forward pass"))?;
    }
    Ok((total / target_tokens.max(1) as f64, target_tokens))
}

/// The ids of the examples whose gradients, each computed alone, are not finite; all ids where none is found so.
pub(crate) fn guilty_of_gradients(
    objective: &dyn Objective,
    examples: &[&TrainExample],
) -> Vec<String> {
    guilty(examples, |batch| {
        let mut gradients = Gradients::new();
        objective.gradients(batch, None, &mut gradients)?;
        global_norm(&gradients)
    })
}

/// The ids of the examples of which `alone` gives no finite number; all ids where none is found so, as when it took
/// several together, or a draw of the dropout. What fails is not finite either.
fn guilty(
    examples: &[&TrainExample],
    alone: impl Fn(&PackedBatch) -> candle_core::Result<f64>,
) -> Vec<String> {
    let found: Vec<&TrainExample> = examples
        .iter()
        .copied()
        .filter(|example| !alone(&PackedBatch::pack(&[example])).is_ok_and(f64::is_finite))
        .collect();
    if found.is_empty() {
        ids(examples)
    } else {
        ids(&found)
    }
}

/// Names of the examples, for errors.
pub(crate) fn ids(examples: &[&TrainExample]) -> Vec<String> {
    examples.iter().map(|example| example.id.clone()).collect()
}

fn in_pass(during: &'static str) -> impl FnOnce(candle_core::Error) -> TrainError {
    move |source| TrainError::Tensor {
        during,
        source: Box::new(source),
    }
}
