//! What a literal in a query is for. Literals that are not listed keep their text: numbers of a calculation, formats of
//! dates, punctuation.

use crate::tree::{Expr, LiteralKind};

/// The use of a literal that is replaced.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Slot {
    /// It stands right of an operator; left of it is an expression over columns.
    Compare {
        /// What it is compared with.
        expr: Expr,
        /// `=`, `!=`, `<`, `<=`, `>`, `>=`, `IS` or `IS NOT`.
        op: String,
        /// Its class in the skeleton.
        kind: LiteralKind,
    },
    /// A bound of BETWEEN.
    Bound {
        /// What lies between.
        expr: Expr,
        /// Whether it is the lower one.
        low: bool,
    },
    /// An item of a list.
    Listed {
        /// What is in the list.
        expr: Expr,
        /// Its place in the list, from 0.
        place: usize,
    },
    /// The pattern of a LIKE.
    Pattern {
        /// What is compared.
        expr: Expr,
        /// Whether anything may stand before.
        open_start: bool,
        /// Whether anything may follow.
        open_end: bool,
    },
    /// It is compared with an aggregate of a group.
    Aggregate {
        /// The aggregate.
        expr: Expr,
        /// The operator.
        op: String,
    },
    /// A number of rows.
    Limit,
    /// A number of rows to be passed over.
    Offset,
    /// A text that names a case, by its number among the different ones.
    Label(usize),
}

/// Whether a text holds nothing that could be of the target's data: no letter and no digit.
pub fn is_punctuation(text: &str) -> bool {
    !text.chars().any(char::is_alphanumeric)
}

/// Whether a text is a format of `STRFTIME`: letters behind a percent sign only.
pub fn is_format(text: &str) -> bool {
    let mut before = ' ';
    text.contains('%')
        && text.chars().all(|c| {
            let fine = !c.is_alphanumeric() || before == '%';
            before = c;
            fine
        })
}

/// Whether a text is a modifier of `SQLite`'s date functions.
pub fn is_date_modifier(text: &str) -> bool {
    const WORDS: [&str; 20] = [
        "now",
        "start",
        "of",
        "day",
        "days",
        "month",
        "months",
        "year",
        "years",
        "hour",
        "hours",
        "minute",
        "minutes",
        "second",
        "seconds",
        "localtime",
        "utc",
        "weekday",
        "unixepoch",
        "auto",
    ];
    text.split(|c: char| !c.is_ascii_alphabetic())
        .filter(|word| !word.is_empty())
        .all(|word| WORDS.iter().any(|known| known.eq_ignore_ascii_case(word)))
}
