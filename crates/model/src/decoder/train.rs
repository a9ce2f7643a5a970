//! The forward pass that gradients flow through: token sequences in, summed loss out.

use std::sync::Arc;

use candle_core::{Device, Tensor};
use harness_kernel::AttentionShape;

use super::{Decoder, Layer};
use crate::config::ModelConfig;
use crate::error::ModelError;
use crate::lora::{Adapter, Projection};
use crate::ops::{self, Dropout};

/// Sequences laid end to end, without padding, and the tokens that carry loss.
#[derive(Debug, Clone, Copy)]
pub struct Sequences<'a> {
    /// All tokens, `m` of them.
    pub tokens: &'a [u32],
    /// First token of each sequence, and `m` at the end: rising.
    pub starts: &'a [usize],
    /// `(row, id)`: the output at `row` is to predict `id`.
    pub targets: &'a [(usize, u32)],
}

impl Sequences<'_> {
    /// The position of every token within its sequence, in a model with `context` positions.
    ///
    /// # Errors
    /// If a token or target does not fit the vocabulary, a sequence does not fit the context, or a target has no row.
    pub(crate) fn positions(
        &self,
        config: &ModelConfig,
        context: usize,
    ) -> Result<Vec<u32>, ModelError> {
        let mut positions = Vec::with_capacity(self.tokens.len());
        for ends in self.starts.windows(2) {
            let length = ends[1] - ends[0];
            if length > context {
                return Err(ModelError::TooLong {
                    tokens: length,
                    context,
                });
            }
            positions.extend(0..length as u32);
        }
        let fit = positions.len() == self.tokens.len();
        if let Some(&(row, _)) = self
            .targets
            .iter()
            .find(|(row, _)| !fit || *row >= positions.len())
        {
            return Err(ModelError::NoSuchRow {
                row,
                rows: positions.len(),
            });
        }
        let vocabulary = config.vocab_size;
        let targets = self.targets.iter().map(|(_, id)| id);
        match self
            .tokens
            .iter()
            .chain(targets)
            .find(|id| **id as usize >= vocabulary)
        {
            Some(&id) => Err(ModelError::TokenOutOfRange { id, vocabulary }),
            None => Ok(positions),
        }
    }
}

impl Decoder {
    /// `Σ −ln p(target)` in nats over all targets, as a scalar tensor that backpropagates to the adapter.
    /// `dropout` names the random stream of this micro-batch; `None` switches dropout off.
    ///
    /// # Errors
    /// If a token does not fit the vocabulary, a sequence does not fit the context, or the adapter does not fit.
    pub fn summed_loss(
        &self,
        adapter: Option<&Adapter>,
        batch: &Sequences<'_>,
        dropout: Option<u64>,
    ) -> Result<Tensor, ModelError> {
        let Sequences {
            tokens,
            starts,
            targets,
        } = *batch;
        let positions = batch.positions(&self.config, self.context())?;
        let pass = Pass {
            decoder: self,
            adapter,
            dropout,
            positions: Arc::new(positions),
            attention: attention_shapes(&self.config, starts).map(Arc::new),
        };
        let rows: Vec<u32> = targets.iter().map(|(row, _)| *row as u32).collect();
        let rows = Tensor::from_vec(rows, targets.len(), &Device::Cpu)?;
        let hidden = self.config.hidden;
        let mut x = Tensor::from_vec(self.embed(tokens)?, (tokens.len(), hidden), &Device::Cpu)?;
        for index in 0..self.layers.len() {
            // Behind the last attention only the rows that carry loss are of use.
            let keep = (index + 1 == self.layers.len()).then_some(&rows);
            x = pass.layer(index, &x, keep)?;
        }
        let epsilon = self.config.rms_eps as f32;
        let x = ops::rms_norm(&x, &self.norm, epsilon)?;
        let ids = targets.iter().map(|(_, id)| *id).collect();
        Ok(ops::summed_cross_entropy(&x, &self.head, ids)?)
    }
}

/// Of layers that see all positions before them, and of those that slide, over sequences that begin at `starts`.
pub(crate) fn attention_shapes(config: &ModelConfig, starts: &[usize]) -> [AttentionShape; 2] {
    [false, true].map(|slides| AttentionShape {
        heads: config.heads,
        kv_heads: config.kv_heads,
        head_dim: config.head_dim,
        starts: starts.to_vec(),
        window: config
            .window
            .as_ref()
            .filter(|_| slides)
            .map(|it| it.tokens),
    })
}

struct Pass<'a> {
    decoder: &'a Decoder,
    adapter: Option<&'a Adapter>,
    dropout: Option<u64>,
    positions: Arc<Vec<u32>>,
    /// Of layers that see all positions before them, and of those that slide.
    attention: [Arc<AttentionShape>; 2],
}

impl Pass<'_> {
    /// `x + attention(norm(x))`, then `+ mlp(norm(·))`, of the rows in `keep` only where given.
    fn layer(
        &self,
        index: usize,
        x: &Tensor,
        keep: Option<&Tensor>,
    ) -> candle_core::Result<Tensor> {
        let layer = &self.decoder.layers[index];
        let epsilon = self.decoder.config.rms_eps as f32;
        let linear = |x: &Tensor, projection| self.linear(index, layer, x, projection);
        let rotate = |x: &Tensor| ops::rotate(x, &self.decoder.rope, &self.positions);

        let h = ops::rms_norm(x, &layer.input_norm, epsilon)?;
        let (mut q, mut k) = (
            linear(&h, Projection::QProj)?,
            linear(&h, Projection::KProj)?,
        );
        if let Some(norms) = &layer.qk_norm {
            q = norm_heads(&q, &norms.q, epsilon)?;
            k = norm_heads(&k, &norms.k, epsilon)?;
        }
        let (q, k) = (rotate(&q)?, rotate(&k)?);
        let v = linear(&h, Projection::VProj)?;
        let slides = self.decoder.config.window_of(index).is_some();
        let shape = &self.attention[usize::from(slides)];
        let mut attended = ops::causal_attention(&q, &k, &v, shape)?;
        let mut x = x.clone();
        if let Some(rows) = keep {
            attended = attended.index_select(rows, 0)?;
            x = x.index_select(rows, 0)?;
        }
        let x = (x + linear(&attended, Projection::OProj)?)?;

        let h = ops::rms_norm(&x, &layer.post_attention_norm, epsilon)?;
        let gate = linear(&h, Projection::GateProj)?;
        let up = linear(&h, Projection::UpProj)?;
        let activated = ops::swiglu(&gate, &up)?;
        x + linear(&activated, Projection::DownProj)?
    }

    fn linear(
        &self,
        index: usize,
        layer: &Layer,
        x: &Tensor,
        projection: Projection,
    ) -> candle_core::Result<Tensor> {
        let lora = self.adapter.and_then(|adapter| {
            let pair = adapter.pair(index, projection)?;
            Some((pair, pair.scale))
        });
        let dropout = self
            .adapter
            .zip(self.dropout)
            .map(|(adapter, seed)| Dropout {
                probability: adapter.config().dropout,
                // Every layer and projection of a micro-batch draws from a stream of its own.
                seed: seed
                    .wrapping_mul(0x9E37_79B9_7F4A_7C15)
                    .wrapping_add((index * 7 + projection as usize) as u64),
            });
        ops::linear(x, layer.projection(projection), lora, dropout)
    }
}

/// Normalises each head of each row of `x` (`[m, heads · d]`) with a weight of `[d]`.
fn norm_heads(x: &Tensor, weight: &Arc<Vec<f32>>, epsilon: f32) -> candle_core::Result<Tensor> {
    let heads = x.reshape(((), weight.len()))?;
    ops::rms_norm(&heads, weight, epsilon)?.reshape(x.shape())
}
