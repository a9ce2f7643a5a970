//! Whether an export computes what the model computes.

use std::path::Path;

use harness_kernel::{Precision, log_sum_exp};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};

use super::rounded::Rounded;
use super::{ExportError, Merged, Progress, Source};
use crate::decoder::Decoder;
use crate::engine::{AdapterWeights, Engine};
use crate::error::ModelError;
use crate::tokenizer::Tokenizer;
use crate::weights::gguf::BlockType;
use crate::weights::{Tensors, Weights};

/// Tokens that are looked at, at most.
const TOKENS: usize = 64;
/// Largest difference of merged and unmerged logits, as a share of the largest logit: both are sums in f32, taken in
/// another order.
const MERGED: f64 = 1e-4;
/// The most that a format may move the distribution of the next token, in nats in the mean. Eight bits move a real model
/// by some thousandths.
const ROUNDING: f64 = 0.1;
/// Texts that both vocabularies have to cut alike.
const TEXTS: [&str; 8] = [
    "SELECT COUNT(*) FROM singer WHERE age > 30",
    "-- How many singers do we have?\nSELECT",
    "  indented\n\n\ttext   with  blanks ",
    "naïve Größe 東京 русский 🙂👍🏽 e\u{301}",
    "1234567890 3.14159 0xFF 2nd",
    "don't we'll I'M (a, b); \"q\" `b` [c] a_b camelCase",
    "<|im_end|></s><s> [INST] <unk>",
    "",
];

/// How near one model's logits are to another's, on the same tokens.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Closeness {
    /// Largest difference, as a share of the largest logit.
    pub relative: f64,
    /// Mean Kullback-Leibler divergence of the next token's distributions, in nats.
    pub kl: f64,
    /// Share of the tokens after which both have the same likeliest next one.
    pub same_top: f64,
}

/// What was shown of an export, on tokens drawn at random.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Proof {
    /// Tokens that the logits stand behind.
    pub tokens: usize,
    /// Base plus adapter against the merged weights in f32; none without an adapter.
    pub merged: Option<Closeness>,
    /// The merged weights in f32 against those in the file: what the format costs. The file against the rounded weights
    /// in memory is equal to the bit.
    pub rounded: Closeness,
    /// Texts that the exported vocabulary cuts into the same ids.
    pub texts: usize,
}

pub(super) fn prove(
    source: &Source<'_>,
    written: &Path,
    format: &(dyn Fn(&[usize]) -> BlockType + Sync),
    progress: &mut Progress<'_>,
) -> Result<Proof, ExportError> {
    let vocabulary = source.weights.config().vocab_size as u32;
    let context = source.weights.config().context;
    let mut random = ChaCha8Rng::seed_from_u64(17);
    let ids: Vec<u32> = (0..TOKENS.min(context))
        .map(|_| random.random_range(0..vocabulary))
        .collect();
    // One model is in memory at a time.
    let merged = Merged::new(source.weights, source.adapter);
    let whole = logits("merged weights", &merged, None, &ids, progress)?;
    let closeness = match source.adapter {
        None => None,
        Some(adapter) => {
            let adapter = AdapterWeights::new(adapter, source.weights.config().layers)?;
            let apart = logits(
                "base and adapter",
                source.weights,
                Some(&adapter),
                &ids,
                progress,
            )?;
            let found = Closeness::of(&apart, &whole, ids.len());
            if found.relative.is_nan() || found.relative > MERGED {
                return Err(ExportError::NotProven {
                    what: format!(
                        "logits of the merged weights differ from those of base and adapter by {:.1e} of the largest, at most {MERGED:.0e} is rounding",
                        found.relative
                    ),
                });
            }
            Some(found)
        }
    };
    let rounded = Rounded {
        tensors: &merged,
        format,
    };
    let expected = logits("rounded weights", &rounded, None, &ids, progress)?;
    let opened = Weights::open(written)?;
    let found = logits("the export", &opened, None, &ids, progress)?;
    if found
        .iter()
        .map(|v| v.to_bits())
        .ne(expected.iter().map(|v| v.to_bits()))
    {
        let apart = Closeness::of(&expected, &found, ids.len());
        return Err(ExportError::NotProven {
            what: format!(
                "read again it does not compute what its weights compute: logits differ by {:.1e} of the largest",
                apart.relative
            ),
        });
    }
    let cost = Closeness::of(&whole, &found, ids.len());
    if cost.kl.is_nan() || cost.kl > ROUNDING {
        return Err(ExportError::NotProven {
            what: format!(
                "this format moves the next token's distribution by {:.2} nats; take one that rounds less",
                cost.kl
            ),
        });
    }
    Ok(Proof {
        tokens: ids.len(),
        merged: closeness,
        rounded: cost,
        texts: same_vocabulary(source.tokenizer, &Tokenizer::open(written)?)?,
    })
}

/// Logits after each of `ids`, `[ids, vocabulary]`, of a model that is in memory for this only.
fn logits(
    what: &str,
    tensors: &dyn Tensors,
    adapter: Option<&AdapterWeights>,
    ids: &[u32],
    progress: &mut Progress<'_>,
) -> Result<Vec<f32>, ModelError> {
    let mut layers = |done, of| progress(what, done, of);
    let decoder = Decoder::load_tensors(tensors, Precision::F32, &mut layers)?;
    Engine::new(&decoder, adapter).all_logits(ids)
}

/// Fails at the first text that is cut otherwise; how many there are.
fn same_vocabulary(own: &Tokenizer, exported: &Tokenizer) -> Result<usize, ExportError> {
    for text in TEXTS {
        let plain = (
            own.encode_plain(text, false)?,
            exported.encode_plain(text, false)?,
        );
        let special = (
            own.encode_with_specials(text, false)?,
            exported.encode_with_specials(text, false)?,
        );
        for (expected, found) in [plain, special] {
            let decoded = (own.decode(&expected)?, exported.decode(&found)?);
            if expected != found || decoded.0 != decoded.1 {
                return Err(ExportError::NotProven {
                    what: format!(
                        "the vocabulary of the export cuts {text:?} into {found:?}, the model's own into {expected:?}"
                    ),
                });
            }
        }
    }
    Ok(TEXTS.len())
}

impl Closeness {
    /// Of logits `[rows, vocabulary]`.
    fn of(expected: &[f32], found: &[f32], rows: usize) -> Self {
        let width = expected.len() / rows.max(1);
        let (mut worst, mut largest, mut kl, mut same) = (0f64, 0f64, 0.0, 0);
        for (p, q) in expected
            .chunks_exact(width.max(1))
            .zip(found.chunks_exact(width.max(1)))
        {
            let (of_p, of_q) = (log_sum_exp(p), log_sum_exp(q));
            for (p, q) in p.iter().zip(q) {
                let (p, q) = (f64::from(*p), f64::from(*q));
                worst = worst.max((p - q).abs());
                largest = largest.max(p.abs());
                kl += (p - of_p).exp() * ((p - of_p) - (q - of_q));
            }
            same += usize::from(top(p) == top(q));
        }
        Self {
            relative: worst / largest,
            kl: (kl / rows.max(1) as f64).max(0.0),
            same_top: same as f64 / rows.max(1) as f64,
        }
    }
}

/// The first of the largest values.
fn top(values: &[f32]) -> usize {
    let larger = |best: usize, i: usize| if values[i] > values[best] { i } else { best };
    (0..values.len()).fold(0, larger)
}

#[cfg(test)]
mod tests {
    use super::Closeness;

    #[test]
    fn closeness_by_hand() {
        // ln p of (0, ln 3) is (1/4, 3/4); of (ln 3, 0) the other way round.
        let (a, b) = ([0.0, 3f32.ln()], [3f32.ln(), 0.0]);
        let same = Closeness::of(&a, &a, 1);
        assert_eq!((same.relative, same.kl, same.same_top), (0.0, 0.0, 1.0));
        let other = Closeness::of(&a, &b, 1);
        assert_eq!((other.relative, other.same_top), (1.0, 0.0));
        assert!((other.kl - 0.5 * 3f64.ln()).abs() < 1e-7, "{}", other.kl);
    }
}
