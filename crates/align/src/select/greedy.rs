//! Greedy cover of the target: each time the example that lowers D(T, S') most.
//!
//! Letters: f feature, t template. With Q the target's n-grams, s the counts of what is chosen, N their sum and V the
//! number of n-grams that the target has, D(T, S') = const − Σ Q(f) ln(s(f) + α) + ln(N + αV): only the n-grams of a
//! template change when it is added, and N. The first part of the gain of a template never grows while others are
//! chosen (it is submodular), so that a gain computed earlier bounds it from above and few are computed anew. Examples
//! of one template have one gain; among them the database decides that has been chosen least.

use std::collections::{BTreeMap, BinaryHeap};

use super::quota::Quota;
use super::{TARGET, Task};

/// A template with its gain, or a bound of it; ordered by gain, the lower number first where they are equal.
#[derive(PartialEq)]
struct Entry {
    gain: f64,
    group: usize,
}

impl Eq for Entry {}

impl PartialOrd for Entry {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Entry {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.gain
            .total_cmp(&other.gain)
            .then(other.group.cmp(&self.group))
    }
}

/// The candidates of one template that are not chosen yet.
struct Group {
    template: u32,
    candidates: Vec<usize>,
    /// Occurrences of its n-grams.
    length: f64,
    /// Upper bound of the first part of its gain.
    bound: f64,
}

/// The chosen candidates in their order, each with its drop of D(T, S').
pub(super) fn greedy(task: &Task) -> Vec<(usize, f64)> {
    let mut cover = Cover::new(task);
    let mut quota = Quota::new(
        task.candidates,
        task.space.forms().len(),
        task.options.n,
        task.options.constraints,
    );
    let mut groups = groups(task);
    for group in &mut groups {
        group.bound = cover.gain(task.space.vector(group.template));
    }
    let mut chosen = Vec::with_capacity(task.options.n);
    while quota.left() > 0 {
        let open = |group: &&Group| group.candidates.iter().any(|&c| quota.allows(c));
        let entries = groups
            .iter()
            .enumerate()
            .filter(|(_, group)| open(group))
            .map(|(number, group)| Entry {
                gain: group.bound - cover.cost(group.length),
                group: number,
            });
        let mut heap: BinaryHeap<Entry> = entries.collect();
        let mut best: Option<Entry> = None;
        while let Some(entry) = heap.pop() {
            if best.as_ref().is_some_and(|best| *best >= entry) {
                break;
            }
            let group = &mut groups[entry.group];
            group.bound = cover.gain(task.space.vector(group.template));
            let fresh = Entry {
                gain: group.bound - cover.cost(group.length),
                group: entry.group,
            };
            if best.as_ref().is_none_or(|best| fresh > *best) {
                best = Some(fresh);
            }
        }
        let Some(best) = best else { break };
        let group = &mut groups[best.group];
        let place = (0..group.candidates.len())
            .filter(|&i| quota.allows(group.candidates[i]))
            .min_by_key(|&i| (quota.of_database(group.candidates[i]), i));
        let Some(place) = place else { break };
        let candidate = group.candidates.remove(place);
        quota.take(candidate);
        cover.add(task.space.vector(group.template));
        chosen.push((candidate, best.gain));
    }
    chosen
}

fn groups(task: &Task) -> Vec<Group> {
    let mut of: BTreeMap<u32, Vec<usize>> = BTreeMap::new();
    for candidate in 0..task.candidates.len() {
        of.entry(task.candidates.template(candidate))
            .or_default()
            .push(candidate);
    }
    let group = |(template, candidates)| Group {
        template,
        candidates,
        length: task
            .space
            .vector(template)
            .iter()
            .map(|(_, times)| f64::from(*times))
            .sum(),
        bound: 0.0,
    };
    of.into_iter().map(group).collect()
}

/// What is chosen, as far as the gain of another template depends on it.
struct Cover {
    /// Q(f).
    share: Vec<f64>,
    /// s(f) + α.
    mass: Vec<f64>,
    /// N + αV.
    total: f64,
}

impl Cover {
    fn new(task: &Task) -> Self {
        let alpha = task.options.scores.alpha;
        let target = task.space.count(task.space.templates(TARGET));
        let v = target.n.iter().filter(|n| **n > 0).count();
        Self {
            share: target
                .n
                .iter()
                .map(|n| f64::from(*n) / target.total as f64)
                .collect(),
            mass: vec![alpha; target.n.len()],
            total: alpha * v as f64,
        }
    }

    /// Σ Q(f) ln((s(f) + n(f) + α) / (s(f) + α)) over the n-grams of a template.
    fn gain(&self, vector: &[(u32, u32)]) -> f64 {
        let gain = |&(f, times): &(u32, u32)| {
            let f = f as usize;
            if self.share[f] > 0.0 {
                self.share[f] * (f64::from(times) / self.mass[f]).ln_1p()
            } else {
                0.0
            }
        };
        vector.iter().map(gain).sum()
    }

    /// ln((N + n + αV) / (N + αV)) of a template with n n-grams.
    fn cost(&self, length: f64) -> f64 {
        (length / self.total).ln_1p()
    }

    fn add(&mut self, vector: &[(u32, u32)]) {
        for &(f, times) in vector {
            self.mass[f as usize] += f64::from(times);
            self.total += f64::from(times);
        }
    }
}
