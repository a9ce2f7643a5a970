//! A micro-batch: sequences laid end to end, and which of their tokens see which.

use harness_kernel::AttentionShape;

use crate::config::ModelConfig;
use crate::error::ModelError;

/// Sequences laid end to end, without padding, and the tokens that carry loss.
#[derive(Debug, Clone, Copy)]
pub struct Sequences<'a> {
    /// All tokens, `m` of them.
    pub tokens: &'a [u32],
    /// First token of each sequence, and `m` at the end: rising.
    pub starts: &'a [usize],
    /// `(row, id)`: the output at `row` is to predict `id`.
    pub targets: &'a [(usize, u32)],
}

impl Sequences<'_> {
    /// The position of every token within its sequence, in a model with `context` positions.
    ///
    /// # Errors
    /// If a token or target does not fit the vocabulary, a sequence does not fit the context, or a target has no row.
    pub(crate) fn positions(
        &self,
        config: &ModelConfig,
        context: usize,
    ) -> Result<Vec<u32>, ModelError> {
        let mut positions = Vec::with_capacity(self.tokens.len());
        for ends in self.starts.windows(2) {
            let length = ends[1] - ends[0];
            if length > context {
                return Err(ModelError::TooLong {
                    tokens: length,
                    context,
                });
            }
            positions.extend(0..length as u32);
        }
        let fit = positions.len() == self.tokens.len();
        if let Some(&(row, _)) = self
            .targets
            .iter()
            .find(|(row, _)| !fit || *row >= positions.len())
        {
            return Err(ModelError::NoSuchRow {
                row,
                rows: positions.len(),
            });
        }
        let vocabulary = config.vocab_size;
        let targets = self.targets.iter().map(|(_, id)| id);
        match self
            .tokens
            .iter()
            .chain(targets)
            .find(|id| **id as usize >= vocabulary)
        {
            Some(&id) => Err(ModelError::TokenOutOfRange { id, vocabulary }),
            None => Ok(positions),
        }
    }
}

/// Of layers that see all positions before them, and of those that slide, over sequences that begin at `starts`.
pub(crate) fn attention_shapes(config: &ModelConfig, starts: &[usize]) -> [AttentionShape; 2] {
    [false, true].map(|slides| AttentionShape {
        heads: config.heads,
        kv_heads: config.kv_heads,
        head_dim: config.head_dim,
        starts: starts.to_vec(),
        window: config
            .window
            .as_ref()
            .filter(|_| slides)
            .map(|it| it.tokens),
    })
}
