//! How byte-pair vocabularies of GGUF files split a text before merging, by `tokenizer.ggml.pre`.
//!
//! One line of [`TABLE`] per name. The expressions are those of the models' own `tokenizer.json` files.

use serde_json::Value;
use tokenizers::normalizers::NFC;
use tokenizers::pre_tokenizers::byte_level::ByteLevel;
use tokenizers::pre_tokenizers::digits::Digits;
use tokenizers::pre_tokenizers::sequence::Sequence;
use tokenizers::pre_tokenizers::split::{Split, SplitPattern};
use tokenizers::{NormalizerWrapper, PreTokenizerWrapper, SplitDelimiterBehavior};

/// What a pre-tokenizer name stands for.
pub(super) struct Rules {
    pub(super) normalizer: Option<NormalizerWrapper>,
    pub(super) pre_tokenizer: PreTokenizerWrapper,
    /// Whether a piece that is a token as a whole is taken without merging.
    pub(super) ignore_merges: bool,
}

type Build = fn() -> tokenizers::Result<Rules>;

/// Every supported `tokenizer.ggml.pre`.
const TABLE: [(&str, Build); 5] = [
    ("smollm", smollm),
    ("qwen2", qwen2),
    ("llama-bpe", llama3),
    ("llama3", llama3),
    ("deepseek-coder", deepseek_coder),
];

/// The rules of this name.
pub(super) fn rules(name: &str) -> Option<tokenizers::Result<Rules>> {
    TABLE
        .iter()
        .find(|(n, _)| *n == name)
        .map(|(_, build)| build())
}

/// The name of rules that cut as these do, as they are written in `tokenizer.json`.
pub(super) fn name_of(normalizer: &Value, pre_tokenizer: &Value) -> Option<&'static str> {
    let wanted = (plain(normalizer), plain(pre_tokenizer));
    let found = TABLE.iter().find(|(_, build)| {
        build().is_ok_and(|rules| {
            let normalizer = serde_json::to_value(&rules.normalizer).unwrap_or_default();
            let pre_tokenizer = serde_json::to_value(&rules.pre_tokenizer).unwrap_or_default();
            (plain(&normalizer), plain(&pre_tokenizer)) == wanted
        })
    });
    found.map(|(name, _)| *name)
}

/// Without what has no effect on the ids: where offsets begin and end.
fn plain(value: &Value) -> Value {
    match value {
        Value::Object(keys) => {
            let keys = keys.iter().filter(|(key, _)| *key != "trim_offsets");
            keys.map(|(key, value)| (key.clone(), plain(value)))
                .collect()
        }
        Value::Array(all) => all.iter().map(plain).collect(),
        other => other.clone(),
    }
}

/// The supported names, for error messages.
pub(super) fn supported() -> String {
    TABLE.map(|(n, _)| n).join(", ")
}

/// The cut of a vocabulary of our own. A word takes the blank or the underscore before it along, and no other mark: a
/// small vocabulary has no room for `name`, `.name` and `(name`, and a name is easier to copy if it is one token
/// wherever it stands. Digits are single.
pub(super) fn plain_words() -> tokenizers::Result<PreTokenizerWrapper> {
    let pattern = r"[ _]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+";
    Ok(sequence(vec![split(pattern)?, bytes(false)]))
}

#[allow(
    clippy::unnecessary_wraps,
    reason = "one signature for all rows of the table"
)]
fn smollm() -> tokenizers::Result<Rules> {
    Ok(Rules {
        normalizer: None,
        pre_tokenizer: sequence(vec![digits(), bytes(true)]),
        ignore_merges: false,
    })
}

fn qwen2() -> tokenizers::Result<Rules> {
    Ok(Rules {
        normalizer: Some(NFC.into()),
        pre_tokenizer: sequence(vec![split(&words(r"\p{N}"))?, bytes(false)]),
        ignore_merges: false,
    })
}

fn llama3() -> tokenizers::Result<Rules> {
    Ok(Rules {
        normalizer: None,
        pre_tokenizer: sequence(vec![split(&words(r"\p{N}{1,3}"))?, bytes(false)]),
        ignore_merges: true,
    })
}

fn deepseek_coder() -> tokenizers::Result<Rules> {
    Ok(Rules {
        normalizer: None,
        pre_tokenizer: sequence(vec![
            split(r"[\r\n]")?,
            split(r"\s?\p{L}+")?,
            split(r"\s?\p{P}+")?,
            split("[\u{4e00}-\u{9fa5}\u{0800}-\u{4e00}\u{ac00}-\u{d7ff}]+")?,
            digits(),
            bytes(false),
        ]),
        ignore_merges: false,
    })
}

/// Contractions, words, numbers, runs of punctuation, runs of white space; Qwen2 and Llama 3 differ in the numbers.
fn words(number: &str) -> String {
    [
        r"(?i:'s|'t|'re|'ve|'m|'ll|'d)",
        r"[^\r\n\p{L}\p{N}]?\p{L}+",
        number,
        r" ?[^\s\p{L}\p{N}]+[\r\n]*",
        r"\s*[\r\n]+",
        r"\s+(?!\S)",
        r"\s+",
    ]
    .join("|")
}

fn split(regex: &str) -> tokenizers::Result<PreTokenizerWrapper> {
    let pattern = SplitPattern::Regex(regex.to_owned());
    Ok(Split::new(pattern, SplitDelimiterBehavior::Isolated, false)?.into())
}

fn digits() -> PreTokenizerWrapper {
    Digits::new(true).into()
}

fn bytes(use_regex: bool) -> PreTokenizerWrapper {
    ByteLevel::new(false, true, use_regex).into()
}

fn sequence(steps: Vec<PreTokenizerWrapper>) -> PreTokenizerWrapper {
    Sequence::new(steps).into()
}
