//! The cells that a score gets most wrong, by name.

use serde::{Deserialize, Serialize};

use super::held_out::Line;
use super::options::NO_NUMBER;
use super::predictor::Predictor;
use super::sample::Sample;

/// Cells that are named of each kind.
const NAMED: usize = 5;

/// A cell that a score gets wrong.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Miss {
    /// The model.
    pub model: String,
    /// What it was fine-tuned on.
    pub train_set: String,
    /// What it was scored on.
    pub target: String,
    /// Seed of the training run.
    pub seed: u64,
    /// The score.
    pub score: f64,
    /// The gain, as a share.
    pub gain: f64,
    /// The gain that the line gain ~ score through all cells foretells, as a share.
    pub expected: f64,
}

/// The five cells furthest from the line; none under 4 cells.
pub(super) fn residuals(predictor: &Predictor<'_>, sample: &Sample) -> Vec<Miss> {
    let mut misses = misses(predictor, sample);
    misses.sort_by(|a, b| {
        let far = |miss: &Miss| (miss.gain - miss.expected).abs();
        far(b).total_cmp(&far(a))
    });
    misses.truncate(NAMED);
    misses
}

/// The five largest gains and losses on the wrong side of the threshold, and how many there are.
pub(super) fn wrong_side(
    predictor: &Predictor<'_>,
    sample: &Sample,
    threshold: f64,
) -> (usize, Vec<Miss>) {
    let sign = sample.direction.sign();
    let mut misses = misses(predictor, sample);
    misses.retain(|miss| {
        let claimed = sign * miss.score > sign * threshold;
        miss.gain != 0.0 && claimed != (miss.gain > 0.0)
    });
    misses.sort_by(|a, b| b.gain.abs().total_cmp(&a.gain.abs()));
    let all = misses.len();
    misses.truncate(NAMED);
    (all, misses)
}

fn misses(predictor: &Predictor<'_>, sample: &Sample) -> Vec<Miss> {
    if sample.len() < NO_NUMBER {
        return Vec::new();
    }
    let Some(line) = Line::fit(&sample.score, &sample.gain) else {
        return Vec::new();
    };
    predictor
        .cells
        .iter()
        .map(|(cell, score)| Miss {
            model: cell.model.clone(),
            train_set: cell.train_set.clone(),
            target: cell.target.clone(),
            seed: cell.seed,
            score: *score,
            gain: cell.gain(),
            expected: line.at(*score),
        })
        .collect()
}
