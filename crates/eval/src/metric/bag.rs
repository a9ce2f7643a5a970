//! Our own comparison where order does not matter: the same rows, each as often.
//!
//! Rows are a bag: repeated rows count, their order does not. Columns may stand in any order, the same for all rows.
//! Results without rows agree only if they have equally many columns. Values compare by the rules of [`super::value`].
//!
//! It promises no false pass but by chance of the data, and no false mismatch: queries that mean the same return the same
//! bag, whatever the plan, the order of a join or of the select list, and the last bits of a sum. It says nothing of the
//! order of rows; `ordered_if_gold_orders` does. The one exception is stated in [`super::columns`]: a search for an order
//! of columns that would not end is given up, and counts as a mismatch. Gold and prediction may be exchanged.

use super::columns::{self, Order};
use super::value::numbered;
use super::{ByResults, Executed, Kind, Metric};
use crate::exec::Rows;

pub const METRIC: Metric = Metric {
    name: "bag",
    summary: "equal bags of rows, columns in any order, reals equal but for rounding",
    graded: false,
    kind: Kind::Results(ByResults {
        rewrite: str::to_owned,
        score,
        ties: None,
        ordered: false,
        suite: false,
    }),
};

fn score(gold: Executed<'_>, predicted: Executed<'_>) -> f64 {
    f64::from(u8::from(agree(gold.rows, predicted.rows)))
}

/// Whether two results are the same bag of rows but for the order of columns.
pub fn agree(left: &Rows, right: &Rows) -> bool {
    if !same_shape(left, right) {
        return false;
    }
    let [left, right] = numbered([left, right]);
    columns::agree(&left, &right, Order::Free)
}

/// Whether two results are the same bag of rows with their columns as they stand.
pub fn agree_by_column(left: &Rows, right: &Rows) -> bool {
    if !same_shape(left, right) {
        return false;
    }
    let [mut left, mut right] = numbered([left, right]);
    left.sort_unstable();
    right.sort_unstable();
    left == right
}

/// Whether two results are the same list of rows but for the order of columns.
pub fn agree_in_order(left: &Rows, right: &Rows) -> bool {
    if !same_shape(left, right) {
        return false;
    }
    let [left, right] = numbered([left, right]);
    columns::agree(&left, &right, Order::Counts)
}

/// Whether two results have equally many rows and columns.
pub fn same_shape(left: &Rows, right: &Rows) -> bool {
    left.columns == right.columns && left.rows.len() == right.rows.len()
}

#[cfg(test)]
mod tests {
    use super::super::tests::table;
    use super::*;

    #[track_caller]
    fn check(left: &str, right: &str, expected: bool) {
        let (left, right) = (table(left), table(right));
        assert_eq!(agree(&left, &right), expected);
        assert_eq!(agree(&right, &left), expected);
    }

    #[test]
    fn bags_of_rows() {
        check("", "", true);
        check("1 2; 3 4;", "3 4; 1 2;", true);
        check("1 2; 3 4;", "4 3; 2 1;", true);
        check("1 2; 3 4;", "2 1; 3 4;", false);
        check("1; 1; 2;", "1; 2; 2;", false);
        check("1; 1; 2;", "1; 2;", false);
        check("1 a;", "1.0 a;", true);
        check("1 10;", "1.0 10;", true);
        check("1;", "1 1;", false);
        check("1;", "", false);
        check("bad;", "bad;", true);
        check("0.3 a; 7 b;", "b 7; a 0.30000000000000004;", true);
        check("1 1 1 1 1 1 1 1 1 1 1 1;", "1 1 1 1 1 1 1 1 1 1 1 1;", true);
    }

    #[test]
    fn no_rows_of_other_columns_differ() {
        let empty = |columns| Rows {
            columns,
            rows: Vec::new(),
        };
        assert!(agree(&empty(2), &empty(2)));
        assert!(!agree(&empty(1), &empty(2)));
    }

    #[test]
    fn columns_as_they_stand() {
        let (gold, swapped) = (table("1 2; 3 4;"), table("4 3; 2 1;"));
        assert!(!agree_by_column(&gold, &swapped));
        assert!(agree_by_column(&gold, &table("3 4.0; 1 2;")));
        assert!(!agree_by_column(&gold, &table("3 4;")));
    }
}
