//! Eigenvalues and eigenvectors of a symmetric matrix: reduction to three diagonals by reflections, then the QL method with
//! implicit shifts (Golub and Van Loan, Matrix Computations, 4th ed., sections 8.3.1 and 8.3.3; Bowdler, Martin, Reinsch and
//! Wilkinson, Numerische Mathematik 11, 1968). Nothing here is parallel, so the same matrix gives the same bits.

/// A square matrix by rows.
#[derive(Clone, Debug)]
pub(super) struct Square {
    pub(super) n: usize,
    pub(super) values: Vec<f64>,
}

/// Eigenvalues, the largest first, with their vectors.
pub(super) struct Eigen {
    pub(super) values: Vec<f64>,
    /// Row `i` is the unit vector of value `i`.
    pub(super) vectors: Square,
}

impl Square {
    pub(super) fn new(n: usize, entry: impl Fn(usize, usize) -> f64) -> Self {
        let values = (0..n * n).map(|at| entry(at / n, at % n)).collect();
        Self { n, values }
    }

    pub(super) fn row(&self, i: usize) -> &[f64] {
        &self.values[i * self.n..][..self.n]
    }

    fn row_mut(&mut self, i: usize) -> &mut [f64] {
        &mut self.values[i * self.n..][..self.n]
    }

    /// Two rows, the first before the second.
    fn pair(&mut self, first: usize, second: usize) -> (&mut [f64], &mut [f64]) {
        let n = self.n;
        let (head, tail) = self.values.split_at_mut(second * n);
        (&mut head[first * n..][..n], &mut tail[..n])
    }
}

pub(super) fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

/// The decomposition of a symmetric matrix.
pub(super) fn eigen(mut matrix: Square) -> Eigen {
    let n = matrix.n;
    // At a size of 1 no square is lost.
    let size = matrix
        .values
        .iter()
        .fold(0.0, |most: f64, it| most.max(it.abs()));
    if size > 0.0 {
        matrix.values.iter_mut().for_each(|it| *it /= size);
    }
    let (mut diagonal, mut beside, mut basis) = three_diagonals(matrix);
    for low in 0..n {
        // A few steps do for a value; the bound is there so that it ends whatever the numbers are.
        for _ in 0..64 {
            let nothing = |at: &usize| {
                let around = diagonal[*at].abs() + diagonal[*at + 1].abs();
                beside[*at].abs() <= f64::EPSILON * around.max(f64::EPSILON)
            };
            let split = (low..n - 1).find(nothing).unwrap_or(n - 1);
            if split == low {
                break;
            }
            shift(low, split, &mut diagonal, &mut beside, &mut basis);
        }
    }
    let mut order: Vec<usize> = (0..n).collect();
    order.sort_by(|a, b| diagonal[*b].total_cmp(&diagonal[*a]).then(a.cmp(b)));
    let vectors = order.iter().flat_map(|&at| basis.row(at).iter().copied());
    Eigen {
        values: order.iter().map(|&at| size * diagonal[at]).collect(),
        vectors: Square {
            n,
            values: vectors.collect(),
        },
    }
}

/// The diagonal, the entries beside it, and the orthogonal matrix `Q` by rows with `Q A Qᵀ` of these three diagonals.
fn three_diagonals(mut a: Square) -> (Vec<f64>, Vec<f64>, Square) {
    let n = a.n;
    let mut basis = Square::new(n, |i, j| f64::from(u8::from(i == j)));
    for k in 0..n.saturating_sub(2) {
        // A reflection that leaves of row k the entries up to k + 1.
        let mut v = a.row(k).to_vec();
        v[..=k].fill(0.0);
        let length = dot(&v, &v).sqrt();
        if length == 0.0 {
            continue;
        }
        v[k + 1] += length.copysign(v[k + 1]);
        let scale = 2.0 / dot(&v, &v);
        // A − v wᵀ − w vᵀ with w = p − (scale / 2 · pᵀv) v and p = scale · A v.
        let p: Vec<f64> = (0..n).map(|i| scale * dot(a.row(i), &v)).collect();
        let half = 0.5 * scale * dot(&p, &v);
        let w: Vec<f64> = p.iter().zip(&v).map(|(p, v)| p - half * v).collect();
        for i in k..n {
            let (vi, wi) = (v[i], w[i]);
            for ((entry, v), w) in a.row_mut(i).iter_mut().zip(&v).zip(&w) {
                *entry -= vi * w + wi * v;
            }
        }
        // Rows of the basis are combined as the rows of the matrix are.
        let mut along = vec![0.0; n];
        for (i, vi) in v.iter().enumerate().skip(k + 1) {
            for (along, entry) in along.iter_mut().zip(basis.row(i)) {
                *along += vi * entry;
            }
        }
        for (i, vi) in v.iter().enumerate().skip(k + 1) {
            let by = scale * vi;
            for (entry, along) in basis.row_mut(i).iter_mut().zip(&along) {
                *entry -= by * along;
            }
        }
    }
    let diagonal = (0..n).map(|i| a.row(i)[i]).collect();
    let beside = (0..n.saturating_sub(1)).map(|i| a.row(i)[i + 1]).collect();
    (diagonal, beside, basis)
}

/// One step of QL on the rows `low..=high`, whose entries beside the diagonal are none of them 0.
fn shift(low: usize, high: usize, d: &mut [f64], e: &mut [f64], basis: &mut Square) {
    // Wilkinson's shift.
    let g = (d[low + 1] - d[low]) / (2.0 * e[low]);
    let mut g = d[high] - d[low] + e[low] / (g + g.hypot(1.0).copysign(g));
    let (mut sine, mut cosine, mut taken) = (1.0, 1.0, 0.0);
    for i in (low..high).rev() {
        let (f, b) = (sine * e[i], cosine * e[i]);
        let r = f.hypot(g);
        if i + 1 < high {
            e[i + 1] = r;
        }
        if r == 0.0 {
            // The matrix falls apart here.
            d[i + 1] -= taken;
            return;
        }
        sine = f / r;
        cosine = g / r;
        let rest = d[i + 1] - taken;
        let r = (d[i] - rest) * sine + 2.0 * cosine * b;
        taken = sine * r;
        d[i + 1] = rest + taken;
        g = cosine * r - b;
        let (first, second) = basis.pair(i, i + 1);
        for (x, y) in first.iter_mut().zip(second) {
            (*x, *y) = (cosine * *x - sine * *y, sine * *x + cosine * *y);
        }
    }
    d[low] -= taken;
    e[low] = g;
}

#[cfg(test)]
mod tests {
    use super::{Eigen, Square, dot, eigen};

    fn check(matrix: &Square) {
        let n = matrix.n;
        let Eigen { values, vectors } = eigen(matrix.clone());
        let size = matrix
            .values
            .iter()
            .fold(1e-300, |most: f64, it| most.max(it.abs()));
        for i in 0..n {
            for j in 0..n {
                let unit = f64::from(u8::from(i == j));
                let off = dot(vectors.row(i), vectors.row(j)) - unit;
                assert!(off.abs() < 1e-12, "{i} {j}: {off}");
                // A v = λ v
                let off = dot(matrix.row(j), vectors.row(i)) - values[i] * vectors.row(i)[j];
                assert!(off.abs() < 1e-12 * size * n as f64, "{i} {j}: {off}");
            }
            assert!(i == 0 || values[i] <= values[i - 1]);
        }
    }

    #[test]
    fn what_comes_out_are_values_and_vectors() {
        for n in 1..40 {
            let entry =
                |i: usize, j: usize| ((i.min(j) * 31 + i.max(j) * 17 + i * j) % 23) as f64 - 11.0;
            check(&Square::new(n, entry));
            check(&Square::new(n, |i, j| 1e-200 * entry(i, j)));
            check(&Square::new(n, |_, _| 0.0));
            check(&Square::new(n, |i, j| f64::from(u8::from(i == j))));
            check(&Square::new(n, |_, _| 1.0));
            check(&Square::new(n, |i, j| 1.0 / (i + j + 1) as f64));
        }
    }

    #[test]
    fn known_values() {
        // 2 on the diagonal and −1 beside it: 2 − 2 cos(kπ / (n + 1)).
        let n = 30;
        let found = eigen(Square::new(n, |i, j| match i.abs_diff(j) {
            0 => 2.0,
            1 => -1.0,
            _ => 0.0,
        }));
        for (k, value) in found.values.iter().rev().enumerate() {
            let angle = (k + 1) as f64 * std::f64::consts::PI / (n + 1) as f64;
            assert!((value - 2.0 + 2.0 * angle.cos()).abs() < 1e-13);
        }
    }
}
