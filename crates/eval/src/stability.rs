//! Does a gold query have one answer?
//!
//! A gold with ties under LIMIT returns whichever rows the engine meets first; one that asks for a random number or for
//! the time returns something else tomorrow. A prediction scored against it is right or wrong by chance. So golds are run
//! again with what SQL leaves open decided otherwise: rows that no ORDER BY puts in order come the other way round (an
//! option of SQLite, [`Job::reverse`](crate::exec::Job)), and ties of an ORDER BY, which that option leaves alone, are
//! broken once upwards and once downwards by the columns of the result ([`break_ties`]). Chance and the clock are found in
//! the text ([`asks_chance_or_clock`]).
//!
//! It is no proof: a tie inside a subquery is broken by its first column only, and rows that come out alike each time
//! stay unnoticed.

use std::fmt::Write as _;

use harness_sql::lex::{Kind, Piece, Scanner};

use crate::exec::{CLOCK_FUNCTIONS, DATE_FUNCTIONS, RANDOM_FUNCTIONS};

/// How ties are broken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ties {
    /// The smaller value first.
    Up,
    /// The larger value first.
    Down,
}

/// The query with further terms behind each ORDER BY: all `columns` of the result at the end of the query itself, the
/// first column inside parentheses, where how many there are is not known. `None` if nothing is ordered. Inside OVER and
/// aggregates the number is a constant and changes nothing.
pub fn break_ties(sql: &str, columns: usize, ties: Ties) -> Option<String> {
    let word = match ties {
        Ties::Up => "ASC",
        Ties::Down => "DESC",
    };
    let mut result = String::with_capacity(sql.len() + 40);
    let mut copied = 0;
    let mut depth = 0;
    // The depths of the lists that are open, the innermost last.
    let mut open: Vec<usize> = Vec::new();
    let mut behind = 0;
    let mut last: Option<Piece<'_>> = None;
    let mut close = |at: usize, depth: usize| {
        result.push_str(&sql[copied..at]);
        copied = at;
        for ordinal in 1..=if depth == 0 { columns } else { 1 } {
            // Writing to a string does not fail.
            let _ = write!(result, ", {ordinal} {word}");
        }
    };
    let mut found = false;
    for piece in Scanner::new(sql).filter(|piece| piece.kind != Kind::Comment) {
        let is = |text: &str| piece.kind == Kind::Word && piece.text.eq_ignore_ascii_case(text);
        let after_order =
            last.is_some_and(|p| p.kind == Kind::Word && p.text.eq_ignore_ascii_case("ORDER"));
        let ends_list = match piece.kind {
            Kind::Close | Kind::Semicolon => true,
            _ => ["LIMIT", "ROWS", "RANGE", "GROUPS"]
                .iter()
                .any(|end| is(end)),
        };
        if ends_list && open.last() == Some(&depth) {
            open.pop();
            close(behind, depth);
        }
        match piece.kind {
            Kind::Open => depth += 1,
            Kind::Close => depth = depth.saturating_sub(1),
            _ if is("BY") && after_order => {
                found = true;
                open.push(depth);
            }
            _ => {}
        }
        behind = piece.start + piece.text.len();
        last = Some(piece);
    }
    if open.pop() == Some(0) {
        close(behind, 0);
    }
    result.push_str(&sql[copied..]);
    found.then_some(result)
}

/// Words without which a query has one bag of rows whatever the order in which it meets those of its tables: what is cut off,
/// put in order, grouped (SQLite lets a column stand beside an aggregate, and takes it from some row), numbered, strung
/// together, or added up (floats added in another order are another number).
const OPEN: [&str; 13] = [
    "limit",
    "order",
    "group",
    "over",
    "group_concat",
    "string_agg",
    "json_group_array",
    "json_group_object",
    "sum",
    "total",
    "avg",
    "max",
    "min",
];

/// Whether the bag of rows that the query returns may depend on the order of rows in its tables, as far as its text tells.
/// A view may hide what makes it so.
pub fn bag_may_be_open(sql: &str) -> bool {
    Scanner::new(sql).any(|piece| {
        piece.kind != Kind::Comment
            && OPEN
                .iter()
                .any(|word| word.eq_ignore_ascii_case(piece.text))
    })
}

/// Whether the query calls for random numbers or for the present time, as far as its text tells.
pub fn asks_chance_or_clock(sql: &str) -> bool {
    let pieces: Vec<_> = Scanner::new(sql)
        .filter(|piece| piece.kind != Kind::Comment)
        .collect();
    let one_of = |text: &str, names: &[&str]| names.iter().any(|n| n.eq_ignore_ascii_case(text));
    let now = pieces.iter().any(|piece| {
        piece
            .text
            .trim_matches(['\'', '"'])
            .eq_ignore_ascii_case("now")
    });
    pieces.iter().enumerate().any(|(at, piece)| {
        let called = |behind: usize, kind| pieces.get(at + behind).is_some_and(|p| p.kind == kind);
        match piece.kind {
            Kind::Word if one_of(piece.text, &CLOCK_FUNCTIONS) => true,
            Kind::Word if !called(1, Kind::Open) => false,
            Kind::Word if one_of(piece.text, &RANDOM_FUNCTIONS) => true,
            Kind::Word if one_of(piece.text, &DATE_FUNCTIONS) => now || called(2, Kind::Close),
            _ => false,
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_order_gets_the_columns_behind_it() {
        for (sql, expected) in [
            ("SELECT a FROM t", None),
            (
                "SELECT a, b FROM t order by c desc -- ties",
                Some("SELECT a, b FROM t order by c desc, 1 DESC, 2 DESC -- ties"),
            ),
            (
                "SELECT a, b FROM t ORDER BY f(c, 'LIMIT') LIMIT 3 ;",
                Some("SELECT a, b FROM t ORDER BY f(c, 'LIMIT'), 1 DESC, 2 DESC LIMIT 3 ;"),
            ),
            (
                "SELECT (SELECT x FROM u ORDER BY y LIMIT 1), b FROM t ORDER BY (c)",
                Some(
                    "SELECT (SELECT x FROM u ORDER BY y, 1 DESC LIMIT 1), b FROM t ORDER BY (c), 1 DESC, 2 DESC",
                ),
            ),
            (
                "SELECT sum(a) OVER (ORDER BY b ROWS 1 PRECEDING), b FROM t",
                Some("SELECT sum(a) OVER (ORDER BY b, 1 DESC ROWS 1 PRECEDING), b FROM t"),
            ),
        ] {
            assert_eq!(break_ties(sql, 2, Ties::Down).as_deref(), expected, "{sql}");
        }
        assert_eq!(
            break_ties("SELECT a FROM t ORDER BY a", 1, Ties::Up).as_deref(),
            Some("SELECT a FROM t ORDER BY a, 1 ASC")
        );
    }

    #[test]
    fn one_bag_or_perhaps_another() {
        for (sql, expected) in [
            ("SELECT a FROM t WHERE b IN (SELECT b FROM u)", false),
            ("SELECT count(*), a + 1 FROM t -- LIMIT", false),
            ("SELECT a FROM t WHERE b = 'limit'", false),
            ("SELECT a FROM t LIMIT 1", true),
            ("SELECT a, MAX(b) FROM t", true),
            ("SELECT a FROM (SELECT * FROM t Order BY b)", true),
        ] {
            assert_eq!(bag_may_be_open(sql), expected, "{sql}");
        }
    }

    #[test]
    fn calls_are_told_from_names() {
        for (sql, expected) in [
            ("SELECT name FROM t ORDER BY RANDOM() LIMIT 1", true),
            ("SELECT hex(randomblob (4))", true),
            ("SELECT CURRENT_DATE", true),
            ("SELECT date('NOW', '-1 day')", true),
            ("SELECT strftime('%Y', \"now\") - born FROM t", true),
            ("SELECT datetime()", true),
            ("SELECT date(born) FROM t", false),
            ("SELECT random FROM t -- random()", false),
            ("SELECT 'random()', \"current_date\" FROM t", false),
            ("SELECT date FROM t WHERE word = 'now'", false),
            ("SELECT '", false),
        ] {
            assert_eq!(asks_chance_or_clock(sql), expected, "{sql}");
        }
    }
}
