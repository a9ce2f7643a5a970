//! `out = x · Wᵀ` for packed weights: the product that training and generation are made of.
//!
//! Goto's scheme: a block of `x` is packed into tiles of [`ROWS`] rows that stay in the second-level cache, a
//! stretch of a panel stays in the first, and a tile of the result stays in registers. The sum over `k` runs in
//! rising order with fused multiply-adds whatever the blocking, so blocking never shows in a result.

use rayon::prelude::*;

use crate::pack::{Packed, Panels, WIDTH, padded};
use crate::stored::{self, Stored, transposed_panels};
use crate::threads::Shared;
use crate::tile::{ROWS, Weight, tile_product};

/// Rows of `x` packed at a time.
const BLOCK_ROWS: usize = 20 * ROWS;
/// Inputs a block: a stretch of a panel of this length stays in the first-level cache.
const BLOCK_INPUTS: usize = 384;

/// What the result starts from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Init {
    /// From zero: what was in `out` is overwritten.
    Zero,
    /// From what is in `out`: a bias, a residual, another product.
    Keep,
}

/// `out[m, n] (+)= x[m, k] · W[n, k]ᵀ`, row-major, in parallel on rayon's current pool.
///
/// # Panics
/// If `x` is not `m · k` long or `out` not `m · n`.
pub fn matmul(x: &[f32], m: usize, weights: &Packed, out: &mut [f32], init: Init) {
    let (n, k) = (weights.outputs(), weights.inputs());
    // No slice is as long as what a product that is too large becomes.
    assert_eq!(x.len(), m.saturating_mul(k), "x is [{m}, {k}]");
    assert_eq!(out.len(), m.saturating_mul(n), "out is [{m}, {n}]");
    match &weights.panels {
        Panels::F32(panels) | Panels::Split(panels, _) => run(x, m, (panels, k), (n, k), out, init),
        Panels::Bf16(panels) => run(x, m, (panels.values(), padded(k)), (n, k), out, init),
        Panels::Stored { matrix, transposed } => {
            stored(x, m, (matrix.as_ref(), *transposed), (n, k), out, init);
        }
    }
}

/// [`matmul`] with a matrix that stays as it is stored: each panel is made once, used and forgotten.
fn stored(
    x: &[f32],
    m: usize,
    (matrix, transposed): (&dyn Stored, bool),
    (n, k): (usize, usize),
    out: &mut [f32],
    init: Init,
) {
    if m == 0 || n == 0 {
        return;
    }
    let out = Shared::new(out);
    let room = || (Vec::new(), vec![0f32; k * WIDTH], vec![0f32; m * WIDTH]);
    (0..n.div_ceil(WIDTH))
        .into_par_iter()
        .for_each_init(room, |(buffer, made, result), panel| {
            if transposed {
                transposed_panels(matrix, panel..panel + 1, 0..k, buffer, made);
            } else {
                stored::panel(matrix, panel, 0..k, buffer, made);
            }
            let width = WIDTH.min(n - panel * WIDTH);
            let place = |row: usize| row * n + panel * WIDTH;
            if init == Init::Keep {
                for (r, result) in result.chunks_exact_mut(WIDTH).enumerate() {
                    // SAFETY: every task reads and writes its own columns.
                    unsafe { out.read(place(r), &mut result[..width]) };
                }
            }
            matmul_panels(
                (x, k),
                (m, k),
                made,
                k * WIDTH,
                WIDTH,
                (result, WIDTH),
                init,
            );
            for (r, result) in result.chunks_exact(WIDTH).enumerate() {
                // SAFETY: as above.
                unsafe { out.write(place(r), &result[..width]) };
            }
        });
}

/// As [`matmul`], on the calling thread, for panels of `f32` that were just made.
/// `x` has `m` rows of `k` values that start `x_stride` apart; `out` has rows `out_stride` apart.
fn matmul_panels(
    (x, x_stride): (&[f32], usize),
    (m, k): (usize, usize),
    panels: &[f32],
    panel_stride: usize,
    n: usize,
    (out, out_stride): (&mut [f32], usize),
    init: Init,
) {
    if m == 0 || n == 0 {
        return;
    }
    assert!(x.len() >= (m - 1) * x_stride + k, "x too short");
    assert!(out.len() >= (m - 1) * out_stride + n, "out too short");
    assert!(
        panels.len() >= (n.div_ceil(WIDTH) - 1) * panel_stride + k * WIDTH,
        "panels too short"
    );
    let job = Job {
        x,
        x_stride,
        panels,
        panel_stride,
        n,
        k,
        out: Shared::new(out),
        out_stride,
        init,
    };
    with_scratch(m * k, |tiles| {
        let stretch = job.stretch(m);
        for start in (0..k).step_by(stretch) {
            let length = stretch.min(k - start);
            for row in (0..m).step_by(ROWS) {
                let height = ROWS.min(m - row);
                let into = &mut tiles[start * m + row * length..][..height * length];
                job.pack_tile(row, height, start, length, into);
            }
        }
        // SAFETY: nothing else uses `out`, which is borrowed for writing alone.
        unsafe { job.block(tiles, m, 0, m, 0, n.div_ceil(WIDTH)) }
    });
}

fn run<W: Weight>(
    x: &[f32],
    m: usize,
    (panels, panel_inputs): (&[W], usize),
    (n, k): (usize, usize),
    out: &mut [f32],
    init: Init,
) {
    if m == 0 || n == 0 {
        return;
    }
    let job = Job {
        x,
        x_stride: k,
        panels,
        panel_stride: panel_inputs * WIDTH,
        n,
        k,
        out: Shared::new(out),
        out_stride: n,
        init,
    };
    let panel_count = n.div_ceil(WIDTH);
    let row_blocks = m.div_ceil(BLOCK_ROWS);
    // Enough tasks that a thread held up by other work does not hold up the rest.
    let wanted = (6 * rayon::current_num_threads()).div_ceil(row_blocks);
    let step = panel_count.div_ceil(wanted).max(1);
    let tasks_per_block = panel_count.div_ceil(step);
    with_scratch(m * k, |tiles| {
        job.pack_parallel(m, tiles);
        let tiles = &*tiles;
        (0..row_blocks * tasks_per_block)
            .into_par_iter()
            .for_each(|task| {
                let row = task / tasks_per_block * BLOCK_ROWS;
                let panel = task % tasks_per_block * step;
                let rows = BLOCK_ROWS.min(m - row);
                // SAFETY: every task has its own blocks of rows and steps of columns.
                unsafe { job.block(tiles, m, row, rows, panel, (panel + step).min(panel_count)) }
            });
    });
}

thread_local! {
    static TILES: std::cell::Cell<Vec<f32>> = const { std::cell::Cell::new(Vec::new()) };
}

/// Lends the thread's buffer, at least `len` long. It is taken out meanwhile, so a product that is started while
/// this one waits for its threads gets a buffer of its own.
fn with_scratch(len: usize, work: impl FnOnce(&mut [f32])) {
    let mut buffer = TILES.take();
    if buffer.len() < len {
        buffer = vec![0.0; len.next_multiple_of(1 << 16)];
    }
    work(&mut buffer[..len]);
    TILES.set(buffer);
}

struct Job<'a, W> {
    x: &'a [f32],
    x_stride: usize,
    panels: &'a [W],
    panel_stride: usize,
    n: usize,
    k: usize,
    out: Shared<'a>,
    out_stride: usize,
    init: Init,
}

impl<W: Weight> Job<'_, W> {
    /// Inputs a block for a product of `m` rows. A few rows are bound by reading the weights: there a panel is walked
    /// once, from end to end.
    fn stretch(&self, m: usize) -> usize {
        if m <= ROWS {
            self.k.max(1)
        } else {
            BLOCK_INPUTS
        }
    }

    /// Packs all of `x` into tiles `[k][height]`: for each stretch of inputs, the tiles of all rows.
    fn pack_parallel(&self, m: usize, tiles: &mut [f32]) {
        let stretch = self.stretch(m);
        if m <= ROWS {
            self.pack_tile(0, m, 0, self.k, tiles);
            return;
        }
        tiles
            .par_chunks_mut(stretch * m)
            .enumerate()
            .for_each(|(block, tiles)| {
                let length = tiles.len() / m;
                tiles
                    .par_chunks_mut(ROWS * length)
                    .enumerate()
                    .for_each(|(tile, into)| {
                        let row = tile * ROWS;
                        self.pack_tile(row, ROWS.min(m - row), block * stretch, length, into);
                    });
            });
    }

    /// Packs `x[row..row + height, start..start + length]` into one tile.
    fn pack_tile(&self, row: usize, height: usize, start: usize, length: usize, into: &mut [f32]) {
        let at = |r: usize| &self.x[(row + r) * self.x_stride + start..][..length];
        if height == ROWS {
            let rows: [&[f32]; ROWS] = std::array::from_fn(at);
            for (input, tile) in into.chunks_exact_mut(ROWS).enumerate() {
                for (value, row) in tile.iter_mut().zip(&rows) {
                    *value = row[input];
                }
            }
        } else {
            for r in 0..height {
                for (value, place) in at(r).iter().zip(into[r..].iter_mut().step_by(height)) {
                    *place = *value;
                }
            }
        }
    }

    /// Rows `row..row + rows` of `m` times panels `first..last`, `tiles` being all of `x`, packed.
    ///
    /// # Safety
    /// No other thread touches those rows and columns of `out` meanwhile.
    unsafe fn block(
        &self,
        tiles: &[f32],
        m: usize,
        row: usize,
        rows: usize,
        first: usize,
        last: usize,
    ) {
        let stretch = self.stretch(m);
        let mut start = 0;
        loop {
            let length = stretch.min(self.k - start);
            let keep = start > 0 || self.init == Init::Keep;
            for panel in first..last {
                let column = panel * WIDTH;
                let width = WIDTH.min(self.n - column);
                for tile in (row..row + rows).step_by(ROWS) {
                    let height = ROWS.min(row + rows - tile);
                    let x = &tiles[start * m + tile * length..][..height * length];
                    let weights = &self.panels[panel * self.panel_stride + start * WIDTH..];
                    let place = tile * self.out_stride + column;
                    if width == WIDTH {
                        let out = self.out.rows(place, height, WIDTH, self.out_stride);
                        // SAFETY: `out` was found to have these places; that they are ours is the caller's promise.
                        unsafe { tile_product(height, x, weights, out, self.out_stride, keep) };
                        continue;
                    }
                    // A partial panel goes through a buffer of its own.
                    let mut buffer = [0f32; ROWS * WIDTH];
                    let mut place = place;
                    if keep {
                        for values in buffer.chunks_exact_mut(WIDTH).take(height) {
                            // SAFETY: the caller's promise.
                            unsafe { self.out.read(place, &mut values[..width]) };
                            place += self.out_stride;
                        }
                        place = tile * self.out_stride + column;
                    }
                    // SAFETY: the buffer has as many rows as a tile can have.
                    unsafe { tile_product(height, x, weights, buffer.as_mut_ptr(), WIDTH, keep) };
                    for values in buffer.chunks_exact(WIDTH).take(height) {
                        // SAFETY: the caller's promise.
                        unsafe { self.out.write(place, &values[..width]) };
                        place += self.out_stride;
                    }
                }
            }
            start += length;
            if start >= self.k {
                break;
            }
        }
    }
}
