//! Correlations inside groups, and with accuracy before held constant.
//!
//! A pooled coefficient mixes two questions: which target or model gains more, and which training set is
//! the better one for a given target or model. Centring both sides in each group leaves the second.

use super::coefficient::{pearson, ranks};
use super::sample::{Sample, groups};
use crate::sum::sum;

/// Pearson's r of deviations from the means of the groups (repeated-measures correlation: Bakdash and
/// Marusich, Frontiers in Psychology 8, 2017).
pub(super) fn within_pearson(sample: &Sample, labels: &[usize]) -> Option<f64> {
    pooled(sample, labels, <[f64]>::to_vec)
}

/// The same of the ranks that the cells have inside their group.
pub(super) fn within_spearman(sample: &Sample, labels: &[usize]) -> Option<f64> {
    pooled(sample, labels, ranks)
}

fn pooled(sample: &Sample, labels: &[usize], scale: fn(&[f64]) -> Vec<f64>) -> Option<f64> {
    let (mut x, mut y) = (Vec::new(), Vec::new());
    for group in groups(labels) {
        let of = |column: &[f64]| -> Vec<f64> { group.iter().map(|&i| column[i]).collect() };
        x.extend(deviations(&scale(&of(&sample.score))));
        y.extend(deviations(&scale(&of(&sample.gain))));
    }
    pearson(&x, &y)
}

/// Differences from the mean; of equal values exactly 0, which rounding of the mean would spoil.
fn deviations(values: &[f64]) -> Vec<f64> {
    if values
        .windows(2)
        .all(|pair| pair[0].total_cmp(&pair[1]).is_eq())
    {
        return vec![0.0; values.len()];
    }
    let mean = sum(values.iter().copied()) / values.len() as f64;
    values.iter().map(|value| value - mean).collect()
}

/// Partial Pearson correlation of score and gain given accuracy before.
pub(super) fn partial_pearson(sample: &Sample) -> Option<f64> {
    partial(&sample.score, &sample.gain, &sample.before)
}

/// The same of ranks.
pub(super) fn partial_spearman(sample: &Sample) -> Option<f64> {
    let ranked = [&sample.score, &sample.gain, &sample.before].map(|column| ranks(column));
    partial(&ranked[0], &ranked[1], &ranked[2])
}

/// `(r_xy − r_xz r_yz) / √((1 − r_xz²)(1 − r_yz²))`; where z is constant, `r_xy`.
fn partial(x: &[f64], y: &[f64], z: &[f64]) -> Option<f64> {
    let xy = pearson(x, y)?;
    let (Some(xz), Some(yz)) = (pearson(x, z), pearson(y, z)) else {
        return Some(xy);
    };
    let left = (1.0 - xz * xz) * (1.0 - yz * yz);
    // What rounding leaves of a perfect relation is no rest to correlate.
    (left > 1e-12).then(|| ((xy - xz * yz) / left.sqrt()).clamp(-1.0, 1.0))
}
