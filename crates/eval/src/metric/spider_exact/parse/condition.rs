//! Conditions and what stands on their right side: `parse_condition` and `parse_value` of the script.

use super::super::numbers;
use super::super::tree::{Condition, Operator, Term, Value};
use super::cursor::{Cursor, begins_clause, ends_query, is_of_join};
use super::scope::Scope;
use super::unit::{column_unit, value_unit};
use super::{Frames, query};

/// Conditions up to the end of their clause. One that follows another without `and` or `or` is taken too.
pub fn conditions<'a>(
    cursor: &mut Cursor<'a>,
    scope: &Scope<'a>,
    tables: &[&'a str],
    frames: Frames,
) -> Option<Vec<Term>> {
    let mut terms = Vec::new();
    while cursor.peek().is_some() {
        let unit = value_unit(cursor, scope, tables)?;
        let negated = cursor.take("not");
        let operator = Operator::of(cursor.next()?)?;
        let first = value(cursor, scope, tables, frames)?;
        let upper = if operator == Operator::Between {
            cursor.expect("and")?;
            Some(value(cursor, scope, tables, frames)?)
        } else {
            None
        };
        terms.push(Term::Condition(Condition {
            negated,
            operator,
            unit,
            value: Some(first),
            upper,
        }));
        match cursor.peek() {
            Some(word) if begins_clause(word) || ends_query(word) || is_of_join(word) => break,
            Some("and") => terms.push(Term::And),
            Some("or") => terms.push(Term::Or),
            _ => continue,
        }
        cursor.next();
    }
    Some(terms)
}

/// A query in brackets, a text, a number or a column. After a column everything up to the next comma, bracket, `and`,
/// clause or join is passed unread, an `or` with its condition among it.
fn value<'a>(
    cursor: &mut Cursor<'a>,
    scope: &Scope<'a>,
    tables: &[&'a str],
    frames: Frames,
) -> Option<Value> {
    let start = cursor.at;
    let block = cursor.take("(");
    let word = cursor.peek()?;
    let value = if word == "select" {
        Value::Query(Box::new(query(cursor, scope, frames.in_condition()?)?))
    } else if word.contains('"') {
        cursor.next();
        Value::Text(word.to_owned())
    } else if let Some(number) = numbers::float(word) {
        cursor.next();
        Value::Number(number)
    } else {
        let ends = |word: &String| {
            matches!(word.as_str(), "," | ")" | "and") || begins_clause(word) || is_of_join(word)
        };
        let rest = &cursor.tokens[cursor.at..];
        let end = cursor.at + rest.iter().position(ends).unwrap_or(rest.len());
        // The opening bracket is read again here and its end is not in reach, so a column in brackets is not read.
        let mut passed = Cursor {
            tokens: &cursor.tokens[start..end],
            at: 0,
        };
        let column = column_unit(&mut passed, scope, tables)?;
        cursor.at = end;
        Value::Column(column)
    };
    if block {
        cursor.expect(")")?;
    }
    Some(value)
}
