//! Texts as vectors: what a layer holds of them, the mean over their tokens.

use super::Engine;
use super::passes::Given;
use crate::error::ModelError;

impl Engine<'_> {
    /// The mean over its tokens of each text's hidden states behind layer `layer`, `[texts, hidden]`: 0 is the embeddings, and
    /// the number of layers is what is behind the last layer and the final norm. Layers are those of transformers'
    /// `hidden_states[layer]`, and sums run over a text's own tokens in their order, so a text's vector is the same bits whatever
    /// stands beside it. `done` is told how many texts are finished.
    ///
    /// # Errors
    /// If there is no such layer, a text has no token or more than the context, or a token does not fit the vocabulary.
    pub fn embed(
        &self,
        texts: &[Vec<u32>],
        layer: usize,
        done: &mut dyn FnMut(usize),
    ) -> Result<Vec<Vec<f32>>, ModelError> {
        let (layers, width) = (self.decoder.config.layers, self.decoder.config.hidden);
        if layer > layers {
            return Err(ModelError::Setting {
                setting: "layer",
                problem: format!("{layer} is not among the model's 0 to {layers}"),
            });
        }
        let given: Vec<Given<'_>> = texts
            .iter()
            .map(|tokens| Given { tokens, alike: 0 })
            .collect();
        let mut sums = vec![vec![0f64; width]; texts.len()];
        let mut finished = 0;
        self.passes(&given, layer, &mut |space, stretches| {
            let normed;
            let states = if layer == layers {
                normed = self.normed(space.hidden());
                &normed
            } else {
                space.hidden()
            };
            for stretch in stretches {
                let own = &states[stretch.row * width..][..stretch.count * width];
                for row in own.chunks_exact(width) {
                    for (sum, value) in sums[stretch.index].iter_mut().zip(row) {
                        *sum += f64::from(*value);
                    }
                }
                finished +=
                    usize::from(stretch.position + stretch.count == texts[stretch.index].len());
            }
            done(finished);
            Ok::<(), ModelError>(())
        })?;
        let mean = |(sum, text): (Vec<f64>, &Vec<u32>)| {
            let count = text.len() as f64;
            sum.into_iter()
                .map(|value| (value / count) as f32)
                .collect()
        };
        Ok(sums.into_iter().zip(texts).map(mean).collect())
    }
}
