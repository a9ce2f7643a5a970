//! Loss and gradients of a `LoRA` adapter by hand: forward through the frozen decoder, and back.
//!
//! No graph is recorded. A projection is one product over activations that are laid out once for all products that
//! read them; gradients are summed in place; what the backward pass can compute again for little (norms, the gated
//! activation, attention's probabilities) is not kept, and with `recompute` nothing of a layer is but its input. All memory
//! is taken once and used again in every layer and step ([`Workspace`]). [`crate::graph`] says the same in plain
//! differentiable operations, and tests hold the two against each other.
//!
//! The value of a row depends on no other sequence of the micro-batch and on no number of threads; sums over rows run in
//! rising order. So the same adapter and micro-batch give the same bits at any number of threads.
//!
//! Dimension letters: `m` tokens laid end to end, `t` rows that carry loss, `r` the adapter's rank, `i` intermediate.

mod backward;
mod dropout;
mod forward;
mod gradients;
mod linear;
mod loss;
mod pairs;
mod saved;

use harness_kernel::{AttentionShape, Precision, Rows};

pub use gradients::LoraGradients;

use crate::buffer::fit;
use crate::decoder::{Decoder, Sequences, attention_shapes};
use crate::engine::in_pool;
use crate::error::ModelError;
use crate::lora::Adapter;
use linear::Low;
use pairs::Pairs;
use saved::Saved;

/// One micro-batch's way through a decoder with an adapter.
#[derive(Debug)]
pub struct Sweep<'a> {
    decoder: &'a Decoder,
    adapter: Option<&'a Adapter>,
    /// Whether a layer's forward pass is run again when its backward pass needs it: a third more work, and of each
    /// layer's activations only the input is kept.
    recompute: bool,
}

impl<'a> Sweep<'a> {
    /// Through the frozen weights, plus the adapter where there is one.
    pub fn new(decoder: &'a Decoder, adapter: Option<&'a Adapter>) -> Self {
        Self {
            decoder,
            adapter,
            recompute: false,
        }
    }

    /// Keeps each layer's input only, and computes the rest again.
    #[must_use]
    pub fn recompute(mut self, recompute: bool) -> Self {
        self.recompute = recompute;
        self
    }

    /// `Σ −ln p(target)` in nats over all targets, without dropout.
    ///
    /// # Errors
    /// If a token does not fit the vocabulary, a sequence does not fit the context, or a target has no row.
    pub fn loss(&self, batch: &Sequences<'_>, space: &mut Workspace) -> Result<f64, ModelError> {
        in_pool(|| self.measure(batch, space))
    }

    /// Values of the embeddings of a micro-batch.
    fn embedded(&self, batch: &Sequences<'_>) -> usize {
        batch.tokens.len() * self.decoder.config.hidden
    }

    fn measure(&self, batch: &Sequences<'_>, space: &mut Workspace) -> Result<f64, ModelError> {
        let plan = Plan::new(self.decoder, batch, None)?;
        let pairs = Pairs::pack(self.adapter, self.decoder.config.layers, false)?;
        space.inputs.resize_with(2, Vec::new);
        let x = fit(&mut space.inputs[0], self.embedded(batch));
        self.decoder.embed(batch.tokens, x)?;
        let Workspace {
            inputs, scratch, ..
        } = space;
        let mut saved = std::mem::take(&mut scratch.again);
        for index in 0..self.decoder.layers.len() {
            let (x, out) = inputs.split_at_mut(1);
            self.forward(
                &plan,
                &pairs,
                index,
                &x[0],
                &mut saved,
                scratch,
                &mut out[0],
            );
            inputs.swap(0, 1);
        }
        scratch.again = saved;
        Ok(self.cross_entropy(batch, &inputs[0], scratch, None))
    }

    /// [`Self::loss`], and its gradients, which are added to `into`. `dropout` names the random stream of this micro-batch;
    /// `None` switches dropout off.
    ///
    /// # Errors
    /// As [`Self::loss`].
    pub fn gradients(
        &self,
        batch: &Sequences<'_>,
        dropout: Option<u64>,
        space: &mut Workspace,
        into: &mut LoraGradients,
    ) -> Result<f64, ModelError> {
        in_pool(|| self.descend(batch, dropout, space, into))
    }

    fn descend(
        &self,
        batch: &Sequences<'_>,
        dropout: Option<u64>,
        space: &mut Workspace,
        into: &mut LoraGradients,
    ) -> Result<f64, ModelError> {
        let plan = Plan::new(self.decoder, batch, dropout)?;
        let count = self.decoder.layers.len();
        let pairs = Pairs::pack(self.adapter, count, true)?;
        into.fit(self.adapter, count)?;
        let Workspace {
            inputs,
            layers,
            scratch,
        } = space;
        inputs.resize_with(count + 1, Vec::new);
        let x = fit(&mut inputs[0], self.embedded(batch));
        self.decoder.embed(batch.tokens, x)?;
        layers.resize_with(if self.recompute { 0 } else { count }, Saved::default);
        let mut again = std::mem::take(&mut scratch.again);
        for index in 0..count {
            let (x, out) = inputs[index..].split_at_mut(1);
            let saved = layers.get_mut(index).unwrap_or(&mut again);
            self.forward(&plan, &pairs, index, &x[0], saved, scratch, &mut out[0]);
        }
        let mut d = std::mem::take(&mut scratch.d);
        let loss = self.cross_entropy(batch, &inputs[count], scratch, Some(&mut d));
        for index in (0..count).rev() {
            let x = &inputs[index];
            let saved = layers.get_mut(index).unwrap_or(&mut again);
            if self.recompute {
                let mut out = std::mem::take(&mut scratch.out);
                self.forward(&plan, &pairs, index, x, saved, scratch, &mut out);
                scratch.out = out;
            }
            self.backward(&plan, &pairs, index, x, saved, scratch, &mut d, into);
        }
        (scratch.again, scratch.d) = (again, d);
        Ok(loss)
    }

    fn epsilon(&self) -> f32 {
        self.decoder.config.rms_eps as f32
    }

    fn is_last(&self, index: usize) -> bool {
        index + 1 == self.decoder.layers.len()
    }
}

/// What all layers of a micro-batch share.
struct Plan {
    /// `[m]` positions within the sequences.
    positions: Vec<u32>,
    /// Which tokens see which: in layers that see all positions before them, and in those that slide.
    attention: [AttentionShape; 2],
    /// `[t]` rows that carry loss, rising. Behind the last attention only these are of use.
    rows: Vec<usize>,
    dropout: Option<u64>,
}

impl Plan {
    fn new(
        decoder: &Decoder,
        batch: &Sequences<'_>,
        dropout: Option<u64>,
    ) -> Result<Self, ModelError> {
        Ok(Self {
            positions: batch.positions(&decoder.config, decoder.context())?,
            attention: attention_shapes(&decoder.config, batch.starts),
            rows: batch.targets.iter().map(|(row, _)| *row).collect(),
            dropout,
        })
    }

    /// `m`.
    fn tokens(&self) -> usize {
        self.positions.len()
    }
}

/// The memory of sweeps, used again by each. It holds nothing that a later sweep reads.
#[derive(Debug)]
pub struct Workspace {
    /// The layers' inputs and the last one's output, `[m, hidden]`, `[t, hidden]`.
    inputs: Vec<Vec<f32>>,
    layers: Vec<Saved>,
    scratch: Scratch,
}

impl Workspace {
    /// Empty, for products in this precision: `f32`, or `bf16` with sums in `f32`.
    pub fn new(precision: Precision) -> Self {
        Self {
            inputs: Vec::new(),
            layers: Vec::new(),
            scratch: Scratch {
                rows: Rows::new(precision),
                low: Low::new(precision),
                again: Saved::default(),
                out: Vec::new(),
                d: Vec::new(),
                h: Vec::new(),
                dh: Vec::new(),
                wide: Vec::new(),
                logits: Vec::new(),
                d_q: Vec::new(),
                d_k: Vec::new(),
                d_v: Vec::new(),
            },
        }
    }
}

/// Buffers whose content does not outlive the step that fills them.
#[derive(Debug)]
struct Scratch {
    /// The left factor of a layer's products: activations, or gradients on the way back.
    rows: Rows,
    low: Low,
    /// The activations of the layer that is computed again.
    again: Saved,
    /// The output of the layer that is computed again.
    out: Vec<f32>,
    /// The gradient on its way down, `[m, hidden]`.
    d: Vec<f32>,
    /// An input of projections once more, and its gradient, `[m, hidden]`.
    h: Vec<f32>,
    dh: Vec<f32>,
    /// `[t, i]`, or `[m, heads · d]`.
    wide: Vec<f32>,
    logits: Vec<f32>,
    d_q: Vec<f32>,
    d_k: Vec<f32>,
    d_v: Vec<f32>,
}
