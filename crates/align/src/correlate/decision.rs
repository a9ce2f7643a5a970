//! What a rule "train where the score is beyond the threshold" is worth.
//!
//! Decision curves are those of Vickers and Elkin (Medical Decision Making 26, 2006). Whoever would just be
//! indifferent to training at a probability p of a gain holds one useless training to be as bad as
//! (1 − p) / p useful ones are good, and has of a rule the net benefit
//!
//! > TP / n − FP / n · p / (1 − p),
//!
//! TP being cells trained with a gain, FP cells trained without (a gain of exactly 0 is none: the training
//! was for nothing), n all cells. Training nothing has 0. A rule is worth having at p where it lies above
//! both training all and training none.

use serde::{Deserialize, Serialize};

use super::resample::{Draws, Estimate, NoValue};
use super::sample::Sample;
use crate::sum::sum;

/// The probabilities at which net benefits are given.
const PROBABILITIES: [f64; 9] = [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9];

/// A rule against training all and training none.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Decision {
    /// Beyond it the rule trains.
    pub threshold: f64,
    /// Whether the threshold was chosen on these very cells, which flatters the rule.
    pub chosen_here: bool,
    /// Cells that the rule trains.
    pub trained: usize,
    /// Mean gain over all cells if the rule is followed (0 where it does not train), as a share.
    pub mean_gain: Estimate,
    /// The same if all are trained.
    pub mean_gain_all: Estimate,
    /// The rule's mean gain less the better of training all and training none.
    pub advantage: Estimate,
    /// The same if exactly those are trained that gain: no rule has more.
    pub mean_gain_best: f64,
    /// Net benefits by probability.
    pub curve: Vec<NetBenefit>,
}

/// Net benefits, in useful trainings for each cell.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct NetBenefit {
    /// The probability of a gain at which one would just be indifferent to training.
    pub probability: f64,
    /// Of the rule.
    pub rule: Estimate,
    /// Of training all; that of training none is 0.
    pub all: f64,
    /// Of the rule less the better of both.
    pub advantage: Estimate,
}

/// Weighs the rule of `threshold`, in the score's own sign.
pub(super) fn decision(
    sample: &Sample,
    draws: &Draws,
    threshold: f64,
    chosen_here: bool,
) -> Decision {
    let sign = sample.direction.sign();
    let trains = move |score: f64| sign * score > sign * threshold;
    let [mean_rule, mean_all, advantage] = draws.estimates(sample, NoValue::TooFewCells, |s| {
        let (rule, all) = (mean_gain(s, trains), mean_gain(s, |_| true));
        let advantage = rule.zip(all).map(|(rule, all)| rule - all.max(0.0));
        [rule, all, advantage]
    });
    // For each probability the rule, and then its lead over the better of all and none.
    let nets: [Estimate; 2 * PROBABILITIES.len()] =
        draws.estimates(sample, NoValue::TooFewCells, |s| {
            let (rule, all) = (Trained::count(s, trains), Trained::count(s, |_| true));
            std::array::from_fn(|at| {
                let probability = PROBABILITIES[at / 2];
                let (rule, all) = (rule.benefit(probability)?, all.benefit(probability)?);
                Some(if at % 2 == 0 {
                    rule
                } else {
                    rule - all.max(0.0)
                })
            })
        });
    let all = Trained::count(sample, |_| true);
    let curve = PROBABILITIES.iter().zip(nets.chunks_exact(2));
    let curve = curve.map(|(probability, net)| NetBenefit {
        probability: *probability,
        rule: net[0],
        all: all.benefit(*probability).unwrap_or(0.0),
        advantage: net[1],
    });
    let gains = sample.gain.iter().map(|gain| gain.max(0.0));
    Decision {
        threshold,
        chosen_here,
        trained: sample.score.iter().filter(|score| trains(**score)).count(),
        mean_gain: mean_rule,
        mean_gain_all: mean_all,
        advantage,
        mean_gain_best: sum(gains) / sample.len().max(1) as f64,
        curve: curve.collect(),
    }
}

fn mean_gain(sample: &Sample, trains: impl Fn(f64) -> bool) -> Option<f64> {
    let cells = sample.score.iter().zip(&sample.gain);
    let gains = cells.map(|(score, gain)| if trains(*score) { *gain } else { 0.0 });
    (sample.len() > 0).then(|| sum(gains) / sample.len() as f64)
}

/// What became of the cells that a rule trains.
struct Trained {
    useful: f64,
    useless: f64,
    /// All cells, also those it does not train.
    n: f64,
}

impl Trained {
    fn count(sample: &Sample, trains: impl Fn(f64) -> bool) -> Self {
        let (mut useful, mut useless) = (0.0, 0.0);
        for (score, gain) in sample.score.iter().zip(&sample.gain) {
            if trains(*score) {
                *(if *gain > 0.0 {
                    &mut useful
                } else {
                    &mut useless
                }) += 1.0;
            }
        }
        let n = sample.len() as f64;
        Self { useful, useless, n }
    }

    fn benefit(&self, probability: f64) -> Option<f64> {
        let odds = probability / (1.0 - probability);
        (self.n > 0.0).then(|| (self.useful - self.useless * odds) / self.n)
    }
}
