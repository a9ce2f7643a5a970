//! Why a training run ended without a result.

use crate::checkpoint::CheckpointError;
use crate::config::ConfigError;
use crate::optimizer::OptimizerError;

/// The errors of [`crate::train`]. Except where a variable could not be updated, the variables hold the weights
/// of the last whole step.
#[derive(Debug, thiserror::Error)]
pub enum TrainError {
    /// Options that cannot be used.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// Nothing is left to train on.
    #[error(
        "none of the {given} training examples can be used: {too_long} longer than max_length ({max_length} tokens), {no_target} without a completion"
    )]
    NoExamples {
        /// Examples handed in.
        given: usize,
        /// Of these, longer than the limit.
        too_long: usize,
        /// Of these, without a token that carries loss.
        no_target: usize,
        /// The limit, tokens.
        max_length: usize,
    },
    /// The objective has no trainable variable.
    #[error("the objective has no trainable variable")]
    NothingToTrain,
    /// Two variables share a name.
    #[error("two trainable variables are named {name}")]
    DuplicateVar {
        /// The name.
        name: String,
    },
    /// A loss or a gradient is NaN or infinite. The weights are those before the step.
    #[error(
        "{quantity} is not finite in step {step}, examples {}; lower learning_rate, or look at these examples",
        ids.join(", ")
    )]
    NotFinite {
        /// What is not finite.
        quantity: &'static str,
        /// The step, counted from 1.
        step: usize,
        /// Ids of the examples to blame; of all it was computed from, where none is found so alone.
        ids: Vec<String>,
    },
    /// Variables that the loss does not reach: an operation on their path records no gradient.
    #[error("in step {step} no gradient reaches {}", names.join(", "))]
    MissingGradient {
        /// The step, counted from 1.
        step: usize,
        /// Names of the variables.
        names: Vec<String>,
    },
    /// The configuration measures a score, and the caller gave none.
    #[error("dev_measure asks for a score, but there is nothing that computes one")]
    NoScore,
    /// The caller's score failed.
    #[error("the development score after step {step}: {source}")]
    Score {
        /// Steps done.
        step: usize,
        /// What the caller said.
        source: crate::measure::ScoreError,
    },
    /// The update failed.
    #[error(transparent)]
    Optimizer(#[from] OptimizerError),
    /// A checkpoint could not be written or used.
    #[error(transparent)]
    Checkpoint(#[from] CheckpointError),
    /// A tensor operation failed.
    #[error("{during}: {source}")]
    Tensor {
        /// What was being computed.
        during: &'static str,
        /// What candle said.
        source: Box<candle_core::Error>,
    },
}
