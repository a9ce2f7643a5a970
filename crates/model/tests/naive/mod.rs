//! The decoder once more, in plain differentiable candle operations and in `f64`: what ours is held against.
#![allow(
    dead_code,
    reason = "each test file is a program of its own and uses a part"
)]

use std::collections::BTreeMap;

use candle_core::{D, DType, Device, Tensor, Var};
use harness_model::{Adapter, Sequences};

use crate::tiny::{
    EPSILON, HEAD_DIM, HEADS, HIDDEN, KV_HEADS, Kind, LAYERS, THETA, Tiny, tokens, wide,
};

/// The weights in `f64`; variables among them get a gradient.
pub struct Naive {
    pub tensors: BTreeMap<String, Tensor>,
    pub kind: Kind,
    /// `α/r` of the adapter.
    pub scale: f64,
    pub lora: BTreeMap<String, Var>,
}

impl Naive {
    /// A frozen decoder with an adapter.
    pub fn adapted(tiny: &Tiny, adapter: &Adapter) -> Self {
        let lora = adapter
            .named_vars()
            .into_iter()
            .map(|(name, var)| {
                let wide = var.as_tensor().to_dtype(DType::F64).unwrap();
                (name, Var::from_tensor(&wide).unwrap())
            })
            .collect();
        Self {
            tensors: wide(tiny),
            kind: tiny.kind,
            scale: f64::from(adapter.config().scale()),
            lora,
        }
    }

    fn linear(&self, x: &Tensor, path: &str) -> Tensor {
        let weight = &self.tensors[&format!("{path}.weight")];
        let mut y = x.matmul(&weight.t().unwrap()).unwrap();
        if let Some(bias) = self.tensors.get(&format!("{path}.bias")) {
            y = y.broadcast_add(bias).unwrap();
        }
        let key = |side| format!("base_model.model.{path}.lora_{side}.weight");
        if let (Some(a), Some(b)) = (self.lora.get(&key("A")), self.lora.get(&key("B"))) {
            let low = x.matmul(&a.t().unwrap()).unwrap();
            let update = low.matmul(&b.t().unwrap()).unwrap();
            y = (y + (update * self.scale).unwrap()).unwrap();
        }
        y
    }

    fn norm(&self, x: &Tensor, name: &str) -> Tensor {
        let mean = x.sqr().unwrap().mean_keepdim(D::Minus1).unwrap();
        let rms = (mean + EPSILON).unwrap().sqrt().unwrap();
        x.broadcast_div(&rms)
            .unwrap()
            .broadcast_mul(&self.tensors[name])
            .unwrap()
    }

    fn loss(&self, ids: &[u32], targets: &[(usize, u32)]) -> Tensor {
        let t = ids.len();
        let half = HEAD_DIM / 2;
        let angle = |p: usize, i: usize| {
            p as f64 * THETA.powf(-2.0 * i as f64 / HEAD_DIM as f64) / self.kind.factor
        };
        let table = |f: fn(f64) -> f64| {
            let data: Vec<f64> = (0..t)
                .flat_map(|p| (0..half).map(move |i| f(angle(p, i))))
                .collect();
            Tensor::from_vec(data, (1, t, half), &Device::Cpu).unwrap()
        };
        let (cos, sin) = (table(f64::cos), table(f64::sin));
        let heads = |x: Tensor, n: usize| {
            x.reshape((t, n, HEAD_DIM))
                .unwrap()
                .transpose(0, 1)
                .unwrap()
                .contiguous()
                .unwrap()
        };
        let rotate = |x: Tensor| {
            let low = x.narrow(2, 0, half).unwrap();
            let high = x.narrow(2, half, half).unwrap();
            let turned_low =
                (low.broadcast_mul(&cos).unwrap() - high.broadcast_mul(&sin).unwrap()).unwrap();
            let turned_high =
                (high.broadcast_mul(&cos).unwrap() + low.broadcast_mul(&sin).unwrap()).unwrap();
            Tensor::cat(&[turned_low, turned_high], 2).unwrap()
        };
        let repeat = |x: Tensor| {
            let parts: Vec<Tensor> = (0..HEADS)
                .map(|h| x.narrow(0, h / (HEADS / KV_HEADS), 1).unwrap())
                .collect();
            Tensor::cat(&parts, 0).unwrap()
        };
        let mask = |window: Option<usize>| {
            let hidden = |i: usize| {
                let (query, key) = (i / t, i % t);
                key > query || window.is_some_and(|window| key + window <= query)
            };
            let mask: Vec<f64> = (0..t * t)
                .map(|i| if hidden(i) { f64::NEG_INFINITY } else { 0.0 })
                .collect();
            Tensor::from_vec(mask, (1, t, t), &Device::Cpu).unwrap()
        };

        let index = Tensor::new(ids, &Device::Cpu).unwrap();
        let embedding = &self.tensors["model.embed_tokens.weight"];
        let mut x = embedding.index_select(&index, 0).unwrap();
        for layer in 0..LAYERS {
            let at = |part: &str| format!("model.layers.{layer}.{part}");
            let h = self.norm(&x, &at("input_layernorm.weight"));
            let normed = |x: Tensor, name: &str| {
                if self.kind.name == "qwen3" {
                    self.norm(&x, &at(name))
                } else {
                    x
                }
            };
            let q = heads(self.linear(&h, &at("self_attn.q_proj")), HEADS);
            let q = rotate(normed(q, "self_attn.q_norm.weight"));
            let k = heads(self.linear(&h, &at("self_attn.k_proj")), KV_HEADS);
            let k = repeat(rotate(normed(k, "self_attn.k_norm.weight")));
            let v = repeat(heads(self.linear(&h, &at("self_attn.v_proj")), KV_HEADS));
            let scores = (q.matmul(&k.t().unwrap()).unwrap() / (HEAD_DIM as f64).sqrt()).unwrap();
            let scores = scores
                .broadcast_add(&mask(self.kind.window_of(layer)))
                .unwrap();
            let weights = candle_nn::ops::softmax(&scores, D::Minus1).unwrap();
            let attended = weights
                .matmul(&v)
                .unwrap()
                .transpose(0, 1)
                .unwrap()
                .reshape((t, HIDDEN))
                .unwrap();
            x = (x + self.linear(&attended, &at("self_attn.o_proj"))).unwrap();
            let h = self.norm(&x, &at("post_attention_layernorm.weight"));
            let gate = self.linear(&h, &at("mlp.gate_proj")).silu().unwrap();
            let up = self.linear(&h, &at("mlp.up_proj"));
            x = (x + self.linear(&(gate * up).unwrap(), &at("mlp.down_proj"))).unwrap();
        }
        let x = self.norm(&x, "model.norm.weight");
        let head = if self.kind.tied {
            "model.embed_tokens.weight"
        } else {
            "lm_head.weight"
        };
        let logits = x.matmul(&self.tensors[head].t().unwrap()).unwrap();
        let logp = candle_nn::ops::log_softmax(&logits, D::Minus1).unwrap();
        targets
            .iter()
            .map(|&(row, id)| {
                logp.get(row)
                    .unwrap()
                    .get(id as usize)
                    .unwrap()
                    .neg()
                    .unwrap()
            })
            .reduce(|a, b| (a + b).unwrap())
            .unwrap()
    }

    /// `Σ −ln p(target)` over the targets of all sequences.
    pub fn batch_loss(&self, batch: &Sequences<'_>) -> Tensor {
        batch
            .starts
            .windows(2)
            .map(|ends| {
                let own: Vec<(usize, u32)> = batch
                    .targets
                    .iter()
                    .filter(|(row, _)| (ends[0]..ends[1]).contains(row))
                    .map(|(row, id)| (row - ends[0], *id))
                    .collect();
                self.loss(&batch.tokens[ends[0]..ends[1]], &own)
            })
            .reduce(|a, b| (a + b).unwrap())
            .unwrap()
    }
}

/// Two sequences of different length, loss on the later tokens of each.
pub fn batch() -> (Vec<u32>, Vec<usize>, Vec<(usize, u32)>) {
    let ids = tokens(11, 23);
    let starts = vec![0, 9, 23];
    let targets = starts
        .windows(2)
        .flat_map(|ends| (ends[0] + 3..ends[1] - 1).map(|row| (row, ids[row + 1])))
        .collect();
    (ids, starts, targets)
}

/// Euclidean norms of `found − expected` and of `expected`.
pub fn distance(found: &Tensor, expected: &Tensor) -> (f64, f64) {
    let norm = |t: &Tensor| {
        let square = t.sqr().unwrap().sum_all().unwrap();
        square.to_scalar::<f64>().unwrap().sqrt()
    };
    let difference = (found.to_dtype(DType::F64).unwrap() - expected).unwrap();
    (norm(&difference), norm(expected))
}
