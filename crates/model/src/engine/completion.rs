//! What a model thinks of given completions: many prompts, each with the text that should follow it.

use harness_kernel::{argmax, log_sum_exp};

use super::Engine;
use super::forward::in_pool;
use super::passes::Given;
use super::score::ROWS;
use crate::error::ModelError;

/// The loss of one completion behind its prompt.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct CompletionLoss {
    /// Sum of `−ln p(token | prompt and the tokens before)` over the completion's tokens, in nats.
    pub nats: f64,
    /// Tokens of the completion.
    pub tokens: usize,
    /// Those of them that the model holds likeliest of all.
    pub right: usize,
}

impl CompletionLoss {
    /// Nats a token; none of an empty completion.
    pub fn mean(&self) -> Option<f64> {
        (self.tokens > 0).then(|| self.nats / self.tokens as f64)
    }
}

impl Engine<'_> {
    /// The loss of each completion, a pair being the ids of a prompt and those of its completion; `done` gets each with the
    /// pair's index as it is known, in no fixed order. Only the tokens that a completion's are predicted from go through the
    /// head. Prompts that begin alike are computed once as far as they do. A loss is the same bits whatever stands beside it.
    ///
    /// # Errors
    /// If a prompt is empty (nothing would predict the first token), a pair is longer than the context, a token does not fit the
    /// vocabulary, or `done` fails.
    pub fn completion_losses<E: From<ModelError>>(
        &self,
        pairs: &[(Vec<u32>, Vec<u32>)],
        done: &mut dyn FnMut(usize, CompletionLoss) -> Result<(), E>,
    ) -> Result<(), E> {
        let vocabulary = self.decoder.config.vocab_size;
        let mut order = Vec::with_capacity(pairs.len());
        for (index, (prompt, completion)) in pairs.iter().enumerate() {
            if prompt.is_empty() {
                return Err(E::from(ModelError::Setting {
                    setting: "prompt",
                    problem: format!("that of completion {index} has to hold at least one token"),
                }));
            }
            if let Some(&token) = completion.iter().find(|id| **id as usize >= vocabulary) {
                return Err(E::from(ModelError::TokenOutOfRange {
                    id: token,
                    vocabulary,
                }));
            }
            if completion.is_empty() {
                done(index, CompletionLoss::default())?;
            } else {
                order.push(index);
            }
        }
        // Neighbours begin alike, so that they share most.
        order.sort_by(|a, b| pairs[*a].cmp(&pairs[*b]).then(a.cmp(b)));
        // Nothing is predicted from the last token.
        let texts: Vec<Vec<u32>> = order
            .iter()
            .map(|&index| {
                let (prompt, completion) = &pairs[index];
                [prompt.as_slice(), &completion[..completion.len() - 1]].concat()
            })
            .collect();
        let given: Vec<Given<'_>> = (0..texts.len())
            .map(|place| {
                let tokens = &texts[place];
                let before = place.checked_sub(1).map_or(&[][..], |it| &texts[it]);
                let alike = before
                    .iter()
                    .zip(tokens)
                    .take_while(|(a, b)| a == b)
                    .count();
                // The prompt's last token is the first that something is predicted from.
                let own = pairs[order[place]].0.len() - 1;
                Given {
                    tokens,
                    alike: alike.min(own),
                }
            })
            .collect();
        let mut losses = vec![CompletionLoss::default(); texts.len()];
        self.passes(
            &given,
            self.decoder.config.layers,
            &mut |space, stretches| {
                // Row of the pass, sequence, and the token that should follow.
                let mut asked: Vec<(usize, usize, u32)> = Vec::new();
                for stretch in stretches {
                    let (prompt, completion) = &pairs[order[stretch.index]];
                    let first = (prompt.len() - 1).max(stretch.position);
                    for position in first..stretch.position + stretch.count {
                        let row = stretch.row + position - stretch.position;
                        asked.push((row, stretch.index, completion[position + 1 - prompt.len()]));
                    }
                }
                for some in asked.chunks(ROWS) {
                    let rows: Vec<usize> = some.iter().map(|(row, ..)| *row).collect();
                    let logits = in_pool(|| self.logits(space, &rows));
                    for ((_, place, target), logits) in
                        some.iter().zip(logits.chunks_exact(vocabulary))
                    {
                        let target = *target as usize;
                        let loss = &mut losses[*place];
                        loss.nats += log_sum_exp(logits) - f64::from(logits[target]);
                        loss.tokens += 1;
                        loss.right += usize::from(argmax(logits) == target);
                    }
                }
                for stretch in stretches {
                    if stretch.position + stretch.count == texts[stretch.index].len() {
                        done(order[stretch.index], losses[stretch.index])?;
                    }
                }
                Ok(())
            },
        )
    }
}
