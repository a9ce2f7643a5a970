//! BIRD mini-dev's soft F1: how many of the gold's values stand in the prediction's row at the same place.
//!
//! Both results lose their repeated rows, the first of each staying, and the rows that are left are paired by position.
//! In a pair, a predicted value matches if the gold row has it anywhere, and a gold value is missed if the predicted row
//! has it nowhere, both as shares of the gold's number of columns; a row without a partner counts as a whole. So the
//! order of rows decides and that of columns does not, and one gold value can match several predicted ones. Values
//! compare as in Python. The sums run in the official order, so that the score is the same to the last bit.
//!
//! As for `bird_ex`, text that is not UTF-8 and a second closing semicolon are failures, and a blank prediction or one
//! that is not a single reading query scores 0.

use std::collections::HashSet;

use super::bird_ex::closing_semicolons;
use super::python::{BadText, Cell, Numbering};
use super::{ByResults, Executed, Kind, Metric};
use crate::exec::Rows;

pub const METRIC: Metric = Metric {
    name: "soft_f1",
    summary: "BIRD mini-dev's soft F1: shared values of rows paired by position, from 0 to 1",
    graded: true,
    kind: Kind::Results(ByResults {
        rewrite: str::to_owned,
        score,
        ties: None,
        ordered: true,
        suite: false,
    }),
};

fn score(gold: Executed<'_>, predicted: Executed<'_>) -> f64 {
    if [gold, predicted]
        .iter()
        .any(|side| closing_semicolons(side.sql) > 1)
    {
        return 0.0;
    }
    let mut numbering = Numbering::default();
    let gold = different_rows(gold.rows, &mut numbering);
    let predicted = different_rows(predicted.rows, &mut numbering);
    match (gold, predicted) {
        (Some(gold), Some(predicted)) => f1(&gold, &predicted),
        _ => 0.0,
    }
}

/// The rows without those that stood before, with a number for each value; `None` if a text can't be read.
fn different_rows<'a>(rows: &'a Rows, numbering: &mut Numbering<'a>) -> Option<Vec<Vec<u32>>> {
    let mut seen = HashSet::new();
    let mut different = Vec::new();
    for row in &rows.rows {
        let numbers: Option<Vec<u32>> = row
            .iter()
            .map(|value| Cell::new(value, BadText::Fails).map(|cell| numbering.number(cell)))
            .collect();
        let numbers = numbers?;
        if seen.insert(numbers.clone()) {
            different.push(numbers);
        }
    }
    Some(different)
}

fn f1(gold: &[Vec<u32>], predicted: &[Vec<u32>]) -> f64 {
    if gold.is_empty() && predicted.is_empty() {
        return 1.0;
    }
    let (mut matched, mut predicted_only, mut gold_only) = (0.0, 0.0, 0.0);
    for (gold, predicted) in gold.iter().zip(predicted) {
        let width = gold.len() as f64;
        let known = count_in(predicted, gold);
        matched += known as f64 / width;
        predicted_only += (predicted.len() - known) as f64 / width;
        gold_only += (gold.len() - count_in(gold, predicted)) as f64 / width;
    }
    // One by one: a sum of ones added to a fraction at once may be rounded to another last bit.
    for _ in gold.len()..predicted.len() {
        predicted_only += 1.0;
    }
    for _ in predicted.len()..gold.len() {
        gold_only += 1.0;
    }
    let precision = share(matched, matched + predicted_only);
    let recall = share(matched, matched + gold_only);
    share(2.0 * precision * recall, precision + recall)
}

/// How many of `values` stand in `row`.
fn count_in(values: &[u32], row: &[u32]) -> usize {
    let row: HashSet<&u32> = row.iter().collect();
    values.iter().filter(|value| row.contains(value)).count()
}

fn share(part: f64, whole: f64) -> f64 {
    if whole > 0.0 { part / whole } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::super::tests::table;
    use super::*;

    #[track_caller]
    fn check(gold: &str, predicted: &str, expected: f64) {
        let (gold, predicted) = (table(gold), table(predicted));
        let side = |rows| Executed { sql: "", rows };
        let score = score(side(&gold), side(&predicted));
        assert_eq!(score.to_bits(), expected.to_bits(), "{score}");
    }

    /// Expected values from `scripts/reference/eval_soft_f1.py`.
    #[test]
    fn agrees_with_the_official_function() {
        check("", "", 1.0);
        check("1;", "", 0.0);
        check("", "1;", 0.0);
        check("1 2; 3 4;", "2 1; 4 3;", 1.0);
        check("1 2; 3 4;", "3 4; 1 2;", 0.0);
        check("1 2;", "1 1;", 0.8);
        check("1; 1; 2;", "1; 2; 2.0;", 1.0);
        check("1 2 3;", "1 2 4;", 0.666_666_666_666_666_6);
        check("1 2 3; 4 5 6; 7 8 9;", "1 2; 4 5; 7 8;", 0.8);
        check("1;", "1 2;", 0.666_666_666_666_666_6);
        check("1; 2; 3;", "1;", 0.5);
        check("null 1;", "null 2;", 0.5);
        check("1 a 3; 4 b 6; 7 c 9; x y z;", "1 a; 4 c; 7 b; 1 2;", 0.4);
        check(
            "1 2 3 4 5 6 7;",
            "1; 2; 3; 4; 5; 6; 7; 8;",
            0.035_087_719_298_245_61,
        );
        check(
            "1; 2; 3; 4; 5; 6; 7; 8;",
            "1 2 3 4 5 6 7;",
            0.133_333_333_333_333_33,
        );
    }

    #[test]
    fn failures_score_nothing() {
        check("bad;", "bad;", 0.0);
        let rows = table("1;");
        let side = |sql| Executed { sql, rows: &rows };
        for (gold, predicted, expected) in [
            ("SELECT 1;", "SELECT 1; --", 1.0),
            ("SELECT 1;;", "SELECT 1", 0.0),
            ("SELECT 1", "SELECT 1; ;", 0.0),
        ] {
            let score = score(side(gold), side(predicted));
            assert!((score - expected).abs() < f64::EPSILON);
        }
    }
}
