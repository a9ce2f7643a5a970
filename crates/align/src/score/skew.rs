//! Skewed KL-alignment: no pseudo-counts, and one worst case for every pair.
//!
//! Q' = (1 − ε) Q + ε P gives every n-gram of the source at least ε P, so that D = Σ P ln(P/Q') is at most ln(1/ε) whatever
//! the sets (the skew divergence of Lee, AISTATS 2001). A = exp(−D / ln(1/ε)) lies in [1/e, 1]. It needs no α and no size
//! of the union, and stays nearly the same from 50 queries on.

use crate::distribution::Counts;
use crate::sum::sum;

/// ε.
pub const EPSILON: f64 = 0.01;

/// Skewed alignment of a source with a target; both totals are above 0.
pub(crate) fn skewed(source: &Counts, target: &Counts) -> f64 {
    let pairs = source.n.iter().zip(&target.n).filter(|(s, _)| **s > 0);
    let d = sum(pairs.map(|(&s, &t)| {
        let p = f64::from(s) / source.total as f64;
        let q = f64::from(t) / target.total as f64;
        p * (p / ((1.0 - EPSILON) * q + EPSILON * p)).ln()
    }));
    (-d.max(0.0) / (1.0 / EPSILON).ln()).exp()
}

#[cfg(test)]
mod tests {
    use super::{EPSILON, skewed};
    use crate::distribution::Counts;

    #[test]
    fn ends_and_a_case_by_hand() {
        let counts = |n: [u32; 2]| Counts {
            n: n.to_vec(),
            total: u64::from(n.iter().sum::<u32>()),
        };
        assert!((skewed(&counts([3, 1]), &counts([6, 2])) - 1.0).abs() < 1e-15);
        let apart = skewed(&counts([1, 0]), &counts([0, 1]));
        assert!((apart - (-1.0_f64).exp()).abs() < 1e-15);
        // P = (1, 0), Q = (1/2, 1/2).
        let d = -((1.0 - EPSILON) * 0.5 + EPSILON).ln();
        let found = skewed(&counts([2, 0]), &counts([1, 1]));
        assert!((found - (-d / 100_f64.ln()).exp()).abs() < 1e-15);
    }
}
