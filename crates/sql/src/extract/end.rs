//! Where a query ends in the text that begins with it.

use super::Cut;
use super::begin::begins_query;
use crate::keyword::{Role, lookup};
use crate::lex::{Kind, Piece, Scanner};

/// The end of the query in bytes, and what ended it.
pub(super) fn find(text: &str) -> (usize, Option<Cut>) {
    // Looked for in the bare text: to the scanner three backticks begin a quoted name.
    let (limit, fence) = match text.find("```") {
        Some(at) => (at, Some(Cut::Fence)),
        None => (text.len(), None),
    };
    match walk(&text[..limit]) {
        Some((end, cut)) => (end, Some(cut)),
        None => (limit, fence),
    }
}

fn walk(text: &str) -> Option<(usize, Cut)> {
    let mut depth = 0_usize;
    let mut has_select = false;
    let mut before: Option<Piece<'_>> = None;
    let mut gap_start = 0;
    // The first place since the last token where prose or a new question may begin.
    let mut boundary: Option<(usize, Cut)> = None;
    for piece in Scanner::new(text) {
        let gap = &text[gap_start..piece.start];
        let starts_line = gap.contains('\n');
        if before.is_some() && boundary.is_none() {
            let comment =
                piece.kind == Kind::Comment && (starts_line || piece.text.starts_with("/*"));
            if comment {
                boundary = Some((piece.start, Cut::Comment));
            } else if gap.matches('\n').count() > 1 {
                boundary = Some((piece.start, Cut::Prose));
            }
        }
        gap_start = piece.end();
        match piece.kind {
            Kind::Comment => continue,
            Kind::Semicolon if before.is_none() => continue,
            Kind::Semicolon => return Some((piece.start, Cut::Semicolon)),
            Kind::Unterminated => return None,
            _ => {}
        }
        if let Some(last) = before.filter(|_| depth == 0) {
            if has_select && begins_statement(text, piece, starts_line) && !joins_queries(last) {
                let (start, cut) = boundary.unwrap_or((piece.start, Cut::SecondStatement));
                // A blank line before it is no prose.
                return Some((
                    start,
                    if cut == Cut::Prose {
                        Cut::SecondStatement
                    } else {
                        cut
                    },
                ));
            }
            if starts_line && is_label(text, piece) {
                return Some(boundary.unwrap_or((piece.start, Cut::Prose)));
            }
            if let Some(boundary) = boundary
                && may_end(last)
                && !goes_on(piece, has_select)
            {
                return Some(boundary);
            }
        }
        match piece.kind {
            Kind::Open => depth += 1,
            Kind::Close => depth = depth.saturating_sub(1),
            _ => has_select |= depth == 0 && piece.is_word("SELECT"),
        }
        before = Some(piece);
        boundary = None;
    }
    boundary.filter(|(_, cut)| *cut == Cut::Comment)
}

fn begins_statement(text: &str, piece: Piece<'_>, starts_line: bool) -> bool {
    let defines = ["CREATE", "INSERT", "ALTER", "DROP"]
        .iter()
        .any(|verb| piece.is_word(verb));
    (piece.kind == Kind::Word && begins_query(&text[piece.start..])) || (starts_line && defines)
}

/// Whether a SELECT right behind this token belongs to the same query.
fn joins_queries(last: Piece<'_>) -> bool {
    ["UNION", "ALL", "EXCEPT", "INTERSECT"]
        .iter()
        .any(|word| last.is_word(word))
}

/// A word with a bare colon (`Question:`), which is in no query: a parameter's colon begins its name.
fn is_label(text: &str, piece: Piece<'_>) -> bool {
    let mut behind = text[piece.end()..].chars();
    piece.kind == Kind::Word
        && behind.next() == Some(':')
        && behind.next().is_none_or(char::is_whitespace)
}

/// Whether a query may end with this token.
fn may_end(last: Piece<'_>) -> bool {
    match last.kind {
        Kind::Operator | Kind::Comma | Kind::Open | Kind::Dot => false,
        Kind::Word => match lookup(last.text) {
            Some(keyword) if matches!(keyword.role, Role::Reserved | Role::Plain) => matches!(
                keyword.spelling,
                "NULL"
                    | "ASC"
                    | "DESC"
                    | "ISNULL"
                    | "NOTNULL"
                    | "CURRENT_DATE"
                    | "CURRENT_TIME"
                    | "CURRENT_TIMESTAMP"
            ),
            _ => true,
        },
        _ => true,
    }
}

/// Whether this token, behind a blank line or a comment and behind what may end a query, carries on.
fn goes_on(piece: Piece<'_>, has_select: bool) -> bool {
    const CLAUSES: &[&str] = &[
        "FROM",
        "WHERE",
        "GROUP",
        "HAVING",
        "ORDER",
        "LIMIT",
        "OFFSET",
        "UNION",
        "INTERSECT",
        "EXCEPT",
        "JOIN",
        "INNER",
        "LEFT",
        "RIGHT",
        "FULL",
        "CROSS",
        "NATURAL",
        "OUTER",
        "ON",
        "USING",
        "AND",
        "OR",
        "WINDOW",
        "WHEN",
        "THEN",
        "ELSE",
        "END",
    ];
    match piece.kind {
        Kind::Comma | Kind::Close => true,
        // Lists in prose begin with these two.
        Kind::Operator => !matches!(piece.text, "-" | "*"),
        // The main query of a WITH comes behind its common tables.
        Kind::Word if piece.is_word("SELECT") => !has_select,
        // "From the schema …": keywords come in capitals or in small letters, sentences begin with one capital.
        Kind::Word => !is_title_case(piece.text) && CLAUSES.iter().any(|word| piece.is_word(word)),
        _ => false,
    }
}

fn is_title_case(word: &str) -> bool {
    let mut letters = word.chars();
    letters.next().is_some_and(char::is_uppercase) && letters.next().is_some_and(char::is_lowercase)
}
