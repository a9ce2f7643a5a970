//! What can be wrong with a tokenizer or a text.

use std::path::PathBuf;

use thiserror::Error;

use crate::weights::WeightError;

/// An error of opening or using a tokenizer.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum TokenizerError {
    /// The vocabulary could not be written as `tokenizer.json`.
    #[error("cannot write the vocabulary as tokenizer.json: {what}")]
    Save {
        /// What the library said.
        what: String,
    },
    /// The file could not be read.
    #[error("{}: {source}", file.display())]
    Io {
        /// The file.
        file: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The GGUF header could not be read.
    #[error(transparent)]
    Header(#[from] WeightError),
    /// The file holds no usable tokenizer.
    #[error("{}: {what}", file.display())]
    Malformed {
        /// The file.
        file: PathBuf,
        /// The key or record, what was expected and what was found.
        what: String,
    },
    /// The kind of tokenizer is not one this crate builds.
    #[error("{}: {key} = {found:?} is not supported; supported are {supported}", file.display())]
    Unsupported {
        /// The file.
        file: PathBuf,
        /// The key that names the kind.
        key: &'static str,
        /// Its value.
        found: String,
        /// The supported values.
        supported: String,
    },
    /// A beginning-of-sequence token was asked for and the vocabulary has none.
    #[error("the tokenizer has no beginning-of-sequence token to add")]
    NoBos,
    /// The text could not be encoded.
    #[error("cannot encode the text: {what}")]
    Encode {
        /// What the tokenizer said.
        what: String,
    },
    /// The ids could not be decoded.
    #[error("cannot decode the ids: {what}")]
    Decode {
        /// What the tokenizer said.
        what: String,
    },
    /// A vocabulary to be learnt has no room for every byte.
    #[error(
        "a vocabulary of {asked} tokens is asked for; {least} are the least: the bytes and two special tokens"
    )]
    TooFew {
        /// Tokens asked for.
        asked: usize,
        /// The smallest number.
        least: usize,
    },
    /// No vocabulary could be learnt.
    #[error("cannot learn a vocabulary: {what}")]
    Learn {
        /// What the library said.
        what: String,
    },
    /// The vocabulary is larger than the model's embedding.
    #[error("the tokenizer has ids up to {}, but the embedding has {rows} rows; tokenizer and weights are of different models", tokens - 1)]
    DoesNotFit {
        /// One more than the largest id.
        tokens: usize,
        /// Rows of the embedding.
        rows: usize,
    },
}

impl TokenizerError {
    pub(super) fn encode(e: &dyn std::error::Error) -> Self {
        Self::Encode {
            what: e.to_string(),
        }
    }
}
