//! The weights that make a convex objective smallest.
//!
//! Weight is moved between two sets at a time, from the one with the steepest slope among those that have weight to the
//! one with the least slope, as far as the objective falls. For a convex objective the duality gap `Σ w_k g_k − min g`
//! bounds what is still to be gained (Jaggi, ICML 2013), so that it says when to stop.

use super::objective::Table;

/// Steps after which the best that was found is taken.
const MOST_STEPS: usize = 2_000;
/// Halvings of a stretch: the weights are then exact to rounding.
const HALVINGS: usize = 60;

/// Weights, and what is at most still to be gained.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Solution {
    pub(super) weights: Vec<f64>,
    pub(super) value: f64,
    pub(super) gap: f64,
    pub(super) steps: usize,
}

/// Minimises until the gap is at most `tolerance`. It begins at equal weights.
pub(super) fn minimise(table: &Table, tolerance: f64) -> Solution {
    let sets = table.sets();
    let mut w = vec![1.0 / sets.max(1) as f64; sets];
    let mut steps = 0;
    loop {
        let slopes = table.slopes(&w);
        let extreme = |least: bool, of: &dyn Fn(usize) -> bool| {
            let better = |a: f64, b: f64| if least { a < b } else { a > b };
            (0..sets).filter(|&k| of(k)).reduce(|best, k| {
                if better(slopes[k], slopes[best]) {
                    k
                } else {
                    best
                }
            })
        };
        let (Some(to), Some(from)) = (extreme(true, &|_| true), extreme(false, &|k| w[k] > 0.0))
        else {
            break;
        };
        let gap: f64 = w
            .iter()
            .zip(&slopes)
            .filter(|(w, _)| **w > 0.0)
            .map(|(w, g)| w * (g - slopes[to]))
            .sum();
        let done = gap <= tolerance || from == to || steps == MOST_STEPS;
        if done {
            return Solution {
                value: table.value(&w),
                weights: w,
                gap: gap.max(0.0),
                steps,
            };
        }
        steps += 1;
        let all = w[from];
        let moved = |t: f64| {
            let mut w = w.clone();
            w[from] = all - t;
            w[to] += t;
            w
        };
        let rises = |t: f64| {
            let slopes = table.slopes(&moved(t));
            slopes[to] >= slopes[from]
        };
        let best = if rises(all) {
            let (mut low, mut high) = (0.0, all);
            for _ in 0..HALVINGS {
                let middle = f64::midpoint(low, high);
                if rises(middle) {
                    high = middle;
                } else {
                    low = middle;
                }
            }
            f64::midpoint(low, high)
        } else {
            all
        };
        let next = moved(best);
        w = next;
        if best >= all {
            w[from] = 0.0;
        }
    }
    Solution {
        value: 0.0,
        weights: w,
        gap: 0.0,
        steps,
    }
}
