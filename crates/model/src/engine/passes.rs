//! Many given sequences through the model, in passes of a bounded number of tokens; nothing is generated.
//!
//! Sequences follow each other: a pass takes as many tokens as it may, so it can end within a sequence, which the next one
//! goes on with. What comes out for a token is the same bits whichever pass it is in.

use harness_kernel::PAGE;

use super::Engine;
use super::cache::{Cache, Table};
use super::forward::{Piece, Space, in_pool};
use super::generate::PASS;
use crate::error::ModelError;

/// A sequence, and how much of it may be left to the one before.
#[derive(Debug, Clone, Copy)]
pub(super) struct Given<'a> {
    pub(super) tokens: &'a [u32],
    /// Its first tokens that are also the first of the sequence before, as far as nothing is asked about them. Of these the
    /// whole pages are not computed again.
    pub(super) alike: usize,
}

/// The tokens of one sequence in a pass.
#[derive(Debug, Clone, Copy)]
pub(super) struct Stretch {
    /// The sequence.
    pub(super) index: usize,
    /// Position of the first of the tokens.
    pub(super) position: usize,
    /// How many they are.
    pub(super) count: usize,
    /// Row of the first of them among those of the pass.
    pub(super) row: usize,
}

/// What is done with what a pass left, and with the stretches that it was made of.
pub(super) type After<'a, E> = dyn FnMut(&mut Space, &[Stretch]) -> Result<(), E> + 'a;

/// A sequence that holds pages.
struct Open {
    index: usize,
    table: Table,
    /// Tokens that need no computing any more.
    length: usize,
}

impl Engine<'_> {
    /// Runs all sequences through the model. Of each pass the first `layers` are computed; `after` gets what each pass left and the stretches that it was made of, in their order.
    pub(super) fn passes<E: From<ModelError>>(
        &self,
        given: &[Given<'_>],
        layers: usize,
        after: &mut After<'_, E>,
    ) -> Result<(), E> {
        for sequence in given {
            self.check(sequence.tokens)?;
        }
        let mut cache = Cache::new(self.kv_shape(), usize::MAX);
        let mut space = self.space();
        let mut open: Vec<Open> = Vec::new();
        let mut next = 0;
        loop {
            let mut stretches: Vec<Stretch> = Vec::new();
            let mut rows = 0;
            // What the pass before left unfinished comes first.
            let mut first = open.len().saturating_sub(1);
            while rows < PASS {
                let unfinished = open[first..]
                    .last()
                    .is_some_and(|it| it.length < given[it.index].tokens.len());
                if !unfinished {
                    if next == given.len() {
                        break;
                    }
                    open.push(begin(&mut cache, open.last(), next, given[next]));
                    next += 1;
                    first = open.len() - 1;
                }
                let Some(it) = open.last_mut() else { break };
                let count = (PASS - rows).min(given[it.index].tokens.len() - it.length);
                stretches.push(Stretch {
                    index: it.index,
                    position: it.length,
                    count,
                    row: rows,
                });
                it.length += count;
                rows += count;
            }
            if stretches.is_empty() {
                return Ok(());
            }
            let pieces: Vec<Piece<'_>> = stretches
                .iter()
                .filter_map(|stretch| {
                    let it = open.iter().find(|it| it.index == stretch.index)?;
                    let end = stretch.position + stretch.count;
                    Some(Piece {
                        tokens: &given[stretch.index].tokens[stretch.position..end],
                        position: stretch.position,
                        table: &it.table.pages,
                    })
                })
                .collect();
            let mut left = layers;
            let mut see = |_: &[f32]| {
                let goes_on = left > 0;
                left = left.saturating_sub(1);
                goes_on
            };
            in_pool(|| self.forward(&pieces, &mut cache.pages, &mut space, &mut see))?;
            after(&mut space, &stretches)?;
            // The last one may go on, and the next may begin like it.
            for it in open.drain(..open.len() - 1) {
                cache.close(it.table);
            }
        }
    }

    /// Refuses a sequence without tokens and one that is longer than the context.
    fn check(&self, tokens: &[u32]) -> Result<(), ModelError> {
        if tokens.is_empty() {
            return Err(ModelError::Setting {
                setting: "tokens",
                problem: "has to hold at least one".to_owned(),
            });
        }
        let context = self.decoder.context();
        if tokens.len() > context {
            return Err(ModelError::TooLong {
                tokens: tokens.len(),
                context,
            });
        }
        Ok(())
    }
}

/// Gives a sequence its pages; the first ones are those of the sequence `before` where the two are alike.
fn begin(cache: &mut Cache, before: Option<&Open>, index: usize, given: Given<'_>) -> Open {
    let alike = given.alike.min(given.tokens.len() - 1);
    // A page is shared once it is computed as a whole, in this pass or an earlier one: every layer stores the keys and values of
    // all sequences of a pass before it reads any.
    let shared = before.map_or(&[][..], |it| {
        &it.table.pages[..(alike.min(it.length) / PAGE).min(it.table.pages.len())]
    });
    let length = shared.len() * PAGE;
    let positions = given.tokens.len();
    // Without a limit there is always room.
    let mut table = cache.open(shared, positions, true).unwrap_or_default();
    cache.reach(&mut table, positions);
    Open {
        index,
        table,
        length,
    }
}
