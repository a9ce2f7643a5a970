//! One forward pass over new tokens of several sequences whose earlier tokens are cached.

use harness_kernel::{
    Init, KvPages, Packed, Precision, Queries, Rows, Start, Sum, attend, product, rms_norm,
    rms_norm_row, sums_of_products, swiglu_row,
};

use super::Engine;
use super::adapter::Pair;
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

/// What a pass needs room for, kept from one to the next. Activations are `f32` whatever the weights are; what they become as factors of
/// products is decided by how the space was made.
#[derive(Debug)]
pub(super) struct Space {
    /// The left factor of the products at hand.
    rows: Rows,
    low: [Low; 3],
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

/// The low-rank side of a projection: what is behind `A`, and the same as the left factor of the product with `B`.
#[derive(Debug)]
struct Low {
    rows: Rows,
    values: Vec<f32>,
}

/// A projection, what its result starts from, and where it goes.
type Wanted<'a> = (Projection, Start<'a>, &'a mut [f32]);

impl Space {
    fn with(rows: impl Fn() -> Rows) -> Self {
        Self {
            rows: rows(),
            low: std::array::from_fn(|_| Low {
                rows: rows(),
                values: Vec::new(),
            }),
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

    /// For few tokens a pass, where that is another computation than for many.
    pub(super) fn few() -> Self {
        Self::with(Rows::few)
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
    /// Room for passes of given tokens: prompts, texts.
    pub(super) fn space(&self) -> Space {
        if self.decoder.weights().any(Packed::is_coded) {
            Space::with(Rows::for_codes)
        } else {
            Space::with(|| Rows::new(Precision::F32))
        }
    }

    /// Whether tokens that are being generated are computed in another way than given ones, in passes of their own
    /// ([`Space::few`]): so it is with weights that are no bfloat16.
    pub(super) fn is_apart(&self) -> bool {
        self.decoder.weights().any(Packed::is_slow_for_few)
    }

    /// Runs all layers over the new tokens, stores their keys and values, and leaves the hidden states in `space`.
    /// `see` is shown the input of each layer, `[tokens, hidden]`, and says whether to go on: where not, that input is what is left.
    pub(super) fn forward(
        &self,
        pieces: &[Piece<'_>],
        pages: &mut KvPages,
        space: &mut Space,
        see: &mut (dyn FnMut(&[f32]) -> bool + Send),
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
            if !see(x) {
                return Ok(());
            }
            let mut project = |rows: &Rows, wanted: Vec<Wanted<'_>>| {
                self.project(index, rows, low, wanted);
            };
            rows.fill(m, hidden, |row, into| {
                let x = &x[row * hidden..][..hidden];
                rms_norm_row(x, &layer.input_norm, epsilon, into);
            });
            let wanted = vec![
                (Projection::QProj, Start::Zero, fit(q, m * q_width)),
                (Projection::KProj, Start::Zero, fit(k, m * kv_width)),
                (Projection::VProj, Start::Zero, fit(v, m * kv_width)),
            ];
            project(rows, wanted);
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
            let start = Start::Matrix(x);
            project(rows, vec![(Projection::OProj, start, &mut *middle)]);
            rows.fill(m, hidden, |row, into| {
                let x = &middle[row * hidden..][..hidden];
                rms_norm_row(x, &layer.post_attention_norm, epsilon, into);
            });
            let wanted = vec![
                (Projection::GateProj, Start::Zero, fit(gate, m * inner)),
                (Projection::UpProj, Start::Zero, fit(up, m * inner)),
            ];
            project(rows, wanted);
            rows.fill(m, inner, |row, into| {
                let stretch = row * inner..(row + 1) * inner;
                swiglu_row(&gate[stretch.clone()], &up[stretch], into);
            });
            let start = Start::Matrix(middle);
            project(rows, vec![(Projection::DownProj, start, &mut *x)]);
        }
        Ok(())
    }

    /// Each result is what it starts from plus its projection of `rows`, with the adapter's part; up to three at once.
    fn project(&self, index: usize, rows: &Rows, low: &mut [Low; 3], mut wanted: Vec<Wanted<'_>>) {
        let layer = &self.decoder.layers[index];
        let m = rows.m();
        let pairs: Vec<Option<&Pair>> = wanted
            .iter()
            .map(|(projection, ..)| self.adapter?.pair(index, *projection))
            .collect();
        let firsts: Vec<[(&Rows, &Packed); 1]> = pairs
            .iter()
            .flatten()
            .map(|pair| [(rows, &pair.a)])
            .collect();
        let values = low.iter_mut().map(|low| &mut low.values);
        let mut sums: Vec<Sum<'_>> = firsts
            .iter()
            .zip(values)
            .map(|(terms, values)| Sum {
                terms,
                start: Start::Zero,
                out: fit(values, m * terms[0].1.outputs()),
            })
            .collect();
        sums_of_products(&mut sums);
        for (pair, Low { rows, values }) in pairs.iter().flatten().zip(low.iter_mut()) {
            let rank = pair.a.outputs();
            rows.fill(m, rank, |row, into| {
                for (into, value) in into.iter_mut().zip(&values[row * rank..]) {
                    *into = value * pair.scale;
                }
            });
        }
        let mut low = low.iter();
        let terms: Vec<Vec<(&Rows, &Packed)>> = wanted
            .iter()
            .zip(&pairs)
            .map(|((projection, ..), pair)| {
                let main = (rows, layer.projection(*projection).packed());
                let other = pair.and_then(|pair| Some((&low.next()?.rows, &pair.b)));
                [Some(main), other].into_iter().flatten().collect()
            })
            .collect();
        let mut sums: Vec<Sum<'_>> = wanted
            .iter_mut()
            .zip(&terms)
            .map(|((projection, start, out), terms)| Sum {
                terms,
                start: layer.projection(*projection).start(*start, out),
                out,
            })
            .collect();
        sums_of_products(&mut sums);
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
