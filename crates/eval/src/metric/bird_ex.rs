//! BIRD's execution accuracy (`ex`): the set of predicted rows equals the set of gold rows.
//!
//! Duplicates and the order of rows do not count, the order of columns does. Values compare as in Python. As in the
//! official script, text that is not UTF-8 on either side is a failure, and so is a second semicolon at the end, which
//! Python's sqlite3 takes for a second statement.
//!
//! Departures from the official script, all where it gives a point for nothing: a prediction that is not a single
//! reading query is never right (there, an emptied table makes an emptied gold), and a blank prediction is wrong (there,
//! it equals an empty gold). A gold query that fails gives no score rather than 0.

use std::collections::HashSet;

use super::python::{BadText, Cell};
use super::{ByResults, Executed, Kind, Metric};
use crate::exec::Rows;

pub const METRIC: Metric = Metric {
    name: "bird_ex",
    summary: "BIRD's execution accuracy: equal sets of rows, columns in order",
    graded: false,
    kind: Kind::Results(RESULTS),
};

/// The comparison, which the metrics of time start from.
pub const RESULTS: ByResults = ByResults {
    rewrite: str::to_owned,
    score: |gold, predicted| f64::from(u8::from(agree(gold, predicted))),
    ties: None,
    ordered: false,
    suite: false,
};

fn agree(gold: Executed<'_>, predicted: Executed<'_>) -> bool {
    if [gold, predicted]
        .iter()
        .any(|side| closing_semicolons(side.sql) > 1)
    {
        return false;
    }
    match (row_set(gold.rows), row_set(predicted.rows)) {
        (Some(gold), Some(predicted)) => gold == predicted,
        _ => false,
    }
}

fn row_set(rows: &Rows) -> Option<HashSet<Vec<Cell<'_>>>> {
    rows.rows
        .iter()
        .map(|row| {
            row.iter()
                .map(|value| Cell::new(value, BadText::Fails))
                .collect()
        })
        .collect()
}

/// How many semicolons close the statement, with blanks and comments between them. In a text that holds one statement
/// they stand behind everything else that is neither blank nor comment.
pub fn closing_semicolons(sql: &str) -> usize {
    let bytes = sql.as_bytes();
    let (mut at, mut count) = (0, 0);
    // The offset behind the next `end`, or the end of the text.
    let behind = |from: usize, end: &str| {
        let rest = sql.get(from..).unwrap_or_default();
        rest.find(end)
            .map_or(bytes.len(), |found| from + found + end.len())
    };
    while let Some(&byte) = bytes.get(at) {
        at = match byte {
            b'-' if bytes[at..].starts_with(b"--") => behind(at, "\n"),
            b'/' if bytes[at..].starts_with(b"/*") => behind(at + 2, "*/"),
            b';' => {
                count += 1;
                at + 1
            }
            byte if byte.is_ascii_whitespace() => at + 1,
            _ => {
                count = 0;
                // A doubled quote inside a string reads as two strings, which is the same here.
                match byte {
                    b'\'' => behind(at + 1, "'"),
                    b'"' => behind(at + 1, "\""),
                    b'`' => behind(at + 1, "`"),
                    b'[' => behind(at + 1, "]"),
                    _ => at + 1,
                }
            }
        };
    }
    count
}

#[cfg(test)]
mod tests {
    use super::super::tests::table;
    use super::*;

    #[track_caller]
    fn check(gold: &str, predicted: &str, expected: bool) {
        let (gold, predicted) = (table(gold), table(predicted));
        let side = |rows| Executed {
            sql: "SELECT 1",
            rows,
        };
        assert_eq!(agree(side(&gold), side(&predicted)), expected);
    }

    #[test]
    fn sets_of_rows() {
        check("", "", true);
        check("1; 2;", "2; 1.0; 1;", true);
        check("null a;", "null a;", true);
        check("1 2;", "2 1;", false);
        check("1;", "1 2;", false);
        check("1;", "", false);
        check("bad;", "bad;", false);
    }

    #[test]
    fn a_second_closing_semicolon_is_an_error() {
        for (sql, expected) in [
            ("SELECT 1", 0),
            ("SELECT 1 ; ", 1),
            ("SELECT 1; -- ;", 1),
            ("SELECT ';;' ;/*;*/", 1),
            ("SELECT 1;;", 2),
            ("SELECT 1; /* a */ ; -- b\n;", 3),
            ("; SELECT 1", 0),
            ("SELECT \"it's;;\" FROM [a;;] -- é", 0),
            ("/* open", 0),
        ] {
            assert_eq!(closing_semicolons(sql), expected, "{sql}");
        }
    }
}
