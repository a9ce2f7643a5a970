//! Takes `DISTINCT` out of a query the way the official Spider script does with sqlparse: every token that is that word
//! goes, wherever it stands, and nothing else changes.
//!
//! So this follows sqlparse's lexer (0.6.1) where it decides what is inside a string, a quoted name, a comment or a
//! longer word, also where SQLite reads the text differently: a backslash before a quote keeps a string open. Not
//! followed: dollar-quoted strings, and numbers that run into letters, `#` or `$`, none of which SQLite can read.

/// The query without its `DISTINCT`s.
pub fn remove_distinct(sql: &str) -> String {
    let mut kept = String::with_capacity(sql.len());
    let mut at = 0;
    while let Some(first) = sql[at..].chars().next() {
        let end = at + token_length(&sql[at..], first, sql[..at].chars().next_back());
        let token = &sql[at..end];
        if !token.eq_ignore_ascii_case("distinct") {
            kept.push_str(token);
        }
        at = end;
    }
    kept
}

/// Bytes of the token `rest` begins with; `before` is the character ahead of it.
fn token_length(rest: &str, first: char, before: Option<char>) -> usize {
    let after = &rest[first.len_utf8()..];
    let next = after.chars().next();
    let word = |text: &str| run(text, is_word);
    let behind_word = before.is_some_and(is_word);
    match first {
        '-' if next == Some('-') => line(rest),
        '#' if next == Some(' ') => line(rest),
        '/' if next == Some('*') => {
            let body = if rest.starts_with("/*+") { 3 } else { 2 };
            match rest[body..].find("*/") {
                Some(end) => body + end + 2,
                None => operators(rest),
            }
        }
        '`' | '´' => quoted(rest, first, false),
        '\'' | '"' => quoted(rest, first, true),
        '%' if next == Some('s') => 2,
        '$' | ':' if !behind_word && next.is_some_and(is_word) => 1 + word(after),
        '\\' if next.is_some_and(is_word) => 1 + word(after),
        '@' | '#' => {
            let name = after
                .strip_prefix('#')
                .filter(|_| first == '#')
                .unwrap_or(after);
            let mut letters = name.chars();
            if letters.next().is_some_and(is_letter) && letters.next().is_some_and(is_word) {
                rest.len() - name.len() + word(name)
            } else {
                operators(rest)
            }
        }
        '[' if !behind_word && before != Some(']') => match after.find(['[', ']']) {
            Some(end) if end > 0 && after[end..].starts_with(']') => end + 2,
            _ => 1,
        },
        '+' | '/' | '%' | '^' | '&' | '|' => operators(rest),
        _ if is_word(first) => {
            // A name behind a period ends at its first `$` or `#`; elsewhere these are letters like others.
            if before == Some('.') && is_letter(first) {
                word(rest)
            } else {
                run(rest, |letter| {
                    is_word(letter) || letter == '$' || letter == '#'
                })
            }
        }
        _ => first.len_utf8(),
    }
}

fn is_word(letter: char) -> bool {
    letter.is_alphanumeric() || letter == '_'
}

fn is_letter(letter: char) -> bool {
    letter.is_ascii_alphabetic()
        || ('\u{c0}'..='\u{dc}').contains(&letter)
        || ('\u{e0}'..='\u{fc}').contains(&letter)
}

/// Bytes of the longest beginning that is all of one kind.
fn run(text: &str, kind: impl Fn(char) -> bool) -> usize {
    text.find(|letter| !kind(letter)).unwrap_or(text.len())
}

/// Bytes up to and with the end of the line.
fn line(rest: &str) -> usize {
    match rest.find(['\r', '\n']) {
        Some(end) if rest[end..].starts_with("\r\n") => end + 2,
        Some(end) => end + 1,
        None => rest.len(),
    }
}

fn operators(rest: &str) -> usize {
    run(rest, |letter| "+/@#%^&|-".contains(letter)).max(1)
}

/// Bytes of a quoted text. A doubled quote is a part of it, and so is one behind a backslash where that counts; unless
/// no other quote follows, then the last such one is the end. Without any end the quote is a token alone.
fn quoted(rest: &str, quote: char, backslash: bool) -> usize {
    let width = quote.len_utf8();
    let mut at = width;
    let mut last_resort = width;
    while let Some(letter) = rest[at..].chars().next() {
        let behind = at + letter.len_utf8();
        let quote_follows = rest[behind..].starts_with(quote);
        if letter == quote {
            if !quote_follows {
                return behind;
            }
            last_resort = behind;
            at = behind + width;
        } else if backslash && letter == '\\' && quote_follows {
            last_resort = behind + width;
            at = behind + width;
        } else {
            at = behind;
        }
    }
    last_resort
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(sql: &str, expected: &str) {
        assert_eq!(remove_distinct(sql), expected);
    }

    #[test]
    fn the_word_goes_wherever_it_is_a_token() {
        check("SELECT DISTINCT a FROM t", "SELECT  a FROM t");
        check(
            "SELECT count(distinct a), t.Distinct",
            "SELECT count( a), t.",
        );
        check(
            "SELECT DISTINCT(a) UNION SELECT DISTINCT b",
            "SELECT (a) UNION SELECT  b",
        );
    }

    /// Expected texts are those of sqlparse 0.6.1.
    #[test]
    fn it_stays_inside_of_longer_tokens() {
        for sql in [
            "SELECT 'distinct', \"distinct\", `distinct`, [distinct]",
            "SELECT 'it''s distinct' FROM t",
            "SELECT a -- distinct\nFROM t",
            "SELECT a /* distinct */ FROM t # distinct",
            "SELECT distinct_a, adistinct, distinct1, :distinct, @distinct",
        ] {
            check(sql, sql);
        }
    }

    #[test]
    fn strings_end_where_the_lexer_ends_them() {
        check("'a\\' distinct 'b'", "'a\\' distinct 'b'");
        check("'a\\' distinct b", "'a\\'  b");
        check("'a'' distinct b", "'a''  b");
        check("' distinct b", "'  b");
        check("", "");
    }
}
