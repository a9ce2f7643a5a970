//! Overlap (F6): the share of the target that the source has too, repeats counted.

use std::collections::BTreeSet;

use crate::distribution::Counts;

/// Share of the target's templates, by number, that occur in the source; the target is not empty.
pub(crate) fn templates(source: &[u32], target: &[u32]) -> f64 {
    let known: BTreeSet<u32> = source.iter().copied().collect();
    let shared = target
        .iter()
        .filter(|template| known.contains(template))
        .count();
    shared as f64 / target.len() as f64
}

/// Share of the target's n-grams that occur in the source; the target's total is above 0.
pub(crate) fn ngrams(source: &Counts, target: &Counts) -> f64 {
    let pairs = source.n.iter().zip(&target.n);
    let shared: u64 = pairs
        .filter(|(s, _)| **s > 0)
        .map(|(_, t)| u64::from(*t))
        .sum();
    shared as f64 / target.total as f64
}

/// Jaccard likeness of the sets of different templates, |S ∩ T| / |S ∪ T|.
pub(crate) fn jaccard(source: &[u32], target: &[u32]) -> f64 {
    let (s, t): (BTreeSet<u32>, BTreeSet<u32>) = (
        source.iter().copied().collect(),
        target.iter().copied().collect(),
    );
    let shared = s.intersection(&t).count();
    shared as f64 / (s.len() + t.len() - shared).max(1) as f64
}
