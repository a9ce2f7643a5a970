//! One micro-batch's way through the layers.

use candle_core::{Result, Tensor};

use super::plain::{self, Turns};
use super::{GraphModel, dropout};
use crate::decoder::Sequences;
use crate::lora::{Adapter, Projection};

/// What all layers of a micro-batch share.
pub(super) struct Pass<'a> {
    model: &'a GraphModel,
    adapter: Option<&'a Adapter>,
    dropout: Option<u64>,
    turns: Turns,
    /// First token and length of each sequence that has one.
    spans: Vec<(usize, usize)>,
    /// `[n]` rows that carry loss.
    rows: Tensor,
}

impl<'a> Pass<'a> {
    /// `positions` are those of the tokens within their sequences.
    pub(super) fn new(
        model: &'a GraphModel,
        adapter: Option<&'a Adapter>,
        dropout: Option<u64>,
        batch: &Sequences<'_>,
        positions: &[u32],
    ) -> Result<Self> {
        let frequencies = model.config.rope_frequencies();
        let rows: Vec<u32> = batch.targets.iter().map(|(row, _)| *row as u32).collect();
        let ends = batch.starts.windows(2);
        Ok(Self {
            model,
            adapter,
            dropout,
            turns: Turns::new(&frequencies, positions, model.dtype, &model.device)?,
            spans: ends
                .map(|ends| (ends[0], ends[1] - ends[0]))
                .filter(|(_, length)| *length > 0)
                .collect(),
            rows: Tensor::from_vec(rows, batch.targets.len(), &model.device)?,
        })
    }

    pub(super) fn summed_loss(&self, batch: &Sequences<'_>) -> Result<Tensor> {
        let (model, config) = (self.model, &self.model.config);
        let tokens = Tensor::new(batch.tokens, &model.device)?;
        let table = self.weight("model.embed_tokens.weight");
        let mut x = table.index_select(&tokens, 0)?;
        for layer in 0..config.layers {
            x = self.layer(layer, &x)?;
        }
        let x = plain::rms_norm(&x, self.weight("model.norm.weight"), config.rms_eps)?;
        let head = if config.tied {
            table
        } else {
            self.weight("lm_head.weight")
        };
        let ids: Vec<u32> = batch.targets.iter().map(|(_, id)| *id).collect();
        let ids = Tensor::from_vec(ids, batch.targets.len(), &model.device)?;
        plain::summed_cross_entropy(&plain::linear(&x, head, None)?, &ids)
    }

    /// `x + attention(norm(x))`, then `+ mlp(norm(·))`: `[m, hidden]` in and out, of the last layer only the rows that carry loss.
    fn layer(&self, index: usize, x: &Tensor) -> Result<Tensor> {
        let config = &self.model.config;
        let norm = |x: &Tensor, part: &str| {
            plain::rms_norm(x, self.weight(&of_layer(index, part)), config.rms_eps)
        };
        let linear = |x: &Tensor, projection| self.linear(index, x, projection);
        let heads = |x: Tensor, count: usize| x.reshape(((), count, config.head_dim));

        let h = norm(x, "input_layernorm.weight")?;
        let mut q = heads(linear(&h, Projection::QProj)?, config.heads)?;
        let mut k = heads(linear(&h, Projection::KProj)?, config.kv_heads)?;
        let v = heads(linear(&h, Projection::VProj)?, config.kv_heads)?;
        if config.qk_norm {
            q = norm(&q, "self_attn.q_norm.weight")?;
            k = norm(&k, "self_attn.k_norm.weight")?;
        }
        let (q, k) = (self.turns.rotate(&q)?, self.turns.rotate(&k)?);
        let window = config.window_of(index);
        // Sequences never meet, so none can see another.
        let attended = self
            .spans
            .iter()
            .map(|&(start, length)| {
                let own = |x: &Tensor| x.narrow(0, start, length);
                plain::causal_attention(&own(&q)?, &own(&k)?, &own(&v)?, window)
            })
            .collect::<Result<Vec<_>>>()?;
        let mut attended = Tensor::cat(&attended, 0)?;
        let mut x = x.clone();
        if index + 1 == config.layers {
            attended = attended.index_select(&self.rows, 0)?;
            x = x.index_select(&self.rows, 0)?;
        }
        let x = (x + linear(&attended, Projection::OProj)?)?;

        let h = norm(&x, "post_attention_layernorm.weight")?;
        let gate = linear(&h, Projection::GateProj)?;
        let up = linear(&h, Projection::UpProj)?;
        x + linear(&plain::swiglu(&gate, &up)?, Projection::DownProj)?
    }

    /// `x · Wᵀ + b + s · (dropout(x) · Aᵀ) · Bᵀ`: `[rows, inputs]` in, `[rows, outputs]` out.
    fn linear(&self, layer: usize, x: &Tensor, projection: Projection) -> Result<Tensor> {
        let path = of_layer(layer, &projection.path());
        let bias = self.model.weights.get(&format!("{path}.bias"));
        let y = plain::linear(x, self.weight(&format!("{path}.weight")), bias)?;
        let pair = self
            .adapter
            .and_then(|adapter| adapter.pair(layer, projection));
        let Some((adapter, pair)) = self.adapter.zip(pair) else {
            return Ok(y);
        };
        let probability = adapter.config().dropout;
        let x = match self.dropout.filter(|_| probability > 0.0) {
            None => x.clone(),
            Some(seed) => {
                let (place, shape) = ((layer, projection), x.dims2()?);
                let (dtype, device) = (x.dtype(), x.device());
                (x * dropout::mask(probability, seed, place, shape, dtype, device)?)?
            }
        };
        let low = plain::linear(&x, &pair.a, None)?;
        y + plain::linear(&low, &pair.b, None)?.affine(pair.exact_scale(), 0.0)?
    }

    /// A weight by its name, which the configuration has.
    fn weight(&self, name: &str) -> &Tensor {
        &self.model.weights[name]
    }
}

/// Name of a tensor of layer `index`.
fn of_layer(index: usize, part: &str) -> String {
    format!("model.layers.{index}.{part}")
}
