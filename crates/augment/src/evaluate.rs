//! The value of an expression over one row of each source, so that a literal can be one that the data has.
//!
//! Only what stands beside literals in real queries: columns, sums and products, casts, parts of texts and of dates.

use std::collections::BTreeMap;

use harness_record::Scalar;

use crate::assign::Assignment;
use crate::skeleton::{Name, Skeleton, Target, inner_text};
use crate::tree::{Expr, LiteralKind};

/// One row of each source.
pub struct Drawn<'a> {
    /// The skeleton.
    pub skeleton: &'a Skeleton,
    /// What stands for its columns.
    pub assignment: &'a Assignment,
    /// Source → row.
    pub rows: BTreeMap<usize, &'a [Scalar]>,
}

impl Drawn<'_> {
    /// The value; none where it can't be told.
    pub fn value(&self, expr: &Expr) -> Option<Scalar> {
        match expr {
            Expr::Paren(inner) => self.value(inner),
            Expr::Column { name, .. } => {
                let Some(Name::Column {
                    source,
                    target: Target::Column(class),
                    ..
                }) = self.skeleton.names.get(name)
                else {
                    return None;
                };
                let row = self.rows.get(source)?;
                row.get(self.assignment.columns[*class]).cloned()
            }
            Expr::Literal { at, kind, sign } => {
                let text = &self.skeleton.tokens[*at].1;
                match kind {
                    LiteralKind::Number => {
                        let minus = sign.is_some_and(|at| self.skeleton.tokens[at].1 == "-");
                        let number = parse(text)?;
                        Some(if minus { negate(&number) } else { number })
                    }
                    LiteralKind::Text => Some(Scalar::Text(inner_text(text))),
                    _ => None,
                }
            }
            Expr::Unary(at, inner) if self.skeleton.tokens[*at].1 == "-" => {
                Some(negate(&self.value(inner)?))
            }
            Expr::Cast { expr, kind } => {
                let value = self.value(expr)?;
                let kind = self.skeleton.tokens[*kind].1.to_ascii_uppercase();
                cast(&value, &kind)
            }
            Expr::Binary { op, left, right } => {
                calculate(op, &self.value(left)?, &self.value(right)?)
            }
            Expr::Call {
                name,
                arguments,
                over: None,
                ..
            } => {
                let function = self.skeleton.tokens[*name].1.to_ascii_uppercase();
                let values: Option<Vec<Scalar>> =
                    arguments.iter().map(|it| self.value(it)).collect();
                call(&function, &values?)
            }
            _ => None,
        }
    }
}

fn parse(text: &str) -> Option<Scalar> {
    text.parse().map(Scalar::Integer).ok().or_else(|| {
        let number: f64 = text.parse().ok()?;
        number.is_finite().then_some(Scalar::Real(number))
    })
}

fn negate(value: &Scalar) -> Scalar {
    match value {
        Scalar::Integer(number) => Scalar::Integer(number.saturating_neg()),
        Scalar::Real(number) => Scalar::Real(-number),
        other => other.clone(),
    }
}

/// A number as a float.
pub fn float(value: &Scalar) -> Option<f64> {
    match value {
        Scalar::Integer(number) => Some(*number as f64),
        Scalar::Real(number) => Some(*number),
        _ => None,
    }
}

fn cast(value: &Scalar, kind: &str) -> Option<Scalar> {
    if kind.contains("INT") {
        return match value {
            Scalar::Text(text) => parse(text.trim()),
            other => Some(Scalar::Integer(float(other)? as i64)),
        };
    }
    if ["REAL", "FLOA", "DOUB"].iter().any(|it| kind.contains(it)) {
        return match value {
            Scalar::Text(text) => text.trim().parse().ok().map(Scalar::Real),
            other => Some(Scalar::Real(float(other)?)),
        };
    }
    if ["CHAR", "TEXT", "CLOB"].iter().any(|it| kind.contains(it)) {
        return Some(Scalar::Text(match value {
            Scalar::Text(text) => text.clone(),
            Scalar::Integer(number) => number.to_string(),
            _ => return None,
        }));
    }
    // NUMERIC, DECIMAL, DATE and the like.
    match value {
        Scalar::Text(text) => parse(text.trim()),
        other => Some(other.clone()),
    }
}

fn calculate(op: &str, left: &Scalar, right: &Scalar) -> Option<Scalar> {
    if let (Scalar::Integer(a), Scalar::Integer(b)) = (left, right) {
        let found = match op {
            "+" => a.checked_add(*b),
            "-" => a.checked_sub(*b),
            "*" => a.checked_mul(*b),
            "/" => a.checked_div(*b),
            "%" => a.checked_rem(*b),
            _ => None,
        };
        return found.map(Scalar::Integer);
    }
    let (a, b) = (float(left)?, float(right)?);
    let found = match op {
        "+" => a + b,
        "-" => a - b,
        "*" => a * b,
        "/" => a / b,
        _ => return None,
    };
    found.is_finite().then_some(Scalar::Real(found))
}

fn call(function: &str, values: &[Scalar]) -> Option<Scalar> {
    match (function, values) {
        ("UPPER", [Scalar::Text(text)]) => Some(Scalar::Text(text.to_ascii_uppercase())),
        ("LOWER", [Scalar::Text(text)]) => Some(Scalar::Text(text.to_ascii_lowercase())),
        ("LENGTH", [Scalar::Text(text)]) => Some(Scalar::Integer(count(text))),
        ("ABS", [value]) if float(value)? < 0.0 => Some(negate(value)),
        ("TRIM" | "ABS", [value]) | ("COALESCE" | "IFNULL", [value, ..]) => Some(value.clone()),
        ("SUBSTR" | "SUBSTRING", [Scalar::Text(text), rest @ ..]) => part(text, rest),
        ("DATE", [Scalar::Text(text)]) => text.get(..10).map(|it| Scalar::Text(it.to_owned())),
        ("STRFTIME", [Scalar::Text(format), Scalar::Text(text)]) => date_part(format, text),
        _ => None,
    }
}

/// Characters of a text.
fn count(text: &str) -> i64 {
    i64::try_from(text.chars().count()).unwrap_or(i64::MAX)
}

/// `SUBSTR(text, from, length)`, from 1 or, below 0, from the end.
fn part(text: &str, numbers: &[Scalar]) -> Option<Scalar> {
    let number = |at: usize| match numbers.get(at) {
        Some(Scalar::Integer(number)) => Some(*number),
        _ => None,
    };
    let count = count(text);
    let from = match number(0)? {
        from if from > 0 => from - 1,
        from => (count + from).max(0),
    };
    let length = match numbers.len() {
        1 => count,
        _ => number(1)?.max(0),
    };
    let part: String = text
        .chars()
        .skip(from as usize)
        .take(length as usize)
        .collect();
    (!part.is_empty()).then_some(Scalar::Text(part))
}

/// `STRFTIME(format, date)` for year, month and day.
fn date_part(format: &str, text: &str) -> Option<Scalar> {
    if !crate::database::is_date(text) {
        return None;
    }
    let filled = format
        .replace("%Y", text.get(..4)?)
        .replace("%m", text.get(5..7)?)
        .replace("%d", text.get(8..10)?);
    (!filled.contains('%')).then_some(Scalar::Text(filled))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn text(text: &str) -> Scalar {
        Scalar::Text(text.to_owned())
    }

    #[test]
    fn parts_of_texts_and_dates() {
        let numbers = |from, length| [Scalar::Integer(from), Scalar::Integer(length)];
        assert_eq!(part("2013-05", &numbers(1, 4)), Some(text("2013")));
        assert_eq!(part("2013-05", &numbers(-2, 2)), Some(text("05")));
        assert_eq!(part("é", &numbers(4, 2)), None);
        assert_eq!(date_part("%Y-%m", "2013-05-07"), Some(text("2013-05")));
        assert_eq!(date_part("%J", "2013-05-07"), None);
        assert_eq!(date_part("%Y", "May 2013"), None);
    }

    #[test]
    fn calculations_that_have_no_value() {
        let number = Scalar::Integer;
        assert_eq!(calculate("/", &number(7), &number(2)), Some(number(3)));
        assert_eq!(calculate("/", &number(7), &number(0)), None);
        assert_eq!(calculate("*", &number(i64::MAX), &number(2)), None);
        assert_eq!(calculate("/", &Scalar::Real(1.0), &number(0)), None);
        assert_eq!(cast(&text(" 12 "), "INTEGER"), Some(number(12)));
        assert_eq!(cast(&text("x"), "REAL"), None);
    }
}
