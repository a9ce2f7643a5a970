//! What can be wrong with an adapter.

use std::path::PathBuf;

use thiserror::Error;

use crate::weights::WeightError;

/// An error of reading or writing an adapter.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum PeftError {
    /// A file could not be read or written.
    #[error("{}: {source}", file.display())]
    Io {
        /// The file.
        file: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The tensors are pickled, which runs a program when it is read.
    #[error("{}: pickled tensors are never read; save the adapter with PEFT's save_pretrained, which writes adapter_model.safetensors", file.display())]
    Pickled {
        /// The file.
        file: PathBuf,
    },
    /// A file is not what it should be.
    #[error("{}: {what}", file.display())]
    Malformed {
        /// The file.
        file: PathBuf,
        /// The fault.
        what: String,
    },
    /// A setting under which our layers would compute something else.
    #[error("{}: {key} = {value} is not supported; supported is {supported}", file.display())]
    Unsupported {
        /// The file.
        file: PathBuf,
        /// The setting.
        key: String,
        /// Its value.
        value: String,
        /// The values that work.
        supported: &'static str,
    },
    /// The tensors could not be read.
    #[error(transparent)]
    Weights(#[from] WeightError),
    /// A tensor is not a `LoRA` matrix.
    #[error("{}: tensor {tensor} is not of the form base_model.model.MODULE.lora_A.weight or .lora_B.weight", file.display())]
    UnknownTensor {
        /// The file.
        file: PathBuf,
        /// The name.
        tensor: String,
    },
    /// A tensor does not have the rank of the settings.
    #[error("{}: tensor {tensor} has shape {found:?} with {values} values, expected {expected}", file.display())]
    WrongShape {
        /// The file.
        file: PathBuf,
        /// The name.
        tensor: String,
        /// The shape the settings ask for.
        expected: String,
        /// The shape found.
        found: Vec<usize>,
        /// How many values there are.
        values: usize,
    },
    /// A tensor of a module the settings do not name.
    #[error("{}: tensor {tensor} belongs to none of the target modules {targets}", file.display())]
    NotATarget {
        /// The file.
        file: PathBuf,
        /// The name.
        tensor: String,
        /// The target modules of the settings.
        targets: String,
    },
    /// One of the two matrices of a module is absent.
    #[error("{}: tensor {tensor} is missing", file.display())]
    MissingTensor {
        /// The file.
        file: PathBuf,
        /// The name.
        tensor: String,
    },
}
