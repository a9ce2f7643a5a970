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
    let (a, b) = (View::rows(a, k), View::rows(b, k).transposed());
    general(
        (out, n),
        (m, n, k),
        a,
        b,
        scale,
        true,
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
    let (a, b) = (View::rows(a, k), View::rows(b, n));
    general(
        (out, n),
        (m, n, k),
        a,
        b,
        scale,
        true,
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
    let (a, b) = (View::rows(a, m).transposed(), View::rows(b, n));
    general(
        (out, n),
        (m, n, k),
        a,
        b,
        scale,
        true,
        Parallelism::Rayon(0),
    );
}

/// `out[m, n] (+)= scale · a[m, k] · b[k, n]` on the calling thread, with views; rows of `out` are `out_row` apart.
pub(crate) fn product(
    out: (&mut [f32], usize),
    shape: (usize, usize, usize),
    a: View<'_>,
    b: View<'_>,
    scale: f32,
    keep: bool,
) {
    general(out, shape, a, b, scale, keep, Parallelism::None);
}

/// A view of a matrix: element `[i, j]` is at `i · row + j · column`.
#[derive(Clone, Copy)]
pub(crate) struct View<'a> {
    pub(crate) data: &'a [f32],
    pub(crate) row: usize,
    pub(crate) column: usize,
}

impl<'a> View<'a> {
    /// A row-major matrix of this width.
    fn rows(data: &'a [f32], width: usize) -> Self {
        Self {
            data,
            row: width,
            column: 1,
        }
    }

    fn transposed(self) -> Self {
        Self {
            row: self.column,
            column: self.row,
            ..self
        }
    }

    fn covers(&self, rows: usize, columns: usize) -> bool {
        rows == 0
            || columns == 0
            || (rows - 1)
                .saturating_mul(self.row)
                .saturating_add((columns - 1).saturating_mul(self.column))
                < self.data.len()
    }
}

fn general(
    (out, out_row): (&mut [f32], usize),
    (m, n, k): (usize, usize, usize),
    a: View<'_>,
    b: View<'_>,
    scale: f32,
    keep: bool,
    parallelism: Parallelism,
) {
    assert!(
        m == 0 || n == 0 || (m - 1).saturating_mul(out_row).saturating_add(n) <= out.len(),
        "out has its shape"
    );
    // A row that is shorter than its stride would be another row's too.
    assert!(m < 2 || n <= out_row, "rows of out are apart");
    assert!(
        a.covers(m, k) && b.covers(k, n),
        "factors cover their shapes"
    );
    // SAFETY: the lines above checked, without wrapping round, that every element lies in its slice and that rows of `out`
    // do not overlap; `out` is borrowed for writing alone, so it is none of the factors.
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
            parallelism,
        );
    }
}
