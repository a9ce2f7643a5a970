//! Frozen weights that stay in fewer bits than numbers have: their values are made when a product reads them.

use std::fmt::Debug;

use half::bf16;

use crate::pack::WIDTH;
use crate::quant::Quant;

/// A matrix `[outputs, inputs]` whose values are made on demand.
pub trait Stored: Send + Sync + Debug {
    /// Number of rows.
    fn outputs(&self) -> usize;

    /// Values a row.
    fn inputs(&self) -> usize;

    /// Memory in bytes.
    fn bytes(&self) -> usize;

    /// Values of a row that are made together: reading fewer costs as much. A multiple of 32.
    fn block(&self) -> usize;

    /// Writes the values of `row` from input `first` on, as many as there is room for; `first` is a multiple of 32.
    fn read(&self, row: usize, first: usize, out: &mut [f32]);

    /// Writes the values of some steps of 32 inputs of 32 outputs from `panel · 32` on, `[inputs / 2][32][2]`, if all of them are bfloat16
    /// and it can do so faster than row by row. Says whether it did.
    fn bf16_panel(&self, panel: usize, steps: std::ops::Range<usize>, into: &mut [bf16]) -> bool {
        let _ = (panel, steps, into);
        false
    }

    /// The matrix as codes that rows in bytes can be multiplied with, if that is what it is.
    fn codes(&self) -> Option<&Quant> {
        None
    }
}

/// Writes `inputs` of a panel of a matrix as it is, `[inputs.len()][WIDTH]` in `f32`: row `panel · WIDTH + i` of the matrix feeds
/// output `i`. Outputs beyond the last are zero. `buffer` is for its use.
pub(crate) fn panel(
    matrix: &dyn Stored,
    panel: usize,
    inputs: std::ops::Range<usize>,
    buffer: &mut Vec<f32>,
    into: &mut [f32],
) {
    const TILE: usize = 16;
    let length = inputs.len();
    let first = panel * WIDTH;
    let count = WIDTH.min(matrix.outputs() - first);
    buffer.clear();
    buffer.resize(WIDTH * length, 0.0);
    for (offset, row) in buffer
        .chunks_exact_mut(length.max(1))
        .enumerate()
        .take(count)
    {
        matrix.read(first + offset, inputs.start, row);
    }
    for tile in (0..length).step_by(TILE) {
        let end = (tile + TILE).min(length);
        for (offset, row) in buffer.chunks_exact(length).enumerate() {
            for input in tile..end {
                into[input * WIDTH + offset] = row[input];
            }
        }
    }
}

/// As [`panel`], of the transposed matrix and of `panels` in a row: `[panels][rows.len()][WIDTH]`, whose outputs are inputs of
/// the matrix.
pub(crate) fn transposed_panels(
    matrix: &dyn Stored,
    panels: std::ops::Range<usize>,
    rows: std::ops::Range<usize>,
    buffer: &mut Vec<f32>,
    into: &mut [f32],
) {
    let first = panels.start * WIDTH;
    let count = (panels.end * WIDTH).min(matrix.inputs()) - first;
    buffer.clear();
    buffer.resize(panels.len() * WIDTH, 0.0);
    let length = rows.len();
    for (place, row) in rows.enumerate() {
        matrix.read(row, first, &mut buffer[..count]);
        for (panel, values) in buffer.chunks_exact(WIDTH).enumerate() {
            into[(panel * length + place) * WIDTH..][..WIDTH].copy_from_slice(values);
        }
    }
}
