//! What a model thinks of given text: logits and log-probabilities.

use harness_kernel::{KvPages, PAGE, log_sum_exp};

use super::Engine;
use super::forward::{Piece, Space, in_pool};
use crate::error::ModelError;

/// Rows whose logits are in memory at a time.
pub(super) const ROWS: usize = 64;

impl Engine<'_> {
    /// Logits after the last of `tokens`, one a vocabulary entry.
    ///
    /// # Errors
    /// If a token does not fit the vocabulary or the sequence the context, or there is no token.
    pub fn last_logits(&self, tokens: &[u32]) -> Result<Vec<f32>, ModelError> {
        let mut space = self.read(tokens, &mut |_| true)?;
        Ok(self.logits(&mut space, &[tokens.len() - 1]).to_vec())
    }

    /// `−ln p(token | those before)` in nats for all tokens but the first.
    ///
    /// # Errors
    /// As [`Self::last_logits`].
    pub fn token_losses(&self, tokens: &[u32]) -> Result<Vec<f64>, ModelError> {
        let mut space = self.read(tokens, &mut |_| true)?;
        let vocabulary = self.decoder.config.vocab_size;
        let predicting: Vec<usize> = (0..tokens.len() - 1).collect();
        let mut losses = Vec::with_capacity(predicting.len());
        for rows in predicting.chunks(ROWS) {
            let logits = in_pool(|| self.logits(&mut space, rows));
            for row in logits.chunks_exact(vocabulary) {
                let target = tokens[losses.len() + 1] as usize;
                losses.push(log_sum_exp(row) - f64::from(row[target]));
            }
        }
        Ok(losses)
    }

    /// Logits after every one of `tokens`, `[tokens, vocabulary]`.
    ///
    /// # Errors
    /// As [`Self::last_logits`].
    pub fn all_logits(&self, tokens: &[u32]) -> Result<Vec<f32>, ModelError> {
        let mut space = self.read(tokens, &mut |_| true)?;
        let rows: Vec<usize> = (0..tokens.len()).collect();
        Ok(in_pool(|| self.logits(&mut space, &rows)).to_vec())
    }

    /// The residual stream, `layers + 1` times `[tokens, hidden]`: the embeddings, and what each layer leaves, the last
    /// behind the final norm. It is `hidden_states` of transformers.
    ///
    /// # Errors
    /// As [`Self::last_logits`].
    pub fn hidden_states(&self, tokens: &[u32]) -> Result<Vec<Vec<f32>>, ModelError> {
        let mut states = Vec::with_capacity(self.decoder.config.layers + 1);
        let space = self.read(tokens, &mut |x| {
            states.push(x.to_vec());
            true
        })?;
        states.push(self.normed(space.hidden()));
        Ok(states)
    }

    /// One sequence through the model; what it leaves.
    fn read(
        &self,
        tokens: &[u32],
        see: &mut (dyn FnMut(&[f32]) -> bool + Send),
    ) -> Result<Space, ModelError> {
        if tokens.is_empty() {
            return Err(ModelError::Setting {
                setting: "tokens",
                problem: "has to hold at least one".to_owned(),
            });
        }
        let mut pages = KvPages::new(self.kv_shape());
        let table: Vec<usize> = (0..tokens.len().div_ceil(PAGE))
            .map(|_| pages.push())
            .collect();
        let piece = Piece {
            tokens,
            position: 0,
            table: &table,
        };
        let mut space = self.space();
        in_pool(|| self.forward(&[piece], &mut pages, &mut space, see))?;
        Ok(space)
    }
}
