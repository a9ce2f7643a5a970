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

use super::table::{Direction, Missing, ScoreRow};
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
/// [`AlignError::Option`] where the name would not do for a score, a side is empty, rows differ in length, or a number is
/// too large for sums of squares.
pub fn array_scores(arrays: &NumberArrays) -> Result<Vec<ScoreRow>, AlignError> {
    let name = &arrays.name;
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    if name.is_empty() || !name.bytes().all(fits) {
        return Err(AlignError::Option {
            field: "name",
            found: format!("`{name}`"),
            expected: "letters, digits and _",
        });
    }
    let width = arrays.target.first().map_or(0, |row| row.values().len());
    // The squares of this many differences, two numbers of this size each, still add up to a number.
    let limit = (f64::MAX / (8.0 * width.max(1) as f64)).sqrt();
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
                    format!("{found} numbers in row {}", number + 1),
                    "rows as long as the target's first",
                );
            }
            // A NaN is not below the limit either.
            let within = |value: &&f64| value.abs() < limit;
            if let Some(bad) = row.values().iter().find(|value| !within(value)) {
                let found = format!("{bad:e} in row {}", number + 1);
                return fault(found, "numbers whose squares can be added up");
            }
        }
    }
    let scale = median_distance(&arrays.target);
    let row = |kind: &str, distance: &dyn Fn(&[Row]) -> f64| {
        ScoreRow::new(
            format!("{name}_{kind}"),
            Direction::Distance,
            Some(distance(&arrays.source)),
            arrays.predictions.as_deref().map(distance),
        )
    };
    let target = arrays.target.as_slice();
    let squared_over = |scale: f64| -2.0 * scale * scale;
    Ok(vec![
        row("gap", &|rows| gap(rows, target, width)),
        row("energy", &|rows| kernelled(rows, target, |d| -d).max(0.0)),
        match scale.map(squared_over) {
            Some(over) => row("mmd", &|rows| {
                kernelled(rows, target, |d| (d * d / over).exp()).max(0.0)
            }),
            None => ScoreRow {
                missing: Some(Missing::NoScale),
                ..ScoreRow::new(format!("{name}_mmd"), Direction::Distance, None, None)
            },
        },
    ])
}

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

/// The median distance between two of the rows, of some at equal steps where there are many; none where that is no number
/// above 0 whose square is one too.
fn median_distance(rows: &[Row]) -> Option<f64> {
    let step = rows.len().div_ceil(SAMPLED).max(1);
    let rows: Vec<&Row> = rows.iter().step_by(step).collect();
    let mut distances: Vec<f64> = (0..rows.len())
        .flat_map(|i| (0..i).map(move |j| (i, j)))
        .map(|(i, j)| euclidean(rows[i], rows[j]))
        .collect();
    distances.sort_by(f64::total_cmp);
    let middle = distances.len() / 2;
    let upper = *distances.get(middle)?;
    let median = if distances.len() % 2 == 1 {
        upper
    } else {
        f64::midpoint(distances[middle - 1], upper)
    };
    (median * median > 0.0).then_some(median)
}

#[cfg(test)]
mod tests {
    use super::{NumberArrays, Row, array_scores};
    use crate::score::table::Missing;

    const IN_SPACE: [(f64, f64); 3] = [
        (2.565_727_807_791_284_4, 1.322_521_266_369_656_6),
        (2.987_696_597_056_469, 1.177_784_252_731_864_2),
        (0.632_454_860_352_458_8, 0.214_018_083_743_723_33),
    ];

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

    /// Figures of `scripts/reference/alignment_rivals.py`: three coordinates, an even number of pairs in the target.
    #[test]
    fn agrees_with_numpy_in_space() {
        let points = |n: usize, shift: f64| -> Vec<Row> {
            let coordinate =
                |i: usize, j: usize| ((i * i + 3 * j) % 11) as f64 / 4.0 + shift * (j + 1) as f64;
            let row = |i| Row::Several((0..3).map(|j| coordinate(i, j)).collect());
            (0..n).map(row).collect()
        };
        let arrays = NumberArrays {
            name: "x".to_owned(),
            source: points(7, 0.0),
            target: points(5, 0.75),
            predictions: Some(points(4, 0.375)),
        };
        let found = array_scores(&arrays).unwrap();
        let expected = IN_SPACE;
        for (row, (value, of_predictions)) in found.iter().zip(expected) {
            let gaps = [
                row.value.unwrap() - value,
                row.of_predictions.unwrap() - of_predictions,
                row.ratio.unwrap() - of_predictions / value,
            ];
            assert!(gaps.iter().all(|gap| gap.abs() < 1e-12), "{row:?}");
        }
    }

    #[test]
    fn a_target_at_one_place_has_no_width() {
        let rows = array_scores(&arrays(&[1.0, 2.0], &[3.0, 3.0])).unwrap();
        assert_eq!(rows[0].value, Some(1.5));
        assert_eq!(
            (rows[2].value, rows[2].missing),
            (None, Some(Missing::NoScale))
        );
    }

    #[test]
    fn bad_numbers_are_told() {
        let told = |text: &str| {
            let arrays: NumberArrays = serde_json::from_str(text).unwrap();
            array_scores(&arrays).unwrap_err().to_string()
        };
        let ragged = told(r#"{"name": "x", "source": [[1, 2], [3]], "target": [[1, 2]]}"#);
        assert!(
            ragged.contains("source") && ragged.contains("row 2"),
            "{ragged}"
        );
        assert!(told(r#"{"name": "x", "source": [], "target": [1]}"#).contains("no numbers"));
        assert!(told(r#"{"name": "x", "source": [1], "target": [[]]}"#).contains("no numbers"));
        assert!(
            told(r#"{"name": "x", "source": [1], "target": [1], "predictions": []}"#)
                .contains("predictions")
        );
        let huge = told(r#"{"name": "x", "source": [1, 1e200], "target": [1]}"#);
        assert!(huge.contains("1e200 in row 2"), "{huge}");
        assert!(told(r#"{"name": "a b", "source": [1], "target": [1]}"#).contains("`a b`"));
    }
}
