//! What holds of the metrics of results whatever the results are.

use proptest::prelude::*;

use super::{ByResults, Executed, Kind, metric};
use crate::exec::{Rows, Value};

const PLAIN: &str = "SELECT 1";
const ORDERED: &str = "SELECT 1 ORDER BY 1";

/// The score of a metric for the results of a gold query of some text.
fn score(name: &str, gold_sql: &str, gold: &Rows, predicted: &Rows) -> f64 {
    let Kind::Results(ByResults { score, .. }) = metric(name).unwrap().kind else {
        panic!("{name} is of texts")
    };
    let gold = Executed {
        sql: gold_sql,
        rows: gold,
    };
    let predicted = Executed {
        sql: PLAIN,
        rows: predicted,
    };
    score(gold, predicted)
}

fn right(name: &str, gold: &Rows, predicted: &Rows) -> bool {
    score(name, PLAIN, gold, predicted) >= 1.0
}

/// Few values, so that equal rows and columns are frequent; some of them are equal only by a rule.
fn value() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(Value::Null),
        (-1_i64..2).prop_map(Value::Int),
        (-1_i64..2).prop_map(|whole| Value::Real(whole as f64)),
        Just(Value::Real(0.3)),
        Just(Value::Real(0.1 + 0.2)),
        Just(Value::Real(-0.0)),
        Just(Value::Text(b"a".to_vec())),
        Just(Value::Text(b"\xff".to_vec())),
        Just(Value::Blob(b"a".to_vec())),
    ]
}

fn rows() -> impl Strategy<Value = Rows> {
    (1_usize..4).prop_flat_map(|columns| {
        let row = prop::collection::vec(value(), columns);
        prop::collection::vec(row, 0..6).prop_map(move |rows| Rows { columns, rows })
    })
}

/// A result, and the same one with its rows and columns in another order; and the order of columns.
fn shuffled() -> impl Strategy<Value = (Rows, Rows, Vec<usize>)> {
    rows().prop_flat_map(|rows| {
        let columns: Vec<usize> = (0..rows.columns).collect();
        let orders = (
            Just(columns).prop_shuffle(),
            Just(rows.rows.clone()).prop_shuffle(),
        );
        orders.prop_map(move |(columns, others)| {
            let place = |row: &Vec<Value>| columns.iter().map(|at| row[*at].clone()).collect();
            let other = Rows {
                columns: rows.columns,
                rows: others.iter().map(place).collect(),
            };
            (rows.clone(), other, columns)
        })
    })
}

fn is_utf8(rows: &Rows) -> bool {
    let mut values = rows.rows.iter().flatten();
    values.all(|value| !matches!(value, Value::Text(bytes) if std::str::from_utf8(bytes).is_err()))
}

proptest! {
    #[test]
    fn a_result_agrees_with_itself(rows in rows()) {
        for name in ["bag", "spider_exec"] {
            prop_assert!(right(name, &rows, &rows), "{name}");
        }
        for sql in [PLAIN, ORDERED] {
            prop_assert!(score("ordered_if_gold_orders", sql, &rows, &rows) >= 1.0);
        }
        for name in ["bird_ex", "soft_f1"] {
            prop_assert_eq!(right(name, &rows, &rows), is_utf8(&rows), "{}", name);
        }
    }

    #[test]
    fn order_means_what_it_should((rows, other, columns) in shuffled()) {
        prop_assert!(right("bag", &rows, &other) && right("bag", &other, &rows));
        prop_assert!(right("ordered_if_gold_orders", &rows, &other));
        prop_assert!(right("spider_exec", &rows, &other) || rows.columns > 1);
        if columns.is_sorted() && is_utf8(&rows) {
            prop_assert!(right("bird_ex", &rows, &other));
        }
        // Columns alone never matter to ours, nor to soft F1.
        let place = |row: &Vec<Value>| columns.iter().map(|at| row[*at].clone()).collect();
        let moved = Rows { columns: rows.columns, rows: rows.rows.iter().map(place).collect() };
        prop_assert!(score("ordered_if_gold_orders", ORDERED, &rows, &moved) >= 1.0);
        if is_utf8(&rows) {
            prop_assert!(right("soft_f1", &rows, &moved));
        }
    }

    #[test]
    fn policies_imply_each_other(gold in rows(), predicted in rows()) {
        let bag = right("bag", &gold, &predicted);
        prop_assert_eq!(bag, right("bag", &predicted, &gold));
        prop_assert_eq!(bag, right("ordered_if_gold_orders", &gold, &predicted));
        let ordered = score("ordered_if_gold_orders", ORDERED, &gold, &predicted) >= 1.0;
        prop_assert!(bag || !ordered);
        let soft = score("soft_f1", PLAIN, &gold, &predicted);
        prop_assert!((0.0..=1.0).contains(&soft));
        // Where nothing has a fraction and nothing is unreadable, columns in order make BIRD's agree with ours.
        let fractions = |rows: &Rows| {
            rows.rows.iter().flatten().any(|value| matches!(value, Value::Real(real) if real.fract() != 0.0))
        };
        if super::bag::agree_by_column(&gold, &predicted) && is_utf8(&gold) && !fractions(&gold) {
            prop_assert!(bag && right("bird_ex", &gold, &predicted));
        }
    }
}
