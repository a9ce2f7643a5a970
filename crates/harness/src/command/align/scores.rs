//! The table of all scores, and of numbers that a model wrote.

use std::collections::BTreeMap;
use std::path::PathBuf;

use anyhow::{Context as _, Result};
use harness_align::score::arrays::{NumberArrays, array_scores};
use harness_align::score::table::{Missing, Refused};
use harness_align::{Direction, Options, ScoreRow, Workload, score_table};

use crate::files::read_json;

/// All scores of a pair, then those of each file of numbers.
pub fn scores(
    source: &Workload,
    target: &Workload,
    predictions: Option<&Workload>,
    options: &Options,
    arrays: &[PathBuf],
) -> Result<Vec<ScoreRow>> {
    let mut rows = score_table(source, target, predictions, options)?;
    for path in arrays {
        let numbers: NumberArrays = read_json(path)?;
        let found = array_scores(&numbers).with_context(|| format!("in {}", path.display()))?;
        rows.extend(found);
    }
    Ok(rows)
}

/// Prints the table; scores with a form without style stand in one line with it.
pub fn print(rows: &[ScoreRow]) {
    println!(
        "{:<28} {:>9} {:>12} {:>7}   {:>9} {:>7}",
        "score (distances: -)", "value", "predictions", "ratio", "no style", "ratio"
    );
    let cell = |value: Option<f64>, digits: usize| {
        value.map_or("–".to_owned(), |value| format!("{value:.digits$}"))
    };
    for row in rows.iter().filter(|row| !row.name.ends_with("_style_free")) {
        let free_name = format!("{}_style_free", row.name);
        let free = rows.iter().find(|row| row.name == free_name);
        let mark = if row.direction == Direction::Distance {
            "-"
        } else {
            ""
        };
        let line = format!(
            "{:<28} {:>9} {:>12} {:>7}   {:>9} {:>7}",
            format!(
                "{}{}{mark}",
                row.name,
                if mark.is_empty() { "" } else { " " }
            ),
            cell(row.value, 4),
            cell(row.of_predictions, 4),
            cell(row.ratio, 3),
            free.map_or(String::new(), |free| cell(free.value, 4)),
            free.map_or(String::new(), |free| cell(free.ratio, 3)),
        );
        println!("{}", line.trim_end());
    }
    let notes = notes(rows);
    if !notes.is_empty() {
        println!();
    }
    for note in notes {
        println!("note: {note}");
    }
}

/// What the dashes mean, each reason once, and how many queries scores of parse trees leave out.
fn notes(rows: &[ScoreRow]) -> Vec<String> {
    let mut reasons: BTreeMap<Missing, Vec<&str>> = BTreeMap::new();
    for row in rows {
        if let Some(missing) = row.missing {
            reasons.entry(missing).or_default().push(&row.name);
        }
    }
    let mut notes: Vec<String> = (reasons.iter())
        .map(|(reason, names)| match names.as_slice() {
            [one] => format!("{one}: {reason}"),
            [first, others @ ..] => format!("{first} and {} more: {reason}", others.len()),
            [] => reason.to_string(),
        })
        .collect();
    if let Some(refused) = rows.iter().find_map(|row| row.refused) {
        let Refused {
            source,
            target,
            predictions,
        } = refused;
        notes.push(format!(
            "features and parse trees are without what the parser refuses: {source} queries of the source, {target} of \
             the target, {predictions} predictions"
        ));
    }
    notes
}
