//! Query templates: what is left of a query when names, aliases, types and literals are gone (R4–R15).
//!
//! The rules look at a token and its neighbours, never at a parse tree, so that a broken query has a
//! template too and no library's printer can change one. Each function below names its rule.

use std::borrow::Cow;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::keyword::{Keyword, Role, lookup};
use crate::lex::{Kind, Piece, lex};

/// The structure of one query: keywords, function names, operators, parentheses and commas in order.
///
/// Prints with one blank between tokens; no token holds white space, so the printed form is exact.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Template {
    tokens: Vec<Cow<'static, str>>,
}

impl Template {
    /// The tokens; at least one.
    pub fn tokens(&self) -> &[Cow<'static, str>] {
        &self.tokens
    }

    /// R15: the template without INNER, OUTER and ASC, which change nothing in the result of a query.
    #[must_use]
    pub fn style_free(&self) -> Self {
        let kept = self
            .tokens
            .iter()
            .filter(|t| !matches!(t.as_ref(), "INNER" | "OUTER" | "ASC"));
        Self {
            tokens: kept.cloned().collect(),
        }
    }
}

impl fmt::Display for Template {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, token) in self.tokens.iter().enumerate() {
            if at > 0 {
                f.write_str(" ")?;
            }
            f.write_str(token)?;
        }
        Ok(())
    }
}

impl Serialize for Template {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// R14: why a query has no template. Such queries are counted beside every score.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Serialize,
    Deserialize,
    thiserror::Error,
)]
#[serde(rename_all = "snake_case")]
#[error("{}", self.as_str())]
pub enum Excluded {
    /// A string or quoted name has no end.
    Unterminated,
    /// No token is left.
    Empty,
    /// The first token that is left begins no statement.
    NotSql,
}

impl Excluded {
    /// The name under which it is counted.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Unterminated => "unterminated",
            Self::Empty => "empty",
            Self::NotSql => "not_sql",
        }
    }
}

/// The template of the first statement in `sql`, or why it has none.
///
/// ```
/// let sql = "SELECT T1.name, COUNT(*) AS n FROM singer AS T1 WHERE T1.age > -1";
/// assert_eq!(harness_sql::template(sql).unwrap().to_string(), "SELECT , COUNT ( * ) FROM WHERE >");
/// ```
pub fn template(sql: &str) -> Result<Template, Excluded> {
    let pieces = lex(sql).map_err(|_| Excluded::Unterminated)?;
    let tokens = Reducer::new(&pieces).run();
    match tokens.first().map(AsRef::as_ref) {
        None => Err(Excluded::Empty),
        Some(
            "(" | "SELECT" | "WITH" | "VALUES" | "INSERT" | "UPDATE" | "DELETE" | "REPLACE"
            | "CREATE" | "ALTER" | "DROP",
        ) => Ok(Template { tokens }),
        Some(_) => Err(Excluded::NotSql),
    }
}

/// What the word before a parenthesis makes of the inside.
#[derive(Clone, Copy, PartialEq)]
enum Opener {
    Cast,
    Over,
    Other,
}

/// One walk over the tokens of a statement.
struct Reducer<'a> {
    pieces: &'a [Piece<'a>],
    /// The keyword that each piece is, aligned with `pieces`.
    keywords: Vec<Option<Keyword>>,
    /// Who opened each parenthesis that is open now.
    open: Vec<Opener>,
    /// CASE kept so far, less the END that closed one.
    open_cases: usize,
    /// Whether an operand ends at the last token that is no dot (R12).
    after_operand: bool,
    kept: Vec<Cow<'static, str>>,
}

impl<'a> Reducer<'a> {
    fn new(pieces: &'a [Piece<'a>]) -> Self {
        let keyword = |p: &Piece<'_>| {
            if p.kind == Kind::Word {
                lookup(p.text)
            } else {
                None
            }
        };
        Self {
            pieces,
            keywords: pieces.iter().map(keyword).collect(),
            open: Vec::new(),
            open_cases: 0,
            after_operand: false,
            kept: Vec::with_capacity(pieces.len()),
        }
    }

    fn run(mut self) -> Vec<Cow<'static, str>> {
        let mut at = 0;
        while at < self.pieces.len() {
            let piece = self.pieces[at];
            match piece.kind {
                Kind::Word if self.begins_cast_type(at) => {
                    at = self.end_of_cast(at);
                    continue;
                }
                Kind::Word => {
                    let kept = self.keep_word(at);
                    // R12: dropped words are names, and four kinds of kept words are values.
                    self.after_operand = kept.as_deref().is_none_or(|word| {
                        matches!(
                            word,
                            "END" | "NULL" | "CURRENT_DATE" | "CURRENT_TIME" | "CURRENT_TIMESTAMP"
                        )
                    });
                    self.kept.extend(kept);
                }
                Kind::Operator => {
                    if !self.is_sign(at) {
                        self.kept.push(operator(piece.text));
                    }
                    self.after_operand = false;
                }
                Kind::Open => {
                    self.open.push(self.opener(at));
                    self.kept.push(Cow::Borrowed("("));
                    self.after_operand = false;
                }
                Kind::Close => {
                    self.open.pop();
                    self.kept.push(Cow::Borrowed(")"));
                    self.after_operand = true;
                }
                Kind::Comma => {
                    self.kept.push(Cow::Borrowed(","));
                    self.after_operand = false;
                }
                // A dot is passed over: what stands before it decides whether an operand ended (R12).
                Kind::Dot => {}
                // R4; comments and semicolons do not come this far.
                _ => self.after_operand = true,
            }
            at += 1;
        }
        self.kept
    }

    fn kind(&self, at: usize) -> Option<Kind> {
        self.pieces.get(at).map(|p| p.kind)
    }

    /// The spelling of the keyword at a place; "" for any other token or none.
    fn spelling(&self, at: usize) -> &'static str {
        self.keywords
            .get(at)
            .copied()
            .flatten()
            .map_or("", |k| k.spelling)
    }

    fn spelling_before(&self, at: usize) -> &'static str {
        at.checked_sub(1).map_or("", |before| self.spelling(before))
    }

    fn kind_before(&self, at: usize) -> Option<Kind> {
        at.checked_sub(1).and_then(|before| self.kind(before))
    }

    /// Who opens the parenthesis at `at`: the word before it, kept or dropped.
    fn opener(&self, at: usize) -> Opener {
        match self.spelling_before(at) {
            "CAST" | "TRY_CAST" => Opener::Cast,
            "OVER" => Opener::Over,
            _ => Opener::Other,
        }
    }

    /// R5: part of a dotted name, or a type after `::`.
    fn is_dotted(&self, at: usize) -> bool {
        let after_cast_operator = at > 0 && self.pieces[at - 1].text == "::";
        self.kind_before(at) == Some(Kind::Dot)
            || self.kind(at + 1) == Some(Kind::Dot)
            || after_cast_operator
    }

    /// R6: whether this AS stands directly in a CAST, so that a type follows.
    fn begins_cast_type(&self, at: usize) -> bool {
        self.spelling(at) == "AS" && self.open.last() == Some(&Opener::Cast) && !self.is_dotted(at)
    }

    /// The place of the parenthesis that closes the innermost open one, or the end of the text.
    fn end_of_cast(&self, from: usize) -> usize {
        let mut depth = 0_usize;
        for (at, piece) in self.pieces.iter().enumerate().skip(from) {
            match piece.kind {
                Kind::Open => depth += 1,
                Kind::Close if depth == 0 => return at,
                Kind::Close => depth -= 1,
                _ => {}
            }
        }
        self.pieces.len()
    }

    /// R5–R11, the first that fits: the word as it is printed, or nothing.
    fn keep_word(&mut self, at: usize) -> Option<Cow<'static, str>> {
        let keyword = self.keywords[at];
        let role = keyword.map_or(Role::Named, |k| k.role);
        let spelling = self.spelling(at);
        if self.is_dotted(at) || spelling == "AS" {
            return None;
        }
        if self.spelling_before(at) == "AS" && role != Role::Reserved {
            return None;
        }
        let in_place = match role {
            Role::Reserved | Role::Plain => true,
            Role::Placed => self.is_in_place(at, spelling),
            Role::Named => false,
        };
        if in_place {
            match spelling {
                "CASE" => self.open_cases += 1,
                "END" => self.open_cases -= 1,
                _ => {}
            }
            return Some(Cow::Borrowed(spelling));
        }
        self.is_function(at)
            .then(|| Cow::Owned(self.pieces[at].text.to_ascii_uppercase()))
    }

    /// R9: the words that are keywords in one place and names in all others.
    fn is_in_place(&self, at: usize, spelling: &str) -> bool {
        let before = self.spelling_before(at);
        let after = self.spelling(at + 1);
        match spelling {
            "END" => self.open_cases > 0,
            "LEFT" | "RIGHT" | "FULL" => matches!(after, "JOIN" | "OUTER"),
            "NULLS" => matches!(after, "FIRST" | "LAST"),
            "FIRST" | "LAST" => before == "NULLS",
            "PARTITION" => after == "BY",
            "OVER" => self.kind_before(at) == Some(Kind::Close),
            "CURRENT" | "FOLLOWING" | "GROUPS" | "PRECEDING" | "RANGE" | "ROW" | "ROWS"
            | "UNBOUNDED" => self.open.last() == Some(&Opener::Over),
            "RECURSIVE" => before == "WITH",
            "REPLACE" => after == "INTO",
            "IF" => matches!(after, "NOT" | "EXISTS"),
            "VIEW" => matches!(before, "CREATE" | "DROP" | "ALTER"),
            "COLUMN" => matches!(before, "ADD" | "DROP" | "ALTER"),
            "KEY" => matches!(before, "PRIMARY" | "FOREIGN"),
            "INTERVAL" => matches!(self.kind(at + 1), Some(Kind::String | Kind::Number)),
            _ => false,
        }
    }

    /// R10: a word before a parenthesis is a function, unless the parenthesis is a column list.
    fn is_function(&self, at: usize) -> bool {
        let names_columns = matches!(
            self.spelling_before(at),
            "EXISTS" | "INTO" | "RECURSIVE" | "REFERENCES" | "TABLE" | "WITH"
        );
        self.kind(at + 1) == Some(Kind::Open) && !names_columns
    }

    /// R12: a plus or minus that belongs to the number behind it.
    fn is_sign(&self, at: usize) -> bool {
        matches!(self.pieces[at].text, "+" | "-")
            && self.kind(at + 1) == Some(Kind::Number)
            && !self.after_operand
    }
}

/// R12: the operator in its one spelling.
fn operator(text: &str) -> Cow<'static, str> {
    const OPERATORS: [&str; 20] = [
        "=", "<", ">", "+", "-", "*", "/", "!=", "<=", ">=", "||", "%", "->", "->>", "&", "|", "~",
        "<<", ">>", "::",
    ];
    match text {
        "<>" => Cow::Borrowed("!="),
        "==" => Cow::Borrowed("="),
        _ => match OPERATORS.iter().find(|known| **known == text) {
            Some(known) => Cow::Borrowed(known),
            None => Cow::Owned(text.to_owned()),
        },
    }
}

#[cfg(test)]
mod tests;
