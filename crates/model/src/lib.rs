//! Decoder language models: weights, tokenizer and chat template in, logits out.

pub mod chat;
pub mod config;
mod digest;
pub mod peft;
pub mod source;
pub mod tokenizer;
pub mod weights;
