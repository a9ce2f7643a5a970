//! The scanner: SQL text to tokens, by the lexical rules R1–R3 of the template definition.
//!
//! It accepts every string, runs in linear time and reports one fault only, a quote without its end.
//! It knows the shapes of tokens and nothing of their order: what a word means is decided elsewhere.
//!
//! [`Scanner`] yields everything but white space, comments and semicolons included, for readers that
//! must find where a statement ends. [`lex`] is the view of the template rules: the tokens of the
//! first statement.

use std::iter::Peekable;
use std::str::CharIndices;

/// The class of a [`Piece`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// `'…'`, with `''` for a quote inside; a backslash means nothing.
    String,
    /// `"…"`, `` `…` `` (both with doubling) or `[…]` (to the first `]`).
    Quoted,
    /// A number with all the word characters that follow it (`0xFF`, `2nd_col`).
    Number,
    /// A letter, `_` or non-ASCII character, then word characters: those, digits and `$`.
    Word,
    /// One of the operators of R3, the longest that fits.
    Operator,
    /// `(`
    Open,
    /// `)`
    Close,
    /// `,`
    Comma,
    /// `.` where no number begins.
    Dot,
    /// A parameter (`?1`, `:limit`, `@x`, `$1`, `#t`) or any other single character.
    Other,
    /// `;`
    Semicolon,
    /// `-- …` to the line feed (left out) or `/* … */`; either may run to the end of the text.
    Comment,
    /// A string or quoted name without its end: the rest of the text, and the last piece.
    Unterminated,
}

impl Kind {
    /// Whether the piece is a token, as opposed to a comment, a semicolon or a fault.
    pub fn is_token(self) -> bool {
        !matches!(self, Self::Semicolon | Self::Comment | Self::Unterminated)
    }
}

/// A stretch of the text with its class.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Piece<'a> {
    /// What it is.
    pub kind: Kind,
    /// How it is written.
    pub text: &'a str,
    /// Its first byte in the text.
    pub start: usize,
}

impl Piece<'_> {
    /// The byte after its last.
    pub fn end(&self) -> usize {
        self.start + self.text.len()
    }

    /// Whether it is this word, in any ASCII case.
    pub fn is_word(&self, word: &str) -> bool {
        self.kind == Kind::Word && self.text.eq_ignore_ascii_case(word)
    }
}

/// A string or quoted name that begins at `start` (in bytes) and does not end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the quote that opens at byte {start} is never closed")]
pub struct Unterminated {
    /// Byte offset of the opening quote.
    pub start: usize,
}

/// The tokens of the first statement of `sql` (R1–R3).
///
/// A `;` before the first token is skipped; the first one after a token ends the text, so that nothing
/// behind it can fail.
pub fn lex(sql: &str) -> Result<Vec<Piece<'_>>, Unterminated> {
    let mut tokens = Vec::with_capacity(sql.len() / 4);
    for piece in Scanner::new(sql) {
        match piece.kind {
            Kind::Comment => {}
            Kind::Semicolon if tokens.is_empty() => {}
            Kind::Semicolon => break,
            Kind::Unterminated => return Err(Unterminated { start: piece.start }),
            _ => tokens.push(piece),
        }
    }
    Ok(tokens)
}

/// Walks a text piece by piece; white space is skipped.
#[derive(Clone, Debug)]
pub struct Scanner<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Scanner<'a> {
    /// A scanner at the beginning of `text`.
    pub fn new(text: &'a str) -> Self {
        Self { text, at: 0 }
    }

    /// Class and length in bytes of the piece that begins `rest`, whose first character is `first`.
    fn measure(rest: &str, first: char) -> (Kind, usize) {
        let bytes = rest.as_bytes();
        let second = bytes.get(1).copied().unwrap_or(0);
        match first {
            '-' if second == b'-' => (Kind::Comment, rest.find('\n').unwrap_or(rest.len())),
            '/' if second == b'*' => {
                // The search starts behind the opening: `/*/` does not close itself.
                let end = rest[2..].find("*/").map_or(rest.len(), |found| found + 4);
                (Kind::Comment, end)
            }
            ';' => (Kind::Semicolon, 1),
            '\'' => quoted(rest, b'\'', Kind::String),
            '"' => quoted(rest, b'"', Kind::Quoted),
            '`' => quoted(rest, b'`', Kind::Quoted),
            '[' => match rest.find(']') {
                Some(end) => (Kind::Quoted, end + 1),
                None => (Kind::Unterminated, rest.len()),
            },
            '0'..='9' => (Kind::Number, number(rest)),
            '.' if second.is_ascii_digit() => (Kind::Number, number(rest)),
            '.' => (Kind::Dot, 1),
            '(' => (Kind::Open, 1),
            ')' => (Kind::Close, 1),
            ',' => (Kind::Comma, 1),
            ':' if second == b':' => (Kind::Operator, 2),
            '?' | ':' | '@' | '$' | '#' => (Kind::Other, 1 + word_characters(&rest[1..])),
            _ if starts_word(first) => (Kind::Word, word_characters(rest)),
            _ => match operator(bytes) {
                0 => (Kind::Other, first.len_utf8()),
                length => (Kind::Operator, length),
            },
        }
    }
}

impl<'a> Iterator for Scanner<'a> {
    type Item = Piece<'a>;

    fn next(&mut self) -> Option<Piece<'a>> {
        // `char::is_whitespace` is Unicode White_Space, which is R1 to the letter.
        let rest = self.text[self.at..].trim_start();
        let start = self.text.len() - rest.len();
        let first = rest.chars().next()?;
        let (kind, length) = Self::measure(rest, first);
        self.at = start + length;
        Some(Piece {
            kind,
            text: &rest[..length],
            start,
        })
    }
}

/// Whether a word may begin with `c`.
pub(crate) fn starts_word(c: char) -> bool {
    c.is_ascii_alphabetic() || c == '_' || (!c.is_ascii() && !c.is_whitespace())
}

/// Whether a word may go on with `c`.
pub(crate) fn continues_word(c: char) -> bool {
    starts_word(c) || c.is_ascii_digit() || c == '$'
}

/// Bytes of word characters at the beginning of `rest`.
fn word_characters(rest: &str) -> usize {
    // Nearly all words are ASCII, where a byte is a character.
    let plain = |b: &u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'$');
    let ascii = rest.bytes().take_while(|b| plain(b)).count();
    if rest.as_bytes().get(ascii).is_none_or(u8::is_ascii) {
        return ascii;
    }
    let more = rest[ascii..].find(|c| !continues_word(c));
    more.map_or(rest.len(), |found| ascii + found)
}

/// A quotation in which the doubled mark stands for the mark; `rest` begins with the opening one.
fn quoted(rest: &str, mark: u8, kind: Kind) -> (Kind, usize) {
    let bytes = rest.as_bytes();
    let mut at = 1;
    while at < bytes.len() {
        if bytes[at] != mark {
            at += 1;
        } else if bytes.get(at + 1) == Some(&mark) {
            at += 2;
        } else {
            return (kind, at + 1);
        }
    }
    (Kind::Unterminated, rest.len())
}

/// Length of the number at the beginning of `rest`, which is a digit or a dot and a digit.
fn number(rest: &str) -> usize {
    let mut characters = rest.char_indices().peekable();
    skip_digits(&mut characters);
    if characters.next_if(|&(_, c)| c == '.').is_some() {
        skip_digits(&mut characters);
    }
    // An exponent counts only with its digits: in `1e+` the sign is an operator of its own.
    let mut ahead = characters.clone();
    if ahead.next_if(|&(_, c)| c == 'e' || c == 'E').is_some() {
        ahead.next_if(|&(_, c)| c == '+' || c == '-');
        if ahead.peek().is_some_and(|&(_, c)| c.is_ascii_digit()) {
            skip_digits(&mut ahead);
            characters = ahead;
        }
    }
    let end = characters.peek().map_or(rest.len(), |&(at, _)| at);
    end + word_characters(&rest[end..])
}

fn skip_digits(characters: &mut Peekable<CharIndices<'_>>) {
    while characters.next_if(|&(_, c)| c.is_ascii_digit()).is_some() {}
}

/// Length of the operator at the beginning of `bytes`, 0 if there is none.
fn operator(bytes: &[u8]) -> usize {
    match bytes {
        [b'-', b'>', b'>', ..] => 3,
        [b'|', b'|', ..]
        | [b'-', b'>', ..]
        | [b'<', b'<' | b'=' | b'>', ..]
        | [b'>', b'>' | b'=', ..]
        | [b'!' | b'=', b'=', ..] => 2,
        [
            b'=' | b'<' | b'>' | b'+' | b'-' | b'*' | b'/' | b'%' | b'&' | b'|' | b'~',
            ..,
        ] => 1,
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::{Kind, Scanner, lex};

    /// Pieces as `kind:text`, joined by a blank.
    fn show(sql: &str) -> String {
        let pieces = Scanner::new(sql).map(|p| format!("{:?}:{}", p.kind, p.text));
        pieces.collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn token_classes() {
        for (sql, expected) in [
            ("'it''s\\' x", "String:'it''s\\' Word:x"),
            (
                "\"a\"\"b\" `c``d` [e[f]",
                "Quoted:\"a\"\"b\" Quoted:`c``d` Quoted:[e[f]",
            ),
            (
                "1.5e-3x .5 1..5 1.name",
                "Number:1.5e-3x Number:.5 Number:1. Number:.5 Number:1.name",
            ),
            (
                "1e+ 2e5e 0xFFé",
                "Number:1e Operator:+ Number:2e5e Number:0xFFé",
            ),
            ("a.b t . c", "Word:a Dot:. Word:b Word:t Dot:. Word:c"),
            (
                "Größe$1 $x ?1 :lim @@y #",
                "Word:Größe$1 Other:$x Other:?1 Other::lim Other:@ Other:@y Other:#",
            ),
            (
                "a::int :::x",
                "Word:a Operator::: Word:int Operator::: Other::x",
            ),
            (
                "->> -> - <=> << >>= != !~",
                "Operator:->> Operator:-> Operator:- Operator:<= Operator:> \
              Operator:<< Operator:>> Operator:= Operator:!= Other:! Operator:~",
            ),
            (
                "(,){^\u{1F600}",
                "Open:( Comma:, Close:) Other:{ Other:^ Word:\u{1F600}",
            ),
            (
                "a\u{00A0}b\u{3000}c\u{200B}d",
                "Word:a Word:b Word:c\u{200B}d",
            ),
        ] {
            assert_eq!(show(sql), expected, "{sql}");
        }
    }

    #[test]
    fn comments_and_faults() {
        for (sql, expected) in [
            ("a -- b\rc\nd", "Word:a Comment:-- b\rc Word:d"),
            ("a /*/ b */ c", "Word:a Comment:/*/ b */ Word:c"),
            ("a /* b", "Word:a Comment:/* b"),
            ("/* /* */ */", "Comment:/* /* */ Operator:* Operator:/"),
            ("a 'b", "Word:a Unterminated:'b"),
            ("[b", "Unterminated:[b"),
            ("'a''", "Unterminated:'a''"),
        ] {
            assert_eq!(show(sql), expected, "{sql}");
        }
    }

    #[test]
    fn the_first_statement_ends_at_its_semicolon() {
        let texts = |sql| lex(sql).map(|t| t.iter().map(|p| p.text).collect::<Vec<_>>().join(" "));
        assert_eq!(texts("; ; a ';' b; 'open").unwrap(), "a ';' b");
        assert_eq!(texts("a /* ; */ b").unwrap(), "a b");
        assert_eq!(texts("; 'open").unwrap_err().start, 2);
        assert_eq!(lex("").unwrap(), []);
        assert_eq!(
            Scanner::new("a ;").map(|p| p.kind).collect::<Vec<_>>(),
            [Kind::Word, Kind::Semicolon]
        );
    }
}
