//! What kind of statement a text is, read from its tokens alone.
//!
//! This is a first gate before execution and a reason for reports. It is no guard: a database that must
//! not change is opened read-only whatever this module says.

use serde::{Deserialize, Serialize};

use crate::lex::{Kind, Piece, Scanner};

/// What a text asks a database to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StatementKind {
    /// One SELECT, VALUES, or WITH whose main verb is one of these.
    Query,
    /// One INSERT, UPDATE, DELETE or REPLACE, also behind WITH.
    Write,
    /// One statement of any other kind: PRAGMA, EXPLAIN, CREATE, prose …
    Other,
    /// More than one statement.
    Several,
    /// No token.
    Empty,
    /// A quote that does not end.
    Unterminated,
}

/// The kind of statement in `sql`; comments and semicolons around it do not count.
pub fn classify(sql: &str) -> StatementKind {
    let mut tokens = Vec::new();
    let mut ended = false;
    for piece in Scanner::new(sql) {
        match piece.kind {
            Kind::Comment => {}
            Kind::Semicolon => ended = !tokens.is_empty(),
            Kind::Unterminated => return StatementKind::Unterminated,
            _ if ended => return StatementKind::Several,
            _ => tokens.push(piece),
        }
    }
    kind_of(&tokens)
}

/// Whether `sql` is one statement that only reads: SELECT, VALUES or WITH … SELECT.
pub fn is_single_reading_query(sql: &str) -> bool {
    classify(sql) == StatementKind::Query
}

/// The first word of `sql` in upper case, if nothing but comments, semicolons and `(` stands before it.
pub fn first_keyword(sql: &str) -> Option<String> {
    let skipped = |p: &Piece<'_>| matches!(p.kind, Kind::Comment | Kind::Semicolon | Kind::Open);
    let first = Scanner::new(sql).find(|piece| !skipped(piece))?;
    (first.kind == Kind::Word).then(|| first.text.to_ascii_uppercase())
}

fn kind_of(tokens: &[Piece<'_>]) -> StatementKind {
    let Some(first) = tokens.iter().position(|p| p.kind != Kind::Open) else {
        return if tokens.is_empty() {
            StatementKind::Empty
        } else {
            StatementKind::Other
        };
    };
    let verb = if tokens[first].is_word("WITH") {
        main_verb(&tokens[first..])
    } else {
        Some(&tokens[first])
    };
    match verb {
        Some(verb) if is_any(verb, &["SELECT", "VALUES"]) => StatementKind::Query,
        // `(DELETE` is no statement; only a bare verb writes.
        Some(verb) if first == 0 && is_any(verb, &["INSERT", "UPDATE", "DELETE", "REPLACE"]) => {
            StatementKind::Write
        }
        _ => StatementKind::Other,
    }
}

/// The verb behind the common tables of a WITH: the first word that follows a closing parenthesis
/// outside all others and is not the AS behind a column list.
fn main_verb<'t, 'a>(tokens: &'t [Piece<'a>]) -> Option<&'t Piece<'a>> {
    let mut depth = 0_usize;
    for pair in tokens.windows(2) {
        match pair[0].kind {
            Kind::Open => depth += 1,
            Kind::Close => {
                depth = depth.saturating_sub(1);
                if depth == 0 && pair[1].kind == Kind::Word && !pair[1].is_word("AS") {
                    return Some(&pair[1]);
                }
            }
            _ => {}
        }
    }
    None
}

fn is_any(piece: &Piece<'_>, words: &[&str]) -> bool {
    words.iter().any(|word| piece.is_word(word))
}

#[cfg(test)]
mod tests {
    use super::StatementKind::{Empty, Other, Query, Several, Unterminated, Write};
    use super::{classify, first_keyword, is_single_reading_query};

    #[test]
    fn kinds() {
        for (sql, expected) in [
            ("SELECT 1", Query),
            ("/* a */ ; select 1 ; -- b\n ;", Query),
            ("VALUES (1), (2)", Query),
            ("((SELECT 1) UNION SELECT 2)", Query),
            ("WITH x AS (SELECT 1) SELECT * FROM x", Query),
            (
                "WITH RECURSIVE x(a, b) AS NOT MATERIALIZED (SELECT 1, 2), y AS (SELECT 3) SELECT * FROM y",
                Query,
            ),
            (
                "WITH replace AS (SELECT 1) SELECT REPLACE(a, 'b', 'c'), 'x; DELETE' FROM replace",
                Query,
            ),
            ("WITH x AS (SELECT 1) INSERT INTO t SELECT * FROM x", Write),
            (
                "with x(a) as (select 1), y as (values (2)) delete from t",
                Write,
            ),
            ("WITH x AS (SELECT 1) REPLACE INTO t VALUES (1)", Write),
            ("WITH x AS (SELECT 1", Other),
            ("WITH x AS (SELECT 1)", Other),
            ("UPDATE t SET a = 1", Write),
            ("(DELETE FROM t)", Other),
            ("EXPLAIN SELECT 1", Other),
            ("PRAGMA table_info(t)", Other),
            ("ATTACH 'x' AS y", Other),
            ("\"SELECT\" 1", Other),
            ("((", Other),
            ("SELECT 1; SELECT 2", Several),
            ("SELECT 1;; DROP TABLE t", Several),
            ("", Empty),
            (" ; -- x", Empty),
            ("SELECT 'a", Unterminated),
            ("SELECT 1; 'a", Unterminated),
        ] {
            assert_eq!(classify(sql), expected, "{sql}");
            assert_eq!(is_single_reading_query(sql), expected == Query, "{sql}");
        }
    }

    #[test]
    fn first_keywords() {
        for (sql, expected) in [
            ("-- a\n ;( (select 1", Some("SELECT")),
            ("Sorry, no", Some("SORRY")),
            ("1 select", None),
            ("", None),
        ] {
            assert_eq!(first_keyword(sql).as_deref(), expected, "{sql}");
        }
    }
}
