//! Spider's execution match, as `eval_exec_match` of test-suite-sql-eval decides it with its defaults, on one database.
//!
//! Both queries lose every `DISTINCT`, and `> =`, `< =`, `! =` are joined, before they run. Rows compare as bags, or as
//! lists if the gold query has the text `order by` anywhere; columns may stand in any order. Values compare as in
//! Python, with the script's own false mismatch ([`quick_reject`]). Text loses the bytes that are not UTF-8.
//!
//! Departures from the official script: a prediction that is not a single reading query is never right (there, only the
//! first statement runs, and one without rows equals an empty gold); the search for a column order does not hang.

use super::columns::{self, Order};
use super::distinct::remove_distinct;
use super::python::{BadText, Cell, Numbering, sort_key};
use super::{ByResults, Executed, Kind, Metric};
use crate::exec::{Rows, Value};

pub const METRIC: Metric = Metric {
    name: "spider_exec",
    summary: "Spider's execution match: equal bags of rows (lists if the gold orders), columns in any order",
    graded: false,
    kind: Kind::Results(ByResults {
        rewrite,
        score: |gold, predicted| f64::from(u8::from(agree(gold, predicted))),
        ties: None,
        ordered: false,
        suite: true,
    }),
};

fn rewrite(sql: &str) -> String {
    let joined = sql
        .replace("> =", ">=")
        .replace("< =", "<=")
        .replace("! =", "!=");
    replace_current_year(&remove_distinct(&joined))
}

fn agree(gold: Executed<'_>, predicted: Executed<'_>) -> bool {
    let (left, right) = (gold.rows, predicted.rows);
    if left.rows.is_empty() && right.rows.is_empty() {
        return true;
    }
    if left.rows.len() != right.rows.len() || left.columns != right.columns {
        return false;
    }
    let order = if gold.sql.to_ascii_lowercase().contains("order by") {
        Order::Counts
    } else {
        Order::Free
    };
    let mut numbering = Numbering::default();
    let left_numbers = numbers(left, &mut numbering);
    let right_numbers = numbers(right, &mut numbering);
    !quick_reject(order, (left, &left_numbers), (right, &right_numbers))
        && columns::agree(&left_numbers, &right_numbers, order)
}

/// The rows with a number for each value, equal where the values are equal.
fn numbers<'a>(rows: &'a Rows, numbering: &mut Numbering<'a>) -> Vec<Vec<u32>> {
    let number = |value: &'a Value| {
        let cell = Cell::new(value, BadText::Dropped).unwrap_or(Cell::Null);
        numbering.number(cell)
    };
    let mut number = number;
    rows.rows
        .iter()
        .map(|row| row.iter().map(&mut number).collect())
        .collect()
}

/// The script's quick reject: it sorts each row by the text of its values and of their types, so that rows that are equal
/// but for the order of columns look alike, and compares. It also rejects some equal rows, because 1 and 1.0 sort
/// differently beside a third value: (1, 10) and (1.0, 10) are called unequal. That is kept, since published figures
/// have it.
fn quick_reject(
    order: Order,
    (left, left_numbers): (&Rows, &[Vec<u32>]),
    (right, right_numbers): (&Rows, &[Vec<u32>]),
) -> bool {
    if left.columns == 1 {
        // There is nothing to sort in a row of one, and the search decides by itself.
        return false;
    }
    let sorted = |rows: &Rows, numbers: &[Vec<u32>]| -> Vec<Vec<u32>> {
        let sort = |(row, numbers): (&Vec<Value>, &Vec<u32>)| {
            let mut keyed: Vec<(String, u32)> = row
                .iter()
                .map(sort_key)
                .zip(numbers.iter().copied())
                .collect();
            keyed.sort_by(|one, other| one.0.cmp(&other.0));
            keyed.into_iter().map(|(_, number)| number).collect()
        };
        rows.rows.iter().zip(numbers).map(sort).collect()
    };
    let mut left = sorted(left, left_numbers);
    let mut right = sorted(right, right_numbers);
    if order == Order::Free {
        for rows in [&mut left, &mut right] {
            rows.sort_unstable();
            rows.dedup();
        }
    }
    left != right
}

/// Puts 2020 for each `YEAR(CURDATE())`, blanks allowed inside and swallowed behind, whatever stands ahead of it.
fn replace_current_year(sql: &str) -> String {
    let mut result = String::with_capacity(sql.len());
    let mut rest = sql;
    while let Some(letter) = rest.chars().next() {
        let call = ["year", "(", "curdate", "(", ")", ")"];
        let tail = call.iter().try_fold(rest, |text, part| {
            let (head, tail) = text.split_at_checked(part.len())?;
            head.eq_ignore_ascii_case(part).then(|| tail.trim_start())
        });
        if let Some(tail) = tail {
            result.push_str("2020");
            rest = tail;
        } else {
            result.push(letter);
            rest = &rest[letter.len_utf8()..];
        }
    }
    result
}

#[cfg(test)]
mod tests {
    use super::super::tests::table;
    use super::*;

    #[track_caller]
    fn check(gold_sql: &str, gold: &str, predicted: &str, expected: bool) {
        let (gold, predicted) = (table(gold), table(predicted));
        let gold = Executed {
            sql: gold_sql,
            rows: &gold,
        };
        let predicted = Executed {
            sql: "",
            rows: &predicted,
        };
        assert_eq!(agree(gold, predicted), expected);
    }

    #[test]
    fn bags_or_lists_of_rows() {
        check("select", "1 2; 1 3;", "1 3; 1 2;", true);
        check("select order by", "1 2; 1 3;", "1 3; 1 2;", false);
        check("SELECT ORDER BY", "1 2; 1 3;", "1 3; 1 2;", false);
        check("SELECT ORDER  BY", "1 2; 1 3;", "1 3; 1 2;", true);
        check("select", "1 2; 1 2; 1 3;", "1 2; 1 3; 1 3;", false);
        check("select", "1 a;", "a 1;", true);
        check("select order by", "1 a; 2 b;", "a 1; b 2;", true);
        check("select", "bad;", "bad;", true);
        check("select", "", "", true);
        check("select", "1;", "", false);
        check("select", "1;", "1 1;", false);
    }

    #[test]
    fn the_quick_reject_is_kept() {
        check("", "1;", "1.0;", true);
        check("", "2 3;", "2.0 3;", true);
        check("", "1 10;", "1.0 10;", false);
    }

    #[test]
    fn rewriting() {
        for (sql, expected) in [
            ("SELECT DISTINCT a WHERE b > = 1", "SELECT  a WHERE b >= 1"),
            ("a ! = 'b < = c'", "a != 'b <= c'"),
            ("Year ( curdate( ) ) - b", "2020- b"),
            ("SELECT year(é), YEAR(CURDATE())", "SELECT year(é), 2020"),
        ] {
            assert_eq!(rewrite(sql), expected);
        }
    }
}
