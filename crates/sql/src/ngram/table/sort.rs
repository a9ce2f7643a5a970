//! The longest run from each place of some templates, and their order.

use crate::ngram::{NgramOptions, Run, Step, TokenClass};

/// The longest feature that begins at a place.
#[derive(Clone, Copy, Debug)]
pub(super) struct LongestRun {
    /// The tokens at the depth that is being sorted.
    key: u64,
    place: u32,
    length: u32,
}

impl LongestRun {
    /// Where it begins.
    pub fn place(self) -> usize {
        self.place as usize
    }

    /// Its tokens.
    pub fn tokens(self, text: &[u32]) -> &[u32] {
        &text[self.place()..self.place() + self.length as usize]
    }
}

/// The longest feature from each place of the templates in `text` at which one begins, in no promised order.
pub(super) fn longest_runs(
    text: &[u32],
    ends: &[usize],
    classes: &[TokenClass],
    options: NgramOptions,
) -> Vec<LongestRun> {
    let mut found = Vec::with_capacity(text.len());
    let mut start = 0;
    for &end in ends {
        for place in start..end {
            let (mut run, mut length) = (Run::default(), 0);
            for (before, &token) in text[place..end].iter().take(options.l_max).enumerate() {
                match run.push(classes[token as usize], options.filters) {
                    Step::Feature => length = before + 1,
                    Step::Part => {}
                    Step::Over => break,
                }
            }
            if length > 0 {
                found.push(LongestRun {
                    key: 0,
                    place: place as u32,
                    length: length as u32,
                });
            }
        }
        start = end;
    }
    found
}

/// Sorts runs by their tokens, of which there are `n_tokens` different ones.
///
/// As many tokens as fit into 64 bits are compared at once, which with a few hundred different ones is seven or eight.
pub(super) fn sort(runs: &mut [LongestRun], text: &[u32], n_tokens: usize) {
    let bits = (n_tokens + 1).next_power_of_two().trailing_zeros();
    // Runs that agree so far, with the depth to which they do.
    let mut open: Vec<(&mut [LongestRun], usize)> = vec![(runs, 0)];
    let at_once = (u64::BITS / bits.max(1)) as usize;
    while let Some((runs, depth)) = open.pop() {
        for run in runs.iter_mut() {
            let tokens = run.tokens(text);
            let rest = &tokens[depth.min(tokens.len())..];
            // Behind its end a run has zeros, so that it comes before those that go on.
            let digits = rest.iter().map(|token| u64::from(*token) + 1);
            let padded = digits.chain(std::iter::repeat(0)).take(at_once);
            run.key = padded.fold(0, |key, digit| key << bits | digit);
        }
        runs.sort_unstable_by_key(|run| run.key);
        let depth = depth + at_once;
        for same in runs.chunk_by_mut(|a, b| a.key == b.key) {
            if same.len() > 1 && same.iter().any(|run| run.length as usize > depth) {
                open.push((same, depth));
            }
        }
    }
}
