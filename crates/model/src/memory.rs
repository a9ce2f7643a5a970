//! How much memory a model needs, from its configuration alone: to answer, and to be trained.
//!
//! The figures are of what is alive at the same time, in bytes. What a program takes beside them (its code, the tokenizer,
//! what the allocator keeps) is not in them; measured runs are within 30 %, most within 12 % (`crates/model/tests/footprint.rs`).
//! Letters: `L` tokens of a sequence, `B` sequences, `m = L · B`, `h` hidden, `a` heads · d, `c` key heads · d,
//! `i` intermediate, `V` vocabulary, `N` parameters.

use harness_kernel::{KvShape, PAGE, Precision};
use serde::Serialize;

use crate::config::ModelConfig;
use crate::decoder::MAX_POSITIONS;
use crate::engine::PASS;
use crate::full;
use crate::lora::Projection;
use crate::weights::Base;

/// What the memory is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Workload {
    /// Tokens of a sequence, prompt and answer.
    pub length: usize,
    /// Sequences that are worked on together.
    pub batch: usize,
    /// Rank of a `LoRA` adapter of all seven projections.
    pub rank: usize,
    /// How frozen weights are kept.
    pub precision: Precision,
    /// How those of the layers' projections are kept while an adapter is trained.
    pub base: Base,
}

/// Memory in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Memory {
    /// Frozen weights as they are packed, with the tables of positions.
    pub weights: u64,
    /// Keys and values of all sequences, while answering.
    pub cache: u64,
    /// The whole of answering.
    pub inference: u64,
    /// The whole of training a `LoRA` adapter, without dropout.
    pub lora: u64,
    /// The same where each layer's activations are computed again instead of being kept.
    pub lora_recomputed: u64,
    /// The whole of training all weights.
    pub full: u64,
}

/// Number of values in all weights; a head that is the embedding counts once.
pub fn parameters(config: &ModelConfig) -> u64 {
    full::shapes(config)
        .map(|(_, shape)| shape.iter().map(|n| *n as u64).product::<u64>())
        .sum()
}

/// Number of values in a `LoRA` adapter of this rank of all seven projections: `Σ r (inputs + outputs)`.
pub fn lora_parameters(config: &ModelConfig, rank: usize) -> u64 {
    let layer: usize = Projection::ALL
        .iter()
        .map(|it| {
            let (outputs, inputs) = it.shape(config);
            rank * (outputs + inputs)
        })
        .sum();
    (config.layers * layer) as u64
}

/// The memory of a workload.
///
/// - Weights: a matrix `[n, k]` takes `⌈n/32⌉ · 32 · k` values of 2 (bfloat16) or 4 bytes; vectors are `f32`, and so
///   are the tables of positions, `d` values a position.
/// - Answering: the weights; `B + 1` caches of `L` positions (one is the prompt that rows share); the activations of the
///   512 tokens that are computed at a time, `3h + 2a + 2c + 3i` values each; `B · V` logits.
/// - `LoRA`: the weights, and those of the layers and of the head once more for the backward pass (projections in four bits
///   are there once, and take 4.5 bits a value; those in blocks at most 8.5); 5 values for each of the
///   adapter's (itself, gradient and that transposed, two moments) and its four packed forms; for each token and layer
///   `2h + 2a + 2c + 2i + 7r` values that the backward pass needs (`h` alone where they are computed again); one layer's
///   gradients, `5h + 2a + 3c + i`, and factors of products; the logits of 64 rows or of 64 MiB with their gradients. A factor
///   takes 6 bytes a value in `f32`, 2 in bfloat16.
/// - All weights: 5 values for each parameter (itself, gradient, that again scaled, two moments), or, where it is more,
///   4 of them with the activations, `4h + 2a + 2c + 3i` values for each token and layer, and the head packed twice.
pub fn memory(config: &ModelConfig, workload: &Workload) -> Memory {
    let length = workload.length.min(config.context);
    let tokens = (length * workload.batch) as u64;
    let hidden = config.hidden as u64;
    let queries = (config.heads * config.head_dim) as u64;
    let keys = (config.kv_heads * config.head_dim) as u64;
    let inner = config.intermediate as u64;
    let vocabulary = config.vocab_size as u64;
    let layers = config.layers as u64;

    let packed = |outputs: usize, inputs: usize| {
        let bytes = match workload.precision {
            Precision::Bf16 => 2,
            Precision::F32 => 4,
        };
        (outputs.next_multiple_of(PANEL) * inputs) as u64 * bytes
    };
    let (mut forward, mut backward, mut plain) = (0, 0, 0);
    for (name, shape) in full::shapes(config) {
        if let [outputs, inputs] = shape[..] {
            let kept = packed(outputs, inputs);
            forward += kept;
            if name.contains("_proj.") && workload.base != Base::Plain {
                plain += kept;
                backward += match workload.base {
                    Base::Nf4 => outputs * (inputs.div_ceil(32) * 16 + 4 * inputs.div_ceil(64)),
                    // The largest of them, eight bits and a scale for 32.
                    _ => outputs * inputs.div_ceil(32) * 34,
                } as u64;
            } else if config.tied || !name.contains("embed_tokens") {
                // The embedding has no backward pass where the head is another matrix.
                backward += packed(inputs, outputs);
            }
        } else {
            forward += 4 * shape.iter().map(|n| *n as u64).product::<u64>();
        }
    }
    let positions = config.context.min(MAX_POSITIONS) as u64;
    let weights = forward + 4 * positions * config.head_dim as u64;

    let shape = KvShape {
        layers: config.layers,
        heads: config.heads,
        kv_heads: config.kv_heads,
        head_dim: config.head_dim,
    };
    let cache = (workload.batch as u64 + 1) * (length.div_ceil(PAGE) * shape.page_bytes()) as u64;
    let prefill = (length as u64).min(PASS as u64);
    let running = 4 * prefill * (3 * hidden + 2 * queries + 2 * keys + 3 * inner);
    let inference = weights + cache + running + 4 * workload.batch as u64 * vocabulary;

    let rank = workload.rank as u64;
    let part = match workload.precision {
        Precision::Bf16 => 2,
        Precision::F32 => 6,
    };
    let input = 4 * tokens * hidden;
    let kept = 4 * tokens * (hidden + 2 * queries + 2 * keys + 2 * inner + 7 * rank);
    let widest = hidden.max(queries).max(inner);
    let own = tokens * (4 * (4 * hidden + 2 * queries + 3 * keys + inner) + part * (widest + 32));
    let stretch = ((LOGITS / vocabulary).max(LOSS_ROWS) / LOSS_ROWS * LOSS_ROWS).min(tokens);
    let logits = stretch * vocabulary * (4 + part);
    let adapter = lora_parameters(config, workload.rank);
    let padded = lora_parameters(config, workload.rank.next_multiple_of(PANEL));
    let adapter = 20 * adapter + 4 * (adapter + padded);
    let fixed = weights - plain + backward + adapter + own + logits;
    let lora = fixed + layers * (input + kept) + input;
    let lora_recomputed = fixed + layers * input + kept + 2 * input;

    let values = 4 * parameters(config);
    let kept = 4 * tokens * (4 * hidden + 2 * queries + 2 * keys + 3 * inner);
    let head = 2 * 4 * vocabulary * hidden;
    let full = 4 * values + values.max((layers + 1) * kept + head);

    Memory {
        weights,
        cache,
        inference,
        lora,
        lora_recomputed,
        full,
    }
}

/// Outputs of a panel of packed weights.
const PANEL: usize = 32;
/// Logits that are in memory at a time in training, unless those of [`LOSS_ROWS`] rows are more.
const LOGITS: u64 = 1 << 24;
/// Rows whose loss is computed together at least.
const LOSS_ROWS: u64 = 64;
