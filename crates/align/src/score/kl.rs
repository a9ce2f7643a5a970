//! KL-alignment (F2–F4).
//!
//! P and Q are the smoothed distributions of source and target over the n-grams U that occur in either;
//! V = |U|. A = exp(−D/c) with D = Σ P ln(P/Q), and c the D of the same P against a target of the same
//! total that has none of U, so that A lies in (1/e, 1].

use super::table::Forms;
use crate::distribution::{Counts, repeating};
use crate::sum::sum;

/// KL-alignment of a source with a target, and what it is made of.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct KlAlignment {
    /// D(S, T), in nats, at least 0.
    pub d: f64,
    /// The most that D can be, in nats.
    pub c: f64,
    /// A(S, T) = exp(−D/c).
    pub a: f64,
}

/// A(S, T) with pseudo-count `alpha` > 0; both totals are above 0.
pub(crate) fn kl(source: &Counts, target: &Counts, alpha: f64) -> KlAlignment {
    let union = || {
        source
            .n
            .iter()
            .zip(&target.n)
            .filter(|(s, t)| **s > 0 || **t > 0)
    };
    let v = union().count() as f64;
    let mass_p = source.total as f64 + alpha * v;
    let mass_q = target.total as f64 + alpha * v;
    let p = |s: u32| (f64::from(s) + alpha) / mass_p;
    let q = |t: u32| (f64::from(t) + alpha) / mass_q;
    let least_q = alpha / mass_q;
    let of_d = repeating(|s, t| p(s) * (p(s) / q(t)).ln());
    let of_c = repeating(|s, _| p(s) * (p(s) / least_q).ln());
    // D is at least 0; below it is rounding.
    let d = sum(union().map(of_d)).max(0.0);
    let c = sum(union().map(of_c));
    KlAlignment {
        d,
        c,
        a: (-d / c).exp(),
    }
}

/// The smaller of A(S, T) and A(T, S): a set of one template is not called close, nor is one that holds all of the target
/// among much else.
pub(crate) fn smaller(forms: &Forms<'_>) -> f64 {
    let there = kl(forms.source, forms.target, forms.alpha).a;
    let back = kl(forms.target, forms.source, forms.alpha).a;
    there.min(back)
}

#[cfg(test)]
mod tests {
    use super::kl;
    use crate::distribution::Counts;

    fn counts(n: &[u32]) -> Counts {
        Counts {
            n: n.to_vec(),
            total: n.iter().map(|n| u64::from(*n)).sum(),
        }
    }

    #[test]
    fn by_hand() {
        // V = 2, α = 1: P = (3/4, 1/4), Q = (1/4, 3/4); D = ln(3)/2; q0 = 1/4, c = 3/4 ln 3.
        let found = kl(&counts(&[2, 0, 0]), &counts(&[0, 2, 0]), 1.0);
        assert!((found.d - 3_f64.ln() / 2.0).abs() < 1e-15);
        assert!((found.c - 0.75 * 3_f64.ln()).abs() < 1e-15);
        assert!((found.a - (-2.0_f64 / 3.0).exp()).abs() < 1e-15);
    }

    #[test]
    fn equal_sets_align_fully() {
        let found = kl(&counts(&[3, 1, 7]), &counts(&[3, 1, 7]), 0.5);
        assert_eq!((found.d, found.a), (0.0, 1.0));
    }
}
