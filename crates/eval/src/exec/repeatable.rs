//! Does a query that calls date functions read the clock? Told from its text, and rather too often than too rarely.
//!
//! Not seen: a `now` that is put together (`'n' || 'ow'`) or stands in a table.

/// Whether the text has the word `now` anywhere, or `localtime` or `utc`, which ask for the machine's zone, or a call of one of the functions with no time value (no argument, or
/// for `strftime` only the format), which stands for now.
pub fn reads_the_clock(sql: &str, functions: &[&str]) -> bool {
    let text = sql.to_ascii_lowercase();
    if ["now", "localtime", "utc"]
        .iter()
        .any(|word| text.contains(word))
    {
        return true;
    }
    functions.iter().any(|name| {
        text.match_indices(name).any(|(at, _)| {
            let Some(call) = without_blanks(&text[at + name.len()..]).strip_prefix('(') else {
                // A column of that name, or a comment before the bracket: only the latter could be a call.
                return without_blanks(&text[at + name.len()..])
                    .starts_with(['-', '/', '"', '`', ']', '\'']);
            };
            let least = if *name == "strftime" { 2 } else { 1 };
            arguments(call) < least
        })
    })
}

fn without_blanks(text: &str) -> &str {
    text.trim_start_matches(|c: char| c.is_ascii_whitespace())
}

/// Arguments of a call whose bracket has just been opened: commas at its own level, more by one unless it is empty.
fn arguments(call: &str) -> usize {
    if without_blanks(call).starts_with([')', '-', '/']) {
        return 0;
    }
    let (mut depth, mut commas, mut quote) = (0_usize, 0, None);
    for c in call.chars() {
        match (quote, c) {
            (Some(open), _) if c == open => quote = None,
            (None, '\'' | '"' | '`') => quote = Some(c),
            (None, '(') => depth += 1,
            (None, ')') if depth == 0 => break,
            (None, ')') => depth -= 1,
            (None, ',') if depth == 0 => commas += 1,
            _ => {}
        }
    }
    commas + 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clock_or_no_clock() {
        for (sql, expected) in [
            ("SELECT date('now')", true),
            ("SELECT date('NOW', '-1 day')", true),
            ("SELECT date()", true),
            ("SELECT DATETIME ( )", true),
            ("SELECT date(/* none */)", true),
            ("SELECT date /* */ ()", true),
            ("SELECT \"date\"()", true),
            ("SELECT strftime('%Y')", true),
            ("SELECT strftime('%Y, %m')", true),
            ("SELECT strftime('%Y', birthday)", false),
            (
                "SELECT strftime('%Y', max(a, b)) FROM t WHERE date(b) > '2020-01-01'",
                false,
            ),
            ("SELECT date FROM t WHERE julianday(date) > 1", false),
            ("SELECT timediff('2020-01-01', '2021-01-01')", false),
        ] {
            let functions = ["date", "datetime", "strftime", "julianday", "timediff"];
            assert_eq!(reads_the_clock(sql, &functions), expected, "{sql}");
        }
    }
}
