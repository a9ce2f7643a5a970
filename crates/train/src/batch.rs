//! Examples in, packed micro-batches out: which examples may be trained on, and which of their tokens carry loss.
//! It does not know the order of the data nor what a token means.

use std::ops::Range;

use harness_model::Sequences;
use serde::{Deserialize, Serialize};

/// One example as token ids. The end-of-text token, where the model is to learn it, is the last of `completion`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TrainExample {
    /// Name of the example in logs and errors.
    pub id: String,
    /// Tokens that are read but carry no loss.
    pub prompt: Vec<u32>,
    /// Tokens that carry loss.
    pub completion: Vec<u32>,
}

impl TrainExample {
    /// Tokens of prompt and completion together.
    pub fn len(&self) -> usize {
        self.prompt.len() + self.completion.len()
    }

    /// Whether there is no token at all.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Number of tokens that carry loss. A token is predicted from the row before it, so with an empty prompt
    /// the first token of the completion has nothing to be predicted from and carries none.
    pub fn target_tokens(&self) -> usize {
        if self.prompt.is_empty() {
            self.completion.len().saturating_sub(1)
        } else {
            self.completion.len()
        }
    }
}

/// Ids of the examples that were not trained on, by reason, in the order given.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LeftOut {
    /// Longer than `max_length` tokens. They are never cut: half a completion would teach the model to stop early.
    pub too_long: Vec<String>,
    /// Without a token that could carry loss.
    pub no_target: Vec<String>,
}

/// Splits examples into those fit for training and those left out, with the reason.
///
/// `max_length` counts prompt and completion together; an example of exactly that length is kept.
pub fn admit(examples: &[TrainExample], max_length: usize) -> (Vec<&TrainExample>, LeftOut) {
    let mut kept = Vec::with_capacity(examples.len());
    let mut left_out = LeftOut::default();
    for example in examples {
        if example.target_tokens() == 0 {
            left_out.no_target.push(example.id.clone());
        } else if example.len() > max_length {
            left_out.too_long.push(example.id.clone());
        } else {
            kept.push(example);
        }
    }
    (kept, left_out)
}

/// Cuts consecutive examples of `lengths` tokens into runs of at most `budget` tokens each.
///
/// An example longer than the budget stands alone in its run: the budget bounds memory where it can, and never
/// drops data. The runs cover `0..lengths.len()` in order.
pub fn micro_batches(lengths: &[usize], budget: usize) -> Vec<Range<usize>> {
    let mut runs = Vec::new();
    let mut start = 0;
    let mut tokens: usize = 0;
    for (index, &length) in lengths.iter().enumerate() {
        if index > start && tokens.saturating_add(length) > budget {
            runs.push(start..index);
            start = index;
            tokens = 0;
        }
        tokens = tokens.saturating_add(length);
    }
    if start < lengths.len() {
        runs.push(start..lengths.len());
    }
    runs
}

/// Sequences laid end to end without padding. Letters: N tokens in all, B sequences, T targets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PackedBatch {
    /// `[N]` token ids.
    pub tokens: Vec<u32>,
    /// `[B + 1]` cumulative: sequence `b` is `tokens[starts[b]..starts[b + 1]]`. Attention stays within it.
    pub starts: Vec<usize>,
    /// `[T]` pairs (row, token): the output at `row` is to predict `token`. Rows ascend.
    pub targets: Vec<(usize, u32)>,
}

impl PackedBatch {
    /// Lays the examples end to end, in the order given.
    pub fn pack(examples: &[&TrainExample]) -> Self {
        let total = examples.iter().map(|example| example.len()).sum();
        let mut batch = Self {
            tokens: Vec::with_capacity(total),
            starts: vec![0],
            targets: Vec::new(),
        };
        for example in examples {
            let start = batch.tokens.len();
            batch.tokens.extend(&example.prompt);
            batch.tokens.extend(&example.completion);
            let first = example.len() - example.target_tokens();
            for position in start + first..batch.tokens.len() {
                batch.targets.push((position - 1, batch.tokens[position]));
            }
            batch.starts.push(batch.tokens.len());
        }
        batch
    }

    /// B, the number of sequences.
    pub fn count(&self) -> usize {
        self.starts.len().saturating_sub(1)
    }

    /// As a model takes it.
    pub(crate) fn sequences(&self) -> Sequences<'_> {
        Sequences {
            tokens: &self.tokens,
            starts: &self.starts,
            targets: &self.targets,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn example(id: &str, prompt: &[u32], completion: &[u32]) -> TrainExample {
        TrainExample {
            id: id.to_owned(),
            prompt: prompt.to_vec(),
            completion: completion.to_vec(),
        }
    }

    #[test]
    fn packs_two_sequences() {
        let (a, b) = (
            example("a", &[1, 2], &[3, 4]),
            example("b", &[5], &[6, 7, 8]),
        );
        let batch = PackedBatch::pack(&[&a, &b]);
        assert_eq!(batch.tokens, [1, 2, 3, 4, 5, 6, 7, 8]);
        assert_eq!(batch.starts, [0, 4, 8]);
        assert_eq!(batch.targets, [(1, 3), (2, 4), (4, 6), (5, 7), (6, 8)]);
        assert_eq!(batch.count(), 2);
    }

    /// The token that ends an answer may be the one that fills batches up (SmolLM2, Qwen): what carries loss is a matter
    /// of place, so it is learnt wherever it stands.
    #[test]
    fn the_end_is_learnt_wherever_it_stands() {
        const END: u32 = 2;
        let batch = PackedBatch::pack(&[&example("a", &[END, 5, END], &[END, 6, END])]);
        assert_eq!(batch.targets, [(2, END), (3, 6), (4, END)]);
    }

    #[test]
    fn without_a_prompt_the_first_token_carries_no_loss() {
        let batch = PackedBatch::pack(&[&example("a", &[], &[3, 4]), &example("b", &[], &[])]);
        assert_eq!(batch.targets, [(0, 4)]);
        assert_eq!(batch.starts, [0, 2, 2]);
    }

    #[test]
    fn leaves_out_by_name_and_never_cuts() {
        let examples = [
            example("fits", &[1, 2], &[3]),
            example("long", &[1, 2, 3], &[4]),
            example("silent", &[1, 2], &[]),
            example("lone", &[], &[1]),
        ];
        let (kept, left_out) = admit(&examples, 3);
        assert_eq!(kept, [&examples[0]]);
        assert_eq!(left_out.too_long, ["long"]);
        assert_eq!(left_out.no_target, ["silent", "lone"]);
    }

    #[test]
    fn micro_batches_table() {
        for (lengths, budget, expected) in [
            (&[][..], 4, vec![]),
            (&[4, 4], 4, vec![0..1, 1..2]),
            (&[1, 2, 1, 3], 4, vec![0..3, 3..4]),
            (&[1, 9, 1], 4, vec![0..1, 1..2, 2..3]),
            (&[2, 2], 0, vec![0..1, 1..2]),
        ] {
            assert_eq!(
                micro_batches(lengths, budget),
                expected,
                "{lengths:?} {budget}"
            );
        }
    }
}
