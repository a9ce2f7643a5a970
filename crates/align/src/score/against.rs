//! KL-alignment of many sources with one target, as draws and resamples need it.
//!
//! It is [`kl`](super::kl::kl()), rearranged. With L(n) = ln(n + α), and P constant over what the source lacks,
//!
//! D · mass(P) = Σ over all of T of α (L(0) − L(t)) + Σ over S of (s + α)(L(s) − L(t)) − α (L(0) − L(t)) + mass(P) ln(mass(Q)/mass(P))
//!
//! whose first sum is the target's alone. Features of a group have the same s and t, so a term counts once for its size;
//! logarithms of what occurs up to a few thousand times are made once.

use crate::distribution::GroupCounts;

/// Logarithms that are kept.
const KEPT: u32 = 1 << 12;

/// ln(n + α) for whole n.
#[derive(Clone, Debug)]
pub(crate) struct Logarithms {
    alpha: f64,
    kept: Vec<f64>,
}

impl Logarithms {
    pub fn new(alpha: f64) -> Self {
        Self {
            alpha,
            kept: (0..KEPT).map(|n| (f64::from(n) + alpha).ln()).collect(),
        }
    }

    fn of(&self, n: u32) -> f64 {
        match self.kept.get(n as usize) {
            Some(ln) => *ln,
            None => (f64::from(n) + self.alpha).ln(),
        }
    }
}

/// A target, with what does not depend on the source.
#[derive(Clone, Debug)]
pub(crate) struct Against<'a> {
    logarithms: &'a Logarithms,
    /// How many features each group has (g).
    sizes: &'a [u32],
    total: u64,
    /// ln(t + α) (g).
    ln_t: Vec<f64>,
    /// Features that the target has.
    features: u64,
    /// Σ α (L(0) − L(t)) over them.
    lacking: f64,
}

impl<'a> Against<'a> {
    /// The target of which groups of these `sizes` occur as often as `target` says.
    pub fn new(target: &GroupCounts, sizes: &'a [u32], logarithms: &'a Logarithms) -> Self {
        let ln_t: Vec<f64> = target.n.iter().map(|t| logarithms.of(*t)).collect();
        let (ln_0, alpha) = (logarithms.of(0), logarithms.alpha);
        let (mut features, mut lacking) = (0, 0.0);
        for ((ln_t, t), &size) in ln_t.iter().zip(&target.n).zip(sizes) {
            if *t > 0 {
                features += u64::from(size);
                lacking += f64::from(size) * alpha * (ln_0 - ln_t);
            }
        }
        Self {
            logarithms,
            sizes,
            total: target.total,
            ln_t,
            features,
            lacking,
        }
    }

    /// A(S, T); NaN if either holds no n-gram.
    pub fn alignment(&self, source: &GroupCounts) -> f64 {
        if source.total == 0 || self.total == 0 {
            return f64::NAN;
        }
        let (alpha, ln_0) = (self.logarithms.alpha, self.logarithms.of(0));
        let (mut features, mut d, mut c) = (self.features, self.lacking, 0.0);
        for ((&s, &ln_t), &size) in source.n.iter().zip(&self.ln_t).zip(self.sizes) {
            if s == 0 {
                continue;
            }
            let (ln_s, mass, times) =
                (self.logarithms.of(s), f64::from(s) + alpha, f64::from(size));
            d += times * (mass * (ln_s - ln_t) - alpha * (ln_0 - ln_t));
            c += times * mass * (ln_s - ln_0);
            // The least logarithm is that of 0, which is what the target has of no other feature.
            if ln_t <= ln_0 {
                features += u64::from(size);
            }
        }
        let mass_p = source.total as f64 + alpha * features as f64;
        let mass_q = self.total as f64 + alpha * features as f64;
        let ratio = (mass_q / mass_p).ln();
        // D is at least 0; below it is rounding.
        let d = (d / mass_p + ratio).max(0.0);
        let c = c / mass_p + ratio;
        (-d / c).exp()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{Against, Logarithms};
    use crate::distribution::{Counts, GroupCounts};
    use crate::score::kl::kl;

    /// Counts of features from those of groups.
    fn spread(of: &GroupCounts, sizes: &[u32]) -> Counts {
        let pairs = of.n.iter().zip(sizes);
        Counts {
            n: pairs
                .flat_map(|(n, size)| std::iter::repeat_n(*n, *size as usize))
                .collect(),
            total: of.total,
        }
    }

    fn group_counts(n: Vec<u32>, sizes: &[u32]) -> GroupCounts {
        let terms = n.iter().zip(sizes);
        GroupCounts {
            total: terms.map(|(n, size)| u64::from(*n * *size)).sum(),
            n,
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 2_000, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn it_is_kl(
            groups in prop::collection::vec(
                (1..9_u32, prop_oneof![Just(0), 0..30_u32, 0..9_000_u32], prop_oneof![Just(0), 0..30_u32, 0..9_000_u32]),
                1..60,
            ),
            alpha in 0.001..3.0,
        ) {
            let sizes: Vec<u32> = groups.iter().map(|g| g.0).collect();
            let source = group_counts(groups.iter().map(|g| g.1).collect(), &sizes);
            let target = group_counts(groups.iter().map(|g| g.2).collect(), &sizes);
            let logarithms = Logarithms::new(alpha);
            let found = Against::new(&target, &sizes, &logarithms).alignment(&source);
            if source.total == 0 || target.total == 0 {
                prop_assert!(found.is_nan());
            } else {
                let whole = kl(&spread(&source, &sizes), &spread(&target, &sizes), alpha).a;
                prop_assert!((found - whole).abs() <= 1e-9 * whole, "{} and {}", found, whole);
            }
        }
    }

    #[test]
    fn a_set_aligns_with_itself() {
        let (sizes, logarithms) = ([1, 2, 3], Logarithms::new(0.5));
        let set = group_counts(vec![7, 0, 5_000], &sizes);
        let found = Against::new(&set, &sizes, &logarithms).alignment(&set);
        assert!((found - 1.0).abs() < 1e-15);
    }
}
