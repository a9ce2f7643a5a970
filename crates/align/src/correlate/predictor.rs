//! Which predictors a table of cells has: its scores, and the controls.

use std::collections::BTreeSet;

use crate::cell::Cell;

/// A predictor with the cells that have it, in their order.
pub(super) struct Predictor<'a> {
    pub name: String,
    pub control: bool,
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
];

/// The scores in the order of their names, then the controls; values that are no finite number count
/// as missing, and predictors that no cell has are left away.
pub(super) fn all(cells: &[Cell]) -> Vec<Predictor<'_>> {
    let names: BTreeSet<&String> = cells.iter().flat_map(|cell| cell.scores.keys()).collect();
    let scores = names.into_iter().map(|name| {
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
        name,
        control,
        cells,
    }
}
