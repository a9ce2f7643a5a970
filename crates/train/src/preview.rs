//! One example as the trainer sees it, for a person to check before the hours are spent: the decoded text with
//! marks around what carries loss. The marks come from the packed batch itself, not from the intent.

use std::fmt;

use crate::batch::{PackedBatch, TrainExample};

/// A decoded example. Its `Display` is the counts on one line and the marked text below.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Preview {
    /// Name of the example.
    pub id: String,
    /// Decoded text with `⟦` and `⟧` around each run of tokens that carry loss.
    pub text: String,
    /// Tokens of the example.
    pub tokens: usize,
    /// Tokens that carry loss.
    pub target_tokens: usize,
}

impl fmt::Display for Preview {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "example {}: {} tokens, {} of them trained (between ⟦ and ⟧)",
            self.id, self.tokens, self.target_tokens
        )?;
        f.write_str(&self.text)
    }
}

/// Decodes `example` with its mask. `decode` turns ids into text with special tokens shown.
pub fn preview<E>(
    example: &TrainExample,
    mut decode: impl FnMut(&[u32]) -> Result<String, E>,
) -> Result<Preview, E> {
    let batch = PackedBatch::pack(&[example]);
    let mut trained = vec![false; batch.tokens.len()];
    for &(row, _) in &batch.targets {
        trained[row + 1] = true;
    }
    let mut text = String::new();
    let mut start = 0;
    for run in trained.chunk_by(|a, b| a == b) {
        let part = decode(&batch.tokens[start..start + run.len()])?;
        if run[0] {
            text.extend(["⟦", &part, "⟧"]);
        } else {
            text.push_str(&part);
        }
        start += run.len();
    }
    Ok(Preview {
        id: example.id.clone(),
        text,
        tokens: batch.tokens.len(),
        target_tokens: batch.targets.len(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(prompt: &[u32], completion: &[u32], expected: &str) {
        let example = TrainExample {
            id: "q1".to_owned(),
            prompt: prompt.to_vec(),
            completion: completion.to_vec(),
        };
        let decode = |ids: &[u32]| {
            ids.iter()
                .map(|&id| char::from_u32(id).ok_or(id))
                .collect::<Result<String, u32>>()
        };
        assert_eq!(preview(&example, decode).unwrap().to_string(), expected);
    }

    #[test]
    fn marks_what_carries_loss() {
        check(
            &[97, 98],
            &[99, 100, 46],
            "example q1: 5 tokens, 3 of them trained (between ⟦ and ⟧)\nab⟦cd.⟧",
        );
        check(
            &[],
            &[99, 100],
            "example q1: 2 tokens, 1 of them trained (between ⟦ and ⟧)\nc⟦d⟧",
        );
        check(
            &[97],
            &[],
            "example q1: 1 tokens, 0 of them trained (between ⟦ and ⟧)\na",
        );
    }

    #[test]
    fn a_failing_decoder_is_passed_on() {
        let example = TrainExample {
            id: String::new(),
            prompt: vec![1],
            completion: vec![2],
        };
        assert_eq!(preview(&example, |ids| Err(ids.to_vec())), Err(vec![1]));
    }
}
