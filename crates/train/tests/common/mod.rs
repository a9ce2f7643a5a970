//! A toy language model on candle variables, small enough to reason about, and seeded data for it.
//! Letters: V vocabulary, D width, T targets.
#![allow(dead_code)]

use std::cell::Cell;

use candle_core::{DType, Device, Result, Tensor, Var};
use harness_train::{Differentiable, DropoutKey, PackedBatch, TrainExample};
use rand::{RngCore, SeedableRng};
use rand_chacha::ChaCha8Rng;

pub const VOCAB: usize = 12;
const WIDTH: usize = 8;

/// p(next | token) = softmax(tanh(E[token]) W + b): a bigram model.
pub struct Toy {
    vars: Vec<(String, Var)>,
    /// Share of the hidden units dropped.
    pub dropout: f64,
    /// Forward passes until the next one fails, as a killed process would.
    pub fails_in: Cell<Option<usize>>,
    /// A target token whose loss is NaN.
    pub poison: Option<u32>,
    /// Cuts the bias off the graph.
    pub detach_bias: bool,
}

impl Toy {
    pub fn new(dtype: DType) -> Self {
        let mut random = ChaCha8Rng::seed_from_u64(7);
        let mut var = |name: &str, shape: &[usize]| {
            let count = shape.iter().product();
            let values = (0..count).map(|_| unit(&mut random) - 0.5).collect();
            let tensor = Tensor::from_vec::<_, f64>(values, shape, &Device::Cpu).unwrap();
            let var = Var::from_tensor(&tensor.to_dtype(dtype).unwrap()).unwrap();
            (name.to_owned(), var)
        };
        // Not in the order of their names: the trainer is to sort them itself.
        let vars = vec![
            var("out.weight", &[WIDTH, VOCAB]),
            var("embed", &[VOCAB, WIDTH]),
            var("out.bias", &[VOCAB]),
        ];
        Self {
            vars,
            dropout: 0.0,
            fails_in: Cell::new(None),
            poison: None,
            detach_bias: false,
        }
    }

    /// All weights as bits, by the order of declaration.
    pub fn bits(&self) -> Vec<u64> {
        self.vars
            .iter()
            .flat_map(|(_, var)| {
                let wide = var.flatten_all().unwrap().to_dtype(DType::F64).unwrap();
                wide.to_vec1::<f64>().unwrap()
            })
            .map(f64::to_bits)
            .collect()
    }

    fn keep(&self, key: DropoutKey, shape: (usize, usize), dtype: DType) -> Result<Tensor> {
        let mut random = ChaCha8Rng::seed_from_u64(key.seed);
        let scale = 1.0 / (1.0 - self.dropout);
        let values = (0..shape.0 * shape.1)
            .map(|_| {
                if unit(&mut random) < self.dropout {
                    0.0
                } else {
                    scale
                }
            })
            .collect::<Vec<f64>>();
        Tensor::from_vec(values, shape, &Device::Cpu)?.to_dtype(dtype)
    }
}

impl Differentiable for Toy {
    fn named_vars(&self) -> Vec<(String, Var)> {
        self.vars.clone()
    }

    fn summed_loss(&self, batch: &PackedBatch, dropout: Option<DropoutKey>) -> Result<Tensor> {
        if let Some(left) = self.fails_in.get() {
            if left == 0 {
                candle_core::bail!("killed");
            }
            self.fails_in.set(Some(left - 1));
        }
        let [weight, embed, bias] = [0, 1, 2].map(|i| self.vars[i].1.as_tensor().clone());
        let bias = if self.detach_bias {
            bias.detach()
        } else {
            bias
        };
        let count = batch.targets.len();
        let inputs: Vec<u32> = batch.targets.iter().map(|t| batch.tokens[t.0]).collect();
        let targets: Vec<u32> = batch.targets.iter().map(|t| t.1).collect();
        let poisoned = self.poison.is_some_and(|token| targets.contains(&token));
        let inputs = Tensor::from_vec(inputs, count, &Device::Cpu)?;
        let targets = Tensor::from_vec(targets, (count, 1), &Device::Cpu)?;
        // [T, D]
        let mut hidden = embed.index_select(&inputs, 0)?.tanh()?;
        if let Some(key) = dropout.filter(|_| self.dropout > 0.0) {
            hidden = (hidden * self.keep(key, (count, WIDTH), embed.dtype())?)?;
        }
        // [T, V]
        let logits = hidden.matmul(&weight)?.broadcast_add(&bias)?;
        let shifted = logits.broadcast_sub(&logits.max_keepdim(1)?.detach())?;
        let log_sum = shifted.exp()?.sum_keepdim(1)?.log()?;
        let loss = (log_sum - shifted.gather(&targets, 1)?)?.sum_all()?;
        if poisoned { loss * f64::NAN } else { Ok(loss) }
    }
}

/// A number in [0, 1).
pub fn unit(random: &mut ChaCha8Rng) -> f64 {
    (random.next_u64() >> 11) as f64 / (1_u64 << 53) as f64
}

/// A whole number in `from..to`.
pub fn within(random: &mut ChaCha8Rng, from: usize, to: usize) -> usize {
    from + (random.next_u64() % (to - from) as u64) as usize
}

/// `count` examples `e0, e1, …` with prompts of 1 to 6 tokens and completions of 1 to 5.
pub fn examples(count: usize, seed: u64) -> Vec<TrainExample> {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    (0..count)
        .map(|index| {
            let mut tokens = |from, to| {
                let length = within(&mut random, from, to);
                (0..length)
                    .map(|_| within(&mut random, 0, VOCAB) as u32)
                    .collect()
            };
            TrainExample {
                id: format!("e{index}"),
                prompt: tokens(1, 7),
                completion: tokens(1, 6),
            }
        })
        .collect()
}
