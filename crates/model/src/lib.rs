//! Decoder language models: weights, tokenizer and chat template in, logits out.

#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used))]

mod buffer;
pub mod chat;
pub mod check;
pub mod config;
mod decoder;
mod digest;
mod engine;
mod error;
pub mod export;
mod full;
pub mod graph;
mod linear;
mod lora;
pub mod memory;
pub mod peft;
pub mod source;
mod sweep;
pub mod tokenizer;
mod values;
pub mod weights;

pub use config::ModelConfig;
pub use decoder::{Decoder, Sequences};
pub use engine::{
    AdapterWeights, CompletionLoss, Draws, Engine, Event, GenerateOptions, Generation, Room,
    Sampling, StopReason, Stream, Work, answer_stream, room,
};
pub use error::ModelError;
pub use full::FullModel;
pub use harness_kernel::{
    InterruptWatch, Precision, keep_candle_on_one_thread, keep_freed_memory, watch_interrupts,
};
pub use linear::Linear;
pub use lora::{Adapter, LoraConfig, LoraPair, Projection};
pub use sweep::{LoraGradients, Sweep, Workspace};
