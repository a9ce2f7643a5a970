//! Gold queries as text to learn: on one line, in one way.

/// A query on one line: every run of white space outside quotes becomes one blank, comments go (they
/// are white space to SQLite, and `--` would swallow what is now on its line), and exactly one `;`
/// ends it. What stands in quotes or brackets is not touched.
pub fn normalize_sql(sql: &str) -> String {
    let mut out = String::with_capacity(sql.len() + 1);
    let mut rest = sql;
    while let Some(first) = rest.chars().next() {
        let taken = match first {
            // A doubled quote within quotes reads as an end and a new beginning: the same text.
            '\'' | '"' | '`' => end_of(rest, 1, &first.to_string()),
            '[' => end_of(rest, 1, "]"),
            _ => 0,
        };
        let space = match first {
            '-' if rest.starts_with("--") => end_of(rest, 2, "\n"),
            '/' if rest.starts_with("/*") => end_of(rest, 2, "*/"),
            _ if first.is_whitespace() => first.len_utf8(),
            _ => 0,
        };
        if space > 0 {
            if !out.is_empty() && !out.ends_with(' ') {
                out.push(' ');
            }
            rest = &rest[space..];
        } else {
            let taken = taken.max(first.len_utf8());
            out.push_str(&rest[..taken]);
            rest = &rest[taken..];
        }
    }
    out.truncate(out.trim_end_matches([' ', ';']).len());
    out.push(';');
    out
}

/// What follows a leading `SELECT`, in any case; `None` if the query begins otherwise.
pub(super) fn after_select(sql: &str) -> Option<&str> {
    let (word, rest) = sql.split_at_checked(super::PRIMER.len())?;
    let goes_on = rest.starts_with(|next: char| next.is_alphanumeric() || next == '_');
    (word.eq_ignore_ascii_case(super::PRIMER) && !goes_on).then_some(rest)
}

/// Length of the piece of `text` up to and with the first `end` at or after `from`; all of it if
/// there is none.
fn end_of(text: &str, from: usize, end: &str) -> usize {
    text[from..]
        .find(end)
        .map_or(text.len(), |at| from + at + end.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(sql: &str, expected: &str) {
        assert_eq!(normalize_sql(sql), expected);
        assert_eq!(normalize_sql(expected), expected, "not stable");
    }

    #[test]
    fn one_line_one_semicolon() {
        check("SELECT  a\n\tFROM t", "SELECT a FROM t;");
        check(" SELECT a FROM t ; ;\n", "SELECT a FROM t;");
        check("SELECT 'a  b;' FROM t", "SELECT 'a  b;' FROM t;");
        check(
            "SELECT 'it''s  x',  \"a  b\", `c  d`, [e  f]",
            "SELECT 'it''s  x', \"a  b\", `c  d`, [e  f];",
        );
        check("SELECT a -- the b\nFROM t", "SELECT a FROM t;");
        check("SELECT a /* x\ny */FROM t --end", "SELECT a FROM t;");
        check("SELECT a-b, c/d", "SELECT a-b, c/d;");
        check("SELECT '-- no comment'", "SELECT '-- no comment';");
        check("", ";");
    }

    #[test]
    fn an_open_quote_is_kept() {
        assert_eq!(normalize_sql("SELECT 'a  b"), "SELECT 'a  b;");
    }

    #[test]
    fn select_is_found_as_a_word() {
        assert_eq!(after_select("select a;"), Some(" a;"));
        assert_eq!(after_select("SELECT*FROM t;"), Some("*FROM t;"));
        assert_eq!(after_select("SELECTED a;"), None);
        assert_eq!(after_select("WITH x AS (SELECT 1) SELECT 2;"), None);
        assert_eq!(after_select("(SELECT 1);"), None);
        assert_eq!(after_select(";"), None);
        assert_eq!(after_select("sélect"), None);
    }
}
