//! The columns that statistics are made of: one entry a cell, and again as often as a resample has it.

use std::collections::BTreeMap;

use super::predictor::Predictor;
use crate::cell::Cell;
use crate::score::table::Direction;

/// The cells that have a predictor. n: cells.
#[derive(Clone, Debug, Default)]
pub(super) struct Sample {
    /// The predictor in its own sign.
    pub score: Vec<f64>,
    /// Accuracy after less accuracy before, as shares.
    pub gain: Vec<f64>,
    /// Accuracy before, as a share.
    pub before: Vec<f64>,
    /// Number of the model.
    pub model: Vec<usize>,
    /// Number of the target.
    pub target: Vec<usize>,
    /// Which values claim a gain.
    pub direction: Direction,
}

impl Sample {
    pub fn new(predictor: &Predictor<'_>) -> Self {
        let cells = || predictor.cells.iter().map(|(cell, _)| *cell);
        Self {
            score: predictor.cells.iter().map(|(_, score)| *score).collect(),
            gain: cells().map(Cell::gain).collect(),
            before: cells().map(|cell| cell.before).collect(),
            model: numbers(cells().map(|cell| cell.model.as_str())),
            target: numbers(cells().map(|cell| cell.target.as_str())),
            direction: predictor.direction,
        }
    }

    pub fn len(&self) -> usize {
        self.score.len()
    }

    /// The cells at `places`, in their order.
    pub fn take(&self, places: &[u32]) -> Self {
        let reals = |of: &[f64]| places.iter().map(|&at| of[at as usize]).collect();
        let labels = |of: &[usize]| places.iter().map(|&at| of[at as usize]).collect();
        Self {
            score: reals(&self.score),
            gain: reals(&self.gain),
            before: reals(&self.before),
            model: labels(&self.model),
            target: labels(&self.target),
            direction: self.direction,
        }
    }

    /// The predictor with its sign changed where lower is closer.
    pub fn oriented(&self) -> Vec<f64> {
        let sign = self.direction.sign();
        self.score.iter().map(|score| sign * score).collect()
    }

    /// A number for each pair of model and target.
    pub fn pair(&self) -> Vec<usize> {
        let targets = self.target.iter().max().map_or(0, |last| last + 1);
        let pairs = self.model.iter().zip(&self.target);
        pairs
            .map(|(model, target)| model * targets + target)
            .collect()
    }
}

/// Names as numbers from 0, in the order of their first occurrence.
fn numbers<'a>(names: impl Iterator<Item = &'a str>) -> Vec<usize> {
    let mut seen: BTreeMap<&str, usize> = BTreeMap::new();
    names
        .map(|name| {
            let next = seen.len();
            *seen.entry(name).or_insert(next)
        })
        .collect()
}

/// How many different labels there are; labels are numbers from 0 on.
pub(super) fn count(labels: &[usize]) -> usize {
    let mut seen = vec![false; labels.iter().max().map_or(0, |last| last + 1)];
    for &label in labels {
        seen[label] = true;
    }
    seen.into_iter().filter(|seen| *seen).count()
}

/// The places of each label, in the order of the labels; labels without a place are left away.
pub(super) fn groups(labels: &[usize]) -> Vec<Vec<usize>> {
    let mut groups = vec![Vec::new(); labels.iter().max().map_or(0, |last| last + 1)];
    for (place, &label) in labels.iter().enumerate() {
        groups[label].push(place);
    }
    groups.retain(|group| !group.is_empty());
    groups
}
