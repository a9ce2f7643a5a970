//! Does a query put its rows in order, and where does it say so?
//!
//! What counts is the ORDER BY of the query itself, also behind a set operation: not one in a subquery, a common table, a
//! window or an aggregate, which all stand in parentheses, and not the words in a text, name or comment. That is read
//! from the tokens, so that it can be said of queries that the parser refuses; on those it reads it says the same.

use std::fmt::Write as _;

use crate::lex::{Kind, Piece, Scanner, lex};

/// Whether the rows of the query come in an order that it states.
pub fn is_ordered(sql: &str) -> bool {
    list_end(sql).is_some()
}

/// The query with ties broken by what it returns: its columns, of which there are so many, as further terms of its own
/// ORDER BY, all ascending or all descending. `None` if it has no ORDER BY.
///
/// Rows that are equal by the stated terms, and differ at all, come in opposite orders under the two.
pub fn with_ties_broken(sql: &str, columns: usize, descending: bool) -> Option<String> {
    let end = list_end(sql)?;
    let mut broken = sql[..end].to_owned();
    let direction = direction(descending);
    for column in 1..=columns {
        // Writing to a string does not fail.
        let _ = write!(broken, ", {column} {direction}");
    }
    broken.push_str(&sql[end..]);
    Some(broken)
}

/// The same behind every ORDER BY, that of a subquery too: there the first column alone, since how many there are is not
/// known. `None` if nothing is ordered. Inside OVER and aggregates the number is a constant and changes nothing.
pub fn with_all_ties_broken(sql: &str, columns: usize, descending: bool) -> Option<String> {
    let direction = direction(descending);
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
            let _ = write!(result, ", {ordinal} {direction}");
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

fn direction(descending: bool) -> &'static str {
    if descending { "DESC" } else { "ASC" }
}

/// The byte behind the terms of the query's own ORDER BY.
fn list_end(sql: &str) -> Option<usize> {
    let tokens = lex(sql).ok()?;
    let mut depth = 0_usize;
    // The tokens outside of all parentheses, and the closing ones, behind which a term may end.
    let mut outside = Vec::new();
    for token in tokens {
        match token.kind {
            Kind::Open => depth += 1,
            Kind::Close => {
                depth = depth.saturating_sub(1);
                if depth == 0 {
                    outside.push(token);
                }
            }
            _ if depth == 0 => outside.push(token),
            _ => {}
        }
    }
    let begins = |pair: &[Piece<'_>]| pair[0].is_word("ORDER") && pair[1].is_word("BY");
    let start = outside.windows(2).position(begins)? + 2;
    let terms = &outside[start..];
    let limit = terms.iter().position(|token| token.is_word("LIMIT"));
    let last = terms[..limit.unwrap_or(terms.len())].last()?;
    Some(last.end())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_order_of_the_query_itself() {
        for (sql, expected) in [
            ("SELECT a FROM t", None),
            (
                "SELECT a FROM t order  /* by */ by a",
                Some("SELECT a FROM t order  /* by */ by a, 1 DESC, 2 DESC"),
            ),
            (
                "SELECT a FROM t ORDER BY f(b, 'LIMIT'), (c) -- LIMIT\n LIMIT 3;",
                Some(
                    "SELECT a FROM t ORDER BY f(b, 'LIMIT'), (c), 1 DESC, 2 DESC -- LIMIT\n LIMIT 3;",
                ),
            ),
            (
                "SELECT a FROM t UNION SELECT b FROM t ORDER BY 1 DESC ;",
                Some("SELECT a FROM t UNION SELECT b FROM t ORDER BY 1 DESC, 1 DESC, 2 DESC ;"),
            ),
            (
                "WITH c AS (SELECT 1 ORDER BY 1) SELECT * FROM c ORDER BY (SELECT 1 ORDER BY 1 LIMIT 1)",
                Some(
                    "WITH c AS (SELECT 1 ORDER BY 1) SELECT * FROM c ORDER BY (SELECT 1 ORDER BY 1 LIMIT 1), 1 DESC, 2 DESC",
                ),
            ),
            ("SELECT a FROM (SELECT a FROM t ORDER BY a)", None),
            ("WITH c AS (SELECT 1 ORDER BY 1) SELECT * FROM c", None),
            ("SELECT rank() OVER (ORDER BY a) FROM t", None),
            ("SELECT group_concat(a ORDER BY a) FROM t", None),
            ("SELECT rank() OVER w FROM t WINDOW w AS (ORDER BY a)", None),
            ("SELECT 'ORDER BY a' FROM t -- ORDER BY a", None),
            ("SELECT \"order\" by FROM t", None),
            ("SELECT a FROM t; SELECT a FROM t ORDER BY a", None),
            ("SELECT a FROM t ORDER BY", None),
            ("SELECT 'a ORDER BY a", None),
            ("", None),
        ] {
            assert_eq!(with_ties_broken(sql, 2, true).as_deref(), expected, "{sql}");
            assert_eq!(is_ordered(sql), expected.is_some(), "{sql}");
        }
    }

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
            assert_eq!(
                with_all_ties_broken(sql, 2, true).as_deref(),
                expected,
                "{sql}"
            );
        }
        assert_eq!(
            with_all_ties_broken("SELECT a FROM t ORDER BY a", 1, false).as_deref(),
            Some("SELECT a FROM t ORDER BY a, 1 ASC")
        );
    }
}
