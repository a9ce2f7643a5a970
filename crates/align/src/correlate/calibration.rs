//! What becomes of the cells on either side of a threshold, and along a score.

use serde::{Deserialize, Serialize};

use super::sample::Sample;
use crate::sum::sum;

/// The 0.975 quantile of the normal distribution.
const Z: f64 = 1.959_963_984_540_054;
/// Most groups that the cells are put into by their score.
const BINS: usize = 5;
/// Fewest cells of such a group.
const LEAST: usize = 4;

/// Cells with a gain among cells, with Wilson's interval (JASA 22, 1927) at 95 %. It takes the cells for
/// independent, which those of one model or target are not: it is too narrow by as much.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Share {
    /// Cells with a gain above 0.
    pub gains: usize,
    /// Cells with a loss.
    pub losses: usize,
    /// All cells, also those with a gain of exactly 0.
    pub n: usize,
    /// Gains in n; none without cells.
    pub share: Option<f64>,
    /// Lower end.
    pub low: f64,
    /// Upper end.
    pub high: f64,
    /// Mean gain, as a share.
    pub mean_gain: Option<f64>,
}

/// "Beyond the threshold means gain", counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Sides {
    /// The threshold.
    pub threshold: f64,
    /// Cells for which a gain is claimed.
    pub claimed: Share,
    /// All others.
    pub others: Share,
}

/// Cells with neighbouring scores.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Bin {
    /// Lowest score in it.
    pub lowest: f64,
    /// Highest score in it.
    pub highest: f64,
    /// How many of them gain.
    pub gain: Share,
}

/// Counts the cells on both sides of `threshold`.
pub(super) fn sides(sample: &Sample, threshold: f64) -> Sides {
    let sign = sample.direction.sign();
    let side = |claimed: bool| -> Vec<f64> {
        let cells = sample.score.iter().zip(&sample.gain);
        cells
            .filter(|(score, _)| (sign * **score > sign * threshold) == claimed)
            .map(|(_, gain)| *gain)
            .collect()
    };
    Sides {
        threshold,
        claimed: share(&side(true)),
        others: share(&side(false)),
    }
}

/// Cells from low to high scores in up to five groups of about equal size, of at least four cells each; equal
/// scores stay together.
pub(super) fn bins(sample: &Sample) -> Vec<Bin> {
    let n = sample.len();
    let wanted = (n / LEAST).min(BINS);
    let mut cells: Vec<(f64, f64)> = sample
        .score
        .iter()
        .copied()
        .zip(sample.gain.iter().copied())
        .collect();
    cells.sort_by(|a, b| a.0.total_cmp(&b.0));
    let mut found = Vec::new();
    let mut start = 0;
    for bin in 1..=wanted {
        let mut end = (bin * n / wanted).max(start);
        while end > start && end < n && cells[end].0.total_cmp(&cells[end - 1].0).is_eq() {
            end += 1;
        }
        if end > start {
            let gains: Vec<f64> = cells[start..end].iter().map(|(_, gain)| *gain).collect();
            found.push(Bin {
                lowest: cells[start].0,
                highest: cells[end - 1].0,
                gain: share(&gains),
            });
        }
        start = end;
    }
    found
}

fn share(gains: &[f64]) -> Share {
    let n = gains.len();
    let up = gains.iter().filter(|gain| **gain > 0.0).count();
    let (low, high) = wilson(up, n);
    let of_n = |value: f64| (n > 0).then(|| value / n as f64);
    Share {
        gains: up,
        losses: gains.iter().filter(|gain| **gain < 0.0).count(),
        n,
        share: of_n(up as f64),
        low,
        high,
        mean_gain: of_n(sum(gains.iter().copied())),
    }
}

/// Wilson's score interval of a share, without continuity correction; all of \[0, 1\] for nothing.
fn wilson(right: usize, n: usize) -> (f64, f64) {
    if n == 0 {
        return (0.0, 1.0);
    }
    let (right, n) = (right as f64, n as f64);
    let share = right / n;
    let centre = share + Z * Z / (2.0 * n);
    let half = Z * (share * (1.0 - share) / n + Z * Z / (4.0 * n * n)).sqrt();
    let scale = 1.0 + Z * Z / n;
    (
        ((centre - half) / scale).max(0.0),
        ((centre + half) / scale).min(1.0),
    )
}
