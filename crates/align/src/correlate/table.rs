//! A table of fine-tuning runs: from text to checked cells.
//!
//! Cells come from several tables, which are put together; a run that is in them twice is refused, because
//! it would count twice. This file is given text and names of tables; it opens no file.

use std::collections::BTreeMap;
use std::fmt;

use crate::cell::Cell;

/// Columns of a CSV table that are no scores.
const COLUMNS: [&str; 6] = ["model", "train_set", "target", "seed", "before", "after"];
/// Further ones, which may be absent.
const OPTIONAL: [&str; 3] = ["n", "gain_low", "gain_high"];

/// Where a cell stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin {
    /// Name of the table: its file.
    pub file: String,
    /// Where in it.
    pub place: Spot,
}

/// Where in a table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Spot {
    /// Line of a text, from 1.
    Line(usize),
    /// Position in a JSON list, from 1.
    Cell(usize),
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.place {
            Spot::Line(line) => write!(f, "{}, line {line}", self.file),
            Spot::Cell(cell) => write!(f, "{}, cell {cell}", self.file),
        }
    }
}

/// What is wrong with a table.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum TableError {
    /// A CSV table lacks a column.
    #[error(
        "{file}, line 1: no column {column}; a table has {}, and scores in further columns",
        COLUMNS.join(", ")
    )]
    MissingColumn {
        /// The table.
        file: String,
        /// What it lacks.
        column: &'static str,
    },
    /// Two columns have one name, or a column has none.
    #[error(
        "{file}, line 1: column {number} is named `{name}`: every column needs a name of its own"
    )]
    ColumnName {
        /// The table.
        file: String,
        /// The column, from 1.
        number: usize,
        /// Its name.
        name: String,
    },
    /// A line has another number of fields than the first.
    #[error("{at}: {found} fields, expected {expected}; quote fields that hold a comma")]
    Fields {
        /// Where.
        at: Origin,
        /// Fields of the line.
        found: usize,
        /// Fields of the first line.
        expected: usize,
    },
    /// A quoted field does not end.
    #[error("{at}: a quoted field begins here and does not end")]
    Quote {
        /// Where.
        at: Origin,
    },
    /// A value is of another kind.
    #[error("{at}: {field} is `{found}`, expected {expected}")]
    Value {
        /// Where.
        at: Origin,
        /// The column.
        field: String,
        /// What it holds.
        found: String,
        /// What it should.
        expected: &'static str,
    },
    /// An accuracy is no share.
    #[error("{at}: {field} is {found}, expected a share from 0 to 1; divide percentages by 100")]
    Share {
        /// Where.
        at: Origin,
        /// `before`, `after` or an end of the gain's interval.
        field: &'static str,
        /// Its value.
        found: f64,
    },
    /// An interval whose ends are the wrong way round, or of which one is absent.
    #[error("{at}: the gain's interval needs both ends, the lower one first")]
    GainInterval {
        /// Where.
        at: Origin,
    },
    /// A run is there twice.
    #[error(
        "{second}: model {}, training set {}, target {}, seed {} stands in {first} already; remove one of them",
        cell.model, cell.train_set, cell.target, cell.seed
    )]
    Duplicate {
        /// Where it stands first.
        first: Origin,
        /// Where again.
        second: Origin,
        /// The run.
        cell: Box<Cell>,
    },
}

/// Checks cells of one or more tables and puts them together.
pub fn collect(cells: impl IntoIterator<Item = (Origin, Cell)>) -> Result<Vec<Cell>, TableError> {
    let mut seen: BTreeMap<(String, String, String, u64), Origin> = BTreeMap::new();
    let mut all = Vec::new();
    for (at, cell) in cells {
        check(&at, &cell)?;
        let (model, train_set, target) = (&cell.model, &cell.train_set, &cell.target);
        let key = (model.clone(), train_set.clone(), target.clone(), cell.seed);
        if let Some(first) = seen.insert(key, at.clone()) {
            return Err(TableError::Duplicate {
                first,
                second: at,
                cell: Box::new(cell),
            });
        }
        all.push(cell);
    }
    Ok(all)
}

fn check(at: &Origin, cell: &Cell) -> Result<(), TableError> {
    for (field, value) in [
        ("model", &cell.model),
        ("train_set", &cell.train_set),
        ("target", &cell.target),
    ] {
        if value.is_empty() {
            return Err(value_error(at, field, "", "a name"));
        }
    }
    let share = |field, found: f64, lowest: f64| {
        if (lowest..=1.0).contains(&found) {
            Ok(())
        } else {
            let at = at.clone();
            Err(TableError::Share { at, field, found })
        }
    };
    share("before", cell.before, 0.0)?;
    share("after", cell.after, 0.0)?;
    if let Some((low, high)) = cell.gain_interval {
        share("gain_low", low, -1.0)?;
        share("gain_high", high, -1.0)?;
        if low > high {
            return Err(TableError::GainInterval { at: at.clone() });
        }
    }
    for (name, value) in &cell.scores {
        if !value.is_finite() {
            return Err(value_error(at, name, &value.to_string(), "a finite number"));
        }
    }
    Ok(())
}

fn value_error(at: &Origin, field: &str, found: &str, expected: &'static str) -> TableError {
    TableError::Value {
        at: at.clone(),
        field: field.to_owned(),
        found: found.to_owned(),
        expected,
    }
}

/// Reads the cells of a CSV text: a line of names, then a line each run. Columns other than `model`, `train_set`,
/// `target`, `seed`, `before`, `after`, `n`, `gain_low` and `gain_high` are scores; an empty field is a score that
/// the run does not have.
pub fn csv(file: &str, text: &str) -> Result<Vec<(Origin, Cell)>, TableError> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut rows = Rows { text, line: 1 };
    let Some((_, names)) = rows.next(file)? else {
        let (file, column) = (file.to_owned(), COLUMNS[0]);
        return Err(TableError::MissingColumn { file, column });
    };
    let names: Vec<String> = names.iter().map(|name| name.trim().to_owned()).collect();
    for (place, name) in names.iter().enumerate() {
        if name.is_empty() || names[..place].contains(name) {
            return Err(TableError::ColumnName {
                file: file.to_owned(),
                number: place + 1,
                name: name.clone(),
            });
        }
    }
    for column in COLUMNS {
        if !names.iter().any(|name| name == column) {
            let file = file.to_owned();
            return Err(TableError::MissingColumn { file, column });
        }
    }
    let mut cells = Vec::new();
    while let Some((line, fields)) = rows.next(file)? {
        let at = Origin {
            file: file.to_owned(),
            place: Spot::Line(line),
        };
        if fields.len() != names.len() {
            let (found, expected) = (fields.len(), names.len());
            return Err(TableError::Fields {
                at,
                found,
                expected,
            });
        }
        let cell = cell(&at, &names, &fields)?;
        cells.push((at, cell));
    }
    Ok(cells)
}

fn cell(at: &Origin, names: &[String], fields: &[String]) -> Result<Cell, TableError> {
    let field = |name: &str| -> &str {
        let place = names.iter().position(|n| n == name);
        place.map_or("", |place| fields[place].trim())
    };
    let real = |name: &str| -> Result<Option<f64>, TableError> {
        let found = field(name);
        if found.is_empty() {
            return Ok(None);
        }
        let value = found.parse().ok().filter(|value: &f64| value.is_finite());
        let value = value.ok_or_else(|| value_error(at, name, found, "a finite number"))?;
        Ok(Some(value))
    };
    let needed = |name: &str| {
        let value = real(name)?;
        value.ok_or_else(|| value_error(at, name, "", "a share from 0 to 1"))
    };
    let count = |name: &str| {
        let found = field(name);
        found
            .parse::<u64>()
            .map_err(|_| value_error(at, name, found, "a whole number from 0 on"))
    };
    let gain_interval = match (real("gain_low")?, real("gain_high")?) {
        (Some(low), Some(high)) => Some((low, high)),
        (None, None) => None,
        _ => return Err(TableError::GainInterval { at: at.clone() }),
    };
    let mut scores = BTreeMap::new();
    for name in names {
        if !COLUMNS.contains(&name.as_str())
            && !OPTIONAL.contains(&name.as_str())
            && let Some(value) = real(name)?
        {
            scores.insert(name.clone(), value);
        }
    }
    Ok(Cell {
        model: field("model").to_owned(),
        train_set: field("train_set").to_owned(),
        target: field("target").to_owned(),
        seed: count("seed")?,
        before: needed("before")?,
        after: needed("after")?,
        n: if field("n").is_empty() {
            0
        } else {
            count("n")? as usize
        },
        gain_interval,
        scores,
    })
}

/// What is left of a text.
struct Rows<'a> {
    text: &'a str,
    /// The line it begins on, from 1.
    line: usize,
}

impl Rows<'_> {
    /// The fields of the next line that holds anything, and its number. Quotes are those of RFC 4180.
    fn next(&mut self, file: &str) -> Result<Option<(usize, Vec<String>)>, TableError> {
        loop {
            let start = self.line;
            let (mut fields, mut field) = (Vec::new(), String::new());
            let (mut quoted, mut was_quoted) = (false, false);
            let mut letters = self.text.char_indices().peekable();
            let mut end = self.text.len();
            while let Some((at, letter)) = letters.next() {
                match letter {
                    '"' if quoted => {
                        if letters.next_if(|(_, next)| *next == '"').is_some() {
                            field.push('"');
                        } else {
                            quoted = false;
                        }
                    }
                    '"' if field.trim().is_empty() && !was_quoted => {
                        field.clear();
                        (quoted, was_quoted) = (true, true);
                    }
                    ',' if !quoted => {
                        fields.push(std::mem::take(&mut field));
                        was_quoted = false;
                    }
                    '\n' => {
                        self.line += 1;
                        if quoted {
                            field.push('\n');
                        } else {
                            end = at + 1;
                            break;
                        }
                    }
                    '\r' if !quoted => {}
                    other => field.push(other),
                }
            }
            if quoted {
                return Err(TableError::Quote {
                    at: Origin {
                        file: file.to_owned(),
                        place: Spot::Line(start),
                    },
                });
            }
            let empty = fields.is_empty() && field.trim().is_empty();
            let finished = self.text.is_empty();
            self.text = &self.text[end..];
            if !empty {
                fields.push(field);
                return Ok(Some((start, fields)));
            }
            if finished {
                return Ok(None);
            }
        }
    }
}
