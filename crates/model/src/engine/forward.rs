//! One forward pass over new tokens of several sequences whose earlier tokens are cached.

use harness_kernel::{
    Init, KvPages, Packed, Precision, Queries, Rows, Start, attend, product, rms_norm,
    rms_norm_row, sum_of_products, swiglu_row,
};

use super::Engine;
use crate::buffer::fit;
use crate::error::ModelError;
use crate::lora::Projection;

/// New tokens of one sequence.
#[derive(Debug, Clone, Copy)]
pub(super) struct Piece<'a> {
    pub(super) tokens: &'a [u32],
    /// Position of the first of them.
    pub(super) position: usize,
    /// The pages of the sequence, with room for the tokens.
    pub(super) table: &'a [usize],
}

/// What a pass needs room for, kept from one to the next. Activations are `f32` whatever the weights are.
#[derive(Debug)]
pub(super) struct Space {
    /// The left factor of the products at hand.
    rows: Rows,
    /// That of the second product of a low-rank update.
    low_rows: Rows,
    low: Vec<f32>,
    x: Vec<f32>,
    q: Vec<f32>,
    k: Vec<f32>,
    v: Vec<f32>,
    attended: Vec<f32>,
    middle: Vec<f32>,
    gate: Vec<f32>,
    up: Vec<f32>,
    logits: Vec<f32>,
}

impl Space {
    pub(super) fn new() -> Self {
        Self {
            rows: Rows::new(Precision::F32),
            low_rows: Rows::new(Precision::F32),
            low: Vec::new(),
            x: Vec::new(),
            q: Vec::new(),
            k: Vec::new(),
            v: Vec::new(),
            attended: Vec::new(),
            middle: Vec::new(),
            gate: Vec::new(),
            up: Vec::new(),
            logits: Vec::new(),
        }
    }

    /// The hidden states before the final norm that the last pass left, `[tokens, hidden]`.
    pub(super) fn hidden(&self) -> &[f32] {
        &self.x
    }
}

/// Runs `work` on one of the pool's threads: products that are started there need not wake one first.
pub(crate) fn in_pool<T: Send>(work: impl FnOnce() -> T + Send) -> T {
    rayon::scope(|_| work())
}

impl Engine<'_> {
    /// Runs all layers over the new tokens, stores their keys and values, and leaves the hidden states in `space`.
    /// `see` is shown the input of each layer, `[tokens, hidden]`.
    pub(super) fn forward(
        &self,
        pieces: &[Piece<'_>],
        pages: &mut KvPages,
        space: &mut Space,
        see: &mut (dyn FnMut(&[f32]) + Send),
    ) -> Result<(), ModelError> {
        let config = &self.decoder.config;
        let mut tokens = Vec::new();
        let mut positions = Vec::new();
        let mut queries = Vec::with_capacity(pieces.len());
        for piece in pieces {
            let end = piece.position + piece.tokens.len();
            if end > self.decoder.context() {
                return Err(ModelError::TooLong {
                    tokens: end,
                    context: self.decoder.context(),
                });
            }
            tokens.extend_from_slice(piece.tokens);
            positions.extend((piece.position as u32)..(end as u32));
            queries.push(Queries {
                table: piece.table,
                position: piece.position,
                count: piece.tokens.len(),
            });
        }
        let m = tokens.len();
        let (hidden, inner) = (config.hidden, config.intermediate);
        let kv_width = config.kv_heads * config.head_dim;
        let q_width = config.heads * config.head_dim;
        let epsilon = config.rms_eps as f32;
        let Space {
            rows,
            low_rows,
            low,
            x,
            q,
            k,
            v,
            attended,
            middle,
            gate,
            up,
            ..
        } = space;
        self.decoder.embed(&tokens, fit(x, m * hidden))?;
        for (index, layer) in self.decoder.layers.iter().enumerate() {
            see(x);
            let mut project = |rows: &Rows, projection, start: Start<'_>, out: &mut [f32]| {
                let place = (index, projection);
                self.project(place, rows, (&mut *low_rows, &mut *low), start, out);
            };
            rows.fill(m, hidden, |row, into| {
                let x = &x[row * hidden..][..hidden];
                rms_norm_row(x, &layer.input_norm, epsilon, into);
            });
            for (projection, width, out) in [
                (Projection::QProj, q_width, &mut *q),
                (Projection::KProj, kv_width, &mut *k),
                (Projection::VProj, kv_width, &mut *v),
            ] {
                project(rows, projection, Start::Zero, fit(out, m * width));
            }
            if let Some(norms) = &layer.qk_norm {
                for (x, weight) in [(&mut *q, &norms.q), (&mut *k, &norms.k)] {
                    // Rows of the norm are heads; the values of each are read before they are written.
                    let heads = x.clone();
                    rms_norm(&heads, weight, epsilon, x);
                }
            }
            self.decoder.rope.rotate(q, &positions, false);
            self.decoder.rope.rotate(k, &positions, false);
            let mut row = 0;
            for piece in pieces {
                let stretch = row * kv_width..(row + piece.tokens.len()) * kv_width;
                let (k, v) = (&k[stretch.clone()], &v[stretch]);
                pages.store(index, piece.table, piece.position, k, v);
                row += piece.tokens.len();
            }
            let window = config.window_of(index);
            let attended = fit(attended, m * q_width);
            attend(index, window, pages, &queries, q, attended);
            rows.copy(attended, m, q_width);
            let middle = fit(middle, m * hidden);
            project(rows, Projection::OProj, Start::Matrix(x), middle);
            rows.fill(m, hidden, |row, into| {
                let x = &middle[row * hidden..][..hidden];
                rms_norm_row(x, &layer.post_attention_norm, epsilon, into);
            });
            for (projection, out) in [
                (Projection::GateProj, &mut *gate),
                (Projection::UpProj, &mut *up),
            ] {
                project(rows, projection, Start::Zero, fit(out, m * inner));
            }
            rows.fill(m, inner, |row, into| {
                let stretch = row * inner..(row + 1) * inner;
                swiglu_row(&gate[stretch.clone()], &up[stretch], into);
            });
            project(rows, Projection::DownProj, Start::Matrix(middle), x);
        }
        Ok(())
    }

    /// `out = start + ` the projection of `rows`, with the adapter's part.
    fn project(
        &self,
        (index, projection): (usize, Projection),
        rows: &Rows,
        (low_rows, low): (&mut Rows, &mut Vec<f32>),
        start: Start<'_>,
        out: &mut [f32],
    ) {
        let linear = self.decoder.layers[index].projection(projection);
        let start = linear.start(start, out);
        let main = (rows, linear.packed());
        let pair = self
            .adapter
            .and_then(|adapter| adapter.pair(index, projection));
        let Some(pair) = pair else {
            sum_of_products(&[main], start, out);
            return;
        };
        let (m, rank) = (rows.m(), pair.a.outputs());
        let low = fit(low, m * rank);
        product(rows, &pair.a, low, Init::Zero);
        low_rows.fill(m, rank, |row, into| {
            for (into, value) in into.iter_mut().zip(&low[row * rank..]) {
                *into = value * pair.scale;
            }
        });
        sum_of_products(&[main, (low_rows, &pair.b)], start, out);
    }

    /// The final norm of hidden states, `[m, hidden]`.
    pub(super) fn normed(&self, hidden: &[f32]) -> Vec<f32> {
        let mut normed = vec![0f32; hidden.len()];
        let epsilon = self.decoder.config.rms_eps as f32;
        rms_norm(hidden, &self.decoder.norm, epsilon, &mut normed);
        normed
    }

    /// Logits of the chosen `rows` of what [`Self::forward`] left in `space`, `[rows, vocabulary]`.
    pub(super) fn logits<'s>(&self, space: &'s mut Space, chosen: &[usize]) -> &'s [f32] {
        let config = &self.decoder.config;
        let (hidden, epsilon) = (config.hidden, config.rms_eps as f32);
        let Space {
            rows, x, logits, ..
        } = space;
        rows.fill(chosen.len(), hidden, |row, into| {
            let x = &x[chosen[row] * hidden..][..hidden];
            rms_norm_row(x, &self.decoder.norm, epsilon, into);
        });
        let head: &Packed = self.decoder.head.packed();
        let logits = fit(logits, chosen.len() * config.vocab_size);
        product(rows, head, logits, Init::Zero);
        logits
    }
}
