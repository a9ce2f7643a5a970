//! What kind of tokenizer it is.

use tokenizers::ModelWrapper;

use super::Tokenizer;

impl Tokenizer {
    /// The kind in words: which pieces merges begin with.
    pub fn kind(&self) -> &'static str {
        match self.inner.get_model() {
            ModelWrapper::BPE(model) if model.byte_fallback => {
                "byte pairs from characters, as SentencePiece has them"
            }
            _ => "byte pairs from bytes",
        }
    }
}
