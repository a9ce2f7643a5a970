//! The spread of a rarefied ratio over other questions, or over other databases, by half-sampling.
//!
//! A statistic of half of the units, drawn without replacement, varies about its mean as the statistic of all units does
//! about its own (for sums of units exactly; "Pseudo-replication: half samples", Review of the International Statistical Institute 37, 1969, and
//! Shao and Tu, The Jackknife and Bootstrap, 1995, on the delete-half jackknife). A bootstrap would draw queries twice,
//! and a set with doubles is a smaller set: scores of small sets are biased, and the bias would enter the interval.
//! Here it falls out, because only the differences from the mean of the half-samples are used.
//!
//! Units are questions, each with the prediction for it, or databases with all their questions and predictions. The
//! training set is no sample: it is what it is, but for the draw of n queries from it.

use rand::seq::index;
use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;

use super::{SOURCE, TARGET, generator};
use crate::distribution::Space;
use crate::interval::Interval;
use crate::options::RarefyOptions;
use crate::score::rarefied::PREDICTIONS;
use crate::sum::mean_and_sd;

/// Under this many databases half of them say nothing about others.
pub const LEAST_DATABASES: usize = 5;

/// What is drawn together: templates of questions of the target, and of predictions.
#[derive(Clone, Debug, Default)]
struct Unit {
    target: Vec<u32>,
    predictions: Vec<u32>,
}

/// Lists of units; half of each list is drawn.
pub(super) struct Units(Vec<Vec<Unit>>);

impl Units {
    /// Every question a unit, with its prediction where there is one a question; else questions and predictions are
    /// drawn apart.
    pub(super) fn questions(space: &Space, paired: bool) -> Self {
        let (targets, predictions) = (space.slots(TARGET), space.slots(PREDICTIONS));
        if paired {
            let pairs = targets.iter().zip(predictions).map(|(t, p)| Unit {
                target: t.iter().copied().collect(),
                predictions: p.iter().copied().collect(),
            });
            return Self(vec![pairs.collect()]);
        }
        let of_target = targets.iter().flatten().map(|&t| Unit {
            target: vec![t],
            predictions: Vec::new(),
        });
        let of_predictions = predictions.iter().flatten().map(|&p| Unit {
            target: Vec::new(),
            predictions: vec![p],
        });
        Self(vec![of_target.collect(), of_predictions.collect()])
    }

    /// Every database a unit. `target` and `predictions` have the number of the database of each query.
    pub(super) fn databases(space: &Space, target: &[usize], predictions: &[usize]) -> Self {
        let count = target
            .iter()
            .chain(predictions)
            .max()
            .map_or(0, |last| last + 1);
        let mut units = vec![Unit::default(); count];
        for (slot, &database) in space.slots(TARGET).iter().zip(target) {
            units[database].target.extend(slot);
        }
        for (slot, &database) in space.slots(PREDICTIONS).iter().zip(predictions) {
            units[database].predictions.extend(slot);
        }
        Self(vec![units])
    }

    /// How many units the shortest list has.
    pub(super) fn len(&self) -> usize {
        self.0.iter().map(Vec::len).min().unwrap_or(0)
    }

    /// The 95 % interval of the ratio `ar`, which was found at `n` queries; none if no half-sample has one.
    pub(super) fn interval(
        &self,
        space: &Space,
        ar: f64,
        n: usize,
        rarefy: &RarefyOptions,
        purpose: u64,
    ) -> Option<Interval> {
        let source = space.templates(SOURCE);
        let ratio = |draw: usize| {
            let mut random = generator(rarefy.seed, purpose, draw);
            let (target, mut predictions) = self.half(&mut random);
            let half = (n / 2).clamp(1, predictions.len().max(1));
            if predictions.len() > half {
                predictions = pick(&mut random, &predictions, half);
            }
            let target = space.count_groups(target);
            let against = space.against(&target);
            let of_source = space.count_groups(pick(&mut random, &source, half.min(source.len())));
            let ratio =
                against.alignment(&of_source) / against.alignment(&space.count_groups(predictions));
            ratio.is_finite().then_some(ratio)
        };
        let ratios: Vec<f64> = (0..rarefy.resamples)
            .into_par_iter()
            .filter_map(ratio)
            .collect();
        if ratios.is_empty() {
            return None;
        }
        let (mean, _) = mean_and_sd(&ratios);
        // A ratio is not below 1/e, whatever the tails say.
        let centred = ratios.iter().map(|ratio| (ar + ratio - mean).max(0.0));
        Interval::percentile(centred.collect(), 0.95)
    }

    /// Half of each list, rounded down or up by chance where its length is odd.
    fn half(&self, random: &mut ChaCha8Rng) -> (Vec<u32>, Vec<u32>) {
        let (mut target, mut predictions) = (Vec::new(), Vec::new());
        for list in &self.0 {
            let odd = usize::from(list.len() % 2 == 1 && rand::Rng::random::<bool>(random));
            for place in index::sample(random, list.len(), list.len() / 2 + odd) {
                target.extend(&list[place].target);
                predictions.extend(&list[place].predictions);
            }
        }
        (target, predictions)
    }
}

/// `n` of `from` without replacement.
fn pick(random: &mut ChaCha8Rng, from: &[u32], n: usize) -> Vec<u32> {
    index::sample(random, from.len(), n)
        .into_iter()
        .map(|i| from[i])
        .collect()
}
