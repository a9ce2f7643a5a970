//! Our own comparison where order matters if the gold says so: the gold's rows in an order its ORDER BY allows.
//!
//! Without an ORDER BY of the gold query itself (one in a subquery, a text or a common table is none) it is `bag`. With
//! one, rows have to stand in the gold's order, except that rows the gold's terms do not tell apart may stand in any
//! order among themselves: which of them comes first is the engine's choice, and a prediction with another plan may
//! choose otherwise. Columns may stand in any order and values compare as for `bag`.
//!
//! Which rows tie can't be seen from the result, since terms need not be among the columns. So the engine is asked: the gold
//! runs twice more with its ties broken by all its columns, upwards and downwards. Where the two begin with the same bag
//! of rows, a group of ties has ended. That happens only where it can matter: for the right rows in another order.
//!
//! No false pass: groups never reach over rows that the terms tell apart. No false mismatch but these: a term of a
//! column whose collation holds different texts for equal (their order is then taken for stated), and a gold that runs
//! into a limit when its ties are broken (its order is then taken as it came). If a LIMIT cuts a group of ties, which of
//! its rows are returned is open too; the gold's choice counts, and the row is flagged as unstable.

use std::collections::HashMap;

use harness_sql::order::is_ordered;

use super::columns::{self, Order};
use super::value::numbered;
use super::{ByResults, Executed, Kind, Metric, bag};
use crate::exec::Rows;

pub const METRIC: Metric = Metric {
    name: "ordered_if_gold_orders",
    summary: "equal bags of rows, in an order that the gold's own ORDER BY allows if it has one",
    graded: false,
    kind: Kind::Results(ByResults {
        rewrite: str::to_owned,
        score,
        ties: Some(score_with_ties),
        ordered: false,
        suite: false,
    }),
};

fn score(gold: Executed<'_>, predicted: Executed<'_>) -> f64 {
    let agree = if is_ordered(gold.sql) {
        bag::agree_in_order(gold.rows, predicted.rows)
    } else {
        bag::agree(gold.rows, predicted.rows)
    };
    f64::from(u8::from(agree))
}

/// The score where the gold's rows are known with ties broken both ways.
fn score_with_ties(gold: &Rows, predicted: &Rows, broken: [&Rows; 2]) -> f64 {
    f64::from(u8::from(agree(gold, predicted, broken)))
}

fn agree(gold: &Rows, predicted: &Rows, [up, down]: [&Rows; 2]) -> bool {
    let shapes = [predicted, up, down];
    if !shapes.iter().all(|other| bag::same_shape(gold, other)) {
        return false;
    }
    let [mut gold, mut predicted, up, down] = numbered([gold, predicted, up, down]);
    // In a group rows may stand as they like: each row is marked with the group its place is in, and then the tables are
    // bags. No value has such a number.
    let groups = groups(&up, &down);
    for rows in [&mut gold, &mut predicted] {
        for (row, group) in rows.iter_mut().zip(&groups) {
            row.push(u32::MAX - *group);
        }
    }
    columns::agree(&gold, &predicted, Order::Free)
}

/// The number of the group of ties at each place. Where ties are broken both ways, what stood ahead is the same bag just
/// where a group ends. A group that LIMIT has cut may never end.
fn groups(up: &[Vec<u32>], down: &[Vec<u32>]) -> Vec<u32> {
    let mut surplus: HashMap<&[u32], i64> = HashMap::new();
    let mut apart = 0_usize;
    let mut group = 0;
    let mut groups = Vec::with_capacity(up.len());
    for (up, down) in up.iter().zip(down) {
        groups.push(group);
        for (row, change) in [(up, 1), (down, -1)] {
            let count = surplus.entry(row).or_default();
            apart -= usize::from(*count != 0);
            *count += change;
            apart += usize::from(*count != 0);
        }
        group += u32::from(apart == 0);
    }
    groups
}

#[cfg(test)]
mod tests {
    use super::super::tests::table;
    use super::*;

    const ORDERED: &str = "SELECT a FROM t ORDER BY b";

    #[track_caller]
    fn check(sql: &str, gold: &str, predicted: &str, expected: bool) {
        let (gold, predicted) = (table(gold), table(predicted));
        let side = |rows| Executed { sql, rows };
        let found = score(side(&gold), side(&predicted));
        assert!((found - f64::from(u8::from(expected))).abs() < f64::EPSILON);
    }

    #[test]
    fn order_counts_where_the_gold_states_it() {
        check(ORDERED, "1 a; 2 b;", "1 a; 2 b;", true);
        check(ORDERED, "1 a; 2 b;", "a 1.0; b 2;", true);
        check(ORDERED, "1 a; 2 b;", "2 b; 1 a;", false);
        check("SELECT a FROM t", "1 a; 2 b;", "2 b; 1 a;", true);
        check(
            "SELECT a FROM (SELECT a FROM t ORDER BY a)",
            "1; 2;",
            "2; 1;",
            true,
        );
        check("SELECT 'order by'", "1; 2;", "2; 1;", true);
        check("SELECT a FROM t", "1; 1; 2;", "1; 2; 2;", false);
        check(ORDERED, "", "", true);
        check(ORDERED, "1;", "", false);
    }

    #[track_caller]
    fn check_ties(gold: &str, predicted: &str, up: &str, down: &str, expected: bool) {
        let [gold, predicted, up, down] = [gold, predicted, up, down].map(table);
        assert_eq!(agree(&gold, &predicted, [&up, &down]), expected);
    }

    #[test]
    fn ties_may_stand_in_any_order() {
        // By a hidden term: x and y tie, z comes later, p, q and r tie at the end.
        let (up, down) = ("x; y; z; p; q; r;", "y; x; z; r; q; p;");
        for (predicted, expected) in [
            ("y; x; z; q; p; r;", true),
            ("x; y; z; p; q; r;", true),
            ("x; z; y; p; q; r;", false),
            ("x; y; p; z; q; r;", false),
            ("x; y; z; p; q; q;", false),
            ("x; y; z; p; q;", false),
        ] {
            check_ties("y; x; z; r; p; q;", predicted, up, down, expected);
        }
        // Equal rows, and columns in another order.
        let (up, down) = ("1 a; 1 a; 1 b; 2 a;", "1 b; 1 a; 1 a; 2 a;");
        check_ties("1 a; 1 b; 1 a; 2 a;", "a 1; a 1; b 1; a 2;", up, down, true);
        check_ties(
            "1 a; 1 b; 1 a; 2 a;",
            "a 1; a 1; a 2; b 1;",
            up,
            down,
            false,
        );
    }

    #[test]
    fn a_group_that_a_limit_cuts_is_one_group() {
        // Of a tie of four, three are returned.
        let (up, down) = ("z; a; b; c;", "z; d; c; b;");
        check_ties("z; b; a; d;", "z; d; a; b;", up, down, true);
        check_ties("z; b; a; d;", "b; z; a; d;", up, down, false);
        check_ties("z; b; a; d;", "z; a; b; c;", up, down, false);
    }
}
