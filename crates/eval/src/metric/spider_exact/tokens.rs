//! A query's tokens, as `process_sql.tokenize` gets them from `nltk.word_tokenize`.
//!
//! Texts in quotes are set aside first, each as a word of its own (`__val_…__`), then the rest is cut by rules made for
//! English prose: brackets and most punctuation stand alone, `=`, `+`, `-` and `/` do not (`a=1` is one token), a comma
//! does not before a digit (`1,2` is one token), a full stop does at the end of a sentence. Words lose their case, texts
//! keep it. `! =`, `> =` and `< =` are one operator, with or without a blank.
//!
//! Left out are rules that no query of a schema meets: English contractions (`cannot` is two words there) and digits of
//! other scripts. What nltk knows of English abbreviations (`etc.` ends no sentence) is not known here.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::iter::Peekable;
use std::str::CharIndices;

use super::sentences::ends_sentence;

/// The tokens of a query; `None` if its quotes are not in pairs, whichever quotes they are.
pub fn tokens(sql: &str) -> Option<Vec<String>> {
    let (plain, texts) = set_texts_aside(sql)?;
    let mut tokens: Vec<String> = Vec::with_capacity(sql.len() / 4);
    for word in words(&plain) {
        let word = word.to_lowercase();
        let operator = tokens
            .last_mut()
            .filter(|last| word == "=" && matches!(last.as_str(), "!" | ">" | "<"));
        match (operator, texts.get(&word)) {
            (Some(operator), _) => operator.push('='),
            (None, Some(text)) => tokens.push(format!("\"{text}\"")),
            (None, None) => tokens.push(word),
        }
    }
    Some(tokens)
}

/// The query with a key in place of each quoted text, and the texts by their keys.
fn set_texts_aside(sql: &str) -> Option<(Cow<'_, str>, BTreeMap<String, &str>)> {
    let mut texts = BTreeMap::new();
    let mut parts = sql.split(['\'', '"']);
    let first = parts.next()?;
    if first.len() == sql.len() {
        return Some((Cow::Borrowed(sql), texts));
    }
    let mut plain = String::with_capacity(sql.len());
    plain.push_str(first);
    while let Some(text) = parts.next() {
        let key = format!("__val_{}__", texts.len());
        plain.push_str(&key);
        plain.push_str(parts.next()?);
        texts.insert(key, text);
    }
    Some((Cow::Owned(plain), texts))
}

/// The words of a text without quotes. Marks that stand alone are words too.
fn words(text: &str) -> Vec<&str> {
    let mut words = Words {
        text,
        start: None,
        found: Vec::with_capacity(text.len() / 4),
    };
    let mut chars = text.char_indices().peekable();
    while let Some((at, char)) = chars.next() {
        match char {
            _ if is_space(char) => words.end(at),
            ',' | ':' => match chars.peek() {
                Some((_, next)) if next.is_ascii_digit() => words.go_on(at),
                next => {
                    // The rule takes the next character with it, so a second comma begins a word instead of being one.
                    let second = next.filter(|(_, next)| matches!(next, ',' | ':')).copied();
                    words.mark(at, at + 1);
                    if let Some((at, _)) = second {
                        words.go_on(at);
                        chars.next();
                    }
                }
            },
            '.' => {
                let end = run(&mut chars, '.', at + 1);
                if end > at + 1 || ends_sentence(text, at) {
                    words.mark(at, end);
                } else {
                    words.go_on(at);
                }
            }
            '`' => {
                let end = run(&mut chars, '`', at + 1);
                (at..end)
                    .step_by(2)
                    .for_each(|at| words.mark(at, end.min(at + 2)));
            }
            '-' if text[at + 1..].starts_with('-') => {
                chars.next();
                words.mark(at, at + 2);
            }
            _ if stands_alone(char) => words.mark(at, at + char.len_utf8()),
            _ => words.go_on(at),
        }
    }
    words.end(text.len());
    words.found
}

/// Words that have been found, and the one that is being read.
struct Words<'a> {
    text: &'a str,
    start: Option<usize>,
    found: Vec<&'a str>,
}

impl Words<'_> {
    /// The character here belongs to a word.
    fn go_on(&mut self, at: usize) {
        self.start.get_or_insert(at);
    }

    /// A word, if there is one, ends before this place.
    fn end(&mut self, at: usize) {
        self.found
            .extend(self.start.take().map(|start| &self.text[start..at]));
    }

    /// A mark stands alone.
    fn mark(&mut self, start: usize, end: usize) {
        self.end(start);
        self.found.push(&self.text[start..end]);
    }
}

/// The end of a run of a character.
fn run(chars: &mut Peekable<CharIndices<'_>>, of: char, mut end: usize) -> usize {
    while chars.next_if(|(_, char)| *char == of).is_some() {
        end += of.len_utf8();
    }
    end
}

fn stands_alone(char: char) -> bool {
    matches!(
        char,
        ';' | '@'
            | '#'
            | '$'
            | '%'
            | '&'
            | '?'
            | '!'
            | '*'
            | '['
            | ']'
            | '('
            | ')'
            | '{'
            | '}'
            | '<'
            | '>'
            | '«'
            | '»'
            | '‘'
            | '’'
            | '“'
            | '”'
            | '„'
            | '\u{2012}'..='\u{2015}'
    )
}

/// Python's white space.
fn is_space(char: char) -> bool {
    char.is_whitespace() || matches!(char, '\x1c'..='\x1f')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_the_script_cuts() {
        // Right: what `process_sql.tokenize` with nltk 3.10.4 makes of it, joined by blanks.
        const CASES: &[(&str, &str)] = &[
            ("SELECT Count(*) FROM T;", "select count ( * ) from t ;"),
            ("a=1 AND b = 2", "a=1 and b = 2"),
            ("a >= 1 b > = 1 c>=1", "a >= 1 b >= 1 c > =1"),
            ("a != 1 b ! = 1 c<>1", "a != 1 b != 1 c < > 1"),
            ("a = = b", "a = = b"),
            ("a < = = b", "a <= = b"),
            ("a -1 b - -1 c--d e---f", "a -1 b - -1 c -- d e -- -f"),
            ("a+b a/b a*b a%b", "a+b a/b a * b a % b"),
            ("a,b a, b a ,b a,1 a, 1", "a , b a , b a , b a,1 a , 1"),
            ("a,,b ,,, a:b a:1 ,", "a , ,b , , , a : b a:1 ,"),
            (
                "t1.a t1 . a t1. a .5 5. 1..2",
                "t1.a t1 . a t1 . a .5 5 . 1 .. 2",
            ),
            ("a.", "a ."),
            ("`a` ``b`` ```c```", "` a ` `` b `` `` ` c `` `"),
            ("[a] {b} a|b a\\b ~c", "[ a ] { b } a|b a\\b ~c"),
            (
                "“a” ‘b’ «c» a—b a–b a-b",
                "“ a ” ‘ b ’ « c » a — b a – b a-b",
            ),
            ("#a @a $a &a ?1 !", "# a @ a $ a & a ? 1 !"),
            ("Ä\u{a0}Ö\u{3000}ß\u{1f}x", "ä ö ß x"),
            ("a = 'X y' AND", "a = \"X y\" and"),
            ("a = \"it's\"", "-"),
            ("a = 'b \" c'", "-"),
            ("a = 'b'  \"C\"  ('d')", "a = \"b\" \"C\" ( \"d\" )"),
            // The script numbers its keys by place; a key that is not alone stays.
            ("count('a')+'b'", "count ( \"a\" ) +__val_1__"),
            ("'a', 'b'", "\"a\" , \"b\""),
            ("", ""),
            ("''", "\"\""),
        ];
        for (sql, expected) in CASES {
            let found = tokens(sql).map_or("-".to_owned(), |tokens| tokens.join(" "));
            assert_eq!(found, *expected, "{sql:?}");
        }
    }
}
