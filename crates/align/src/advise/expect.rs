//! What gain to expect at a value of a score, from the cells of earlier runs.
//!
//! Cells that differ in the seed alone are one cell with the mean gain: a new run would be one more model, training set
//! and target, not one more seed. The expectation is the least-squares line through them. Its interval is the jackknife+
//! of Barber, Candès, Ramdas and Tibshirani (Annals of Statistics 49, 2021), which takes nothing for granted about the
//! errors: the line is drawn again without each group, and the group's errors are laid around what that line says of the
//! new value. Groups are targets where there are at least four, because the question is about a new target; else cells.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::cell::Cell;
use crate::interval::Interval;
use crate::sum::sum;

/// Under this many different cells no number is given.
pub const LEAST_CELLS: usize = 8;
/// Level of the interval. Few cells cannot carry a higher one.
const LEVEL: f64 = 0.8;
/// From this many targets on, a target is left out as a whole.
const LEAST_TARGETS: usize = 4;

/// What earlier runs say about a value of a score.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Expectation {
    /// Name of the score.
    pub score: String,
    /// Its value in the case at hand.
    pub value: f64,
    /// Different (model, training set, target) that have the score.
    pub cells: usize,
    /// Lowest and highest value among them; none without cells.
    pub range: Option<(f64, f64)>,
    /// Whether the value lies outside that range: what was never seen is not told.
    pub beyond: bool,
    /// Expected gain, as a share; none under 8 cells, beyond their range, or where the score is the same in all of them.
    pub gain: Option<f64>,
    /// Interval of the gain of a single new run.
    pub interval: Option<Interval>,
    /// What was left out in turn for the interval.
    pub left_out: LeftOut,
    /// Cells on the same side of 1 as the value (for ratios: above, or not above).
    pub same_side: usize,
    /// Those of them that gained.
    pub same_side_gained: usize,
}

/// What a jackknife leaves out in turn.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LeftOut {
    /// All cells of a target.
    Target,
    /// A cell.
    Cell,
}

/// What `history` says about a gain at `value` of the score called `score`.
pub fn expect(history: &[Cell], score: &str, value: f64) -> Expectation {
    let points = points(history, score);
    let targets = {
        let mut names: Vec<&str> = points.iter().map(|point| point.target).collect();
        names.sort_unstable();
        names.dedup();
        names
    };
    let left_out = if targets.len() >= LEAST_TARGETS {
        LeftOut::Target
    } else {
        LeftOut::Cell
    };
    let range = points.iter().map(|p| p.score).fold(None, |range, x| {
        let (low, high) = range.unwrap_or((x, x));
        Some((f64::min(low, x), f64::max(high, x)))
    });
    let beyond = range.is_none_or(|(low, high)| value < low || value > high);
    let (gain, interval) = if points.len() >= LEAST_CELLS && !beyond {
        let all: Vec<&Point<'_>> = points.iter().collect();
        let at = |points: &[&Point<'_>], x: f64| line(points).map(|(a, b)| a + b * x);
        (at(&all, value), jackknife_plus(&points, left_out, value))
    } else {
        (None, None)
    };
    let side = |x: f64| x > 1.0;
    let same = || points.iter().filter(|p| side(p.score) == side(value));
    Expectation {
        score: score.to_owned(),
        value,
        cells: points.len(),
        range,
        beyond,
        gain,
        interval,
        left_out,
        same_side: same().count(),
        same_side_gained: same().filter(|p| p.gain > 0.0).count(),
    }
}

/// The mean over the seeds of one model, training set and target.
#[derive(Debug)]
struct Point<'a> {
    target: &'a str,
    score: f64,
    gain: f64,
}

fn points<'a>(history: &'a [Cell], score: &str) -> Vec<Point<'a>> {
    // Score and gain of each seed, by model, training set and target.
    let mut groups: BTreeMap<[&str; 3], Vec<(f64, f64)>> = BTreeMap::new();
    for cell in history {
        if let Some(&x) = cell.scores.get(score)
            && x.is_finite()
            && cell.gain().is_finite()
        {
            groups
                .entry([&cell.model, &cell.train_set, &cell.target])
                .or_default()
                .push((x, cell.gain()));
        }
    }
    let mean = |of: &[(f64, f64)], pick: fn(&(f64, f64)) -> f64| {
        sum(of.iter().map(pick)) / of.len() as f64
    };
    groups
        .into_iter()
        .map(|([_, _, target], of)| Point {
            target,
            score: mean(&of, |(x, _)| *x),
            gain: mean(&of, |(_, y)| *y),
        })
        .collect()
}

/// Intercept and slope of the least-squares line; none where all scores are equal.
fn line(points: &[&Point<'_>]) -> Option<(f64, f64)> {
    let n = points.len() as f64;
    let mean_x = sum(points.iter().map(|p| p.score)) / n;
    let mean_y = sum(points.iter().map(|p| p.gain)) / n;
    let xx = sum(points.iter().map(|p| (p.score - mean_x).powi(2)));
    let xy = sum(points
        .iter()
        .map(|p| (p.score - mean_x) * (p.gain - mean_y)));
    // Equal scores leave rounding behind, not a spread.
    let spread = xx > 1e-18 * n * mean_x.abs().max(1e-9).powi(2);
    spread.then(|| (mean_y - mean_x * xy / xx, xy / xx))
}

/// The jackknife+ interval: quantiles of what each line that lacks a group says of the new value, less and plus the
/// errors of that line on the group.
fn jackknife_plus(points: &[Point<'_>], left_out: LeftOut, value: f64) -> Option<Interval> {
    let (mut lower, mut upper) = (Vec::new(), Vec::new());
    for (place, out) in points.iter().enumerate() {
        let rest: Vec<&Point<'_>> = points
            .iter()
            .enumerate()
            .filter(|(other, point)| match left_out {
                LeftOut::Target => point.target != out.target,
                LeftOut::Cell => *other != place,
            })
            .map(|(_, point)| point)
            .collect();
        let (intercept, slope) = line(&rest)?;
        let error = (out.gain - intercept - slope * out.score).abs();
        let there = intercept + slope * value;
        lower.push(there - error);
        upper.push(there + error);
    }
    lower.sort_by(f64::total_cmp);
    upper.sort_by(f64::total_cmp);
    // The ⌊α(n + 1)⌋-th smallest below and the ⌈(1 − α)(n + 1)⌉-th smallest above, counted from 1.
    let n = points.len();
    let below = ((1.0 - LEVEL) * (n + 1) as f64).floor() as usize;
    let above = (LEVEL * (n + 1) as f64).ceil() as usize;
    Some(Interval {
        low: *lower.get(below.checked_sub(1)?)?,
        high: *upper.get(above.checked_sub(1)?)?,
        level: LEVEL,
        resamples: n,
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::{LeftOut, expect};
    use crate::cell::Cell;

    fn cell(target: usize, train: usize, seed: u64, ar: f64, gain: f64) -> Cell {
        Cell {
            model: "m".to_owned(),
            train_set: format!("s{train}"),
            target: format!("t{target}"),
            seed,
            before: 0.3,
            after: 0.3 + gain,
            n: 100,
            gain_interval: None,
            scores: BTreeMap::from([("ar".to_owned(), ar)]),
        }
    }

    #[test]
    fn a_straight_line_is_found_again() {
        let cells: Vec<Cell> = (0..9)
            .map(|i| cell(i / 3, i % 3, 1, 0.5 + 0.1 * i as f64, 0.02 * i as f64))
            .collect();
        let found = expect(&cells, "ar", 1.05);
        assert!((found.gain.unwrap() - 0.11).abs() < 1e-12);
        let interval = found.interval.unwrap();
        assert!((interval.low - 0.11).abs() < 1e-9 && (interval.high - 0.11).abs() < 1e-9);
        assert_eq!((found.left_out, found.beyond), (LeftOut::Cell, false));
        assert_eq!((found.same_side, found.same_side_gained), (3, 3));
        let beyond = expect(&cells, "ar", 1.5);
        assert_eq!(
            (beyond.beyond, beyond.gain, beyond.interval),
            (true, None, None)
        );
    }

    #[test]
    fn seeds_are_one_cell() {
        let cells: Vec<Cell> = (0..7)
            .flat_map(|i| (0..5).map(move |seed| cell(i, 0, seed, 1.0 + i as f64, 0.1)))
            .collect();
        let found = expect(&cells, "ar", 2.0);
        assert_eq!((found.cells, found.gain, found.interval), (7, None, None));
    }

    #[test]
    fn targets_are_left_out_as_a_whole() {
        // Within a target the gain is the same: a cell's neighbours would give it away.
        let gains = [0.1, -0.1, 0.2, -0.2];
        let cells: Vec<Cell> = (0..12)
            .map(|i| cell(i / 3, i % 3, 1, 0.8 + 0.1 * (i % 3) as f64, gains[i / 3]))
            .collect();
        let found = expect(&cells, "ar", 0.9);
        assert_eq!(found.left_out, LeftOut::Target);
        let interval = found.interval.unwrap();
        assert!(interval.high - interval.low > 0.4, "{interval:?}");
    }

    #[test]
    fn nothing_to_go_by() {
        let same: Vec<Cell> = (0..9).map(|i| cell(i, 0, 1, 1.1, 0.1 * i as f64)).collect();
        let found = expect(&same, "ar", 1.1);
        assert_eq!((found.gain, found.interval), (None, None));
        let none = expect(&[], "ar", 1.1);
        assert_eq!((none.cells, none.range, none.gain), (0, None, None));
        assert_eq!(expect(&same, "other", 1.0).cells, 0);
    }
}
