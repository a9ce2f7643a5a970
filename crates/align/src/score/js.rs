//! Jensen-Shannon divergence (F5): unsmoothed, symmetric, in bits.

use crate::distribution::{Counts, GroupCounts, repeating};
use crate::sum::sum;

/// JS(S, T), in \[0, 1\]: 0 for equal distributions, 1 for sets that share nothing.
pub(crate) fn js(source: &Counts, target: &Counts) -> f64 {
    let term = repeating(term(source.total, target.total));
    sum(source.n.iter().zip(&target.n).map(term)).clamp(0.0, 1.0)
}

/// [`js`] of groups that have so many features each; to the bit.
pub(crate) fn js_of_groups(source: &GroupCounts, target: &GroupCounts, sizes: &[u32]) -> f64 {
    let mut term = repeating(term(source.total, target.total));
    let groups = source.n.iter().zip(&target.n).zip(sizes);
    // A feature that neither has adds 0.
    let there = groups.filter(|((s, t), _)| **s > 0 || **t > 0);
    let terms = there.flat_map(|(pair, &size)| std::iter::repeat_n(term(pair), size as usize));
    sum(terms).clamp(0.0, 1.0)
}

/// What a feature adds that occurs so often in sets with these totals.
fn term(of_source: u64, of_target: u64) -> impl Fn(u32, u32) -> f64 {
    let half = |share: f64, mean: f64| {
        if share > 0.0 {
            0.5 * share * (share / mean).log2()
        } else {
            0.0
        }
    };
    move |s, t| {
        let p = f64::from(s) / of_source as f64;
        let q = f64::from(t) / of_target as f64;
        half(p, 0.5 * (p + q)) + half(q, 0.5 * (p + q))
    }
}

#[cfg(test)]
mod tests {
    use super::{js, js_of_groups};
    use crate::distribution::{Counts, GroupCounts};

    #[test]
    fn ends_of_the_range() {
        let counts = |n: [u32; 3]| Counts {
            n: n.to_vec(),
            total: u64::from(n.iter().sum::<u32>()),
        };
        assert_eq!(js(&counts([1, 2, 0]), &counts([2, 4, 0])), 0.0);
        assert_eq!(js(&counts([1, 2, 0]), &counts([0, 0, 5])), 1.0);
    }

    #[test]
    fn groups_are_features_that_repeat() {
        let features = |n: &[u32]| Counts {
            n: n.to_vec(),
            total: n.iter().map(|n| u64::from(*n)).sum(),
        };
        let groups = |n: &[u32], total| GroupCounts {
            n: n.to_vec(),
            total,
        };
        let (s, t) = (features(&[3, 3, 3, 0, 0, 1]), features(&[1, 1, 1, 0, 0, 7]));
        let of_groups = js_of_groups(&groups(&[3, 0, 1], 10), &groups(&[1, 0, 7], 10), &[3, 2, 1]);
        assert_eq!(of_groups, js(&s, &t));
    }
}
