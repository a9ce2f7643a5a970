//! Text to token ids and back, from `tokenizer.json` or from the vocabulary inside a GGUF file.
//!
//! It knows vocabularies, not models: whether the ids fit a model's embedding is asked with [`Tokenizer::check_fits`].
//! Text that comes from a user is encoded with [`Tokenizer::encode_plain`], in which the name of a special
//! token is ordinary text; only what a chat template rendered is encoded with [`Tokenizer::encode_with_specials`].

mod error;
mod gguf;
mod json;
mod kind;
mod learn;
mod pre;
mod save;
mod spm;
mod stream;

use std::path::Path;

pub use error::TokenizerError;
pub use learn::learn;
pub use stream::TextStream;
use tokenizers::tokenizer::{
    Model as _, NormalizedString, Normalizer as _, OffsetType, PreTokenizedString,
    PreTokenizer as _,
};

use crate::config::ModelConfig;
use crate::weights::gguf::Header;

/// A vocabulary with its rules for splitting and joining.
#[derive(Debug, Clone)]
pub struct Tokenizer {
    inner: tokenizers::Tokenizer,
    bos: Option<u32>,
    /// Texts of the special tokens, sorted.
    specials: Vec<String>,
    /// One more than the largest id.
    id_bound: usize,
    sha256: String,
}

impl Tokenizer {
    /// Opens the tokenizer of the model at `path`: a `.gguf` file, a folder that holds `tokenizer.json`,
    /// that file itself, or a `.safetensors` file beside it.
    pub fn open(path: &Path) -> Result<Self, TokenizerError> {
        if path.is_dir() {
            return json::open(&path.join("tokenizer.json"));
        }
        match path.extension().and_then(|e| e.to_str()) {
            Some("gguf") => gguf::open(path),
            Some("safetensors") => json::open(&path.with_file_name("tokenizer.json")),
            _ => json::open(path),
        }
    }

    /// The tokenizer of an opened GGUF header.
    ///
    /// # Errors
    /// If its vocabulary is none, or one that is not supported.
    pub fn from_header(header: &Header) -> Result<Self, TokenizerError> {
        gguf::from_header(header)
    }

    /// The tokenizer of the bytes of a `tokenizer.json`, without the beginning-of-sequence token that stands beside it;
    /// `path` names it in errors.
    ///
    /// # Errors
    /// If it is none, or one that is not supported.
    pub fn from_json(bytes: &[u8], path: &Path) -> Result<Self, TokenizerError> {
        json::read(bytes, None, path)
    }

    fn new(inner: tokenizers::Tokenizer, bos: Option<u32>, sha256: String) -> Self {
        let mut specials: Vec<String> = inner
            .get_added_tokens_decoder()
            .into_values()
            .filter(|t| t.special)
            .map(|t| t.content)
            .collect();
        specials.sort();
        let id_bound = inner
            .get_vocab(true)
            .into_values()
            .max()
            .map_or(0, |id| id as usize + 1);
        Self {
            inner,
            bos,
            specials,
            id_bound,
            sha256,
        }
    }

    /// Encodes text in which nothing is special: `<|im_end|>` in a question stays seven characters and two bars.
    /// With `add_bos` the ids begin with the beginning-of-sequence token.
    pub fn encode_plain(&self, text: &str, add_bos: bool) -> Result<Vec<u32>, TokenizerError> {
        // The steps of the library's own encoding without the one that looks for added tokens.
        let run = || -> tokenizers::Result<Vec<u32>> {
            let mut normalized = NormalizedString::from(text);
            if let Some(normalizer) = self.inner.get_normalizer() {
                normalizer.normalize(&mut normalized)?;
            }
            let mut pieces = PreTokenizedString::from(normalized);
            if let Some(pre) = self.inner.get_pre_tokenizer() {
                pre.pre_tokenize(&mut pieces)?;
            }
            let model = self.inner.get_model();
            pieces.tokenize(|piece| model.tokenize(piece.get()))?;
            let encoding = pieces.into_encoding(None, 0, OffsetType::None)?;
            Ok(encoding.get_ids().to_vec())
        };
        let ids = run().map_err(|e| TokenizerError::encode(&*e))?;
        self.with_bos(ids, add_bos)
    }

    /// Encodes text in which the names of special tokens stand for these tokens, as a chat template renders it.
    pub fn encode_with_specials(
        &self,
        text: &str,
        add_bos: bool,
    ) -> Result<Vec<u32>, TokenizerError> {
        let encoding = self
            .inner
            .encode_fast(text, false)
            .map_err(|e| TokenizerError::encode(&*e))?;
        self.with_bos(encoding.get_ids().to_vec(), add_bos)
    }

    fn with_bos(&self, mut ids: Vec<u32>, add_bos: bool) -> Result<Vec<u32>, TokenizerError> {
        if add_bos {
            ids.insert(0, self.bos.ok_or(TokenizerError::NoBos)?);
        }
        Ok(ids)
    }

    /// The text of the ids. Special tokens are left out, and so are ids outside the vocabulary.
    pub fn decode(&self, ids: &[u32]) -> Result<String, TokenizerError> {
        self.text(ids, true)
    }

    /// The text of the ids with special tokens written out: for people, not for an answer.
    pub fn decode_with_specials(&self, ids: &[u32]) -> Result<String, TokenizerError> {
        self.text(ids, false)
    }

    fn text(&self, ids: &[u32], skip_specials: bool) -> Result<String, TokenizerError> {
        self.inner
            .decode(ids, skip_specials)
            .map_err(|e| TokenizerError::Decode {
                what: e.to_string(),
            })
    }

    /// The id of a token by its exact text, such as `<|im_end|>`.
    pub fn id_of(&self, token: &str) -> Option<u32> {
        self.inner.token_to_id(token)
    }

    /// The beginning-of-sequence token, if the vocabulary has one.
    pub fn bos(&self) -> Option<u32> {
        self.bos
    }

    /// The first special token whose name occurs in `text`. A caller that puts user text into a chat template
    /// refuses or rewrites such text, for in the rendered whole the name would become the token.
    pub fn find_special(&self, text: &str) -> Option<&str> {
        self.specials
            .iter()
            .filter_map(|s| Some((text.find(s.as_str())?, s.as_str())))
            .min()
            .map(|(_, s)| s)
    }

    /// One more than the largest id; an embedding needs at least as many rows.
    pub fn vocab_size(&self) -> usize {
        self.id_bound
    }

    /// Fails if an id of this vocabulary has no row in the model's embedding.
    pub fn check_fits(&self, config: &ModelConfig) -> Result<(), TokenizerError> {
        if self.id_bound > config.vocab_size {
            return Err(TokenizerError::DoesNotFit {
                tokens: self.id_bound,
                rows: config.vocab_size,
            });
        }
        Ok(())
    }

    /// SHA-256 of what defines the encoding: the bytes of `tokenizer.json`, or vocabulary, merges and
    /// settings of the GGUF header.
    pub fn sha256(&self) -> &str {
        &self.sha256
    }
}
