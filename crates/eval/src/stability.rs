//! Does a gold query have one answer?
//!
//! A gold with ties under LIMIT returns whichever rows the engine meets first; one that asks for a random number or for
//! the time returns something else tomorrow. A prediction scored against it is right or wrong by chance. What the tables
//! decide is found by running the gold with the rows of its tables in the other order (`evaluate`); what the text decides
//! is found here. Neither is a proof: rows that happen to come out alike both ways stay unnoticed.

use harness_sql::lex::{Kind, Scanner};

/// Words that are another value at every call, wherever they stand as a word.
const CLOCK: [&str; 3] = ["current_date", "current_time", "current_timestamp"];
/// Functions that are another value at every call.
const CHANCE: [&str; 2] = ["random", "randomblob"];
/// Functions of a time that mean the present if they are given `'now'`, or nothing.
const TIME: [&str; 7] = [
    "date",
    "time",
    "datetime",
    "julianday",
    "unixepoch",
    "strftime",
    "timediff",
];

/// Whether the query calls for random numbers or for the present time, as far as its text tells.
pub fn asks_chance_or_clock(sql: &str) -> bool {
    let pieces: Vec<_> = Scanner::new(sql)
        .filter(|piece| piece.kind != Kind::Comment)
        .collect();
    let one_of = |text: &str, names: &[&str]| names.iter().any(|n| n.eq_ignore_ascii_case(text));
    let now = pieces
        .iter()
        .any(|piece| piece.text.trim_matches(['\'', '"']).eq_ignore_ascii_case("now"));
    pieces.iter().enumerate().any(|(at, piece)| {
        let called = |behind: usize, kind| pieces.get(at + behind).is_some_and(|p| p.kind == kind);
        match piece.kind {
            Kind::Word if one_of(piece.text, &CLOCK) => true,
            Kind::Word if !called(1, Kind::Open) => false,
            Kind::Word if one_of(piece.text, &CHANCE) => true,
            Kind::Word if one_of(piece.text, &TIME) => now || called(2, Kind::Close),
            _ => false,
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

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
