//! Attention on the tile unit. Scores are computed transposed, `[keys][queries]`, for blocks of [`QUERIES`] queries: so they are
//! at once the left factor of `Pᵀ dO` and `dSᵀ Q` and the right one of `Vᵀ Pᵀ` and `Kᵀ dSᵀ`, and softmax runs over columns,
//! all lanes of a vector busy. Nothing as large as the scores is transposed.
//!
//! `PARTS` is how many bfloat16 a value is split into: three for products of `f32`, one to round (see `split`).
//! Names: `l` keys and queries of a sequence, `d` width of a head, both rounded up to multiples of 32.

use half::bf16;
use rayon::prelude::*;

use super::{AttentionShape, Task};
use crate::aligned::Aligned;
use crate::amx::{self, Begin, Call, Parts, SIDE};
use crate::exp::exp;
use crate::pack::{STEP, WIDTH};
use crate::rows::TILE;
use crate::simd::dispatched;
use crate::split::{split_panel, split_row};
use crate::threads::Shared;

/// Queries a block: [`PANELS`] panels.
const QUERIES: usize = PANELS * WIDTH;
const PANELS: usize = 2;

/// See [`super::attention_forward`].
pub(super) fn forward<const PARTS: usize>(
    shape: &AttentionShape,
    (q, k, v): (&[f32], &[f32], &[f32]),
    out: &mut [f32],
) {
    let (q_row, d) = (shape.heads * shape.head_dim, shape.head_dim);
    let group = shape.heads / shape.kv_heads;
    let out = Shared::new(out);
    shape.tasks().for_each_init(Space::default, |space, task| {
        let sizes = Sizes::new(shape, &task);
        let keys = Keys { shape, task: &task };
        let unit = amx::Tiles::new(amx::SIDE);
        space.fit::<PARTS>(&sizes);
        keys.rows::<PARTS>(k, &sizes, &mut space.k_rows);
        keys.columns::<PARTS>(v, &sizes, &mut space.columns);
        for head in task.kv_head * group..(task.kv_head + 1) * group {
            for from in (0..sizes.length).step_by(QUERIES) {
                let block = Block::new(shape, &sizes, from);
                let queries = Queries {
                    shape,
                    task: &task,
                    head,
                    block: &block,
                };
                queries.panels_by_width::<PARTS>(q, &sizes, &mut space.q_wide);
                scores::<PARTS>(
                    &unit,
                    &sizes,
                    &block,
                    &space.k_rows,
                    &space.q_wide,
                    &mut space.p,
                );
                for p in space
                    .p
                    .chunks_exact_mut(sizes.l * WIDTH)
                    .take(PANELS)
                    .enumerate()
                {
                    softmax_panel(p, shape, &block);
                }
                let out_t = &mut space.result;
                weighted::<PARTS>(
                    &unit,
                    &sizes,
                    &block,
                    &space.columns,
                    &space.p,
                    &mut space.stretch,
                    out_t,
                );
                queries.store(out_t, q_row, d, out);
            }
        }
    });
}

/// See [`super::attention_backward`].
pub(super) fn backward<const PARTS: usize>(
    shape: &AttentionShape,
    (q, k, v): (&[f32], &[f32], &[f32]),
    d_out: &[f32],
    (dq, dk, dv): (&mut [f32], &mut [f32], &mut [f32]),
) {
    let (q_row, d) = (shape.heads * shape.head_dim, shape.head_dim);
    let kv_row = shape.kv_heads * d;
    let group = shape.heads / shape.kv_heads;
    let (dq, dk, dv) = (Shared::new(dq), Shared::new(dk), Shared::new(dv));
    shape.tasks().for_each_init(Space::default, |space, task| {
        let sizes = Sizes::new(shape, &task);
        let keys = Keys { shape, task: &task };
        let unit = amx::Tiles::new(amx::SIDE);
        space.fit::<PARTS>(&sizes);
        keys.rows::<PARTS>(k, &sizes, &mut space.k_rows);
        keys.rows::<PARTS>(v, &sizes, &mut space.v_rows);
        keys.columns::<PARTS>(k, &sizes, &mut space.columns);
        space.dk.fill(0.0);
        space.dv.fill(0.0);
        for head in task.kv_head * group..(task.kv_head + 1) * group {
            for from in (0..sizes.length).step_by(QUERIES) {
                let block = Block::new(shape, &sizes, from);
                let queries = Queries {
                    shape,
                    task: &task,
                    head,
                    block: &block,
                };
                queries.panels_by_width::<PARTS>(q, &sizes, &mut space.q_wide);
                queries.panels_by_width::<PARTS>(d_out, &sizes, &mut space.o_wide);
                queries.panels_by_query::<PARTS>(q, &sizes, &mut space.q_long);
                queries.panels_by_query::<PARTS>(d_out, &sizes, &mut space.o_long);
                scores::<PARTS>(
                    &unit,
                    &sizes,
                    &block,
                    &space.k_rows,
                    &space.q_wide,
                    &mut space.p,
                );
                scores::<PARTS>(
                    &unit,
                    &sizes,
                    &block,
                    &space.v_rows,
                    &space.o_wide,
                    &mut space.s,
                );
                let panel = sizes.l * WIDTH;
                for (index, (p, s)) in space
                    .p
                    .chunks_exact_mut(panel)
                    .zip(space.s.chunks_exact_mut(panel))
                    .enumerate()
                {
                    softmax_panel((index, &mut *p), shape, &block);
                    let rows = block.first * WIDTH..block.last * WIDTH;
                    slopes(&p[rows.clone()], &mut s[rows], shape.scale());
                }
                for (left, right, sum) in [
                    (&space.p, &space.o_long, &mut space.dv),
                    (&space.s, &space.q_long, &mut space.dk),
                ] {
                    outer::<PARTS>(&unit, &sizes, &block, left, right, &mut space.stretch, sum);
                }
                let dq_t = &mut space.result;
                weighted::<PARTS>(
                    &unit,
                    &sizes,
                    &block,
                    &space.columns,
                    &space.s,
                    &mut space.stretch,
                    dq_t,
                );
                queries.store(dq_t, q_row, d, dq);
            }
        }
        for row in 0..sizes.length {
            let place = (task.first + row) * kv_row + task.kv_head * d;
            for (from, to) in [(&space.dk, dk), (&space.dv, dv)] {
                // SAFETY: a task writes its own key head of its own rows.
                unsafe { to.write(place, &from[row * sizes.d..][..d]) };
            }
        }
    });
}

/// The lengths of one sequence.
struct Sizes {
    length: usize,
    l: usize,
    d: usize,
}

impl Sizes {
    fn new(shape: &AttentionShape, task: &Task) -> Self {
        let length = task.end - task.first;
        Self {
            length,
            l: length.next_multiple_of(SIDE),
            d: shape.head_dim.next_multiple_of(SIDE),
        }
    }
}

/// Queries `from..from + rows` and the keys that one of them may see, `first..last`, whole tiles.
struct Block {
    from: usize,
    rows: usize,
    first: usize,
    last: usize,
}

impl Block {
    fn new(shape: &AttentionShape, sizes: &Sizes, from: usize) -> Self {
        let to = (from + QUERIES).min(sizes.length);
        let first = shape
            .window
            .map_or(0, |window| (from + 1).saturating_sub(window));
        Self {
            from,
            rows: to - from,
            first: first / SIDE * SIDE,
            last: to.next_multiple_of(SIDE),
        }
    }
}

/// Buffers of a thread.
#[derive(Default)]
struct Space {
    /// Left factors `[l / 16][d / 32][parts][16][32]`, and `[d / 16][l / 32][parts][16][32]`.
    k_rows: Buffer,
    v_rows: Buffer,
    columns: Buffer,
    /// Right factors of a block: of `d` steps for each panel of queries, of the block's steps for each panel of `d`.
    q_wide: Buffer,
    o_wide: Buffer,
    q_long: Buffer,
    o_long: Buffer,
    stretch: Buffer,
    /// `[PANELS][l][32]`.
    p: Vec<f32>,
    s: Vec<f32>,
    /// `[PANELS][d][32]`.
    result: Vec<f32>,
    /// `[l][d]`.
    dk: Vec<f32>,
    dv: Vec<f32>,
}

struct Buffer {
    parts: Aligned,
    values: Vec<f32>,
}

impl Default for Buffer {
    fn default() -> Self {
        Self {
            parts: Aligned::zeros(0),
            values: Vec::new(),
        }
    }
}

impl Space {
    fn fit<const PARTS: usize>(&mut self, sizes: &Sizes) {
        for buffer in [&mut self.k_rows, &mut self.v_rows, &mut self.columns] {
            buffer.parts.resize(sizes.l * sizes.d * PARTS);
        }
        for buffer in [
            &mut self.q_wide,
            &mut self.o_wide,
            &mut self.q_long,
            &mut self.o_long,
        ] {
            buffer.parts.resize(QUERIES * sizes.d * PARTS);
            buffer.values.resize(sizes.d.max(QUERIES) * WIDTH, 0.0);
        }
        self.stretch.parts.resize(QUERIES * sizes.l * PARTS);
        for scores in [&mut self.p, &mut self.s] {
            scores.resize(QUERIES * sizes.l, 0.0);
        }
        self.result.resize(QUERIES * sizes.d, 0.0);
        self.dk.resize(sizes.l * sizes.d, 0.0);
        self.dv.resize(sizes.l * sizes.d, 0.0);
    }
}

/// One key head of one sequence.
struct Keys<'a> {
    shape: &'a AttentionShape,
    task: &'a Task,
}

impl Keys<'_> {
    fn row<'x>(&self, x: &'x [f32], row: usize) -> &'x [f32] {
        let d = self.shape.head_dim;
        let place = (self.task.first + row) * self.shape.kv_heads * d + self.task.kv_head * d;
        &x[place..place + d]
    }

    /// The left factor whose rows are positions.
    fn rows<const PARTS: usize>(&self, x: &[f32], sizes: &Sizes, into: &mut Buffer) {
        let steps = sizes.d / STEP;
        into.values.resize(sizes.d, 0.0);
        for row in 0..sizes.l {
            into.values.fill(0.0);
            if row < sizes.length {
                let row = self.row(x, row);
                into.values[..row.len()].copy_from_slice(row);
            }
            let tile = row / TILE * steps * PARTS * TILE * STEP + row % TILE * STEP;
            split_row::<PARTS>(&into.values, &mut into.parts.values_mut()[tile..]);
        }
    }

    /// The left factor whose rows are places of the head.
    fn columns<const PARTS: usize>(&self, x: &[f32], sizes: &Sizes, into: &mut Buffer) {
        let steps = sizes.l / STEP;
        into.values.clear();
        into.values.resize(sizes.d * sizes.l, 0.0);
        for row in 0..sizes.length {
            for (place, value) in self.row(x, row).iter().enumerate() {
                into.values[place * sizes.l + row] = *value;
            }
        }
        for (place, values) in into.values.chunks_exact(sizes.l).enumerate() {
            let tile = place / TILE * steps * PARTS * TILE * STEP + place % TILE * STEP;
            split_row::<PARTS>(values, &mut into.parts.values_mut()[tile..]);
        }
    }
}

/// One head's block of queries.
struct Queries<'a> {
    shape: &'a AttentionShape,
    task: &'a Task,
    head: usize,
    block: &'a Block,
}

impl Queries<'_> {
    fn place(&self, row: usize) -> usize {
        let d = self.shape.head_dim;
        ((self.task.first + self.block.from + row) * self.shape.heads + self.head) * d
    }

    fn row<'x>(&self, x: &'x [f32], row: usize) -> &'x [f32] {
        &x[self.place(row)..][..self.shape.head_dim]
    }

    /// The right factor whose outputs are queries and whose inputs are places of the head.
    fn panels_by_width<const PARTS: usize>(&self, x: &[f32], sizes: &Sizes, into: &mut Buffer) {
        let size = sizes.d * WIDTH * PARTS;
        for (panel, parts) in into.parts.values_mut().chunks_exact_mut(size).enumerate() {
            let values = &mut into.values[..sizes.d * WIDTH];
            values.fill(0.0);
            let first = panel * WIDTH;
            for lane in 0..WIDTH.min(self.block.rows.saturating_sub(first)) {
                for (place, value) in self.row(x, first + lane).iter().enumerate() {
                    values[place * WIDTH + lane] = *value;
                }
            }
            split_panel::<PARTS>(values, parts);
        }
    }

    /// The right factor whose outputs are places of the head and whose inputs are queries.
    fn panels_by_query<const PARTS: usize>(&self, x: &[f32], sizes: &Sizes, into: &mut Buffer) {
        let size = QUERIES * WIDTH * PARTS;
        for (panel, parts) in into.parts.values_mut().chunks_exact_mut(size).enumerate() {
            let values = &mut into.values[..QUERIES * WIDTH];
            values.fill(0.0);
            let first = panel * WIDTH;
            debug_assert!(first < sizes.d);
            let count = WIDTH.min(self.shape.head_dim.saturating_sub(first));
            for (row, values) in values
                .chunks_exact_mut(WIDTH)
                .enumerate()
                .take(self.block.rows)
            {
                values[..count].copy_from_slice(&self.row(x, row)[first..first + count]);
            }
            split_panel::<PARTS>(values, parts);
        }
    }

    /// Stores `[PANELS][d][32]`, turned round, as this head's rows.
    fn store(&self, from: &[f32], q_row: usize, d: usize, out: Shared<'_>) {
        let panel = from.len() / PANELS;
        debug_assert_eq!(q_row, self.shape.heads * d);
        let mut line = vec![0f32; d];
        for row in 0..self.block.rows {
            let from = &from[row / WIDTH * panel + row % WIDTH..];
            for (value, from) in line.iter_mut().zip(from.iter().step_by(WIDTH)) {
                *value = *from;
            }
            // SAFETY: a task writes its own heads of its own rows.
            unsafe { out.write(self.place(row), &line) };
        }
    }
}

const fn both<const PARTS: usize>() -> Parts {
    if PARTS == 3 {
        Parts::ThreeByThree
    } else {
        Parts::OneByOne
    }
}

/// `into[PANELS][l][32]`: rows of `left` (keys) times `right` (queries), for the keys of the block.
fn scores<const PARTS: usize>(
    unit: &amx::Tiles,
    sizes: &Sizes,
    block: &Block,
    left: &Buffer,
    right: &Buffer,
    into: &mut [f32],
) {
    let tile = sizes.d * TILE * PARTS;
    let rights = right.parts.values().chunks_exact(sizes.d * WIDTH * PARTS);
    for (right, into) in rights.zip(into.chunks_exact_mut(sizes.l * WIDTH)) {
        for key in (block.first..block.last).step_by(SIDE) {
            let a = &left.parts.values()[key / TILE * tile..][..2 * tile];
            let c = &mut into[key * WIDTH..][..SIDE * WIDTH];
            call::<PARTS>(
                unit,
                (a, &a[tile..]),
                right,
                sizes.d / STEP,
                (c, WIDTH),
                false,
            );
        }
    }
}

/// `result[PANELS][d][32] = Σ over the block's keys of left[d][keys] · right[PANELS][keys][32]`.
fn weighted<const PARTS: usize>(
    unit: &amx::Tiles,
    sizes: &Sizes,
    block: &Block,
    left: &Buffer,
    right: &[f32],
    stretch: &mut Buffer,
    result: &mut [f32],
) {
    let tile = sizes.l * TILE * PARTS;
    let steps = (block.last - block.first) / STEP;
    let skipped = block.first / STEP * PARTS * TILE * STEP;
    let panels = right.chunks_exact(sizes.l * WIDTH);
    for (right, result) in panels.zip(result.chunks_exact_mut(sizes.d * WIDTH)) {
        let parts = &mut stretch.parts.values_mut()[..steps * STEP * WIDTH * PARTS];
        split_panel::<PARTS>(&right[block.first * WIDTH..block.last * WIDTH], parts);
        for place in (0..sizes.d).step_by(SIDE) {
            let a = &left.parts.values()[place / TILE * tile..][..2 * tile];
            let c = &mut result[place * WIDTH..][..SIDE * WIDTH];
            call::<PARTS>(
                unit,
                (&a[skipped..], &a[tile + skipped..]),
                parts,
                steps,
                (c, WIDTH),
                false,
            );
        }
    }
}

/// `sum[l][d] += left[PANELS][keys][32]`, its rows being keys, times the block's queries in `right`.
fn outer<const PARTS: usize>(
    unit: &amx::Tiles,
    sizes: &Sizes,
    block: &Block,
    left: &[f32],
    right: &Buffer,
    stretch: &mut Buffer,
    sum: &mut [f32],
) {
    let tile = QUERIES * TILE * PARTS;
    let parts = &mut stretch.parts.values_mut()[..2 * tile];
    for key in (block.first..block.last).step_by(SIDE) {
        for (panel, left) in left.chunks_exact(sizes.l * WIDTH).enumerate() {
            for row in 0..SIDE {
                let values = &left[(key + row) * WIDTH..][..WIDTH];
                let place = row / TILE * tile + panel * PARTS * TILE * STEP + row % TILE * STEP;
                split_row::<PARTS>(values, &mut parts[place..]);
            }
        }
        let rights = right.parts.values().chunks_exact(QUERIES * WIDTH * PARTS);
        for (panel, right) in rights.enumerate() {
            let c = &mut sum[key * sizes.d + panel * WIDTH..];
            call::<PARTS>(
                unit,
                (parts, &parts[tile..]),
                right,
                PANELS,
                (c, sizes.d),
                true,
            );
        }
    }
}

/// One square of 32 by 32.
fn call<const PARTS: usize>(
    unit: &amx::Tiles,
    (a, a_low): (&[bf16], &[bf16]),
    b: &[bf16],
    steps: usize,
    (c, c_stride): (&mut [f32], usize),
    keep: bool,
) {
    let call = Call {
        a,
        a_low,
        b,
        steps,
        begin: if keep { Begin::Result } else { Begin::Zero },
    };
    amx::multiply(unit, both::<PARTS>(), call, c, c_stride);
}

/// Softmax over the keys of the block that each query sees, of a panel `[l][32]`; elsewhere zero.
fn softmax_panel((index, p): (usize, &mut [f32]), shape: &AttentionShape, block: &Block) {
    let first_query = block.from + index * WIDTH;
    for key in block.first..block.last {
        let row = &mut p[key * WIDTH..][..WIDTH];
        // Query q sees keys q − window + 1 to q.
        let before = key.saturating_sub(first_query).min(WIDTH);
        row[..before].fill(f32::NEG_INFINITY);
        if let Some(window) = shape.window {
            let end = key.saturating_add(window);
            let after = end.saturating_sub(first_query).min(WIDTH);
            row[after..].fill(f32::NEG_INFINITY);
        }
    }
    softmax_columns(
        &mut p[block.first * WIDTH..block.last * WIDTH],
        shape.scale(),
    );
}

dispatched! {
    /// Replaces each of 32 columns by `exp(scale · x) / Σ exp(scale · x)`; one that is nothing but −∞ becomes zero.
    fn softmax_columns(p: &mut [f32], scale: f32) {
        let mut tops = [f32::NEG_INFINITY; WIDTH];
        for row in p.chunks_exact(WIDTH) {
            for (top, x) in tops.iter_mut().zip(row) {
                *top = if *x > *top { *x } else { *top };
            }
        }
        for top in &mut tops {
            *top = if *top == f32::NEG_INFINITY { 0.0 } else { *top * scale };
        }
        let mut sums = [0f32; WIDTH];
        for row in p.chunks_exact_mut(WIDTH) {
            for ((x, top), sum) in row.iter_mut().zip(&tops).zip(&mut sums) {
                *x = exp(*x * scale - top);
                *sum += *x;
            }
        }
        for sum in &mut sums {
            *sum = if *sum > 0.0 || sum.is_nan() { 1.0 / *sum } else { 0.0 };
        }
        for row in p.chunks_exact_mut(WIDTH) {
            for (x, factor) in row.iter_mut().zip(&sums) {
                *x *= factor;
            }
        }
    }
}

dispatched! {
    /// `s = scale · p ∘ (s − Σ p ∘ s)`, the sum over each of 32 columns.
    fn slopes(p: &[f32], s: &mut [f32], scale: f32) {
        let mut means = [0f32; WIDTH];
        for (p, s) in p.chunks_exact(WIDTH).zip(s.chunks_exact(WIDTH)) {
            for ((p, s), mean) in p.iter().zip(s).zip(&mut means) {
                *mean += p * s;
            }
        }
        for (p, s) in p.chunks_exact(WIDTH).zip(s.chunks_exact_mut(WIDTH)) {
            for ((p, s), mean) in p.iter().zip(s).zip(&means) {
                *s = scale * p * (*s - mean);
            }
        }
    }
}
