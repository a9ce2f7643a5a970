//! Which predictors a table of cells has: its scores, and the controls.

use std::collections::BTreeSet;

use crate::cell::Cell;
use crate::score::table::{Direction, direction};

/// A predictor with the cells that have it, in their order.
pub(super) struct Predictor<'a> {
    pub name: String,
    pub control: bool,
    pub direction: Direction,
    pub cells: Vec<(&'a Cell, f64)>,
}

/// A cheap rival: its name and its value in a cell.
type Control = (&'static str, fn(&Cell) -> Option<f64>);

/// One line for each control.
const CONTROLS: &[Control] = &[
    ("control:accuracy_before", |cell| Some(cell.before)),
    // The lower part of AR alone: what AR says if all training sets are alike.
    ("control:inverse_a_kl_predictions", |cell| {
        cell.scores.get("a_kl_predictions").map(|a| 1.0 / a)
    }),
    ("control:train_size", |cell| {
        cell.scores.get("train_size").copied()
    }),
    ("control:target_size", |cell| {
        (cell.n > 0).then_some(cell.n as f64)
    }),
    // Says the same of every cell: what knowing nothing is worth.
    ("control:constant", |_| Some(1.0)),
];

/// Values of cells that controls are made of, and that are no scores of a training set.
const MATERIAL: &[&str] = &["a_kl_predictions", "train_size"];

/// The scores in the order of their names, then the controls; values that are no finite number count
/// as missing, and predictors that no cell has are left away.
pub(super) fn all(cells: &[Cell]) -> Vec<Predictor<'_>> {
    let names: BTreeSet<&String> = cells.iter().flat_map(|cell| cell.scores.keys()).collect();
    let scores = names
        .into_iter()
        .filter(|name| !MATERIAL.contains(&name.as_str()))
        .map(|name| {
            predictor(cells, name.clone(), false, |cell| {
                cell.scores.get(name).copied()
            })
        });
    let controls = CONTROLS
        .iter()
        .map(|(name, value)| predictor(cells, (*name).to_owned(), true, value));
    scores
        .chain(controls)
        .filter(|p| !p.cells.is_empty())
        .collect()
}

fn predictor<'a>(
    cells: &'a [Cell],
    name: String,
    control: bool,
    value: impl Fn(&'a Cell) -> Option<f64>,
) -> Predictor<'a> {
    let finite = |cell: &'a Cell| value(cell).filter(|v| v.is_finite() && cell.gain().is_finite());
    let cells = cells
        .iter()
        .filter_map(|cell| finite(cell).map(|v| (cell, v)))
        .collect();
    Predictor {
        direction: direction(&name),
        name,
        control,
        cells,
    }
}
