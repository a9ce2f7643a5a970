//! A tokenizer from the vocabulary inside a GGUF file.

use std::collections::HashMap;
use std::path::Path;

use tokenizers::models::bpe::BPE;
use tokenizers::{AddedToken, DecoderWrapper, NormalizerWrapper, PreTokenizerWrapper};

use super::{Tokenizer, TokenizerError, pre, spm};
use crate::digest::PartsHasher;
use crate::weights::gguf::{Array, Header, Value};

/// `tokenizer.ggml.token_type`: what a token is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Normal,
    Unknown,
    Control,
    UserDefined,
    Unused,
    Byte,
}

impl Kind {
    fn from_number(n: f64) -> Option<Self> {
        [
            Self::Normal,
            Self::Unknown,
            Self::Control,
            Self::UserDefined,
            Self::Unused,
            Self::Byte,
        ]
        .into_iter()
        .zip(1..)
        .find(|(_, code)| (f64::from(*code) - n).abs() < 0.5)
        .map(|(kind, _)| kind)
    }
}

/// The parts of a tokenizer, before special tokens are added.
pub(super) struct Parts {
    pub(super) model: BPE,
    pub(super) normalizer: Option<NormalizerWrapper>,
    pub(super) pre_tokenizer: Option<PreTokenizerWrapper>,
    pub(super) decoder: DecoderWrapper,
}

/// The vocabulary of a header; position = id.
pub(super) struct Vocabulary<'a> {
    pub(super) header: &'a Header,
    pub(super) tokens: Vec<&'a str>,
    pub(super) kinds: Vec<Kind>,
}

impl Vocabulary<'_> {
    pub(super) fn malformed(&self, what: String) -> TokenizerError {
        TokenizerError::Malformed {
            file: self.header.file.clone(),
            what,
        }
    }

    /// Ids by token. Unused entries only fill the table up and must not be produced.
    /// Where a text occurs twice the later id counts, as in the library's own readers.
    pub(super) fn ids(&self) -> HashMap<String, u32> {
        self.tokens
            .iter()
            .zip(&self.kinds)
            .enumerate()
            .filter(|(_, (_, kind))| **kind != Kind::Unused)
            .map(|(id, (token, _))| ((*token).to_owned(), id as u32))
            .collect()
    }

    pub(super) fn array(&self, key: &str) -> Option<&Array> {
        self.header.metadata.get(key).and_then(Value::as_array)
    }
}

/// Builds the tokenizer of the GGUF file at `path`.
pub(super) fn open(path: &Path) -> Result<Tokenizer, TokenizerError> {
    from_header(&Header::open(path)?)
}

/// Builds the tokenizer of an opened header.
pub(super) fn from_header(header: &Header) -> Result<Tokenizer, TokenizerError> {
    let vocabulary = read_vocabulary(header)?;
    let parts = match header.text("tokenizer.ggml.model") {
        Some("gpt2") => byte_pairs(&vocabulary)?,
        Some("llama") => spm::parts(&vocabulary)?,
        other => {
            return Err(TokenizerError::Unsupported {
                file: header.file.clone(),
                key: "tokenizer.ggml.model",
                found: other.unwrap_or("").to_owned(),
                supported: "gpt2, llama".into(),
            });
        }
    };
    let fail = |e: tokenizers::Error| vocabulary.malformed(e.to_string());
    let mut inner = tokenizers::Tokenizer::new(parts.model);
    inner.with_normalizer(parts.normalizer).map_err(fail)?;
    inner.with_pre_tokenizer(parts.pre_tokenizer);
    inner.with_decoder(Some(parts.decoder));
    let added = vocabulary
        .tokens
        .iter()
        .zip(&vocabulary.kinds)
        .filter(|(token, _)| !token.is_empty())
        .filter_map(|(token, kind)| {
            let special = match kind {
                Kind::Control | Kind::Unknown => true,
                Kind::UserDefined => false,
                _ => return None,
            };
            Some(AddedToken::from(*token, special).normalized(false))
        });
    inner.add_tokens(added).map_err(fail)?;
    let bos = header
        .metadata
        .get("tokenizer.ggml.bos_token_id")
        .and_then(Value::as_u64)
        .and_then(|id| u32::try_from(id).ok());
    Ok(Tokenizer::new(inner, bos, digest(header)))
}

fn read_vocabulary(header: &Header) -> Result<Vocabulary<'_>, TokenizerError> {
    let mut vocabulary = Vocabulary {
        header,
        tokens: Vec::new(),
        kinds: Vec::new(),
    };
    let key = "tokenizer.ggml.tokens";
    vocabulary.tokens = header
        .metadata
        .get(key)
        .and_then(Value::as_array)
        .and_then(Array::texts)
        .filter(|t| !t.is_empty())
        .ok_or_else(|| vocabulary.malformed(format!("{key} is missing or holds no texts")))?;
    let key = "tokenizer.ggml.token_type";
    vocabulary.kinds = match vocabulary.array(key) {
        None => vec![Kind::Normal; vocabulary.tokens.len()],
        Some(array) => array
            .numbers()
            .and_then(|n| n.into_iter().map(Kind::from_number).collect())
            .ok_or_else(|| vocabulary.malformed(format!("{key} holds other than 1 to 6")))?,
    };
    if vocabulary.kinds.len() != vocabulary.tokens.len() {
        return Err(vocabulary.malformed(format!(
            "{key} has {} entries for {} tokens",
            vocabulary.kinds.len(),
            vocabulary.tokens.len()
        )));
    }
    Ok(vocabulary)
}

/// A byte-level vocabulary with its merges.
fn byte_pairs(vocabulary: &Vocabulary<'_>) -> Result<Parts, TokenizerError> {
    let name = vocabulary.header.text("tokenizer.ggml.pre").unwrap_or("");
    let fail = |e: tokenizers::Error| vocabulary.malformed(e.to_string());
    let rules = pre::rules(name)
        .ok_or_else(|| TokenizerError::Unsupported {
            file: vocabulary.header.file.clone(),
            key: "tokenizer.ggml.pre",
            found: name.to_owned(),
            supported: pre::supported(),
        })?
        .map_err(fail)?;
    let ids = vocabulary.ids();
    let key = "tokenizer.ggml.merges";
    let lines = vocabulary
        .array(key)
        .and_then(Array::texts)
        .ok_or_else(|| vocabulary.malformed(format!("{key} is missing or holds no texts")))?;
    let mut merges = Vec::with_capacity(lines.len());
    let mut joined = String::new();
    for (i, line) in lines.into_iter().enumerate() {
        let (a, b) = line.split_once(' ').ok_or_else(|| {
            vocabulary.malformed(format!("{key}[{i}] = {line:?}, expected two tokens"))
        })?;
        // Checked here because the library's builder takes the presence of the joined token for granted.
        joined.clear();
        joined.push_str(a);
        joined.push_str(b);
        if let Some(absent) = [a, b, &joined].into_iter().find(|t| !ids.contains_key(*t)) {
            return Err(vocabulary.malformed(format!(
                "{key}[{i}] = {line:?}, but {absent:?} is not in the vocabulary"
            )));
        }
        merges.push((a.to_owned(), b.to_owned()));
    }
    let model = BPE::builder()
        .vocab_and_merges(ids.into_iter().collect::<Vocab>(), merges)
        .ignore_merges(rules.ignore_merges)
        .build()
        .map_err(fail)?;
    Ok(Parts {
        model,
        normalizer: rules.normalizer,
        pre_tokenizer: Some(rules.pre_tokenizer),
        decoder: tokenizers::decoders::byte_level::ByteLevel::new(false, true, true).into(),
    })
}

/// The library's own map type.
pub(super) use tokenizers::models::bpe::Vocab;

/// The hash over all keys that define the encoding.
fn digest(header: &Header) -> String {
    let mut parts = PartsHasher::default();
    for (key, value) in &header.metadata {
        if !key.starts_with("tokenizer.ggml.") {
            continue;
        }
        parts.part(key.as_bytes());
        match value {
            Value::Array(Array::Texts { joined, ends }) => {
                parts.part(joined.as_bytes());
                for end in ends {
                    parts.part(&(*end as u64).to_le_bytes());
                }
            }
            Value::Array(Array::Numbers { bytes, .. }) => {
                parts.part(bytes);
            }
            scalar => {
                parts.part(format!("{scalar:?}").as_bytes());
            }
        }
    }
    parts.hex()
}
