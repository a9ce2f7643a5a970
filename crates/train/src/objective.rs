//! What the trainer asks of a model: its trainable variables, the summed loss of a batch and its gradients.
//! It does not know what the model is, nor which of its weights are frozen.

use candle_core::{DType, Result, Tensor, Var};

use crate::batch::PackedBatch;
use crate::gradients::Gradients;
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

/// A loss over trainable variables that knows its gradients.
pub trait Objective {
    /// The trainable variables, each under its own name. Names key the optimiser's state and the checkpoint,
    /// so they must be unique and the same in every process. Variables are f32 or f64.
    fn named_vars(&self) -> Vec<(String, Var)>;

    /// Sum over `batch.targets` of −ln p(token | the tokens of its sequence up to and including the row), nats, without
    /// dropout.
    ///
    /// # Errors
    /// What the model says of the batch, or of the computation.
    fn loss(&self, batch: &PackedBatch) -> Result<f64>;

    /// [`Self::loss`] with the random stream of `dropout`, and its gradients, which are added to those in `into`, a gradient
    /// being as its variable in shape and type. A variable that the loss does not reach gets no entry.
    ///
    /// # Errors
    /// As [`Self::loss`].
    fn gradients(
        &self,
        batch: &PackedBatch,
        dropout: Option<DropoutKey>,
        into: &mut Gradients,
    ) -> Result<f64>;
}

/// A loss that candle differentiates: with it comes an [`Objective`].
pub trait Differentiable {
    /// As [`Objective::named_vars`].
    fn named_vars(&self) -> Vec<(String, Var)>;

    /// As [`Objective::loss`], with dropout where a stream is named: one element (f32 or f64) that back-propagates to every
    /// variable of [`Self::named_vars`].
    ///
    /// # Errors
    /// As [`Objective::loss`].
    fn summed_loss(&self, batch: &PackedBatch, dropout: Option<DropoutKey>) -> Result<Tensor>;
}

impl<T: Differentiable> Objective for T {
    fn named_vars(&self) -> Vec<(String, Var)> {
        Differentiable::named_vars(self)
    }

    fn loss(&self, batch: &PackedBatch) -> Result<f64> {
        // Detached at once: nothing back-propagates from here, so the activations may go.
        value(&self.summed_loss(batch, None)?.detach())
    }

    fn gradients(
        &self,
        batch: &PackedBatch,
        dropout: Option<DropoutKey>,
        into: &mut Gradients,
    ) -> Result<f64> {
        let loss = self.summed_loss(batch, dropout)?;
        let found = value(&loss.detach())?;
        let mut store = loss.backward()?;
        for (name, var) in Differentiable::named_vars(self) {
            if let Some(gradient) = store.remove(&var) {
                add(into, name, gradient)?;
            }
        }
        Ok(found)
    }
}

/// Adds one gradient to those in `into`.
pub(crate) fn add(into: &mut Gradients, name: String, gradient: Tensor) -> Result<()> {
    let sum = match into.remove(&name) {
        None => gradient,
        Some(sum) => (sum + gradient)?,
    };
    into.insert(name, sum);
    Ok(())
}

/// The value of a one-element tensor.
fn value(loss: &Tensor) -> Result<f64> {
    if loss.elem_count() != 1 {
        candle_core::bail!("the loss has shape {:?}, expected one element", loss.dims());
    }
    let loss = loss.flatten_all()?.to_dtype(DType::F64)?;
    Ok(loss.to_vec1::<f64>()?[0])
}
