//! GGUF files: header, block formats, and the names of tensors.
//!
//! It knows the format and the permutation of the `llama` architecture, not what a decoder does with the tensors.

mod blocks;
mod codes;
mod encode;
mod file;
mod header;
mod names;
mod value;
mod write;

pub use blocks::BlockType;
pub use file::GgufWeights;
pub(crate) use file::row_order;
pub use header::{Header, TensorInfo};
pub(crate) use names::{ROPE_FACTORS, gguf_name};
pub(crate) use value::NumberType;
pub use value::{Array, Value};
pub(crate) use write::{Entry, write};
