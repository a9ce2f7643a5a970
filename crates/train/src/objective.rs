//! What the trainer asks of a model: its trainable variables and the summed loss of a batch.
//! It does not know what the model is, nor which of its weights are frozen.

use candle_core::{Tensor, Var};

use crate::batch::PackedBatch;
use crate::random::{Stream, stream};
use rand::RngCore;

/// Names the random stream of one micro-batch: equal keys must give equal dropout masks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DropoutKey {
    /// Seed of the stream. Two micro-batches of a run never share it by construction of the stream.
    pub seed: u64,
}

impl DropoutKey {
    /// The key of micro-batch `micro` (0-based) of optimisation step `step` (0-based) in the run seeded `seed`.
    ///
    /// It is a function of the place in the run alone, so a resumed run draws the masks of the uninterrupted one.
    pub fn of(seed: u64, step: usize, micro: usize) -> Self {
        let seed = stream(seed, Stream::Dropout, step as u64, micro as u64).next_u64();
        Self { seed }
    }
}

/// A differentiable loss over trainable variables.
pub trait Objective {
    /// The trainable variables, each under its own name. Names key the optimiser's state and the checkpoint,
    /// so they must be unique and the same in every process. Variables are f32 or f64.
    fn named_vars(&self) -> Vec<(String, Var)>;

    /// Sum over `batch.targets` of −ln p(token | the tokens of its sequence up to and including the row).
    ///
    /// Returns one element (f32 or f64) that back-propagates to every variable of [`Self::named_vars`].
    /// With `dropout` absent the result must not depend on chance.
    fn summed_loss(
        &self,
        batch: &PackedBatch,
        dropout: Option<DropoutKey>,
    ) -> candle_core::Result<Tensor>;
}
