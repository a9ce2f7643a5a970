//! A `SentencePiece` vocabulary of a GGUF file (Llama 2, `CodeLlama`) as byte-pair merges.
//!
//! `SentencePiece` joins at every step the neighbours whose joined piece has the highest score. The same
//! result comes from merges ranked by that score: for each piece, every split of it into two known pieces.

use tokenizers::decoders::byte_fallback::ByteFallback;
use tokenizers::decoders::fuse::Fuse;
use tokenizers::decoders::sequence::Sequence as Decoders;
use tokenizers::decoders::strip::Strip;
use tokenizers::models::bpe::BPE;
use tokenizers::normalizers::prepend::Prepend;
use tokenizers::normalizers::replace::Replace;
use tokenizers::normalizers::utils::Sequence as Normalizers;
use tokenizers::{DecoderWrapper, NormalizerWrapper};

use super::TokenizerError;
use super::gguf::{Kind, Parts, Vocab, Vocabulary};
use crate::weights::gguf::{Array, Value};

/// Stands for a space.
const SPACE: &str = "\u{2581}";
/// Real pieces have at most some dozens of bytes; the splits of a piece are looked up one by one.
const MAX_PIECE_BYTES: usize = 1024;

/// Builds model, normaliser and decoder.
pub(super) fn parts(vocabulary: &Vocabulary<'_>) -> Result<Parts, TokenizerError> {
    let key = "tokenizer.ggml.scores";
    let scores = vocabulary
        .array(key)
        .and_then(Array::numbers)
        .filter(|s| s.len() == vocabulary.tokens.len())
        .ok_or_else(|| {
            vocabulary.malformed(format!(
                "{key} is missing or has not one number for each of the {} tokens",
                vocabulary.tokens.len()
            ))
        })?;
    let ids = vocabulary.ids();
    let normal = |id: u32| vocabulary.kinds.get(id as usize) == Some(&Kind::Normal);

    let mut splits = Vec::new();
    for ((&piece, kind), &score) in vocabulary.tokens.iter().zip(&vocabulary.kinds).zip(&scores) {
        if *kind != Kind::Normal {
            continue;
        }
        if piece.len() > MAX_PIECE_BYTES {
            return Err(vocabulary.malformed(format!(
                "a token of {} bytes, at most {MAX_PIECE_BYTES} are read",
                piece.len()
            )));
        }
        for (at, _) in piece.char_indices().skip(1) {
            let (left, right) = piece.split_at(at);
            if let (Some(&l), Some(&r)) = (ids.get(left), ids.get(right))
                && normal(l)
                && normal(r)
            {
                splits.push((
                    score,
                    ids.get(piece).copied().unwrap_or(0),
                    l,
                    r,
                    left,
                    right,
                ));
            }
        }
    }
    splits.sort_by(|a, b| {
        b.0.total_cmp(&a.0)
            .then(a.1.cmp(&b.1))
            .then((a.2, a.3).cmp(&(b.2, b.3)))
    });
    let merges = splits
        .into_iter()
        .map(|(.., left, right)| (left.to_owned(), right.to_owned()))
        .collect();

    let fail = |e: tokenizers::Error| vocabulary.malformed(e.to_string());
    let unknown = vocabulary
        .kinds
        .iter()
        .position(|k| *k == Kind::Unknown)
        .map(|id| vocabulary.tokens[id].to_owned());
    let mut builder = BPE::builder()
        .vocab_and_merges(ids.into_iter().collect::<Vocab>(), merges)
        .byte_fallback(true)
        .fuse_unk(true);
    if let Some(token) = unknown {
        builder = builder.unk_token(token);
    }
    let prefixed = vocabulary
        .header
        .metadata
        .get("tokenizer.ggml.add_space_prefix")
        .and_then(Value::as_bool)
        .unwrap_or(true);
    let to_piece: NormalizerWrapper = Replace::new(" ", SPACE).map_err(fail)?.into();
    let normalizer = if prefixed {
        let prepend: NormalizerWrapper = Prepend::new(SPACE.to_owned()).into();
        Normalizers::new(vec![prepend, to_piece]).into()
    } else {
        to_piece
    };
    let mut decoders: Vec<DecoderWrapper> = vec![
        Replace::new(SPACE, " ").map_err(fail)?.into(),
        ByteFallback::new().into(),
        Fuse::new().into(),
    ];
    if prefixed {
        decoders.push(Strip::new(' ', 1, 0).into());
    }
    Ok(Parts {
        model: builder.build().map_err(fail)?,
        normalizer: Some(normalizer),
        pre_tokenizer: None,
        decoder: Decoders::new(decoders).into(),
    })
}
