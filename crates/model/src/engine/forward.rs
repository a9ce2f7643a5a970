//! One forward pass over new tokens of several sequences whose earlier tokens are cached.

use harness_kernel::{KvCache, attend, rms_norm, swiglu};

use super::Engine;
use crate::error::ModelError;
use crate::lora::Projection;

/// New tokens of one sequence.
pub(super) struct Piece<'a> {
    pub(super) tokens: &'a [u32],
    /// Position of the first of them.
    pub(super) position: usize,
    pub(super) cache: &'a mut KvCache,
}

impl Engine<'_> {
    /// Runs all layers over the new tokens, stores their keys and values, and returns the hidden states
    /// before the final norm, `[tokens, hidden]`.
    pub(super) fn forward(&self, pieces: &mut [Piece<'_>]) -> Result<Vec<f32>, ModelError> {
        self.forward_seen(pieces, &mut |_| {})
    }

    /// [`Self::forward`] that shows the input of each layer, `[tokens, hidden]`.
    pub(super) fn forward_seen(
        &self,
        pieces: &mut [Piece<'_>],
        see: &mut dyn FnMut(&[f32]),
    ) -> Result<Vec<f32>, ModelError> {
        let config = &self.decoder.config;
        let mut tokens = Vec::new();
        let (mut rows, mut starts, mut counts) = (Vec::new(), Vec::new(), Vec::new());
        for piece in pieces.iter() {
            let end = piece.position + piece.tokens.len();
            if end > self.decoder.context() {
                return Err(ModelError::TooLong {
                    tokens: end,
                    context: self.decoder.context(),
                });
            }
            tokens.extend_from_slice(piece.tokens);
            rows.extend((piece.position as u32)..(end as u32));
            starts.push(piece.position);
            counts.push(piece.tokens.len());
        }
        let m = tokens.len();
        let kv = config.kv_heads * config.head_dim;
        let attention = config.heads * config.head_dim;
        let epsilon = config.rms_eps as f32;
        let mut x = self.decoder.embed(&tokens)?;
        let mut h = vec![0f32; m * config.hidden];
        let mut added = vec![0f32; m * config.hidden];
        let (mut q, mut attended) = (vec![0f32; m * attention], vec![0f32; m * attention]);
        let (mut k, mut v) = (vec![0f32; m * kv], vec![0f32; m * kv]);
        let (mut gate, mut up, mut activated) = (
            vec![0f32; m * config.intermediate],
            vec![0f32; m * config.intermediate],
            vec![0f32; m * config.intermediate],
        );
        for (index, layer) in self.decoder.layers.iter().enumerate() {
            let linear = |projection, x: &[f32], out: &mut [f32]| {
                layer.projection(projection).apply(x, m, out);
                if let Some(adapter) = self.adapter {
                    adapter.add(index, projection, x, m, out);
                }
            };
            see(&x);
            rms_norm(&x, &layer.input_norm, epsilon, &mut h);
            linear(Projection::QProj, &h, &mut q);
            linear(Projection::KProj, &h, &mut k);
            linear(Projection::VProj, &h, &mut v);
            if let Some(norms) = &layer.qk_norm {
                for (x, weight) in [(&mut q, &norms.q), (&mut k, &norms.k)] {
                    // Rows of the norm are heads; the values of each are read before they are written.
                    let heads = x.clone();
                    rms_norm(&heads, weight, epsilon, x);
                }
            }
            self.decoder.rope.rotate(&mut q, &rows, false);
            self.decoder.rope.rotate(&mut k, &rows, false);
            let mut row = 0;
            for piece in pieces.iter_mut() {
                let stretch = row * kv..(row + piece.tokens.len()) * kv;
                piece
                    .cache
                    .store(index, piece.position, &k[stretch.clone()], &v[stretch]);
                row += piece.tokens.len();
            }
            let caches: Vec<&KvCache> = pieces.iter().map(|piece| &*piece.cache).collect();
            let window = config.window_of(index);
            attend(index, window, &caches, &starts, &counts, &q, &mut attended);
            linear(Projection::OProj, &attended, &mut added);
            add(&mut x, &added);
            rms_norm(&x, &layer.post_attention_norm, epsilon, &mut h);
            linear(Projection::GateProj, &h, &mut gate);
            linear(Projection::UpProj, &h, &mut up);
            swiglu(&gate, &up, &mut activated);
            linear(Projection::DownProj, &activated, &mut added);
            add(&mut x, &added);
        }
        Ok(x)
    }

    /// The final norm of hidden states, `[m, hidden]`.
    pub(super) fn normed(&self, hidden: &[f32]) -> Vec<f32> {
        let mut normed = vec![0f32; hidden.len()];
        let epsilon = self.decoder.config.rms_eps as f32;
        rms_norm(hidden, &self.decoder.norm, epsilon, &mut normed);
        normed
    }

    /// Logits of hidden states, `[m, vocabulary]` from `[m, hidden]`.
    pub(super) fn logits(&self, hidden: &[f32]) -> Vec<f32> {
        let config = &self.decoder.config;
        let m = hidden.len() / config.hidden;
        let normed = self.normed(hidden);
        let mut logits = vec![0f32; m * config.vocab_size];
        self.decoder.head.apply(&normed, m, &mut logits);
        logits
    }
}

fn add(x: &mut [f32], added: &[f32]) {
    for (x, a) in x.iter_mut().zip(added) {
        *x += a;
    }
}
