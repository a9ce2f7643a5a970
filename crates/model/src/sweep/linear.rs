//! A projection with its low-rank update, forward and backward: `y = x · Wᵀ + b + s · (dropout(x) · Aᵀ) · Bᵀ`.

use harness_kernel::{Init, Precision, Rows, Start, add_outer, product, sum_of_products};
use rayon::prelude::*;

use super::dropout::Dropout;
use super::gradients::PairGradient;
use super::pairs::Pair;
use super::{Plan, Sweep};
use crate::buffer::fit;
use crate::lora::Projection;

/// One projection of one layer.
pub(super) struct Site<'a> {
    pub(super) index: usize,
    pub(super) projection: Projection,
    pub(super) pair: Option<&'a Pair>,
    dropout: Option<Dropout>,
}

/// The input of a projection row by row: it writes row `.0` into `.1`.
pub(super) type Input<'a> = &'a (dyn Fn(usize, &mut [f32]) + Sync);

impl<'a> Site<'a> {
    pub(super) fn new(
        plan: &Plan,
        pairs: &'a super::Pairs,
        index: usize,
        projection: Projection,
    ) -> Self {
        Self {
            index,
            projection,
            pair: pairs.get(index, projection),
            dropout: Dropout::new(pairs.dropout, plan.dropout, index, projection),
        }
    }
}

impl Sweep<'_> {
    /// `y = start + ` the projection of `x`, whose layout `rows` is; `input` gives its values once more, for dropout.
    /// `low` keeps `dropout(x) · Aᵀ`, `[m, r]`.
    pub(super) fn project(
        &self,
        site: &Site<'_>,
        (rows, space): (&Rows, &mut Low),
        input: Input<'_>,
        low: &mut Vec<f32>,
        (start, y): (Start<'_>, &mut [f32]),
    ) {
        let (m, k) = (rows.m(), rows.k());
        let linear = self.decoder.layers[site.index].projection(site.projection);
        let start = linear.start(start, y);
        let main = (rows, linear.packed());
        let Some(pair) = site.pair else {
            low.clear();
            sum_of_products(&[main], start, y);
            return;
        };
        let r = pair.a.outputs();
        let low = fit(low, m * r);
        if let Some(dropout) = site.dropout {
            space.dropped.fill(m, k, |row, into| {
                input(row, into);
                dropout.apply(row, into);
            });
            product(&space.dropped, &pair.a, low, Init::Zero);
        } else {
            product(rows, &pair.a, low, Init::Zero);
        }
        space.rows.copy(low, m, r);
        sum_of_products(&[main, (&space.rows, &pair.b)], start, y);
    }

    /// The backward pass of [`Self::project`] to the input: `d_rows` is the gradient of `y`. That of `x`, plus what `dx`
    /// starts from, is written to it where it is wanted; the one behind `A` is left in `space.d_rank`, for [`Self::d_pair`].
    pub(super) fn d_input(
        &self,
        site: &Site<'_>,
        d_rows: &Rows,
        space: &mut Low,
        dx: Option<(Start<'_>, &mut [f32])>,
    ) {
        let m = d_rows.m();
        let weights = self.decoder.layers[site.index]
            .projection(site.projection)
            .packed_backward();
        let Some((pair, back)) = site.pair.and_then(|pair| Some((pair, pair.back.as_ref()?)))
        else {
            if let Some((start, dx)) = dx {
                sum_of_products(&[(d_rows, weights)], start, dx);
            }
            return;
        };
        let (r, inputs) = (pair.a.outputs(), pair.a.inputs());
        let d_rank = fit(&mut space.d_rank, m * r);
        product(d_rows, &back.b, d_rank, Init::Zero);
        let Some((start, dx)) = dx else { return };
        space.rows.copy(d_rank, m, r);
        let Some(dropout) = site.dropout else {
            sum_of_products(&[(d_rows, weights), (&space.rows, &back.a)], start, dx);
            return;
        };
        sum_of_products(&[(d_rows, weights)], start, dx);
        let masked = fit(&mut space.masked, m * inputs);
        product(&space.rows, &back.a, masked, Init::Zero);
        drop_rows(dropout, masked, inputs);
        add(dx, masked);
    }

    /// The backward pass to the pair, after [`Self::d_input`]: `x` are the projection's inputs, `low` what the forward pass
    /// left, `dy` the gradient of `y`.
    pub(super) fn d_pair(
        site: &Site<'_>,
        space: &mut Low,
        (x, low, dy): (&[f32], &[f32], &[f32]),
        gradient: Option<&mut PairGradient>,
    ) {
        let (Some(pair), Some(gradient)) = (site.pair, gradient) else {
            return;
        };
        let (r, inputs, outputs) = (pair.a.outputs(), pair.a.inputs(), pair.b.outputs());
        let m = low.len() / r.max(1);
        add_outer(&mut gradient.b, (m, r, outputs), low, dy);
        let x = if let Some(dropout) = site.dropout {
            let masked = fit(&mut space.masked, m * inputs);
            masked.copy_from_slice(x);
            drop_rows(dropout, masked, inputs);
            masked
        } else {
            x
        };
        add_outer(&mut gradient.a, (m, r, inputs), &space.d_rank, x);
    }
}

fn drop_rows(dropout: Dropout, values: &mut [f32], width: usize) {
    values
        .par_chunks_mut(width)
        .enumerate()
        .for_each(|(row, values)| dropout.apply(row, values));
}

/// `x += y`.
pub(super) fn add(x: &mut [f32], y: &[f32]) {
    const STRETCH: usize = 1 << 14;
    x.par_chunks_mut(STRETCH)
        .zip(y.par_chunks(STRETCH))
        .for_each(|(x, y)| {
            for (x, y) in x.iter_mut().zip(y) {
                *x += y;
            }
        });
}

/// Buffers of the low-rank side.
#[derive(Debug)]
pub(super) struct Low {
    /// The left factor of the product with `B`, or with `A` on the way back.
    rows: Rows,
    /// That of the product with `A`, where some values are dropped.
    dropped: Rows,
    /// `[m, r]`: the gradient behind `A`.
    d_rank: Vec<f32>,
    /// `[m, inputs]`, with some values dropped.
    masked: Vec<f32>,
}

impl Low {
    pub(super) fn new(precision: Precision) -> Self {
        Self {
            rows: Rows::new(precision),
            dropped: Rows::new(precision),
            d_rank: Vec::new(),
            masked: Vec::new(),
        }
    }
}
