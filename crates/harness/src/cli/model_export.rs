//! Arguments of `model merge` and `model export`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

/// Arguments of `model merge`.
#[derive(Debug, Args)]
pub struct ModelMergeArgs {
    /// A part of `configs/model`, a YAML file like those, or a file or folder with a model.
    #[arg(value_name = "MODEL")]
    pub model: String,
    /// Folder of the adapter, in PEFT's format, as `harness train` leaves it; without one the base model is written.
    #[arg(long, value_name = "FOLDER")]
    pub adapter: Option<PathBuf>,
    /// Folder to write: model.safetensors, config.json and the tokenizer's files.
    #[arg(long, value_name = "FOLDER")]
    pub out: PathBuf,
    /// Number format of the weights.
    #[arg(long = "type", value_name = "TYPE", default_value = "bf16")]
    pub kind: FolderType,
    /// Print what was shown of the result as JSON.
    #[arg(long)]
    pub json: bool,
}

/// Number formats of a folder.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum FolderType {
    /// 16 bits, 8 of them for the exponent.
    Bf16,
    /// 32 bits: exactly base plus adapter.
    F32,
}

/// Arguments of `model export`.
#[derive(Debug, Args)]
pub struct ModelExportArgs {
    /// A part of `configs/model`, a YAML file like those, or a file or folder with a model.
    #[arg(value_name = "MODEL")]
    pub model: String,
    /// Folder of an adapter in PEFT's format that is merged into the weights.
    #[arg(long, value_name = "FOLDER")]
    pub adapter: Option<PathBuf>,
    /// GGUF file to write.
    #[arg(long, value_name = "FILE")]
    pub out: PathBuf,
    /// Number format of the matrices; norms and biases stay exact.
    #[arg(long = "type", value_name = "TYPE", default_value = "f16")]
    pub kind: FileType,
    /// Print what was shown of the result as JSON.
    #[arg(long)]
    pub json: bool,
}

/// Number formats of a GGUF file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum FileType {
    /// 32 bits.
    F32,
    /// 16 bits, 5 of them for the exponent.
    F16,
    /// 16 bits, 8 of them for the exponent.
    Bf16,
    /// 8 bits with a scale for every 32.
    #[value(name = "q8_0")]
    Q8_0,
}
