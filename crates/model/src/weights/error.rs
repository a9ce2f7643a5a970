//! What can be wrong with a file of weights.

use std::path::PathBuf;

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
    /// The weights lack a tensor the model needs.
    #[error("{}: tensor {tensor} is missing", file.display())]
    MissingTensor {
        /// The file or folder.
        file: PathBuf,
        /// The Hugging Face name of the tensor.
        tensor: String,
    },
    /// A GGUF carries a tensor this reader gives no meaning to; ignoring it would change the model.
    #[error("{}: tensor {tensor} is not part of a supported architecture", file.display())]
    UnknownTensor {
        /// The file.
        file: PathBuf,
        /// The name in the file.
        tensor: String,
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
    #[error("{}: tensor {tensor} holds {count} values that are not finite", file.display())]
    NonFinite {
        /// The file.
        file: PathBuf,
        /// The Hugging Face name of the tensor.
        tensor: String,
        /// How many of its values are infinite or not a number.
        count: usize,
    },
    /// The configuration beside or inside the weights is not usable.
    #[error(transparent)]
    Config(#[from] ConfigError),
}
