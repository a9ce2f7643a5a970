//! Where the query in an answer begins.

use std::borrow::Cow;

use super::Rule;
use crate::lex::{Kind, Scanner, continues_word};

/// The text from the beginning of the query on.
pub(super) struct Begin<'a> {
    pub text: Cow<'a, str>,
    pub rule: Rule,
    /// Whether a closing fence or backtick was found and `text` ends before it.
    pub fenced: bool,
}

pub(super) fn find<'a>(answer: &'a str, primed: &str) -> Begin<'a> {
    if let Some((text, fenced)) = fenced_block(answer, !primed.is_empty()) {
        return Begin {
            text: Cow::Borrowed(text),
            rule: Rule::Fence,
            fenced,
        };
    }
    if !primed.is_empty() {
        let text = answer.trim_start();
        return if starts_over(text, primed) {
            until_backtick(text, false, Rule::Restarted)
        } else {
            Begin {
                text: Cow::Owned(join(primed, answer)),
                rule: Rule::Primed,
                fenced: false,
            }
        };
    }
    let found = line_start(answer)
        .map(|at| (at, Rule::Line))
        .or_else(|| word(answer, |w| matches!(w, "SELECT" | "WITH")).map(|at| (at, Rule::Word)))
        .or_else(|| word(answer, is_opening_word).map(|at| (at, Rule::Word)));
    match found {
        Some((at, rule)) => until_backtick(&answer[at..], answer[..at].ends_with('`'), rule),
        None => Begin {
            text: Cow::Borrowed(answer),
            rule: Rule::Nothing,
            fenced: false,
        },
    }
}

/// Whether `text` begins like a query. Only its first 256 bytes are looked at, so that asking at every
/// line of a long answer takes linear time.
pub(super) fn begins_query(text: &str) -> bool {
    let mut pieces =
        Scanner::new(&text[..text.floor_char_boundary(256)]).skip_while(|p| p.kind == Kind::Open);
    let Some(first) = pieces.next() else {
        return false;
    };
    if first.is_word("SELECT") {
        return true;
    }
    if first.is_word("VALUES") {
        return pieces.next().is_some_and(|p| p.kind == Kind::Open);
    }
    let mut name = pieces.next();
    if name.is_some_and(|p| p.is_word("RECURSIVE")) {
        name = pieces.next();
    }
    first.is_word("WITH")
        && name.is_some_and(|p| matches!(p.kind, Kind::Word | Kind::Quoted))
        && pieces
            .next()
            .is_some_and(|p| p.kind == Kind::Open || p.is_word("AS"))
}

fn is_opening_word(word: &str) -> bool {
    ["SELECT", "WITH", "VALUES"]
        .iter()
        .any(|w| w.eq_ignore_ascii_case(word))
}

/// Whether an answer repeats the SELECT that the prompt ended with. A parenthesis is no repetition: a
/// subquery may be selected.
fn starts_over(answer: &str, primed: &str) -> bool {
    let after_select = Scanner::new(primed)
        .last()
        .is_some_and(|p| p.is_word("SELECT"));
    after_select && !answer.starts_with('(') && begins_query(answer)
}

/// The first fenced block that begins like a query, and whether its closing fence is there.
fn fenced_block(answer: &str, primed: bool) -> Option<(&str, bool)> {
    let mut at = 0;
    while let Some(open) = answer[at..].find("```").map(|found| at + found) {
        let before = answer[..open].trim_end();
        if primed && !(before.is_empty() || before.ends_with(':')) {
            return None;
        }
        let body_start = open + 3;
        let close = answer[body_start..]
            .find("```")
            .map(|found| body_start + found);
        let body = &answer[body_start..close.unwrap_or(answer.len())];
        if let Some(query) = block_query(body) {
            return Some((query, close.is_some()));
        }
        at = close? + 3;
    }
    None
}

/// The inside of a block from behind its language tag on, if it begins like a query; comments before
/// the query do not count.
fn block_query(body: &str) -> Option<&str> {
    let tag = body
        .find(|c: char| !(continues_word(c) || c == '-' || c == '+'))
        .unwrap_or(body.len());
    let untagged = if is_opening_word(&body[..tag]) {
        body
    } else {
        &body[tag..]
    };
    let first = Scanner::new(untagged).find(|piece| piece.kind != Kind::Comment)?;
    begins_query(&untagged[first.start..]).then_some(untagged)
}

/// Primed text and answer in one, with a blank where two words would run together.
fn join(primed: &str, answer: &str) -> String {
    let touches = primed.ends_with(continues_word) && answer.starts_with(continues_word);
    format!("{primed}{}{answer}", if touches { " " } else { "" })
}

/// The first start of a line, or place behind a colon, that begins like a query.
fn line_start(answer: &str) -> Option<usize> {
    let behind = answer
        .match_indices(['\n', ':'])
        .map(|(at, mark)| at + mark.len());
    std::iter::once(0).chain(behind).find_map(|at| {
        let line = &answer[at..];
        let start = at + line.len() - line.trim_start_matches([' ', '\t', '\r']).len();
        // `Answer: `SELECT …`` puts a backtick before the query.
        let start = start + usize::from(answer[start..].starts_with('`'));
        begins_query(&answer[start..]).then_some(start)
    })
}

/// The first word that `fits` and begins a query.
fn word(answer: &str, fits: impl Fn(&str) -> bool) -> Option<usize> {
    let mut at = 0;
    while let Some(start) = answer[at..].find(continues_word).map(|found| at + found) {
        let end = answer[start..]
            .find(|c| !continues_word(c))
            .map_or(answer.len(), |length| start + length);
        if fits(&answer[start..end]) && begins_query(&answer[start..]) {
            return Some(start);
        }
        at = end;
    }
    None
}

/// Inline code ends at its backtick; a query that is no inline code may hold backticks.
fn until_backtick(text: &str, inline: bool, rule: Rule) -> Begin<'_> {
    let end = if inline { text.find('`') } else { None };
    Begin {
        text: Cow::Borrowed(&text[..end.unwrap_or(text.len())]),
        rule,
        fenced: end.is_some(),
    }
}
