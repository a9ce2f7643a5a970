//! Choosing by rank, and the rank of the least aligned.

use rand::seq::SliceRandom;

use super::quota::Quota;
use super::{TARGET, Task};
use crate::score::rarefied::generator;

/// The candidates with the highest scores that the constraints allow; equals in random order.
pub(super) fn take(task: &Task, scores: &[f64]) -> Vec<(usize, f64)> {
    let mut order: Vec<usize> = (0..scores.len()).collect();
    order.shuffle(&mut generator(task.options.seed, 20, 0));
    order.sort_by(|&a, &b| scores[b].total_cmp(&scores[a]));
    let mut quota = Quota::new(
        task.candidates,
        task.space.forms().len(),
        task.options.n,
        task.options.constraints,
    );
    let mut chosen = Vec::with_capacity(task.options.n);
    for candidate in order {
        if quota.allows(candidate) {
            quota.take(candidate);
            chosen.push((candidate, scores[candidate]));
        }
    }
    chosen
}

/// For each candidate how unlikely the target makes its n-grams: −mean ln of their smoothed share, in nats.
pub(super) fn least_aligned(task: &Task) -> Vec<f64> {
    let target = task.space.count(task.space.templates(TARGET));
    let alpha = task.options.scores.alpha;
    let mass = target.total as f64 + alpha * target.n.len() as f64;
    let score = |candidate| {
        let vector = task.space.vector(task.candidates.template(candidate));
        let (mut sum, mut length) = (0.0, 0.0);
        for &(f, times) in vector {
            let share = (f64::from(target.n[f as usize]) + alpha) / mass;
            sum -= f64::from(times) * share.ln();
            length += f64::from(times);
        }
        if length > 0.0 { sum / length } else { 0.0 }
    };
    (0..task.candidates.len()).map(score).collect()
}
