//! What can go wrong between opening weights and the last token.

use crate::peft::PeftError;
use crate::weights::WeightError;

/// An error of the decoder, its adapter or the engine.
#[derive(Debug, thiserror::Error)]
pub enum ModelError {
    /// A weight is missing, has another shape, or can't be read.
    #[error(transparent)]
    Weight(#[from] WeightError),
    /// A tensor operation failed.
    #[error("tensor operation: {0}")]
    Tensor(#[from] candle_core::Error),
    /// An adapter was made for another base model.
    #[error(
        "adapter tensor {name}: expected shape {expected:?}, found {found:?}; was it trained on another base model?"
    )]
    AdapterShape {
        /// Name in the adapter file.
        name: String,
        /// Shape the base model asks for.
        expected: Vec<usize>,
        /// Shape in the file.
        found: Vec<usize>,
    },
    /// An adapter lacks a tensor, or has one that belongs nowhere.
    #[error("adapter tensor {name}: {problem}")]
    AdapterTensor {
        /// Name in the adapter file.
        name: String,
        /// What is wrong with it.
        problem: &'static str,
    },
    /// The settings of an adapter.
    #[error(transparent)]
    Peft(Box<PeftError>),
    /// A setting that makes no sense.
    #[error("{setting}: {problem}")]
    Setting {
        /// Which one.
        setting: &'static str,
        /// What is wrong with it and what would be right.
        problem: String,
    },
    /// A token id that the model has no embedding for.
    #[error(
        "token id {id} does not fit the vocabulary of {vocabulary} embeddings; is this the model's own tokenizer?"
    )]
    TokenOutOfRange {
        /// The id.
        id: u32,
        /// Rows of the embedding.
        vocabulary: usize,
    },
    /// A target at a row that is in no sequence.
    #[error("a target stands at row {row}; the sequences have {rows} rows")]
    NoSuchRow {
        /// The row.
        row: usize,
        /// Rows there are.
        rows: usize,
    },
    /// More tokens than the model has positions for.
    #[error("{tokens} tokens do not fit the context of {context}")]
    TooLong {
        /// Tokens asked for.
        tokens: usize,
        /// Positions there are.
        context: usize,
    },
}

impl From<PeftError> for ModelError {
    fn from(error: PeftError) -> Self {
        Self::Peft(Box::new(error))
    }
}
