//! GGUF files: header, block formats, and the names of tensors.
//!
//! It knows the format and the permutation of the `llama` architecture, not what a decoder does with the tensors.

mod blocks;
mod file;
mod header;
mod names;
mod value;

pub use blocks::BlockType;
pub use file::GgufWeights;
pub use header::{Header, TensorInfo};
pub use value::{Array, Value};
