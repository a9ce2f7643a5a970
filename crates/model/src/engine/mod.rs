//! Prediction: batched decoding over a cache, prompts that begin alike computed once.
//!
//! The result of a prompt is the same bits at any batch size, in any order and however much of it was shared with
//! another, because every kernel treats rows independently.

mod adapter;
mod cache;
mod completion;
mod embed;
mod forward;
mod generate;
mod passes;
mod room;
mod sample;
mod score;

use harness_kernel::KvShape;

pub use adapter::AdapterWeights;
pub use completion::CompletionLoss;
pub(crate) use forward::in_pool;
pub(crate) use generate::PASS;
pub use generate::{Event, GenerateOptions, Generation, StopReason, Work};
pub use room::{Room, room};
pub use sample::{Draws, Sampling, Stream, answer_stream};

use crate::decoder::Decoder;

/// A decoder with an optional adapter, ready to predict.
#[derive(Debug)]
pub struct Engine<'a> {
    decoder: &'a Decoder,
    adapter: Option<&'a AdapterWeights>,
}

impl<'a> Engine<'a> {
    /// Predicts with the frozen weights, plus the adapter where there is one.
    pub fn new(decoder: &'a Decoder, adapter: Option<&'a AdapterWeights>) -> Self {
        Self { decoder, adapter }
    }

    fn kv_shape(&self) -> KvShape {
        let config = &self.decoder.config;
        KvShape {
            layers: config.layers,
            heads: config.heads,
            kv_heads: config.kv_heads,
            head_dim: config.head_dim,
        }
    }
}
