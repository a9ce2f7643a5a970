//! Likeness of the subtrees that two sets of queries are made of.

use std::collections::BTreeMap;

use harness_sql::subtrees;
use rayon::prelude::*;

use crate::sum::sum;

/// How often each subtree occurs in a set, by its hash.
pub(crate) struct Multiset {
    counts: BTreeMap<u64, u32>,
    total: u64,
}

impl Multiset {
    /// The subtrees of the queries that the parser reads.
    pub(crate) fn new(sqls: &[&str]) -> Self {
        let all: Vec<Vec<u64>> = sqls.par_iter().filter_map(|sql| subtrees(sql)).collect();
        let mut counts = BTreeMap::new();
        for hash in all.iter().flatten() {
            *counts.entry(*hash).or_insert(0) += 1;
        }
        Self {
            total: all.iter().map(|one| one.len() as u64).sum(),
            counts,
        }
    }
}

/// Weighted Jaccard likeness of the shares of all subtrees, Σ min(p, q) / Σ max(p, q), in \[0, 1\]; none without subtrees
/// on a side.
pub(crate) fn jaccard(source: &Multiset, target: &Multiset) -> Option<f64> {
    if source.total == 0 || target.total == 0 {
        return None;
    }
    let share = |set: &Multiset, hash: &u64| {
        f64::from(set.counts.get(hash).copied().unwrap_or(0)) / set.total as f64
    };
    let both = source
        .counts
        .keys()
        .filter(|hash| target.counts.contains_key(hash));
    let least = sum(both.map(|hash| share(source, hash).min(share(target, hash))));
    // Σ max = Σ p + Σ q − Σ min, and shares add up to 1.
    Some(least / (2.0 - least))
}

#[cfg(test)]
mod tests {
    use super::{Multiset, jaccard};

    #[test]
    fn ends_and_a_case_by_hand() {
        let of = |sqls: &[&str]| Multiset::new(sqls);
        let plain = of(&["SELECT a FROM t"]);
        assert_eq!(
            jaccard(&plain, &of(&["SELECT x FROM y", "SELECT z FROM w"])),
            Some(1.0)
        );
        assert_eq!(jaccard(&plain, &of(&["no"])), None);
        // Query, select, table, column against query, select, table, column, value, comparison: table and column are shared.
        let found = jaccard(&plain, &of(&["SELECT a FROM t WHERE b = 1"])).unwrap();
        let least = 1.0 / 7.0 + 0.25;
        assert!((found - least / (2.0 - least)).abs() < 1e-12, "{found}");
    }
}
