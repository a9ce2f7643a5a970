//! Tables, and text made safe for where it stands.

use std::fmt::Write as _;

/// A table of text: columns with a head, the first `left` of them flush left, all others flush right.
pub(crate) struct Table {
    head: Vec<String>,
    left: usize,
    rows: Vec<Vec<String>>,
}

impl Table {
    pub(crate) fn new(left: usize, head: &[&str]) -> Self {
        Self {
            head: head.iter().map(|&text| text.to_owned()).collect(),
            left,
            rows: Vec::new(),
        }
    }

    pub(crate) fn row(&mut self, cells: Vec<String>) {
        self.rows.push(cells);
    }

    /// As a Markdown table; the cells have to be safe Markdown already.
    pub(crate) fn markdown(&self) -> String {
        let mut text = format!("| {} |\n|", self.head.join(" | "));
        for at in 0..self.head.len() {
            text.push_str(if at < self.left { " --- |" } else { " ---: |" });
        }
        text.push('\n');
        for row in &self.rows {
            // Writing to a string cannot fail.
            let _ = writeln!(text, "| {} |", row.join(" | "));
        }
        text
    }

    /// As aligned plain text, at most `limit` columns wide: if need be, the columns flush left are cut.
    pub(crate) fn plain(&self, limit: usize) -> String {
        const GAP: usize = 2;
        let width = |text: &String| text.chars().count();
        let mut widths: Vec<usize> = self.head.iter().map(width).collect();
        for row in &self.rows {
            for (at, cell) in row.iter().enumerate() {
                widths[at] = widths[at].max(width(cell));
            }
        }
        let total = |widths: &[usize]| widths.iter().sum::<usize>() + GAP * (widths.len() - 1);
        while total(&widths) > limit {
            let widest = (0..self.left).max_by_key(|&at| (widths[at], at));
            match widest {
                Some(at) if widths[at] > 4 => widths[at] -= 1,
                _ => break,
            }
        }
        let mut text = String::new();
        for row in std::iter::once(&self.head).chain(&self.rows) {
            let mut line = String::new();
            for (at, cell) in row.iter().enumerate() {
                let cell = shorten(cell, widths[at]);
                let wide = widths[at];
                let _ = if at < self.left {
                    write!(line, "{cell:<wide$}")
                } else {
                    write!(line, "{cell:>wide$}")
                };
                line.push_str(&" ".repeat(GAP));
            }
            text.push_str(line.trim_end());
            text.push('\n');
        }
        text
    }
}

/// The text, or as much of it as fits with an ellipsis.
fn shorten(text: &str, width: usize) -> String {
    if text.chars().count() <= width {
        return text.to_owned();
    }
    let kept: String = text.chars().take(width.saturating_sub(1)).collect();
    format!("{kept}…")
}

/// Text on one line: line breaks, tabs and control characters become blanks.
pub(crate) fn one_line(text: &str) -> String {
    let blank = |c: char| c.is_whitespace() || c.is_control();
    let words = text.split(blank).filter(|word| !word.is_empty());
    words.collect::<Vec<_>>().join(" ")
}

/// Text as Markdown that shows it as it is, also in a table.
pub(crate) fn escape(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in one_line(text).chars() {
        if matches!(
            c,
            '\\' | '`' | '*' | '&' | '<' | '>' | '[' | ']' | '|' | '#'
        ) {
            safe.push('\\');
        }
        safe.push(c);
    }
    safe
}

/// Text as a code span, whatever backticks it has itself. Not for tables: there `|` would end the cell.
pub(crate) fn code(text: &str) -> String {
    let text = one_line(text);
    if text.is_empty() {
        return "(empty)".to_owned();
    }
    let longest = text
        .split(|c| c != '`')
        .map(str::len)
        .max()
        .unwrap_or_default();
    let fence = "`".repeat(longest + 1);
    // Blanks keep a backtick at an end apart from the fence; Markdown takes one away on either side.
    let pad = if text.starts_with('`') || text.ends_with('`') {
        " "
    } else {
        ""
    };
    format!("{fence}{pad}{text}{pad}{fence}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_made_safe() {
        assert_eq!(escape("a|b\n*c*\t`d`"), "a\\|b \\*c\\* \\`d\\`");
        assert_eq!(code("SELECT a || b"), "`SELECT a || b`");
        assert_eq!(code("SELECT `a`\nFROM t"), "``SELECT `a` FROM t``");
        assert_eq!(code("SELECT ``"), "``` SELECT `` ```");
        assert_eq!(code(" \n"), "(empty)");
    }

    #[test]
    fn plain_tables_keep_to_their_width() {
        let mut table = Table::new(1, &["name", "n"]);
        table.row(vec!["a-very-long-name".into(), "12345".into()]);
        table.row(vec!["b".into(), "1".into()]);
        assert_eq!(
            table.plain(80),
            "name                  n\na-very-long-name  12345\nb                     1\n"
        );
        assert_eq!(
            table.plain(13),
            "name        n\na-ver…  12345\nb           1\n"
        );
        assert_eq!(
            table.markdown(),
            "| name | n |\n| --- | ---: |\n| a-very-long-name | 12345 |\n| b | 1 |\n"
        );
    }
}
