//! No text makes the crate panic, and the templater agrees with a naive one that shares no code with it.

#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

#[path = "support/naive.rs"]
mod naive;

use harness_sql::lex::Scanner;
use harness_sql::{classify, extract_sql, features, first_keyword, template};
use proptest::prelude::*;

/// Everything the rules speak of, and some things they do not.
const FRAGMENTS: &[&str] = &[
    "SELECT",
    "select",
    "FROM",
    "WHERE",
    "AS",
    "as",
    "CAST(",
    "TRY_CAST (",
    "t.CAST(",
    "OVER (",
    "OVER",
    "END",
    "CASE",
    "WHEN",
    "THEN",
    "ELSE",
    "LEFT",
    "JOIN",
    "OUTER",
    "FULL",
    "INNER",
    "NULLS",
    "FIRST",
    "LAST",
    "PARTITION",
    "BY",
    "ROWS",
    "CURRENT",
    "ROW",
    "RANGE",
    "WITH",
    "RECURSIVE",
    "REPLACE",
    "INTO",
    "IF",
    "NOT",
    "EXISTS",
    "CREATE",
    "VIEW",
    "ADD",
    "COLUMN",
    "PRIMARY",
    "KEY",
    "INTERVAL",
    "REFERENCES",
    "TABLE",
    "VALUES",
    "NULL",
    "CURRENT_DATE",
    "TRUE",
    "a",
    "t",
    "COUNT(",
    "fn (",
    "Größe",
    "x$1",
    "1",
    ".5",
    "1e5",
    "2nd",
    "1.",
    "0xFF",
    "'s'",
    "'",
    "''",
    "\"",
    "\"q\"",
    "`b`",
    "[c]",
    "[",
    "]",
    "(",
    ")",
    ",",
    ".",
    " . ",
    "+",
    "-",
    "- 1",
    "*",
    "/",
    "::",
    ":",
    ":p",
    "?",
    "@x",
    "#",
    "<>",
    "==",
    "!=",
    "<=",
    "->>",
    "->",
    "||",
    "|",
    "!",
    "^",
    ";",
    "--",
    "-- c\n",
    "/*",
    "*/",
    "/* c */",
    "\n",
    "\u{A0}",
    "\u{3000}",
    "\u{1F600}",
    "```",
    "```sql\n",
    "Answer: ",
    "\n\n",
];

fn damaged() -> impl Strategy<Value = String> {
    let piece = (
        prop::sample::select(FRAGMENTS),
        prop::sample::select(&["", " ", " ", " ", "\n"][..]),
    );
    prop::collection::vec(piece, 0..40).prop_map(|pieces| {
        pieces
            .into_iter()
            .flat_map(|(piece, blank)| [piece, blank])
            .collect()
    })
}

fn ours(sql: &str) -> String {
    template(sql).map_or_else(
        |reason| reason.as_str().to_owned(),
        |template| template.to_string(),
    )
}

fn call_all(sql: &str) {
    let mut end = 0;
    for piece in Scanner::new(sql) {
        assert!(piece.start >= end && !piece.text.is_empty());
        assert!(sql[end..piece.start].chars().all(char::is_whitespace));
        end = piece.end();
    }
    classify(sql);
    first_keyword(sql);
    for primed in ["", "SELECT", "SELECT ", "WITH x AS ("] {
        extract_sql(sql, primed);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn damaged_sql_agrees_with_the_naive_templater(sql in damaged()) {
        prop_assert_eq!(ours(&sql), naive::template(&sql));
        // Most damaged texts begin no statement; behind SELECT every rule is reached.
        let begun = format!("SELECT {sql}");
        prop_assert_eq!(ours(&begun), naive::template(&begun));
        call_all(&sql);
    }

    #[test]
    fn any_text_is_read(sql in any::<String>()) {
        prop_assert_eq!(ours(&sql), naive::template(&sql));
        call_all(&sql);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 500, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn features_do_not_panic(sql in damaged()) {
        features(&sql);
        features(&format!("SELECT {sql}"));
    }
}

/// What an extraction finds is found again in it, so that extracting twice changes nothing.
#[test]
fn extraction_is_stable() {
    for raw in [
        "```sql\nSELECT a FROM t; SELECT b\n```",
        "So: SELECT a\nFROM t\n\nThat's it",
        "SELECT a FROM t -- x",
    ] {
        let once = extract_sql(raw, "").sql;
        assert_eq!(extract_sql(&once, "").sql, once);
    }
}

/// A megabyte of what is worst for each part takes linear time; quadratic time would be hours.
#[test]
fn long_texts() {
    for unit in [
        "(\n",
        "'",
        "/*\n",
        "WITH /*\n",
        "select ",
        "```\n",
        "a: WITH '\n",
        ":",
        "-",
        "1e",
        "SELECT\n\n",
        "[",
        "é",
        ";",
    ] {
        let text = unit.repeat((1 << 20) / unit.len());
        call_all(&text);
        let _ = template(&text);
    }
}
