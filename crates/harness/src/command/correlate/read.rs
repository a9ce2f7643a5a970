//! Files of cells: a JSON list, JSON Lines or CSV, told by their first character.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, ensure};
use harness_align::Cell;
use harness_align::correlate::table::{self, Origin, Spot};
use serde::Deserialize;

/// A cell as files have it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    model: String,
    train_set: String,
    target: String,
    seed: u64,
    before: f64,
    after: f64,
    #[serde(default)]
    n: usize,
    #[serde(default)]
    gain_interval: Option<(f64, f64)>,
    /// `null` is a score that the run does not have.
    #[serde(default)]
    scores: BTreeMap<String, Option<f64>>,
}

impl From<Row> for Cell {
    fn from(row: Row) -> Self {
        let scores = row.scores.into_iter();
        Self {
            model: row.model,
            train_set: row.train_set,
            target: row.target,
            seed: row.seed,
            before: row.before,
            after: row.after,
            n: row.n,
            gain_interval: row.gain_interval,
            scores: scores
                .filter_map(|(name, value)| Some((name, value?)))
                .collect(),
        }
    }
}

/// The cells of all files, one after the other.
pub fn cells(files: &[PathBuf]) -> Result<Vec<Cell>> {
    let mut all = Vec::new();
    for file in files {
        let found = of_file(file)?;
        ensure!(
            !found.is_empty(),
            "{} holds no cells; a run leaves them in correlate/all/cells.json",
            file.display()
        );
        all.extend(found);
    }
    Ok(table::collect(all)?)
}

fn of_file(file: &Path) -> Result<Vec<(Origin, Cell)>> {
    let name = file.display().to_string();
    let text = std::fs::read_to_string(file).with_context(|| format!("cannot read {name}"))?;
    let at = |place| Origin {
        file: name.clone(),
        place,
    };
    match text
        .trim_start_matches('\u{feff}')
        .trim_start()
        .chars()
        .next()
    {
        Some('[') => {
            let rows: Vec<Row> =
                serde_json::from_str(&text).with_context(|| format!("in {name}"))?;
            let rows = rows.into_iter().enumerate();
            Ok(rows
                .map(|(place, row)| (at(Spot::Cell(place + 1)), row.into()))
                .collect())
        }
        Some('{') => {
            let mut cells = Vec::new();
            for (number, line) in text.lines().enumerate() {
                if line.trim().is_empty() {
                    continue;
                }
                let at = at(Spot::Line(number + 1));
                let row: Row = serde_json::from_str(line).with_context(|| at.to_string())?;
                cells.push((at, row.into()));
            }
            Ok(cells)
        }
        Some(_) => Ok(table::csv(&name, &text)?),
        None => Ok(Vec::new()),
    }
}
