//! Jensen-Shannon divergence (F5): unsmoothed, symmetric, in bits.

use crate::distribution::{Counts, repeating};
use crate::sum::sum;

/// JS(S, T), in \[0, 1\]: 0 for equal distributions, 1 for sets that share nothing.
pub(crate) fn js(source: &Counts, target: &Counts) -> f64 {
    let half = |share: f64, mean: f64| {
        if share > 0.0 {
            0.5 * share * (share / mean).log2()
        } else {
            0.0
        }
    };
    let term = repeating(|s, t| {
        let p = f64::from(s) / source.total as f64;
        let q = f64::from(t) / target.total as f64;
        half(p, 0.5 * (p + q)) + half(q, 0.5 * (p + q))
    });
    sum(source.n.iter().zip(&target.n).map(term)).clamp(0.0, 1.0)
}

#[cfg(test)]
mod tests {
    use super::js;
    use crate::distribution::Counts;

    #[test]
    fn ends_of_the_range() {
        let counts = |n: [u32; 3]| Counts {
            n: n.to_vec(),
            total: u64::from(n.iter().sum::<u32>()),
        };
        assert_eq!(js(&counts([1, 2, 0]), &counts([2, 4, 0])), 0.0);
        assert_eq!(js(&counts([1, 2, 0]), &counts([0, 0, 5])), 1.0);
    }
}
