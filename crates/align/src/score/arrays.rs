//! Scores from numbers that a model wrote: log-probabilities, hidden states, one row an example.
//!
//! Alignment knows no models. What one says of a set comes as plain numbers, in JSON:
//!
//! ```json
//! {"name": "question_embedding", "source": [[0.1, 0.2], [0.3, 0.1]], "target": [[0.2, 0.2]], "predictions": [[0.0, 0.1]]}
//! ```
//!
//! A row is a list of numbers, or a number where there is one an example; all rows are equally long, and `predictions` may
//! be absent. Three distances are made of them: `NAME_gap` between the means, `NAME_energy`, and `NAME_mmd`, the squared
//! maximum mean discrepancy with a Gaussian kernel (Gretton et al., JMLR 13, 2012, biased estimate), whose width is the
//! median distance between the target's rows, so that it is the same for training set and predictions.

use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::table::{Direction, ScoreRow};
use crate::error::AlignError;
use crate::sum::sum;

/// Rows of each side.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NumberArrays {
    /// What the numbers are.
    pub name: String,
    /// One row for each example of the training set.
    pub source: Vec<Row>,
    /// One row for each example of the target.
    pub target: Vec<Row>,
    /// One row for each prediction.
    #[serde(default)]
    pub predictions: Option<Vec<Row>>,
}

/// The numbers of an example.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Row {
    /// One.
    One(f64),
    /// Several.
    Several(Vec<f64>),
}

impl Row {
    fn values(&self) -> &[f64] {
        match self {
            Self::One(value) => std::slice::from_ref(value),
            Self::Several(values) => values,
        }
    }
}

/// The distances that `arrays` give.
///
/// # Errors
/// [`AlignError::Option`] where a side is empty, rows differ in length, or a number is not finite.
pub fn array_scores(arrays: &NumberArrays) -> Result<Vec<ScoreRow>, AlignError> {
    let width = arrays.target.first().map_or(0, |row| row.values().len());
    let sides = [
        ("source", Some(&arrays.source)),
        ("target", Some(&arrays.target)),
        ("predictions", arrays.predictions.as_ref()),
    ];
    for (field, rows) in sides {
        let Some(rows) = rows else { continue };
        let fault = |found: String, expected| {
            Err(AlignError::Option {
                field,
                found,
                expected,
            })
        };
        if rows.is_empty() || width == 0 {
            return fault("no numbers".to_owned(), "at least one row with a number");
        }
        for (number, row) in rows.iter().enumerate() {
            let found = row.values().len();
            if found != width {
                return fault(
                    format!("{found} numbers in row {number}"),
                    "rows as long as the target's first",
                );
            }
            if let Some(bad) = row.values().iter().find(|value| !value.is_finite()) {
                return fault(format!("{bad} in row {number}"), "finite numbers");
            }
        }
    }
    let name = &arrays.name;
    let scale = median_distance(&arrays.target);
    let distances: [(&str, Distance<'_>); 3] = [
        ("gap", Box::new(|a, b| gap(a, b, width))),
        ("energy", Box::new(|a, b| kernelled(a, b, |d| -d).max(0.0))),
        (
            "mmd",
            Box::new(|a, b| kernelled(a, b, |d| (-(d / scale).powi(2) / 2.0).exp()).max(0.0)),
        ),
    ];
    Ok(distances
        .iter()
        .map(|(kind, distance)| {
            let of = |rows: &[Row]| distance(rows, &arrays.target);
            ScoreRow::new(
                format!("{name}_{kind}"),
                Direction::Distance,
                Some(of(&arrays.source)),
                arrays.predictions.as_deref().map(of),
            )
        })
        .collect())
}

/// A distance between two sides.
type Distance<'a> = Box<dyn Fn(&[Row], &[Row]) -> f64 + 'a>;

/// Euclidean distance between the means.
fn gap(a: &[Row], b: &[Row], width: usize) -> f64 {
    let mean =
        |rows: &[Row], i: usize| sum(rows.iter().map(|row| row.values()[i])) / rows.len() as f64;
    sum((0..width).map(|i| (mean(a, i) - mean(b, i)).powi(2))).sqrt()
}

/// `E k(a, a') + E k(b, b') − 2 E k(a, b)` with a kernel of the Euclidean distance.
fn kernelled(a: &[Row], b: &[Row], kernel: impl Fn(f64) -> f64 + Sync) -> f64 {
    let mean = |x: &[Row], y: &[Row]| {
        let rows: Vec<f64> = x
            .par_iter()
            .map(|x| sum(y.iter().map(|y| kernel(euclidean(x, y)))))
            .collect();
        sum(rows) / (x.len() * y.len()) as f64
    };
    mean(a, a) + mean(b, b) - 2.0 * mean(a, b)
}

fn euclidean(x: &Row, y: &Row) -> f64 {
    let squares: f64 = x
        .values()
        .iter()
        .zip(y.values())
        .map(|(x, y)| (x - y).powi(2))
        .sum();
    squares.sqrt()
}

/// Rows that the median is taken over: enough for a scale.
const SAMPLED: usize = 500;

/// The median distance between different rows, of the first rows where there are many; 1 where all are alike.
fn median_distance(rows: &[Row]) -> f64 {
    let step = rows.len().div_ceil(SAMPLED).max(1);
    let rows: Vec<&Row> = rows.iter().step_by(step).collect();
    let mut distances: Vec<f64> = (0..rows.len())
        .flat_map(|i| (0..i).map(move |j| (i, j)))
        .map(|(i, j)| euclidean(rows[i], rows[j]))
        .collect();
    distances.sort_by(f64::total_cmp);
    let middle = distances.get(distances.len() / 2).copied().unwrap_or(0.0);
    if middle > 0.0 { middle } else { 1.0 }
}

#[cfg(test)]
mod tests {
    use super::{NumberArrays, Row, array_scores};

    fn arrays(source: &[f64], target: &[f64]) -> NumberArrays {
        let rows = |of: &[f64]| of.iter().map(|&value| Row::One(value)).collect();
        NumberArrays {
            name: "x".to_owned(),
            source: rows(source),
            target: rows(target),
            predictions: None,
        }
    }

    fn values(arrays: &NumberArrays) -> Vec<f64> {
        let rows = array_scores(arrays).unwrap();
        rows.into_iter().map(|row| row.value.unwrap()).collect()
    }

    /// Figures of `scripts/reference/alignment_rivals.py`.
    #[test]
    fn agrees_with_numpy() {
        let found = values(&arrays(&[0.0, 1.0, 2.5, 4.0], &[0.5, 2.0, 3.0]));
        for (found, expected) in found.iter().zip([
            0.041_666_666_666_666_74,
            0.284_722_222_222_222_3,
            0.049_715_026_592_524_58,
        ]) {
            assert!(
                (found - expected).abs() < 1e-12,
                "{found}, expected {expected}"
            );
        }
    }

    #[test]
    fn equal_sides_are_at_no_distance() {
        for found in values(&arrays(&[1.0, 2.0], &[2.0, 1.0])) {
            assert!(found.abs() < 1e-12);
        }
    }

    #[test]
    fn bad_numbers_are_told() {
        let told = |text: &str| {
            let arrays: NumberArrays = serde_json::from_str(text).unwrap();
            array_scores(&arrays).unwrap_err().to_string()
        };
        let ragged = told(r#"{"name": "x", "source": [[1, 2], [3]], "target": [[1, 2]]}"#);
        assert!(
            ragged.contains("source") && ragged.contains("row 1"),
            "{ragged}"
        );
        assert!(told(r#"{"name": "x", "source": [], "target": [1]}"#).contains("no numbers"));
        assert!(told(r#"{"name": "x", "source": [1], "target": [[]]}"#).contains("no numbers"));
        assert!(
            told(r#"{"name": "x", "source": [1], "target": [1], "predictions": []}"#)
                .contains("predictions")
        );
    }
}
