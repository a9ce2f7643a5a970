//! A tokenizer from `tokenizer.json`, with `tokenizer_config.json` beside it for the beginning-of-sequence token.

use std::collections::HashMap;
use std::path::Path;

use serde::Deserialize;
use serde_json::Value;

use super::{Tokenizer, TokenizerError};
use crate::digest::PartsHasher;

/// Opens the file at `path`.
pub(super) fn open(path: &Path) -> Result<Tokenizer, TokenizerError> {
    let bytes = std::fs::read(path).map_err(|source| TokenizerError::Io {
        file: path.to_owned(),
        source,
    })?;
    read(&bytes, beginning(path)?, path)
}

/// Builds the tokenizer of a file's bytes; `bos` is the text of the beginning-of-sequence token.
pub(super) fn read(
    bytes: &[u8],
    bos: Option<String>,
    path: &Path,
) -> Result<Tokenizer, TokenizerError> {
    check_merges(bytes, path)?;
    let mut inner =
        tokenizers::Tokenizer::from_bytes(bytes).map_err(|e| malformed(path, e.to_string()))?;
    // A stored file may ask to cut or fill up every text; here the caller decides about lengths.
    inner
        .with_truncation(None)
        .map_err(|e| malformed(path, e.to_string()))?
        .with_padding(None);
    let bos = match bos {
        None => None,
        Some(token) => Some(inner.token_to_id(&token).ok_or_else(|| {
            malformed(
                path,
                format!("the bos_token {token:?} of tokenizer_config.json is unknown"),
            )
        })?),
    };
    let digest = PartsHasher::default().part(bytes).hex();
    Ok(Tokenizer::new(inner, bos, digest))
}

fn malformed(path: &Path, what: String) -> TokenizerError {
    TokenizerError::Malformed {
        file: path.to_owned(),
        what,
    }
}

/// The text of the beginning-of-sequence token in the `tokenizer_config.json` beside `path`, if there is one.
fn beginning(path: &Path) -> Result<Option<String>, TokenizerError> {
    let file = path.with_file_name("tokenizer_config.json");
    if !file.is_file() {
        return Ok(None);
    }
    let bytes = std::fs::read(&file).map_err(|source| TokenizerError::Io {
        file: file.clone(),
        source,
    })?;
    let config: Value =
        serde_json::from_slice(&bytes).map_err(|e| malformed(&file, e.to_string()))?;
    let token = config.get("bos_token");
    let text = token.and_then(|t| t.as_str().or_else(|| t.get("content")?.as_str()));
    Ok(text.map(str::to_owned))
}

/// The part of `tokenizer.json` that is checked beforehand. What goes with the model is read as far as JSON goes: the
/// library stops the program where these are not even that.
#[derive(Deserialize)]
struct File {
    model: Model,
    #[serde(default)]
    normalizer: Value,
    #[serde(default, rename = "pre_tokenizer")]
    _pre_tokenizer: Value,
    #[serde(default, rename = "post_processor")]
    _post_processor: Value,
    #[serde(default)]
    decoder: Value,
}

#[derive(Deserialize)]
struct Model {
    #[serde(rename = "type")]
    kind: Option<String>,
    continuing_subword_prefix: Option<String>,
    dropout: Option<f64>,
    #[serde(default)]
    vocab: Value,
    #[serde(default)]
    merges: Vec<Merge>,
}

/// Merges are pairs, or in older files one text with a space between the two.
#[derive(Deserialize)]
#[serde(untagged)]
enum Merge {
    Pair(String, String),
    Text(String),
}

/// Checks that every merge joins tokens of the vocabulary into a token of the vocabulary.
/// The library takes this for granted and would stop the program.
fn check_merges(bytes: &[u8], path: &Path) -> Result<(), TokenizerError> {
    let file: File = serde_json::from_slice(bytes).map_err(|e| malformed(path, e.to_string()))?;
    let kind = file.model.kind.as_deref().unwrap_or("BPE");
    let prefix = file.model.continuing_subword_prefix.unwrap_or_default();
    if kind != "BPE" || !prefix.is_empty() {
        return Err(TokenizerError::Unsupported {
            file: path.to_owned(),
            key: "model.type",
            found: format!("{kind} with continuing_subword_prefix {prefix:?}"),
            supported: "BPE without continuing_subword_prefix".into(),
        });
    }
    if let Some(dropout) = file.model.dropout.filter(|it| *it != 0.0) {
        return Err(TokenizerError::Unsupported {
            file: path.to_owned(),
            key: "model.dropout",
            found: dropout.to_string(),
            supported: "none: the ids of a text would be drawn".into(),
        });
    }
    let unsupported = |key, found: String, supported: &str| TokenizerError::Unsupported {
        file: path.to_owned(),
        key,
        found,
        supported: supported.to_owned(),
    };
    // A table in base 64, on whose every fault the library stops the program; no family has it.
    let is_table = |it: &Value| it == "Precompiled" || it.get("precompiled_charsmap").is_some();
    if any(&file.normalizer, &is_table) {
        let found = "Precompiled".to_owned();
        return Err(unsupported("normalizer.type", found, "all but this"));
    }
    // The library counts beyond the beginning of a token that is shorter.
    let cuts_ends = |it: &Value| it.get("stop").is_some_and(|stop| stop != 0);
    if any(&file.decoder, &cuts_ends) {
        let found = "Strip from the end".to_owned();
        return Err(unsupported("decoder", found, "all but this"));
    }
    let vocab: HashMap<String, u32> = serde_json::from_value(file.model.vocab)
        .map_err(|e| malformed(path, format!("model.vocab: {e}")))?;
    for (i, merge) in file.model.merges.iter().enumerate() {
        let (a, b) = match merge {
            Merge::Pair(a, b) => (a.as_str(), b.as_str()),
            Merge::Text(t) if t.starts_with("#version") => continue,
            Merge::Text(t) => t.split_once(' ').ok_or_else(|| {
                malformed(
                    path,
                    format!("model.merges[{i}] = {t:?}, expected two tokens"),
                )
            })?,
        };
        let joined = format!("{a}{b}");
        if let Some(absent) = [a, b, &joined]
            .into_iter()
            .find(|t| !vocab.contains_key(*t))
        {
            return Err(malformed(
                path,
                format!("model.merges[{i}]: {absent:?} is not in the vocabulary"),
            ));
        }
    }
    Ok(())
}

/// Whether `is` holds of the value or of one within it.
fn any(value: &Value, is: &dyn Fn(&Value) -> bool) -> bool {
    is(value)
        || match value {
            Value::Array(all) => all.iter().any(|it| any(it, is)),
            Value::Object(keys) => keys.values().any(|it| any(it, is)),
            _ => false,
        }
}
