//! Causal attention of new queries over pages.

use rayon::prelude::*;

use super::{KvPages, KvShape, PAGE};
use crate::exp::softmax_in_place;
use crate::pack::WIDTH;
use crate::threads::Shared;
use crate::tile::{ROWS, tile_product};

/// Rows of queries, which are positions by heads of a group, of one task.
const TASK_ROWS: usize = 2 * ROWS;

/// Consecutive new positions of a sequence.
#[derive(Debug, Clone, Copy)]
pub struct Queries<'a> {
    /// The sequence's pages, up to the last of these positions at least.
    pub table: &'a [usize],
    /// The first position.
    pub position: usize,
    /// How many.
    pub count: usize,
}

/// Some positions of a sequence and one key head.
struct Task<'a> {
    table: &'a [usize],
    /// The first row in `q` and `out`.
    row: usize,
    /// The first position.
    first: usize,
    count: usize,
    head: usize,
}

/// Buffers of a thread.
#[derive(Default)]
struct Room {
    queries: Vec<f32>,
    scores: Vec<f32>,
    weights: Vec<f32>,
    sums: Vec<f32>,
}

/// Causal attention of new queries over the pages of one layer, for several sequences at once. The rows of all sequences lie one
/// after the other in `q` and `out`, `[rows, heads · d]`, rotated; the keys and values up to the last are stored already.
///
/// With a `window` a query sees that many positions, its own among them. What a row becomes does not depend on other rows,
/// nor on which page its positions are in.
///
/// # Panics
/// If the shapes do not fit, a table is too short, or the window is 0.
pub fn attend(
    layer: usize,
    window: Option<usize>,
    pages: &KvPages,
    sequences: &[Queries<'_>],
    q: &[f32],
    out: &mut [f32],
) {
    let shape = pages.shape;
    let width = shape.heads * shape.head_dim;
    let total: usize = sequences.iter().map(|it| it.count).sum();
    assert_eq!(q.len(), total * width);
    assert_eq!(q.len(), out.len());
    assert_ne!(window, Some(0));
    let step = (TASK_ROWS * shape.kv_heads / shape.heads).max(1);
    // By heads first: pages that sequences have in common are read while they are in the cache.
    let mut tasks = Vec::new();
    for head in 0..shape.kv_heads {
        let mut row = 0;
        for sequence in sequences {
            assert!(sequence.table.len() * PAGE >= sequence.position + sequence.count);
            for from in (0..sequence.count).step_by(step) {
                tasks.push(Task {
                    table: sequence.table,
                    row: row + from,
                    first: sequence.position + from,
                    count: step.min(sequence.count - from),
                    head,
                });
            }
            row += sequence.count;
        }
    }
    let out = Shared::new(out);
    tasks.par_iter().for_each_init(Room::default, |room, task| {
        room.attend(layer, window, pages, q, task);
        // SAFETY: a task has its own heads of its own rows.
        unsafe { room.write(&shape, task, out) };
    });
}

impl Room {
    /// Leaves the sums of `task` here, `[count · group][d]`, rounded up to whole panels.
    fn attend(
        &mut self,
        layer: usize,
        window: Option<usize>,
        pages: &KvPages,
        q: &[f32],
        task: &Task<'_>,
    ) {
        let KvShape {
            heads,
            kv_heads,
            head_dim: d,
            ..
        } = pages.shape;
        let (group, width) = (heads / kv_heads, heads * d);
        let rows = task.count * group;
        let seen = task.first + task.count;
        let oldest = |own: usize| window.map_or(0, |window| (own + 1).saturating_sub(window));
        // No row sees what is before the first page.
        let skipped = oldest(task.first) / PAGE;
        let table = &task.table[skipped..seen.div_ceil(PAGE)];
        let positions = table.len() * PAGE;
        let query = |row: usize| {
            let place = (task.row + row / group) * width + (task.head * group + row % group) * d;
            &q[place..place + d]
        };
        pack(&mut self.queries, rows, d, query);
        resize(&mut self.scores, rows * positions);
        for (place, &page) in table.iter().enumerate() {
            let (keys, _) = pages.head(page, layer, task.head);
            for tile in (0..rows).step_by(ROWS) {
                let height = ROWS.min(rows - tile);
                let x = &self.queries[tile * d..][..height * d];
                let out = &mut self.scores[tile * positions + place * PAGE..];
                let out = Shared::new(out).rows(0, height, PAGE, positions);
                // SAFETY: the result was just measured, and is this task's.
                unsafe { tile_product(height, x, keys, out, positions, false) };
            }
        }
        let scale = 1.0 / (d as f32).sqrt();
        for (row, scores) in self.scores.chunks_exact_mut(positions).enumerate() {
            let own = task.first + row / group;
            let (first, last) = (oldest(own) - skipped * PAGE, own - skipped * PAGE);
            scores[..first].fill(0.0);
            softmax_in_place(&mut scores[first..=last], scale);
            scores[last + 1..].fill(0.0);
        }
        let scores = &self.scores;
        pack(&mut self.weights, rows, positions, |row| {
            &scores[row * positions..][..positions]
        });
        let panels = pages.shape.value_panels();
        let stride = panels * WIDTH;
        resize(&mut self.sums, rows * stride);
        let used = seen - skipped * PAGE;
        for (place, &page) in table.iter().enumerate() {
            let (_, values) = pages.head(page, layer, task.head);
            let length = PAGE.min(used - place * PAGE);
            for tile in (0..rows).step_by(ROWS) {
                let height = ROWS.min(rows - tile);
                let x = &self.weights[tile * positions + place * PAGE * height..];
                let x = &x[..length * height];
                for (panel, values) in values.chunks_exact(PAGE * WIDTH).enumerate() {
                    let out = &mut self.sums[tile * stride + panel * WIDTH..];
                    let out = Shared::new(out).rows(0, height, WIDTH, stride);
                    // SAFETY: as above.
                    unsafe { tile_product(height, x, values, out, stride, place > 0) };
                }
            }
        }
    }

    /// Writes what [`Self::attend`] left.
    ///
    /// # Safety
    /// No other thread touches the rows and heads of the task meanwhile.
    unsafe fn write(&self, shape: &KvShape, task: &Task<'_>, out: Shared<'_>) {
        let (d, group) = (shape.head_dim, shape.heads / shape.kv_heads);
        let stride = shape.value_panels() * WIDTH;
        for (row, sums) in self.sums.chunks_exact(stride).enumerate() {
            let place =
                (task.row + row / group) * shape.heads * d + (task.head * group + row % group) * d;
            // SAFETY: the caller's promise.
            unsafe { out.write(place, &sums[..d]) };
        }
    }
}

fn resize(buffer: &mut Vec<f32>, len: usize) {
    buffer.resize(len, 0.0);
}

/// Lays rows of `k` values out in tiles `[k][height]`, [`ROWS`] rows each but the last.
fn pack<'a>(tiles: &mut Vec<f32>, rows: usize, k: usize, row: impl Fn(usize) -> &'a [f32]) {
    resize(tiles, rows * k);
    for (tile, into) in tiles.chunks_mut(ROWS * k).enumerate() {
        let height = into.len() / k;
        for r in 0..height {
            let values = row(tile * ROWS + r);
            for (place, value) in into[r..].iter_mut().step_by(height).zip(values) {
                *place = *value;
            }
        }
    }
}
