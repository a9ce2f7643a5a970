//! What can be wrong with a file of weights.

use std::path::{Path, PathBuf};

use thiserror::Error;

use crate::config::ConfigError;

/// An error of opening or reading weights; each names the file, and the tensor or key where there is one.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum WeightError {
    /// The file or folder could not be read.
    #[error("{}: {source}", file.display())]
    Io {
        /// The file or folder.
        file: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The path is neither a GGUF file, a safetensors file, nor a folder that holds safetensors.
    #[error("{}: no weights here; expected a .gguf file, a .safetensors file, or a folder with model.safetensors or model.safetensors.index.json", file.display())]
    NotWeights {
        /// The path given.
        file: PathBuf,
    },
    /// The frozen weights are to stay blocks, and the file has none.
    #[error("{}: no GGUF file, so there are no blocks to keep; take base: plain, or, to train in four bits, train.base: nf4", file.display())]
    NoBlocks {
        /// The file or folder.
        file: PathBuf,
    },
    /// The file does not begin or continue as its format demands.
    #[error("{}: malformed {format}: {what}", file.display())]
    Malformed {
        /// The file.
        file: PathBuf,
        /// `GGUF`, `safetensors` or `safetensors index`.
        format: &'static str,
        /// What was expected and what was found.
        what: String,
    },
    /// The file ends before the data its header announces.
    #[error("{}: truncated: {what} ends at byte {expected}, but the file has {found} bytes; fetch it again", file.display())]
    Truncated {
        /// The file.
        file: PathBuf,
        /// The part that does not fit.
        what: String,
        /// Bytes the file needs.
        expected: u64,
        /// Bytes the file has.
        found: u64,
    },
    /// The index names a shard that is not there.
    #[error("{}: shard {shard} is not here, which tensor {tensor} should be in; fetch it", index.display())]
    MissingShard {
        /// The index.
        index: PathBuf,
        /// The file name of the shard.
        shard: String,
        /// A tensor that the index says is in it, the first by name.
        tensor: String,
    },
    /// A tensor is there twice: in one header, in two shards, or in an index.
    #[error("{}: tensor {tensor} stands here twice; expected once{}", file.display(), within(other.as_deref()))]
    Twice {
        /// The file that holds the second.
        file: PathBuf,
        /// The name in the file.
        tensor: String,
        /// The file that holds the first, if it is another.
        other: Option<PathBuf>,
    },
    /// The index says that a tensor is in another shard than the one it is in.
    #[error("{}: tensor {tensor} is in shard {found}, expected by the index in {expected}", index.display())]
    OtherShard {
        /// The index.
        index: PathBuf,
        /// The tensor.
        tensor: String,
        /// The shard that the index names.
        expected: String,
        /// The shard that holds it.
        found: String,
    },
    /// Two tensors share bytes of the file.
    #[error("{}: tensor {tensor} begins at byte {found}, expected {expected} or later, where tensor {other} ends", file.display())]
    Overlap {
        /// The file.
        file: PathBuf,
        /// The tensor that begins later.
        tensor: String,
        /// The tensor that begins earlier.
        other: String,
        /// End of the earlier, in bytes from the beginning of the file.
        expected: u64,
        /// Begin of the later.
        found: u64,
    },
    /// The bytes a tensor has are not those of its shape and type.
    #[error("{}: tensor {tensor} has {found} bytes, expected {expected} for {dtype} {shape:?}", file.display())]
    WrongSize {
        /// The file.
        file: PathBuf,
        /// The tensor.
        tensor: String,
        /// Its number format.
        dtype: String,
        /// Its shape, outermost dimension first.
        shape: Vec<usize>,
        /// Bytes of such a tensor.
        expected: u64,
        /// Bytes it has.
        found: u64,
    },
    /// The weights lack a tensor the model needs.
    #[error("{}: tensor {tensor} is missing", file.display())]
    MissingTensor {
        /// The file or folder.
        file: PathBuf,
        /// The Hugging Face name of the tensor.
        tensor: String,
    },
    /// A file carries a tensor this reader gives no meaning to; ignoring it would change the model.
    #[error("{}: tensor {tensor} is not part of a supported architecture", file.display())]
    UnknownTensor {
        /// The file.
        file: PathBuf,
        /// The name in the file.
        tensor: String,
    },
    /// A tensor that the model has no place for; ignoring it would change the model.
    #[error("{}: tensor {tensor} has no place in the model of {layers} layers that the configuration describes", file.display())]
    Surplus {
        /// The file or folder.
        file: PathBuf,
        /// The Hugging Face name of the tensor.
        tensor: String,
        /// Layers of the configuration.
        layers: usize,
    },
    /// The tensor has another shape than the model needs.
    #[error("{}: tensor {tensor} has shape {found:?}, expected {expected:?}", file.display())]
    WrongShape {
        /// The file or folder.
        file: PathBuf,
        /// The Hugging Face name of the tensor.
        tensor: String,
        /// The shape the model needs, outermost dimension first.
        expected: Vec<usize>,
        /// The shape in the file, outermost dimension first.
        found: Vec<usize>,
    },
    /// The element type is not one this reader decodes.
    #[error("{}: tensor {tensor} has type {found}, supported are {supported}", file.display())]
    UnsupportedType {
        /// The file.
        file: PathBuf,
        /// The name in the file.
        tensor: String,
        /// The type found.
        found: String,
        /// The supported types.
        supported: &'static str,
    },
    /// Some values are infinite or not numbers.
    #[error("{}: tensor {tensor} holds {count} values that are not finite, the first at index {first}", file.display())]
    NonFinite {
        /// The file.
        file: PathBuf,
        /// The Hugging Face name of the tensor.
        tensor: String,
        /// How many of its values are infinite or not a number.
        count: usize,
        /// Row-major index of the first of them, in the layout of the checkpoint.
        first: usize,
    },
    /// The configuration beside or inside the weights is not usable.
    #[error(transparent)]
    Config(#[from] ConfigError),
}

fn within(other: Option<&Path>) -> String {
    other.map_or_else(String::new, |file| {
        format!(", it is in {} too", file.display())
    })
}
