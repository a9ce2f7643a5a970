//! Jensen-Shannon divergence (F5): unsmoothed, symmetric, in bits.

use crate::distribution::Counts;
use crate::sum::sum;

/// JS(S, T), in \[0, 1\]: 0 for equal distributions, 1 for sets that share nothing.
pub(crate) fn js(source: &Counts, target: &Counts) -> f64 {
    let shares = || {
        let p = source.n.iter().map(|n| f64::from(*n) / source.total as f64);
        p.zip(target.n.iter().map(|n| f64::from(*n) / target.total as f64))
    };
    let half = |share: f64, mean: f64| {
        if share > 0.0 {
            0.5 * share * (share / mean).log2()
        } else {
            0.0
        }
    };
    let terms = shares().map(|(p, q)| half(p, 0.5 * (p + q)) + half(q, 0.5 * (p + q)));
    sum(terms).clamp(0.0, 1.0)
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
