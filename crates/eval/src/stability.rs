//! Does a gold query have one answer?
//!
//! A gold with ties under LIMIT returns whichever rows the engine meets first; one that asks for a random number or for
//! the time returns something else tomorrow. A prediction scored against it is right or wrong by chance. So golds are run
//! again with what SQL leaves open decided otherwise: rows that no ORDER BY puts in order come the other way round (an
//! option of SQLite, [`Job::reverse`](crate::exec::Job)), and ties of an ORDER BY, which that option leaves alone, are
//! broken once upwards and once downwards by the columns of the result
//! ([`with_all_ties_broken`](harness_sql::order::with_all_ties_broken)). Chance and the clock are found in
//! the text ([`asks_chance_or_clock`]).
//!
//! It is no proof: a tie inside a subquery is broken by its first column only, and rows that come out alike each time
//! stay unnoticed.

use harness_sql::lex::{Kind, Scanner};

use crate::exec::{CLOCK_FUNCTIONS, DATE_FUNCTIONS, RANDOM_FUNCTIONS};

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
