//! Likeness of the subtrees that two sets of queries are made of.

use std::collections::BTreeMap;

use harness_sql::subtree::Subtrees;

use crate::sum::sum;

/// How often each subtree occurs in a set, by its hash.
pub(crate) struct Multiset {
    counts: BTreeMap<u64, u32>,
    total: u64,
}

impl Multiset {
    /// The subtrees of all queries.
    pub(crate) fn new<'a>(queries: impl IntoIterator<Item = &'a Subtrees>) -> Self {
        let mut counts = BTreeMap::new();
        for (hash, times) in queries.into_iter().flatten() {
            *counts.entry(*hash).or_insert(0) += *times;
        }
        Self {
            total: counts.values().map(|times| u64::from(*times)).sum(),
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
    use harness_sql::Parsed;

    #[test]
    fn ends_and_a_case_by_hand() {
        let of = |sqls: &[&str]| {
            let parsed = sqls.iter().filter_map(|sql| Parsed::new(sql));
            Multiset::new(&parsed.map(|it| it.subtrees()).collect::<Vec<_>>())
        };
        let plain = of(&["SELECT a FROM t"]);
        assert_eq!(
            jaccard(&plain, &of(&["SELECT x FROM y", "SELECT z FROM w"])),
            Some(1.0)
        );
        assert_eq!(jaccard(&plain, &of(&["no"])), None);
        // Query, block and item against query, block, item, clause and equation: the item is shared.
        let found = jaccard(&plain, &of(&["SELECT a FROM t WHERE b = 1"])).unwrap();
        let least = 1.0 / 5.0;
        assert!((found - least / (2.0 - least)).abs() < 1e-12, "{found}");
    }
}
