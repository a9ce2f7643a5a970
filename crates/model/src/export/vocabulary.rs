//! The keys of a GGUF file that hold vocabulary and chat template.
//!
//! A GGUF file's own keys are taken over. A vocabulary from `tokenizer.json` is written as one of the two kinds that the
//! format has: byte-level merges whose way to cut has a name, or `SentencePiece` with scores.

use std::collections::{BTreeMap, HashMap};

use serde::Deserialize;
use serde_json::Value as Json;

use super::{ExportError, Source};
use crate::config::ModelConfig;
use crate::weights::Weights;
use crate::weights::gguf::{Array, NumberType, Value};

/// `tokenizer.ggml.token_type`.
#[derive(Clone, Copy)]
enum Kind {
    Normal = 1,
    Unknown = 2,
    Control = 3,
    UserDefined = 4,
    Unused = 5,
    Byte = 6,
}

/// What of `tokenizer.json` is told.
#[derive(Deserialize)]
struct Stored {
    model: Model,
    #[serde(default)]
    added_tokens: Vec<Added>,
}

#[derive(Deserialize)]
struct Model {
    vocab: HashMap<String, u32>,
    #[serde(default)]
    merges: Vec<(String, String)>,
    #[serde(default)]
    byte_fallback: bool,
    #[serde(default)]
    unk_token: Option<String>,
}

#[derive(Deserialize)]
struct Added {
    id: u32,
    content: String,
    special: bool,
}

pub(super) fn metadata(source: &Source<'_>) -> Result<Vec<(String, Value)>, ExportError> {
    if let Weights::Gguf(own) = source.weights {
        let keys = own.header().metadata.iter();
        return Ok(keys
            .filter(|(key, _)| key.starts_with("tokenizer."))
            .map(|(key, value)| (key.clone(), value.clone()))
            .collect());
    }
    let config = source.weights.config();
    let json = source.tokenizer.to_json()?;
    let stored: Stored = serde_json::from_value(json).map_err(|e| unsayable(&e.to_string()))?;
    let mut all: Vec<(String, Value)> = Vec::new();
    let mut add = |key: &str, value| all.push((format!("tokenizer.ggml.{key}"), value));
    let (tokens, kinds) = table(&stored, config)?;
    if stored.model.byte_fallback {
        add("model", Value::Text("llama".to_owned()));
        add("pre", Value::Text("default".to_owned()));
        add("scores", floats(&scores(&stored.model, &tokens)));
        let prefixed = prefixes(&source.tokenizer.to_json()?);
        add("add_space_prefix", Value::Bool(prefixed));
    } else {
        let name = source.tokenizer.cut_name().ok_or_else(|| {
            unsayable("its way to cut a text before merging, which has no name there")
        })?;
        add("model", Value::Text("gpt2".to_owned()));
        add("pre", Value::Text(name.to_owned()));
        let merges: Vec<String> = stored
            .model
            .merges
            .iter()
            .map(|(a, b)| format!("{a} {b}"))
            .collect();
        add("merges", texts(&merges));
    }
    add("tokens", texts(&tokens));
    let kinds: Vec<u8> = kinds
        .iter()
        .flat_map(|kind| (*kind as i32).to_le_bytes())
        .collect();
    let number = NumberType::I32;
    add(
        "token_type",
        Value::Array(Array::Numbers {
            number,
            bytes: kinds,
        }),
    );
    let ids = [
        ("bos_token_id", config.bos),
        ("eos_token_id", config.eos.first().copied()),
        ("eot_token_id", config.eos.get(1).copied()),
        ("padding_token_id", config.pad),
    ];
    for (key, id) in ids {
        if let Some(id) = id {
            add(key, Value::Unsigned(u64::from(id)));
        }
    }
    add("add_bos_token", Value::Bool(config.add_bos));
    if let Some(chat) = source.chat {
        all.push((
            "tokenizer.chat_template".to_owned(),
            Value::Text(chat.source()),
        ));
    }
    Ok(all)
}

fn unsayable(what: &str) -> ExportError {
    ExportError::Unsayable {
        format: "GGUF",
        what: format!("the vocabulary: {what}"),
    }
}

/// One token for each row of the embedding, with its kind.
fn table(stored: &Stored, config: &ModelConfig) -> Result<(Vec<String>, Vec<Kind>), ExportError> {
    let mut by_id: BTreeMap<u32, (String, Kind)> = BTreeMap::new();
    for (token, id) in &stored.model.vocab {
        let is_byte = stored.model.byte_fallback && token.len() == 6 && token.starts_with("<0x");
        let kind = if is_byte { Kind::Byte } else { Kind::Normal };
        by_id.insert(*id, (token.clone(), kind));
    }
    for added in &stored.added_tokens {
        let unknown = stored.model.unk_token.as_ref() == Some(&added.content);
        let kind = match (added.special, unknown && stored.model.byte_fallback) {
            (_, true) => Kind::Unknown,
            (true, _) => Kind::Control,
            (false, _) => Kind::UserDefined,
        };
        by_id.insert(added.id, (added.content.clone(), kind));
    }
    let rows = config.vocab_size as u32;
    if let Some((id, (token, _))) = by_id.range(rows..).next() {
        return Err(unsayable(&format!(
            "token {token:?} has id {id}, the embedding {rows} rows"
        )));
    }
    let unused = |id| (format!("[PAD{id}]"), Kind::Unused);
    Ok((0..rows)
        .map(|id| by_id.remove(&id).unwrap_or_else(|| unused(id)))
        .unzip())
}

/// Scores by which the pieces are joined in the order of the merges: the piece of an earlier merge has the higher one.
fn scores(model: &Model, tokens: &[String]) -> Vec<f32> {
    let mut ranks: HashMap<String, usize> = HashMap::new();
    for (a, b) in &model.merges {
        let next = ranks.len();
        ranks.entry(format!("{a}{b}")).or_insert(next);
    }
    let last = ranks.len();
    let score = |token: &String| -(ranks.get(token).copied().unwrap_or(last) as f32);
    tokens.iter().map(score).collect()
}

/// Whether a blank is put before a text.
fn prefixes(json: &Json) -> bool {
    json["normalizer"].to_string().contains("\"Prepend\"")
}

fn texts(all: &[String]) -> Value {
    Value::Array(Array::from_texts(all.iter().map(String::as_str)))
}

fn floats(all: &[f32]) -> Value {
    Value::Array(Array::Numbers {
        number: NumberType::F32,
        bytes: all.iter().flat_map(|v| v.to_le_bytes()).collect(),
    })
}
