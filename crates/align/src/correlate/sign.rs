//! Does a score tell a gain from a loss?
//!
//! A gain is above 0, a loss below; cells with a gain of exactly 0 are neither and left out here.

use serde::{Deserialize, Serialize};

use super::coefficient::ranks;
use super::resample::{Draws, Estimate, NoValue};
use super::sample::{Sample, groups};

/// How well a threshold parts gains from losses.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Threshold {
    /// Beyond it the predictor claims a gain: above, or below where lower is closer.
    pub threshold: Estimate,
    /// Mean of the share of gains and the share of losses that are told; 0.5 for a guess.
    pub balanced_accuracy: Estimate,
}

/// The area under the ROC curve: how often a cell with a gain has a score that is closer than that of a cell
/// with a loss, ties counting half (Mann and Whitney's U over the pairs).
pub(super) fn auc(sample: &Sample) -> Option<f64> {
    let (oriented, gains) = decided(sample);
    let n_gains = gains.iter().filter(|gain| **gain).count() as f64;
    let n_losses = gains.len() as f64 - n_gains;
    if n_gains == 0.0 || n_losses == 0.0 {
        return None;
    }
    let of_gains: f64 = ranks(&oriented)
        .iter()
        .zip(&gains)
        .filter(|(_, gain)| **gain)
        .map(|(rank, _)| rank)
        .sum();
    Some((of_gains - n_gains * (n_gains + 1.0) / 2.0) / (n_gains * n_losses))
}

/// The mean of both shares that are told rightly by `threshold`, which is in the score's own sign.
pub(super) fn balanced_accuracy(sample: &Sample, threshold: f64) -> Option<f64> {
    let (oriented, gains) = decided(sample);
    let threshold = sample.direction.sign() * threshold;
    balanced(oriented.iter().map(|score| *score > threshold).zip(gains))
}

/// The threshold with the highest balanced accuracy (Youden's index), in the score's own sign: midway
/// between two neighbouring scores, of equally good ones the one that claims the most gains.
pub(super) fn best_threshold(sample: &Sample) -> Option<(f64, f64)> {
    let (oriented, gains) = decided(sample);
    let mut order: Vec<usize> = (0..oriented.len()).collect();
    order.sort_by(|&a, &b| oriented[a].total_cmp(&oriented[b]));
    let (cut, accuracy) = sweep(&order, &oriented, &gains)?;
    Some((sample.direction.sign() * cut, accuracy))
}

/// Balanced accuracy where each target's cells are told by the threshold that is best on all others.
pub(super) fn held_out_balanced_accuracy(sample: &Sample) -> Option<f64> {
    let (oriented, gains) = decided(sample);
    let decided: Vec<usize> = (0..sample.len())
        .filter(|&i| sample.gain[i] != 0.0)
        .collect();
    let target: Vec<usize> = decided.iter().map(|&i| sample.target[i]).collect();
    let mut order: Vec<usize> = (0..oriented.len()).collect();
    order.sort_by(|&a, &b| oriented[a].total_cmp(&oriented[b]));
    let mut told = Vec::with_capacity(order.len());
    for group in groups(&target) {
        let of = target[group[0]];
        let rest: Vec<usize> = order.iter().copied().filter(|&i| target[i] != of).collect();
        // Others with gains alone, or losses alone, give no threshold to use.
        let (cut, _) = sweep(&rest, &oriented, &gains)?;
        told.extend(group.iter().map(|&i| (oriented[i] > cut, gains[i])));
    }
    balanced(told.into_iter())
}

/// The best threshold with its interval; its balanced accuracy is that on the cells it was chosen on.
pub(super) fn best(sample: &Sample, draws: &Draws) -> Threshold {
    let [threshold, balanced_accuracy] = draws.estimates(sample, why(sample), |s| {
        let found = best_threshold(s);
        [
            found.map(|(threshold, _)| threshold),
            found.map(|(_, accuracy)| accuracy),
        ]
    });
    Threshold {
        threshold,
        balanced_accuracy,
    }
}

/// Why nothing tells gains from losses here.
pub(super) fn why(sample: &Sample) -> NoValue {
    let (_, gains) = decided(sample);
    if gains.iter().all(|gain| *gain) || !gains.iter().any(|gain| *gain) {
        NoValue::OneSign
    } else {
        NoValue::ConstantScore
    }
}

/// Oriented scores, and whether there is a gain, of all cells whose gain is not 0.
fn decided(sample: &Sample) -> (Vec<f64>, Vec<bool>) {
    let cells = sample.oriented().into_iter().zip(&sample.gain);
    cells
        .filter(|(_, gain)| **gain != 0.0)
        .map(|(score, gain)| (score, *gain > 0.0))
        .unzip()
}

/// Of pairs (claimed, gained): the mean of the shares told rightly.
fn balanced(told: impl Iterator<Item = (bool, bool)>) -> Option<f64> {
    let (mut right, mut all) = ([0.0, 0.0], [0.0, 0.0]);
    for (claimed, gained) in told {
        all[usize::from(gained)] += 1.0;
        right[usize::from(gained)] += f64::from(u8::from(claimed == gained));
    }
    (all[0] > 0.0 && all[1] > 0.0).then(|| f64::midpoint(right[0] / all[0], right[1] / all[1]))
}

/// The best cut of the cells in `order`, which rises with the oriented score, and its balanced accuracy.
fn sweep(order: &[usize], oriented: &[f64], gains: &[bool]) -> Option<(f64, f64)> {
    let n_gains = order.iter().filter(|&&i| gains[i]).count() as f64;
    let n_losses = order.len() as f64 - n_gains;
    if n_gains == 0.0 || n_losses == 0.0 {
        return None;
    }
    let (mut gains_below, mut losses_below) = (0.0, 0.0);
    let mut best: Option<(f64, f64)> = None;
    for pair in order.windows(2) {
        let (low, high) = (oriented[pair[0]], oriented[pair[1]]);
        if gains[pair[0]] {
            gains_below += 1.0;
        } else {
            losses_below += 1.0;
        }
        if low < high {
            let accuracy = f64::midpoint(1.0 - gains_below / n_gains, losses_below / n_losses);
            if best.is_none_or(|(_, so_far)| accuracy > so_far + 1e-12) {
                best = Some((f64::midpoint(low, high), accuracy));
            }
        }
    }
    best
}
