//! Products with the narrow matrices of an adapter and inside attention: both factors change at every call,
//! so nothing is packed ahead and the `gemm` crate does them. All matrices are row-major.

// The crate takes strides as `isize`; no slice of ours is longer than that.
#![allow(clippy::cast_possible_wrap)]

use gemm::Parallelism;

/// `out[m, n] += scale · a[m, k] · b[n, k]ᵀ`.
///
/// # Panics
/// If a slice is shorter than its shape.
pub fn add_a_bt(
    out: &mut [f32],
    (m, n, k): (usize, usize, usize),
    a: &[f32],
    b: &[f32],
    scale: f32,
) {
    assert!(out.len() >= m * n && a.len() >= m * k && b.len() >= n * k);
    general(
        out,
        (m, n, k),
        (a, k, 1),
        (b, 1, k),
        scale,
        Parallelism::Rayon(0),
    );
}

/// `out[m, n] += scale · a[m, k] · b[k, n]`.
///
/// # Panics
/// If a slice is shorter than its shape.
pub fn add_a_b(
    out: &mut [f32],
    (m, n, k): (usize, usize, usize),
    a: &[f32],
    b: &[f32],
    scale: f32,
) {
    assert!(out.len() >= m * n && a.len() >= m * k && b.len() >= n * k);
    general(
        out,
        (m, n, k),
        (a, k, 1),
        (b, n, 1),
        scale,
        Parallelism::Rayon(0),
    );
}

/// `out[m, n] += scale · a[k, m]ᵀ · b[k, n]`.
///
/// # Panics
/// If a slice is shorter than its shape.
pub fn add_at_b(
    out: &mut [f32],
    (m, n, k): (usize, usize, usize),
    a: &[f32],
    b: &[f32],
    scale: f32,
) {
    assert!(out.len() >= m * n && a.len() >= m * k && b.len() >= n * k);
    general(
        out,
        (m, n, k),
        (a, 1, m),
        (b, n, 1),
        scale,
        Parallelism::Rayon(0),
    );
}

/// A view of a matrix: element `[i, j]` is at `i · row + j · column`.
#[derive(Clone, Copy)]
pub(crate) struct View<'a> {
    pub(crate) data: &'a [f32],
    pub(crate) row: usize,
    pub(crate) column: usize,
}

impl View<'_> {
    fn covers(&self, rows: usize, columns: usize) -> bool {
        rows == 0
            || columns == 0
            || (rows - 1) * self.row + (columns - 1) * self.column < self.data.len()
    }
}

/// `out[m, n] (+)= scale · a[m, k] · b[k, n]` on the calling thread, with views; rows of `out` are `out_row` apart.
pub(crate) fn product(
    (out, out_row): (&mut [f32], usize),
    (m, n, k): (usize, usize, usize),
    a: View<'_>,
    b: View<'_>,
    scale: f32,
    keep: bool,
) {
    assert!(m == 0 || n == 0 || (m - 1) * out_row + n <= out.len());
    assert!(
        a.covers(m, k) && b.covers(k, n),
        "factors cover their shapes"
    );
    // SAFETY: the lines above checked that every element lies in its slice.
    unsafe {
        gemm::gemm(
            m,
            n,
            k,
            out.as_mut_ptr(),
            1,
            out_row as isize,
            keep,
            a.data.as_ptr(),
            a.column as isize,
            a.row as isize,
            b.data.as_ptr(),
            b.column as isize,
            b.row as isize,
            1.0,
            scale,
            false,
            false,
            false,
            Parallelism::None,
        );
    }
}

/// `out += scale · a · b` with a row and a column stride for each factor.
fn general(
    out: &mut [f32],
    (m, n, k): (usize, usize, usize),
    (a, a_row, a_column): (&[f32], usize, usize),
    (b, b_row, b_column): (&[f32], usize, usize),
    scale: f32,
    parallelism: Parallelism,
) {
    // SAFETY: the callers checked that each slice covers its shape under these strides.
    unsafe {
        gemm::gemm(
            m,
            n,
            k,
            out.as_mut_ptr(),
            1,
            n as isize,
            true,
            a.as_ptr(),
            a_column as isize,
            a_row as isize,
            b.as_ptr(),
            b_column as isize,
            b_row as isize,
            1.0,
            scale,
            false,
            false,
            false,
            parallelism,
        );
    }
}
