//! What a mixture is judged by, and its slopes.
//!
//! Letters: f n-gram, k set, `w` weights that add up to 1, `m(f) = Σ w_k p_k(f)` the mixture, `q` the target. N-grams that
//! occur equally often in every set and in the target are one row with a count: there are thousands of each kind.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::distribution::Counts;
use crate::sum::sum;

/// What is made as small as possible; both are convex in the weights.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Objective {
    /// Jensen-Shannon divergence of mixture and target, in bits.
    #[default]
    Js,
    /// D(T, mixture) in nats, every set smoothed as in F2: does the mixture cover the target?
    ReverseKl,
}

/// The shares of n-grams in each set and in the target.
pub(super) struct Table {
    objective: Objective,
    /// How many n-grams have these shares, p of each set, q.
    rows: Vec<(f64, Vec<f64>, f64)>,
    sets: usize,
}

impl Table {
    pub(super) fn new(objective: Objective, sets: &[&Counts], target: &Counts, alpha: f64) -> Self {
        let mut kinds: BTreeMap<(Vec<u32>, u32), u32> = BTreeMap::new();
        let mut v = 0.0;
        for (feature, &n_target) in target.n.iter().enumerate() {
            let n: Vec<u32> = sets.iter().map(|set| set.n[feature]).collect();
            if n_target > 0 || n.iter().any(|n| *n > 0) {
                *kinds.entry((n, n_target)).or_insert(0) += 1;
                v += 1.0;
            }
        }
        let alpha = match objective {
            Objective::Js => 0.0,
            Objective::ReverseKl => alpha,
        };
        let share = |n: u32, set: &Counts| (f64::from(n) + alpha) / (set.total as f64 + alpha * v);
        let rows = kinds.into_iter().map(|((n, n_target), count)| {
            let p = n.iter().zip(sets).map(|(n, set)| share(*n, set)).collect();
            (
                f64::from(count),
                p,
                f64::from(n_target) / target.total as f64,
            )
        });
        Self {
            objective,
            rows: rows.collect(),
            sets: sets.len(),
        }
    }

    /// Number of sets.
    pub(super) fn sets(&self) -> usize {
        self.sets
    }

    fn mixed<'a>(
        &'a self,
        w: &'a [f64],
    ) -> impl Iterator<Item = (f64, f64, &'a (f64, Vec<f64>, f64))> {
        self.rows.iter().map(move |row| {
            let m = row.1.iter().zip(w).map(|(p, w)| p * w).sum::<f64>();
            (m, row.2, row)
        })
    }

    /// The objective at these weights.
    pub(super) fn value(&self, w: &[f64]) -> f64 {
        let term = |m: f64, q: f64| match self.objective {
            Objective::Js => {
                let half = |x: f64| {
                    if x > 0.0 {
                        0.5 * x * (2.0 * x / (m + q)).log2()
                    } else {
                        0.0
                    }
                };
                half(m) + half(q)
            }
            Objective::ReverseKl if q > 0.0 => q * (q / m).ln(),
            Objective::ReverseKl => 0.0,
        };
        sum(self.mixed(w).map(|(m, q, row)| row.0 * term(m, q))).max(0.0)
    }

    /// The slope in the weight of each set. It may be −∞ where a set has n-grams of the target that no other has.
    pub(super) fn slopes(&self, w: &[f64]) -> Vec<f64> {
        let mut slopes = vec![0.0; self.sets];
        for (m, q, (count, p, _)) in self.mixed(w) {
            let slope = match self.objective {
                // d/dm of ½ m log2(2m/(m+q)) + ½ q log2(2q/(m+q)).
                Objective::Js if q == 0.0 => 0.5,
                Objective::Js => 0.5 * (2.0 * m / (m + q)).log2(),
                Objective::ReverseKl => -q / m,
            };
            for (own, p) in slopes.iter_mut().zip(p) {
                if *p > 0.0 {
                    *own += count * p * slope;
                }
            }
        }
        slopes
    }
}
