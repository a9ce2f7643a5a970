//! Which example does a prediction answer: by what the file calls the question, or by its position.

use std::collections::BTreeMap;
use std::fmt;

use harness_record::Example;

use super::{Predicted, PredictionFile, PredictionFormat};
use crate::error::Place;

/// Positions or ids that a message names.
const SHOWN: usize = 5;

/// A prediction under the id of an example.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identified {
    /// The example's id. What the file says, if no example is called so.
    pub id: String,
    /// The database that the file states.
    pub db_id: Option<String>,
    /// The query.
    pub sql: String,
}

/// Why it can't be told which examples are answered.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum IdentifyError {
    /// The rows have no ids.
    #[error(
        "the predictions have no ids (format {format}, {rows} rows): pair them with the examples in order, with --by-position"
    )]
    NoIds {
        /// The format.
        format: PredictionFormat,
        /// Rows of the file.
        rows: usize,
    },
    /// There are more or fewer predictions than examples, so their positions say nothing.
    #[error(
        "{predictions} predictions for {examples} examples: they can't be paired by position{}",
        blank(*blank_lines)
    )]
    Count {
        /// Rows of the file.
        predictions: usize,
        /// Examples of the split.
        examples: usize,
        /// Blank lines that were passed over.
        blank_lines: usize,
    },
    /// Rows have the ids of other examples than those at their positions.
    #[error(
        "the order of the predictions is not that of the examples: {} row(s) have the id of another place: {}",
        rows.len(),
        rows.iter().take(SHOWN).map(ToString::to_string).collect::<Vec<_>>().join(", ")
    )]
    Misplaced {
        /// The rows.
        rows: Vec<Misplaced>,
    },
}

/// A row with the id of another example than the one at its position.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Misplaced {
    /// Where it stands.
    pub place: Place,
    /// Its id.
    pub id: String,
    /// The id of the example at its position.
    pub expected: String,
}

impl fmt::Display for Misplaced {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} has `{}` where {} belongs",
            self.place, self.id, self.expected
        )
    }
}

fn blank(lines: usize) -> String {
    match lines {
        0 => String::new(),
        lines => format!(
            " ({lines} blank lines were passed over; if they are empty predictions, read the file as the format {})",
            PredictionFormat::Plain
        ),
    }
}

/// Gives the rows of a file the ids of the examples.
///
/// By id, a row answers the example of exactly that id, or, if the id is a number, the example whose own id ends in
/// `-NUMBER` (`803` is `bird-dev-803`). Ids that no example has are kept, for whoever joins to name them. By position,
/// row and example must be equally many, and ids that say something about the order must agree with it: they all count
/// the positions from 0, or each that is a number or the id of an example belongs to the example of its position. Other
/// ids are passed over. In a file of lines the number of the line is the id, so it is always read by position.
///
/// # Errors
/// [`IdentifyError`].
pub fn identify(
    file: PredictionFile,
    examples: &[Example],
    by_position: bool,
) -> Result<Vec<Identified>, IdentifyError> {
    let names = Names::new(examples);
    let lines = matches!(
        file.format,
        PredictionFormat::Spider | PredictionFormat::Plain
    );
    if by_position || lines {
        return positions(file, examples, &names);
    }
    let (format, rows) = (file.format, file.rows.len());
    let identified = |row: Predicted| {
        let id = row.id.ok_or(IdentifyError::NoIds { format, rows })?;
        let known = names.position(&id).and_then(|at| examples.get(at));
        Ok(Identified {
            id: known.map_or(id, |example| example.id.clone()),
            db_id: row.db_id,
            sql: row.sql,
        })
    };
    file.rows.into_iter().map(identified).collect()
}

fn positions(
    file: PredictionFile,
    examples: &[Example],
    names: &Names<'_>,
) -> Result<Vec<Identified>, IdentifyError> {
    if file.rows.len() != examples.len() {
        return Err(IdentifyError::Count {
            predictions: file.rows.len(),
            examples: examples.len(),
            blank_lines: file.blank_lines,
        });
    }
    let rows_by_number = file
        .rows
        .iter()
        .enumerate()
        .all(|(at, row)| row.id.as_deref().and_then(number) == Some(at as u64));
    let mut misplaced = Vec::new();
    if !rows_by_number {
        for (at, (row, example)) in file.rows.iter().zip(examples).enumerate() {
            let Some(id) = &row.id else { continue };
            let elsewhere = match names.position(id) {
                Some(position) => position != at,
                None => number(id).is_some(),
            };
            if elsewhere {
                misplaced.push(Misplaced {
                    place: row.place,
                    id: id.clone(),
                    expected: example.id.clone(),
                });
            }
        }
    }
    if !misplaced.is_empty() {
        return Err(IdentifyError::Misplaced { rows: misplaced });
    }
    let identified = file
        .rows
        .into_iter()
        .zip(examples)
        .map(|(row, example)| Identified {
            id: example.id.clone(),
            db_id: row.db_id,
            sql: row.sql,
        });
    Ok(identified.collect())
}

/// The positions of the examples by what a file may call them.
struct Names<'a> {
    by_id: BTreeMap<&'a str, usize>,
    by_number: BTreeMap<u64, usize>,
}

impl<'a> Names<'a> {
    /// Numbers are those behind what the first example's id begins with: a split of two parts numbers both from 0, and
    /// a question that stands twice has `-2` behind its number.
    fn new(examples: &'a [Example]) -> Self {
        let prefix = examples.first().map_or("", |example| {
            example.id.trim_end_matches(|c: char| c.is_ascii_digit())
        });
        let numbered = examples.iter().enumerate().filter_map(|(at, example)| {
            let digits = example.id.strip_prefix(prefix)?;
            Some((number(digits)?, at))
        });
        Self {
            by_id: examples
                .iter()
                .enumerate()
                .map(|(at, example)| (example.id.as_str(), at))
                .collect(),
            by_number: numbered.collect(),
        }
    }

    fn position(&self, id: &str) -> Option<usize> {
        let by_number = || self.by_number.get(&number(id)?);
        self.by_id.get(id).or_else(by_number).copied()
    }
}

/// A number as files write it, without leading zeros or a sign.
fn number(text: &str) -> Option<u64> {
    let number: u64 = text.parse().ok()?;
    (number.to_string() == text).then_some(number)
}
