//! `out += aᵀ · b` for a narrow `a`: the gradients of a low-rank update, sums of outer products over the rows.

use rayon::prelude::*;

#[cfg(target_arch = "x86_64")]
use crate::cpu::{self, Instructions};
use crate::small::add_at_b;
use crate::threads::Shared;

/// Columns of `b` a strip: two registers.
const STRIP: usize = 32;
/// Columns of `a` that are summed together: 8 × 2 accumulators.
const RANKS: usize = 8;
/// Rows that are walked before the next strip: so many streams of memory run side by side.
const ROWS: usize = 16;

/// `out[r, n] += a[m, r]ᵀ · b[m, n]`, all row-major. The sum runs over the rows in rising order whatever the number of
/// threads.
///
/// # Panics
/// If a slice does not fit the shape.
pub fn add_outer(out: &mut [f32], (m, r, n): (usize, usize, usize), a: &[f32], b: &[f32]) {
    // No slice is as long as what a product that is too large becomes.
    let fits = |len: usize, rows: usize, width: usize| len == rows.saturating_mul(width);
    assert!(fits(a.len(), m, r) && fits(b.len(), m, n) && fits(out.len(), r, n));
    if m == 0 || out.is_empty() {
        return;
    }
    #[cfg(target_arch = "x86_64")]
    if cpu::has(Instructions::Avx512) {
        let strips = n.div_ceil(STRIP);
        let group = strips.div_ceil(4 * rayon::current_num_threads()).max(1);
        let out = Shared::new(out);
        (0..strips.div_ceil(group))
            .into_par_iter()
            .for_each(|task| {
                for first in (0..m).step_by(ROWS) {
                    let rows = ROWS.min(m - first);
                    for strip in task * group..((task + 1) * group).min(strips) {
                        for rank in (0..r).step_by(RANKS) {
                            // SAFETY: `cpu` found the feature; the shapes were checked, and every task has its own columns.
                            unsafe {
                                strip_avx512(
                                    out,
                                    (first, rows),
                                    (rank, r),
                                    (strip * STRIP, n),
                                    a,
                                    b,
                                );
                            }
                        }
                    }
                }
            });
        return;
    }
    // The library's sum over the rows is cut by its blocking, which the shape decides.
    add_at_b(out, (r, n, m), a, b, 1.0);
}

/// Rows `first..first + rows`, columns `rank..` of `a` and a strip of `b` at `column`.
///
/// # Safety
/// The processor has AVX-512F, the slices fit `(m, r, n)`, and nobody else writes these columns.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f")]
unsafe fn strip_avx512(
    out: Shared<'_>,
    (first, rows): (usize, usize),
    (rank, r): (usize, usize),
    (column, n): (usize, usize),
    a: &[f32],
    b: &[f32],
) {
    use std::arch::x86_64::{
        __mmask16, _mm512_fmadd_ps, _mm512_mask_storeu_ps, _mm512_maskz_loadu_ps, _mm512_set1_ps,
        _mm512_setzero_ps,
    };
    let width = STRIP.min(n - column);
    let mask = |width: usize| -> __mmask16 { ((1_u32 << width.min(16)) - 1) as u16 };
    let masks = [mask(width), mask(width.saturating_sub(16))];
    let ranks = RANKS.min(r - rank);
    let out = out.rows(rank * n + column, ranks, width, n);
    // SAFETY: of `a` rows `first..first + rows` and columns `rank..rank + ranks` are read, of `b` the same rows and columns
    // `column..column + width`; both slices have them by the caller's promise, and `out` was just found to. Lanes that are
    // masked are neither read nor written, wherever they would be; that is why pointers to the second register wrap.
    unsafe {
        let mut sums = [[_mm512_setzero_ps(); 2]; RANKS];
        for (j, sum) in sums.iter_mut().enumerate().take(ranks) {
            let place = out.add(j * n);
            sum[0] = _mm512_maskz_loadu_ps(masks[0], place);
            sum[1] = _mm512_maskz_loadu_ps(masks[1], place.wrapping_add(16));
        }
        let (mut from_a, mut from_b) = (
            a.as_ptr().add(first * r + rank),
            b.as_ptr().add(first * n + column),
        );
        for _ in 0..rows {
            let low = _mm512_maskz_loadu_ps(masks[0], from_b);
            let high = _mm512_maskz_loadu_ps(masks[1], from_b.wrapping_add(16));
            if ranks == RANKS {
                for (j, sum) in sums.iter_mut().enumerate() {
                    let factor = _mm512_set1_ps(*from_a.add(j));
                    sum[0] = _mm512_fmadd_ps(factor, low, sum[0]);
                    sum[1] = _mm512_fmadd_ps(factor, high, sum[1]);
                }
            } else {
                for (j, sum) in sums.iter_mut().enumerate().take(ranks) {
                    let factor = _mm512_set1_ps(*from_a.add(j));
                    sum[0] = _mm512_fmadd_ps(factor, low, sum[0]);
                    sum[1] = _mm512_fmadd_ps(factor, high, sum[1]);
                }
            }
            // The last step may leave the slices; it is not followed.
            from_a = from_a.wrapping_add(r);
            from_b = from_b.wrapping_add(n);
        }
        for (j, sum) in sums.iter().enumerate().take(ranks) {
            let place = out.add(j * n);
            _mm512_mask_storeu_ps(place, masks[0], sum[0]);
            _mm512_mask_storeu_ps(place.wrapping_add(16), masks[1], sum[1]);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_the_sum_of_outer_products() {
        for (m, r, n) in [
            (1, 1, 1),
            (5, 3, 33),
            (300, 16, 70),
            (129, 9, 32),
            (7, 20, 15),
            (0, 2, 2),
        ] {
            let wave = |len: usize, by: f32| -> Vec<f32> {
                (0..len).map(|i| (i as f32 * 0.37 + by).sin()).collect()
            };
            let (a, b, start) = (wave(m * r, 0.0), wave(m * n, 1.0), wave(r * n, 2.0));
            let mut out = start.clone();
            add_outer(&mut out, (m, r, n), &a, &b);
            for j in 0..r {
                for c in 0..n {
                    let sum: f64 = (0..m)
                        .map(|i| f64::from(a[i * r + j]) * f64::from(b[i * n + c]))
                        .sum();
                    let expected = sum + f64::from(start[j * n + c]);
                    assert!((f64::from(out[j * n + c]) - expected).abs() < 1e-4);
                }
            }
            for threads in [1, 3] {
                let pool = rayon::ThreadPoolBuilder::new()
                    .num_threads(threads)
                    .build()
                    .unwrap();
                let mut again = start.clone();
                pool.install(|| add_outer(&mut again, (m, r, n), &a, &b));
                assert_eq!(again, out);
            }
        }
    }
}
