//! A model, with or without an adapter in it, as files for others: a folder in Hugging Face layout, or one GGUF file.
//!
//! An export proves itself before it takes its name: what is written is opened again and has to compute, to the bit,
//! what the rounded weights compute in memory; and base plus adapter have to compute what the merged weights do.

mod folder;
mod gguf;
mod merged;
mod proof;
mod rounded;
mod vocabulary;

use std::path::{Path, PathBuf};

pub use merged::Merged;
pub use proof::{Closeness, Proof};

use crate::chat::ChatTemplate;
use crate::error::ModelError;
use crate::lora::Adapter;
use crate::tokenizer::{Tokenizer, TokenizerError};
use crate::weights::gguf::BlockType;
use crate::weights::{WeightError, Weights};
use harness_kernel::Precision;

/// What is exported.
#[derive(Debug, Clone, Copy)]
pub struct Source<'a> {
    /// The base model.
    pub weights: &'a Weights,
    /// What is added to its weights.
    pub adapter: Option<&'a Adapter>,
    /// Its vocabulary.
    pub tokenizer: &'a Tokenizer,
    /// Its chat template, where it has one.
    pub chat: Option<&'a ChatTemplate>,
    /// Name of the model in the file.
    pub name: &'a str,
}

/// What an export is doing, for a progress display: a step and how far it is.
pub type Progress<'a> = dyn FnMut(&str, usize, usize) + 'a;

/// An error of an export.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ExportError {
    /// A weight, an adapter or a computation.
    #[error(transparent)]
    Model(Box<ModelError>),
    /// The vocabulary can't be read again.
    #[error(transparent)]
    Tokenizer(Box<TokenizerError>),
    /// There is something at the place already.
    #[error("{}: there is something already; choose another place or remove it", .0.display())]
    Exists(PathBuf),
    /// A file could not be written.
    #[error("{}: {source}", file.display())]
    Io {
        /// The file.
        file: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The format has no way to say something of the model.
    #[error("{what} can't be told in a {format} file, so it would compute something else")]
    Unsayable {
        /// The format.
        format: &'static str,
        /// What of the model.
        what: String,
    },
    /// What was written does not do what the model does. Nothing is left under the name that was asked for.
    #[error("the export is not good: {what}")]
    NotProven {
        /// What differs.
        what: String,
    },
}

impl From<ModelError> for ExportError {
    fn from(error: ModelError) -> Self {
        Self::Model(Box::new(error))
    }
}

impl From<WeightError> for ExportError {
    fn from(error: WeightError) -> Self {
        ModelError::from(error).into()
    }
}

impl From<TokenizerError> for ExportError {
    fn from(error: TokenizerError) -> Self {
        Self::Tokenizer(Box::new(error))
    }
}

impl ExportError {
    fn io(file: &Path) -> impl FnOnce(std::io::Error) -> Self {
        let file = file.to_owned();
        move |source| Self::Io { file, source }
    }
}

/// Writes the model as a folder in Hugging Face layout: weights in `precision`, configuration, tokenizer, chat template.
///
/// # Errors
/// If there is something at `folder`, a part can't be written, or the result does not prove itself.
pub fn to_folder(
    source: &Source<'_>,
    folder: &Path,
    precision: Precision,
    progress: &mut Progress<'_>,
) -> Result<Proof, ExportError> {
    let block = match precision {
        Precision::F32 => BlockType::F32,
        Precision::Bf16 => BlockType::Bf16,
    };
    let format = move |_: &[usize]| block;
    export(
        source,
        folder,
        &format,
        progress,
        &mut |partial, progress| folder::write(source, partial, precision, progress),
    )
}

/// Writes the model as one GGUF file whose matrices are stored as `block`: F32, F16, BF16 or `Q8_0`. Norms and biases stay
/// exact, and matrices whose rows do not divide into blocks become F16.
///
/// # Errors
/// If there is something at `file`, the format can't tell what the model is, a part can't be written, or the result does
/// not prove itself.
pub fn to_gguf(
    source: &Source<'_>,
    file: &Path,
    block: BlockType,
    progress: &mut Progress<'_>,
) -> Result<Proof, ExportError> {
    let format = move |shape: &[usize]| rounded::stored_as(block, shape);
    export(source, file, &format, progress, &mut |partial, progress| {
        gguf::write(source, partial, block, progress)
    })
}

type Write<'a> = dyn FnMut(&Path, &mut Progress<'_>) -> Result<(), ExportError> + 'a;

fn export(
    source: &Source<'_>,
    path: &Path,
    format: &(dyn Fn(&[usize]) -> BlockType + Sync),
    progress: &mut Progress<'_>,
    write: &mut Write<'_>,
) -> Result<Proof, ExportError> {
    if path.exists() {
        return Err(ExportError::Exists(path.to_owned()));
    }
    let parent = path.parent().filter(|it| !it.as_os_str().is_empty());
    let parent = parent.unwrap_or(Path::new("."));
    std::fs::create_dir_all(parent).map_err(ExportError::io(parent))?;
    // The name keeps its ending, which says what the file is.
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let partial = parent.join(format!(".partial-{name}"));
    remove(&partial)?;
    let proof = write(&partial, progress)
        .and_then(|()| proof::prove(source, &partial, format, progress))
        .and_then(|proof| {
            std::fs::rename(&partial, path).map_err(ExportError::io(path))?;
            Ok(proof)
        });
    if proof.is_err() {
        remove(&partial)?;
    }
    proof
}

/// Removes what an export that was cut off has left.
fn remove(path: &Path) -> Result<(), ExportError> {
    let removed = if path.is_dir() {
        std::fs::remove_dir_all(path)
    } else if path.exists() {
        std::fs::remove_file(path)
    } else {
        Ok(())
    };
    removed.map_err(ExportError::io(path))
}
