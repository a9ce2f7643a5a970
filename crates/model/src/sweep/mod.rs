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

use crate::decoder::{Decoder, Sequences, attention_shapes};
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
        let plan = Plan::new(self.decoder, batch, None)?;
        let pairs = Pairs::pack(self.adapter, self.decoder.config.layers, false)?;
        let mut x = self.decoder.embed(batch.tokens)?;
        space.layers.resize_with(1, Saved::default);
        for index in 0..self.decoder.layers.len() {
            let (saved, scratch) = (&mut space.layers[0], &mut space.scratch);
            std::mem::swap(&mut saved.x, &mut x);
            self.forward(&plan, &pairs, index, saved, scratch, &mut x);
        }
        Ok(self.cross_entropy(batch, &x, &mut space.scratch, None))
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
        let plan = Plan::new(self.decoder, batch, dropout)?;
        let count = self.decoder.layers.len();
        let pairs = Pairs::pack(self.adapter, count, true)?;
        into.fit(self.adapter, count)?;
        let mut x = self.decoder.embed(batch.tokens)?;
        space.layers.resize_with(count, Saved::default);
        for index in 0..count {
            let scratch = &mut space.scratch;
            let mut out = std::mem::take(&mut scratch.out);
            space.layers[index].x.clone_from(&x);
            if self.recompute {
                let mut saved = std::mem::take(&mut scratch.again);
                saved.x.clone_from(&x);
                self.forward(&plan, &pairs, index, &mut saved, scratch, &mut out);
                scratch.again = saved;
            } else {
                self.forward(
                    &plan,
                    &pairs,
                    index,
                    &mut space.layers[index],
                    scratch,
                    &mut out,
                );
            }
            std::mem::swap(&mut x, &mut out);
            space.scratch.out = out;
        }
        let mut d = vec![0f32; x.len()];
        let loss = self.cross_entropy(batch, &x, &mut space.scratch, Some(&mut d));
        for index in (0..count).rev() {
            let scratch = &mut space.scratch;
            if self.recompute {
                let mut saved = std::mem::take(&mut scratch.again);
                let mut out = std::mem::take(&mut scratch.out);
                saved.x.clone_from(&space.layers[index].x);
                self.forward(&plan, &pairs, index, &mut saved, scratch, &mut out);
                scratch.out = out;
                self.backward(&plan, &pairs, index, &mut saved, scratch, &mut d, into);
                scratch.again = saved;
            } else {
                self.backward(
                    &plan,
                    &pairs,
                    index,
                    &mut space.layers[index],
                    scratch,
                    &mut d,
                    into,
                );
            }
        }
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
    layers: Vec<Saved>,
    scratch: Scratch,
}

impl Workspace {
    /// Empty, for products in this precision: `f32`, or `bf16` with sums in `f32`.
    pub fn new(precision: Precision) -> Self {
        Self {
            layers: Vec::new(),
            scratch: Scratch {
                rows: Rows::new(precision),
                low: Low::new(precision),
                again: Saved::default(),
                out: Vec::new(),
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
    /// A layer's output.
    out: Vec<f32>,
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

/// Makes `buffer` `len` long. What it holds then is not defined.
fn fit(buffer: &mut Vec<f32>, len: usize) -> &mut [f32] {
    if buffer.len() < len {
        buffer.resize(len, 0.0);
    } else {
        buffer.truncate(len);
    }
    buffer
}
