//! Literals that the data has: every condition is made for one row, drawn at random, so that there is something to find.

use std::collections::BTreeMap;

use harness_record::Scalar;
use rand::Rng;
use rand::seq::IndexedRandom;
use rand_chacha::ChaCha8Rng;

use crate::assign::Assignment;
use crate::database::{Database, order};
use crate::evaluate::{Drawn, float};
use crate::reason::Reason;
use crate::skeleton::{Name, Skeleton, Slot, inner_text};
use crate::tree::{At, Expr, LiteralKind};

/// Rows over which the values of an expression are looked at.
const MOST_ROWS: usize = 300;
/// Longest text that becomes a literal, in characters.
const LONGEST: usize = 50;
/// Draws of rows, until those of all sources belong together.
const DRAWS: usize = 12;

/// The literals of a skeleton as SQL, by their places.
pub fn fill(
    skeleton: &Skeleton,
    assignment: &Assignment,
    database: &Database,
    rng: &mut ChaCha8Rng,
) -> Result<BTreeMap<At, String>, Reason> {
    let rows = Drawn {
        skeleton,
        assignment,
        rows: rows(skeleton, assignment, database, rng),
    };
    let mut filler = Filler {
        rows,
        database,
        rng,
        listed: Vec::new(),
        used: BTreeMap::new(),
    };
    let labels = skeleton
        .literals
        .values()
        .filter_map(|slot| match slot {
            Slot::Label(number) => Some(number + 1),
            _ => None,
        })
        .max()
        .unwrap_or(0);
    let mut texts = BTreeMap::new();
    for (at, slot) in &skeleton.literals {
        let text = match slot {
            Slot::Label(number) => format!("'{}'", label(*number, labels)),
            slot => filler.once(*at, slot)?,
        };
        texts.insert(*at, text);
    }
    Ok(texts)
}

fn label(number: usize, of: usize) -> String {
    match (number, of) {
        (0, 1 | 2) => "yes".to_owned(),
        (1, 2) => "no".to_owned(),
        _ => format!("group {}", number + 1),
    }
}

/// One row for each source that is a table, such that rows which the skeleton joins belong together where the rows at
/// hand allow it.
fn rows<'a>(
    skeleton: &Skeleton,
    assignment: &Assignment,
    database: &'a Database,
    rng: &mut ChaCha8Rng,
) -> BTreeMap<usize, &'a [Scalar]> {
    let mut best = BTreeMap::new();
    for _ in 0..DRAWS {
        let mut rows: BTreeMap<usize, &[Scalar]> = BTreeMap::new();
        let mut whole = true;
        for (source, info) in skeleton.sources.iter().enumerate() {
            let Some(class) = info.table else { continue };
            let table = &database.tables[assignment.tables[class]];
            let bound = skeleton.joins.iter().find_map(|join| {
                let [a, b] = *join;
                let (own, other) = match (a.0 == source, b.0 == source) {
                    (true, false) => (a, b),
                    (false, true) => (b, a),
                    _ => return None,
                };
                let row = rows.get(&other.0)?;
                let value = row.get(assignment.columns[other.1])?;
                Some((assignment.columns[own.1], value))
            });
            let fitting: Vec<&Vec<Scalar>> = match bound {
                Some((column, value)) => table
                    .rows
                    .iter()
                    .filter(|row| row[column] == *value && *value != Scalar::Null)
                    .collect(),
                None => table.rows.iter().collect(),
            };
            whole &= !fitting.is_empty();
            let row = fitting
                .choose(rng)
                .copied()
                .or_else(|| table.rows.choose(rng));
            if let Some(row) = row {
                rows.insert(source, row);
            }
        }
        if whole {
            return rows;
        }
        best = rows;
    }
    best
}

struct Filler<'a, 'r> {
    rows: Drawn<'a>,
    database: &'a Database,
    rng: &'r mut ChaCha8Rng,
    /// Items of lists so far.
    listed: Vec<Scalar>,
    /// Literals so far: by what they are compared with and by the skeleton's own text, so that what is the same there
    /// stays the same and what differs stays different.
    used: BTreeMap<String, BTreeMap<String, String>>,
}

impl Filler<'_, '_> {
    /// The literal of a place, or that of an earlier place which the skeleton compares with the same text.
    fn once(&mut self, at: At, slot: &Slot) -> Result<String, Reason> {
        let (expr, way) = match slot {
            Slot::Compare { expr, op, .. } | Slot::Aggregate { expr, op } => (expr, op.as_str()),
            Slot::Bound { expr, low: true } => (expr, "from"),
            Slot::Bound { expr, low: false } => (expr, "to"),
            Slot::Listed { expr, .. } => (expr, "="),
            Slot::Pattern { expr, .. } => (expr, "LIKE"),
            Slot::Limit | Slot::Offset | Slot::Label(_) => return self.literal(at, slot),
        };
        let equality = matches!(way, "=" | "!=" | "LIKE");
        let key = format!("{} {}", self.key(expr), if equality { "=" } else { way });
        let written = self.rows.skeleton.tokens[at].1.clone();
        let before = self.used.get(&key).cloned().unwrap_or_default();
        if let Some(text) = before.get(&written) {
            return Ok(text.clone());
        }
        let mut text = self.literal(at, slot)?;
        let taken = before.values().any(|it| *it == text);
        if let (true, Slot::Compare { expr, op, .. }) = (taken, slot)
            && matches!(op.as_str(), "=" | "!=")
        {
            let others: Vec<String> = self
                .values(expr)
                .iter()
                .filter_map(|value| sql(value).ok())
                .filter(|other| before.values().all(|it| it != other))
                .collect();
            text = others.choose(self.rng).cloned().ok_or(Reason::NoValues)?;
        } else if taken && equality {
            return Err(Reason::NoValues);
        }
        self.used
            .entry(key)
            .or_default()
            .insert(written, text.clone());
        Ok(text)
    }

    /// An expression as a text that is the same for the same columns and functions.
    fn key(&self, expr: &Expr) -> String {
        let head = match expr {
            Expr::Paren(inner) => return self.key(inner),
            Expr::Column { name, .. } => match self.rows.skeleton.names.get(name) {
                Some(Name::Column { target, .. }) => format!("{target:?}"),
                other => format!("{other:?}"),
            },
            Expr::Binary { op, .. } => op.clone(),
            Expr::Literal { at, .. }
            | Expr::Call { name: at, .. }
            | Expr::Cast { kind: at, .. } => self.rows.skeleton.tokens[*at].1.to_ascii_uppercase(),
            _ => "?".to_owned(),
        };
        let parts = crate::skeleton::parts(expr)
            .into_iter()
            .map(|it| self.key(it));
        format!("{head}({})", parts.collect::<Vec<_>>().join(" "))
    }

    fn literal(&mut self, at: At, slot: &Slot) -> Result<String, Reason> {
        let written = self.rows.skeleton.tokens[at].1.clone();
        match slot {
            Slot::Compare { expr, op, kind } => {
                let Some(value) = self.rows.value(expr) else {
                    // A number beside what can't be calculated here tells nothing of the target.
                    return match kind {
                        LiteralKind::Number => Ok(written),
                        _ => Err(Reason::NoValues),
                    };
                };
                let value = match op.as_str() {
                    "<" | "<=" | ">" | ">=" => self.bound(expr, &value, op)?,
                    _ => value,
                };
                sql(&value)
            }
            Slot::Bound { expr, low } => {
                let value = self.rows.value(expr).ok_or(Reason::NoValues)?;
                let op = if *low { ">=" } else { "<=" };
                sql(&self.bound(expr, &value, op)?)
            }
            Slot::Listed { expr, place } => {
                if *place == 0 {
                    self.listed = vec![self.rows.value(expr).ok_or(Reason::NoValues)?];
                } else {
                    let others: Vec<Scalar> = self
                        .values(expr)
                        .into_iter()
                        .filter(|value| !self.listed.contains(value))
                        .collect();
                    let other = others.choose(self.rng).ok_or(Reason::NoValues)?;
                    self.listed.push(other.clone());
                }
                sql(&self.listed[self.listed.len() - 1])
            }
            Slot::Pattern {
                expr,
                open_start,
                open_end,
            } => {
                let Some(Scalar::Text(text)) = self.rows.value(expr) else {
                    return Err(Reason::NoValues);
                };
                let part = part(&text, *open_start, *open_end, self.rng);
                if part.contains(['%', '_']) || part.is_empty() {
                    return Err(Reason::NoValues);
                }
                let mark = |open| if open { "%" } else { "" };
                sql(&Scalar::Text(format!(
                    "{}{part}{}",
                    mark(*open_start),
                    mark(*open_end)
                )))
            }
            Slot::Aggregate { expr, op } => self.aggregate(expr, op, written),
            Slot::Limit => Ok(match written.as_str() {
                "1" => written,
                _ => [3, 5, 10][self.rng.random_range(0..3)].to_string(),
            }),
            Slot::Offset => Ok(match written.parse() {
                Ok(0..=3) => written,
                _ => self.rng.random_range(1..=3).to_string(),
            }),
            Slot::Label(_) => Err(Reason::Literal),
        }
    }

    /// A value that leaves `value` on the right side of the operator and some others on the wrong one.
    fn bound(&mut self, expr: &Expr, value: &Scalar, op: &str) -> Result<Scalar, Reason> {
        let values = self.values(expr);
        let at = values.partition_point(|it| order(it, value).is_lt());
        let same = usize::from(values.get(at) == Some(value));
        let (below, above) = (&values[..at], &values[at + same..]);
        let side = if op.starts_with('>') { below } else { above };
        // The half that is next to the value: neither all nor nearly none pass.
        let near = if op.starts_with('>') {
            &side[side.len() / 2..]
        } else {
            &side[..side.len().div_ceil(2)]
        };
        match near.choose(self.rng) {
            Some(found) => Ok(found.clone()),
            None if op.len() == 2 => Ok(value.clone()),
            None => Err(Reason::NoValues),
        }
    }

    /// The different values of an expression over the rows of the one source that it reads, sorted.
    fn values(&self, expr: &Expr) -> Vec<Scalar> {
        let Some(source) = self.source(expr) else {
            return Vec::new();
        };
        let Some(class) = self.rows.skeleton.sources[source].table else {
            return Vec::new();
        };
        let table = &self.database.tables[self.rows.assignment.tables[class]];
        let mut values: Vec<Scalar> = table
            .rows
            .iter()
            .take(MOST_ROWS)
            .filter_map(|row| {
                let mut rows = self.rows.rows.clone();
                rows.insert(source, row);
                let other = Drawn {
                    skeleton: self.rows.skeleton,
                    assignment: self.rows.assignment,
                    rows,
                };
                other.value(expr).filter(|value| *value != Scalar::Null)
            })
            .collect();
        values.sort_by(order);
        values.dedup();
        values
    }

    /// The source of the first column in an expression.
    fn source(&self, expr: &Expr) -> Option<usize> {
        match expr {
            Expr::Column { name, .. } => match self.rows.skeleton.names.get(name) {
                Some(Name::Column { source, .. }) => Some(*source),
                _ => None,
            },
            other => crate::skeleton::parts(other)
                .into_iter()
                .find_map(|part| self.source(part)),
        }
    }

    /// What an aggregate over some rows is compared with.
    fn aggregate(&mut self, expr: &Expr, op: &str, written: String) -> Result<String, Reason> {
        let expr = match expr.bare() {
            // A result's name stands for its expression; casts and roundings change little.
            Expr::Cast { expr, .. } => expr.bare(),
            other => other,
        };
        if let Expr::Call {
            name, arguments, ..
        } = expr
        {
            let function = self.rows.skeleton.tokens[*name].1.to_ascii_uppercase();
            if function == "COUNT" {
                let (low, high) = match op {
                    "<" => (3, 8),
                    ">" | "<=" | "=" => (1, 3),
                    ">=" => (2, 3),
                    _ => (1, 2),
                };
                return Ok(self.rng.random_range(low..=high).to_string());
            }
            if let ("AVG" | "MIN" | "MAX" | "SUM", [argument]) =
                (function.as_str(), arguments.as_slice())
            {
                let values = self.values(argument);
                let third = values.len() / 3;
                let middle = &values[third..values.len() - third];
                let value = middle.choose(self.rng).ok_or(Reason::NoValues)?;
                return sql(value);
            }
        }
        if inner_text(&written) == written {
            Ok(written)
        } else {
            Err(Reason::Literal)
        }
    }
}

/// The part of a text that a pattern with open ends names.
fn part(text: &str, open_start: bool, open_end: bool, rng: &mut ChaCha8Rng) -> String {
    let words: Vec<&str> = text
        .split(|c: char| !c.is_alphanumeric())
        .filter(|word| !word.is_empty())
        .collect();
    match (open_start, open_end) {
        (false, false) => text.to_owned(),
        (true, true) => {
            let long: Vec<&&str> = words.iter().filter(|it| it.chars().count() > 2).collect();
            let word = long.choose(rng).map(|it| **it);
            word.or(words.first().copied())
                .unwrap_or_default()
                .to_owned()
        }
        (false, true) => {
            let length = if rng.random_bool(0.5) { 1 } else { 3 };
            text.chars().take(length).collect()
        }
        (true, false) => {
            let count = text.chars().count();
            let length = if rng.random_bool(0.5) { 1 } else { 2 };
            text.chars().skip(count.saturating_sub(length)).collect()
        }
    }
}

/// A value as an SQL literal.
fn sql(value: &Scalar) -> Result<String, Reason> {
    match value {
        Scalar::Integer(number) => Ok(number.to_string()),
        Scalar::Real(number) if float(value).is_some_and(f64::is_finite) => Ok(number.to_string()),
        Scalar::Text(text)
            if !text.trim().is_empty()
                && text.chars().count() <= LONGEST
                && !text.chars().any(char::is_control) =>
        {
            Ok(format!("'{}'", text.replace('\'', "''")))
        }
        _ => Err(Reason::NoValues),
    }
}
