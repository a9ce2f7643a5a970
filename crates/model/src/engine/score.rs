//! What a model thinks of given text: logits and log-probabilities.

use harness_kernel::{KvCache, log_sum_exp};

use super::Engine;
use super::forward::Piece;
use crate::error::ModelError;

/// Rows whose logits are in memory at a time.
const ROWS: usize = 64;

impl Engine<'_> {
    /// Logits after the last of `tokens`, one a vocabulary entry.
    ///
    /// # Errors
    /// If a token does not fit the vocabulary or the sequence the context, or there is no token.
    pub fn last_logits(&self, tokens: &[u32]) -> Result<Vec<f32>, ModelError> {
        let hidden = self.hidden(tokens)?;
        let width = self.decoder.config.hidden;
        Ok(self.logits(&hidden[hidden.len() - width..]))
    }

    /// `−ln p(token | those before)` in nats for all tokens but the first.
    ///
    /// # Errors
    /// As [`Self::last_logits`].
    pub fn token_losses(&self, tokens: &[u32]) -> Result<Vec<f64>, ModelError> {
        let hidden = self.hidden(tokens)?;
        let (width, vocabulary) = (self.decoder.config.hidden, self.decoder.config.vocab_size);
        let predicting = &hidden[..(tokens.len() - 1) * width];
        let mut losses = Vec::with_capacity(tokens.len() - 1);
        for chunk in predicting.chunks(ROWS * width) {
            for row in self.logits(chunk).chunks_exact(vocabulary) {
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
        Ok(self.logits(&self.hidden(tokens)?))
    }

    /// The residual stream, `layers + 1` times `[tokens, hidden]`: the embeddings, and what each layer leaves, the last
    /// behind the final norm. It is `hidden_states` of transformers.
    ///
    /// # Errors
    /// As [`Self::last_logits`].
    pub fn hidden_states(&self, tokens: &[u32]) -> Result<Vec<Vec<f32>>, ModelError> {
        let mut states = Vec::with_capacity(self.decoder.config.layers + 1);
        let last = self.hidden_seen(tokens, &mut |x| states.push(x.to_vec()))?;
        states.push(self.normed(&last));
        Ok(states)
    }

    fn hidden(&self, tokens: &[u32]) -> Result<Vec<f32>, ModelError> {
        self.hidden_seen(tokens, &mut |_| {})
    }

    fn hidden_seen(
        &self,
        tokens: &[u32],
        see: &mut dyn FnMut(&[f32]),
    ) -> Result<Vec<f32>, ModelError> {
        if tokens.is_empty() {
            return Err(ModelError::Setting {
                setting: "tokens",
                problem: "has to hold at least one".to_owned(),
            });
        }
        let mut cache = KvCache::new(self.kv_shape(), tokens.len());
        let piece = Piece {
            tokens,
            position: 0,
            cache: &mut cache,
        };
        self.forward_seen(&mut [piece], see)
    }
}
