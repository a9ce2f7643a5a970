//! Choosing the next token: the likeliest, or one that is drawn.
//!
//! The random number of a token is a function of its answer's stream and its position in the answer, so an answer does not
//! depend on the batch that it was in, on the order of the prompts, or on what else was asked. Knows nothing of prompts.

use harness_kernel::argmax;
use rand::{RngCore as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;
use sha2::{Digest as _, Sha256};

/// How a token is drawn: the logits are divided by the temperature, then the `top_k` likeliest are kept, then of these, with
/// their probabilities made to sum to 1, the fewest whose sum reaches `top_p`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Sampling {
    /// 0 always takes the likeliest token, and the rest is without effect; 1 draws from the model's own distribution.
    pub temperature: f64,
    /// How many tokens are kept at most; `None` keeps all. Of equally likely tokens the lower ids are kept, where
    /// transformers keeps all that are as likely as the last.
    pub top_k: Option<usize>,
    /// Probability that the kept tokens have to reach, above 0; 1 keeps all.
    pub top_p: f64,
}

/// What names the random numbers of one answer.
pub type Stream = [u8; 32];

/// The stream of the `sample`-th answer to the question `id` in a run with `seed`.
pub fn answer_stream(seed: u64, id: &str, sample: u64) -> Stream {
    let mut hasher = Sha256::new();
    // The numbers have a fixed width and stand first, so no two names have the same bytes.
    hasher.update(b"answer\0\0");
    hasher.update(seed.to_le_bytes());
    hasher.update(sample.to_le_bytes());
    hasher.update(id.as_bytes());
    hasher.finalize().into()
}

/// Streams of the prompts of one call, and how they are used.
#[derive(Debug, Clone, Copy)]
pub struct Draws<'a> {
    /// How tokens are drawn.
    pub sampling: Sampling,
    /// One for each prompt, in their order.
    pub streams: &'a [Stream],
}

impl Sampling {
    /// Always the likeliest token.
    pub const GREEDY: Self = Self {
        temperature: 0.0,
        top_k: None,
        top_p: 1.0,
    };

    /// What is wrong with the numbers, if anything is.
    pub(super) fn fault(&self) -> Option<&'static str> {
        if !(self.temperature.is_finite() && self.temperature >= 0.0) {
            Some("temperature has to be 0 or more")
        } else if self.top_k == Some(0) {
            Some("top_k has to be at least 1")
        } else if !(self.top_p > 0.0 && self.top_p <= 1.0) {
            Some("top_p has to be above 0 and at most 1")
        } else {
            None
        }
    }

    /// The token at `position` of the answer with this stream, given the logits of the whole vocabulary.
    pub(super) fn choose(&self, logits: &[f32], stream: &Stream, position: usize) -> usize {
        if self.temperature == 0.0 {
            return argmax(logits);
        }
        let kept = self.kept(logits);
        let total: f64 = kept.iter().map(|(_, weight)| weight).sum();
        let mut left = uniform(stream, position) * total;
        for (id, weight) in &kept {
            if left < *weight {
                return *id;
            }
            left -= weight;
        }
        // Rounding has left a trifle behind the last token that can be drawn.
        let last = kept.iter().rev().find(|(_, weight)| *weight > 0.0);
        last.map_or_else(|| argmax(logits), |(id, _)| *id)
    }

    /// The tokens that may be drawn, by id, with weights in proportion to their probabilities.
    fn kept(&self, logits: &[f32]) -> Vec<(usize, f64)> {
        let highest = f64::from(logits[argmax(logits)]);
        let weight = |logit: f32| ((f64::from(logit) - highest) / self.temperature).exp();
        let mut tokens: Vec<(usize, f64)> =
            logits.iter().copied().map(weight).enumerate().collect();
        if let Some(count) = self.top_k {
            keep_first(&mut tokens, count);
        }
        if self.top_p < 1.0 {
            keep_mass(&mut tokens, self.top_p);
        }
        // The draw goes by id, so that it depends on what is kept and not on how that was found.
        tokens.sort_unstable_by_key(|(id, _)| *id);
        tokens
    }
}

/// The likeliest first, of equally likely ones the lower id.
fn order(a: &(usize, f64), b: &(usize, f64)) -> std::cmp::Ordering {
    b.1.total_cmp(&a.1).then(a.0.cmp(&b.0))
}

/// Keeps the `count` likeliest, in no order.
fn keep_first(tokens: &mut Vec<(usize, f64)>, count: usize) {
    if count < tokens.len() {
        tokens.select_nth_unstable_by(count, order);
        tokens.truncate(count);
    }
}

/// Keeps the fewest tokens, the likeliest first, that have at least `share` of the weight, and at least one.
fn keep_mass(tokens: &mut Vec<(usize, f64)>, share: f64) {
    // Few tokens carry nearly all the weight, so most of a large vocabulary need not be sorted.
    const FIRST: usize = 256;
    tokens.sort_unstable_by_key(|(id, _)| *id);
    let enough = share * tokens.iter().map(|(_, weight)| weight).sum::<f64>();
    let mut sorted = FIRST.min(tokens.len());
    loop {
        if sorted < tokens.len() {
            tokens.select_nth_unstable_by(sorted, order);
        }
        tokens[..sorted].sort_unstable_by(order);
        let mut mass = 0.0;
        let reached = tokens[..sorted].iter().position(|(_, weight)| {
            mass += weight;
            mass >= enough
        });
        match reached {
            Some(last) => return tokens.truncate(last + 1),
            None if sorted == tokens.len() => return,
            None => sorted = sorted.saturating_mul(16).min(tokens.len()),
        }
    }
}

/// A number in [0, 1) of 53 random bits.
fn uniform(stream: &Stream, position: usize) -> f64 {
    let mut random = ChaCha8Rng::from_seed(*stream);
    // A draw is two words of the stream.
    random.set_word_pos(2 * position as u128);
    (random.next_u64() >> 11) as f64 / (1_u64 << 53) as f64
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::Value;

    use super::*;

    fn sampling(temperature: f64, top_k: Option<usize>, top_p: f64) -> Sampling {
        Sampling {
            temperature,
            top_k,
            top_p,
        }
    }

    /// `scripts/reference/sampling.py` made the file: sets that transformers' warpers keep.
    #[test]
    fn transformers_keeps_the_same_tokens() {
        let text = include_str!("../../tests/golden/sampling.json");
        let golden: Value = serde_json::from_str(text).unwrap();
        let rows: Vec<Vec<f32>> = serde_json::from_value(golden["logits"].clone()).unwrap();
        let cases = golden["cases"].as_array().unwrap();
        assert!(cases.len() >= 50);
        for case in cases {
            let logits = &rows[case["row"].as_u64().unwrap() as usize];
            let it = sampling(
                case["temperature"].as_f64().unwrap(),
                case["top_k"].as_u64().map(|count| count as usize),
                case["top_p"].as_f64().unwrap(),
            );
            let kept = it.kept(logits);
            let ids: Vec<usize> = kept.iter().map(|(id, _)| *id).collect();
            let expected: Vec<usize> = serde_json::from_value(case["kept"].clone()).unwrap();
            assert_eq!(ids, expected, "{it:?}, row {}", case["row"]);
            let total: f64 = kept.iter().map(|(_, weight)| weight).sum();
            let ours = kept.iter().map(|(_, weight)| weight / total);
            for (ours, theirs) in ours.zip(case["probabilities"].as_array().unwrap()) {
                assert!((ours - theirs.as_f64().unwrap()).abs() < 1e-9);
            }
        }
    }

    /// Pearson's statistic against exact probabilities, for each way to cut the distribution. The 0.999 quantile of
    /// chi-square with 9, 3 and 5 degrees of freedom.
    #[test]
    fn tokens_come_as_often_as_they_should() {
        const DRAWS: usize = 40_000;
        let logits: Vec<f32> = (0..10).map(|i| ((i * 7) % 10) as f32 / 4.0).collect();
        for (it, kept, limit) in [
            (sampling(1.0, None, 1.0), 10, 27.88),
            (sampling(0.7, Some(4), 1.0), 4, 16.27),
            (sampling(1.0, None, 0.8), 6, 20.52),
        ] {
            let mut seen = [0_usize; 10];
            for draw in 0..DRAWS {
                // Both ways in which draws differ: by answer, and by position in it.
                let stream = answer_stream(5, "question", (draw / 20) as u64);
                seen[it.choose(&logits, &stream, draw % 20)] += 1;
            }
            let mut exact: Vec<(usize, f64)> = logits
                .iter()
                .enumerate()
                .map(|(id, logit)| (id, (f64::from(*logit) / it.temperature).exp()))
                .collect();
            exact.sort_by(|a, b| b.1.total_cmp(&a.1));
            exact.truncate(kept);
            let total: f64 = exact.iter().map(|(_, weight)| weight).sum();
            let statistic: f64 = exact
                .iter()
                .map(|(id, weight)| {
                    let expected = DRAWS as f64 * weight / total;
                    (seen[*id] as f64 - expected).powi(2) / expected
                })
                .sum();
            assert_eq!(exact.iter().map(|(id, _)| seen[*id]).sum::<usize>(), DRAWS);
            assert!(statistic < limit, "{it:?}: {statistic}");
        }
    }

    #[test]
    fn streams_have_names_of_their_own() {
        let mut streams = vec![
            answer_stream(1, "a", 0),
            answer_stream(1, "a", 1),
            answer_stream(2, "a", 0),
            answer_stream(1, "b", 0),
            answer_stream(1, "", 0),
        ];
        streams.sort_unstable();
        streams.dedup();
        assert_eq!(streams.len(), 5);
        let [first, second] = [0, 1].map(|position| uniform(&streams[0], position));
        assert!(first.to_bits() != second.to_bits() && (0.0..1.0).contains(&first));
    }

    #[test]
    fn numbers_out_of_range_are_told() {
        for (it, ok) in [
            (Sampling::GREEDY, true),
            (sampling(0.7, Some(1), 0.5), true),
            (sampling(-0.1, None, 1.0), false),
            (sampling(f64::NAN, None, 1.0), false),
            (sampling(1.0, Some(0), 1.0), false),
            (sampling(1.0, None, 0.0), false),
            (sampling(1.0, None, 1.1), false),
            (sampling(1.0, None, f64::NAN), false),
        ] {
            assert_eq!(it.fault().is_none(), ok, "{it:?}");
        }
    }

    fn logits() -> impl Strategy<Value = Vec<f32>> {
        // Some coarse, so that there are ties; some with more tokens than are sorted at first.
        prop_oneof![
            prop::collection::vec(-20.0_f32..20.0, 1..60),
            prop::collection::vec((-4_i8..4).prop_map(f32::from), 1..60),
            prop::collection::vec(-0.5_f32..0.5, 300..700),
        ]
    }

    proptest! {
        #[test]
        fn one_token_is_the_likeliest(
            logits in logits(), temperature in 0.05..5.0_f64, number in 0_u64..1000, position in 0_usize..500,
        ) {
            let stream = answer_stream(1, "x", number);
            let greedy = argmax(&logits);
            for it in [
                Sampling::GREEDY,
                sampling(temperature, Some(1), 1.0),
                sampling(temperature, Some(1), 0.4),
                sampling(temperature, None, 1e-9),
                sampling(temperature, Some(7), 1e-9),
            ] {
                prop_assert_eq!(it.choose(&logits, &stream, position), greedy);
            }
        }

        #[test]
        fn the_kept_are_the_fewest_that_suffice(
            logits in logits(), temperature in 0.2..3.0_f64, top_k in 1_usize..80, top_p in 0.01..1.0_f64,
        ) {
            let all = sampling(temperature, Some(top_k), 1.0).kept(&logits);
            let kept = sampling(temperature, Some(top_k), top_p).kept(&logits);
            prop_assert_eq!(all.len(), top_k.min(logits.len()));
            let mass = |tokens: &[(usize, f64)]| tokens.iter().map(|(_, weight)| weight).sum::<f64>();
            let least = kept.iter().map(|(_, weight)| *weight).fold(f64::MAX, f64::min);
            prop_assert!(mass(&kept) >= top_p * mass(&all) * (1.0 - 1e-12));
            prop_assert!(mass(&kept) - least < top_p * mass(&all) * (1.0 + 1e-12));
            // Nothing that was left out is likelier than what was kept.
            for (id, weight) in &all {
                prop_assert!(kept.iter().any(|(other, _)| other == id) || *weight <= least);
            }
        }
    }
}
