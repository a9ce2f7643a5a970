//! How much memory answers will take, told before anything is loaded.

use harness_kernel::{KvShape, PAGE, Precision};
use serde::Serialize;

use super::generate::PASS;
use crate::config::ModelConfig;
use crate::decoder::MAX_POSITIONS;
use crate::weights::{Base, Weights};

/// Memory of answering, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Room {
    /// The weights as they are kept, with the tables of positions.
    pub weights: u64,
    /// Keys and values, if every answer is as long as it may be.
    pub cache: u64,
    /// Activations and logits.
    pub rest: u64,
}

impl Room {
    /// All of it.
    pub fn total(&self) -> u64 {
        self.weights + self.cache + self.rest
    }
}

/// The memory of answering `prompts`, `batch` of them together, in up to `max_new_tokens` each.
///
/// - Weights: what the matrices of the file become. Values that are not known to be bfloat16 count as `f32` in that precision.
/// - Keys and values: of `batch` neighbours in the order in which prompts are begun, the pages that hold them, those that begin alike counted once,
///   and their answers' at full length. The most of all neighbours.
/// - The rest: of the tokens of a pass `3h + 2a + 2c + 3i` activations and the widest of them once more as a factor of products; a row of
///   logits for each prompt. Letters as in [`crate::memory`].
pub fn room(
    weights: &Weights,
    precision: Precision,
    base: Base,
    prompts: &[Vec<u32>],
    batch: usize,
    max_new_tokens: usize,
) -> Room {
    let config = weights.config();
    let shape = KvShape {
        layers: config.layers,
        heads: config.heads,
        kv_heads: config.kv_heads,
        head_dim: config.head_dim,
    };
    let longest = prompts.iter().map(Vec::len).max().unwrap_or(0);
    let context = config.context.min(MAX_POSITIONS);
    let batch = batch.min(prompts.len());
    let pages = pages(prompts, batch, max_new_tokens, context);
    let positions = context as u64 * config.head_dim as u64 * 4;
    Room {
        weights: weights.kept_bytes(precision, base) + positions,
        cache: (pages * shape.page_bytes()) as u64,
        rest: activations(config, (longest * batch).clamp(batch, PASS))
            + 4 * (batch * config.vocab_size) as u64,
    }
}

/// Activations of a pass of so many tokens, with the widest as three parts of a product's factor.
fn activations(config: &ModelConfig, tokens: usize) -> u64 {
    let queries = config.heads * config.head_dim;
    let keys = config.kv_heads * config.head_dim;
    let (hidden, inner) = (config.hidden, config.intermediate);
    let values = 3 * hidden + 2 * queries + 2 * keys + 3 * inner;
    let widest = hidden.max(queries).max(inner);
    (tokens * (4 * values + 6 * widest)) as u64
}

/// Pages that `batch` neighbours take at most, each with its answer.
fn pages(prompts: &[Vec<u32>], batch: usize, max_new_tokens: usize, context: usize) -> usize {
    let mut order: Vec<&[u32]> = prompts
        .iter()
        .map(Vec::as_slice)
        .filter(|prompt| prompt.len() < context)
        .collect();
    order.sort_unstable();
    let all = |prompt: &[u32]| (prompt.len() + max_new_tokens).min(context).div_ceil(PAGE);
    let shared: Vec<usize> = (0..order.len())
        .map(|at| {
            let Some(before) = at.checked_sub(1).map(|before| order[before]) else {
                return 0;
            };
            let alike = before.iter().zip(order[at]).take_while(|(a, b)| a == b);
            alike.count().min(order[at].len() - 1) / PAGE
        })
        .collect();
    let own: Vec<usize> = order
        .iter()
        .zip(&shared)
        .map(|(prompt, shared)| all(prompt) - shared)
        .collect();
    let mut most = 0;
    let mut window: usize = own.iter().take(batch).sum();
    for first in 0..order.len() {
        if first > 0 {
            window -= own[first - 1];
            window += own.get(first + batch - 1).copied().unwrap_or(0);
        }
        // The first of them holds what it shares with one that is gone.
        most = most.max(window + shared[first]);
    }
    most
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_of_neighbours_count_what_they_share_once() {
        let shared: Vec<u32> = (0..5 * PAGE as u32).collect();
        let prompts: Vec<Vec<u32>> = (0..3)
            .map(|last| [&shared[..], &[900 + last]].concat())
            .collect();
        // Five shared pages, and one each for the last token of the prompt and up to 31 of the answer.
        assert_eq!(pages(&prompts, 1, 31, 9999), 6);
        assert_eq!(pages(&prompts, 2, 31, 9999), 7);
        assert_eq!(pages(&prompts, 3, 31, 9999), 8);
        assert_eq!(pages(&prompts, 8, 32, 9999), 11);
        // Another one that begins differently, and one that does not fit.
        let mut more = prompts.clone();
        more.push(vec![5; 4 * PAGE]);
        more.push(vec![5; 300]);
        assert_eq!(pages(&more, 2, 31, 300), 6 + 5);
        assert_eq!(pages(&[], 0, 31, 300), 0);
    }
}
