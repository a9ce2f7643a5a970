//! The query inside a model's answer.
//!
//! Where the query begins, the first rule that fits ([`Rule`]):
//!
//! 1. **Fence.** The first block between triple backticks that begins like a query, its language tag
//!    skipped. If the prompt was primed, a fence counts as opening only where the answer begins with
//!    it or the text before it ends in a colon: any other fence closes the query that was primed.
//! 2. **Primed.** The prompt ended with the beginning of the query, and the answer goes on with it:
//!    primed text + answer. If the prompt ended with SELECT and the answer begins with SELECT or WITH,
//!    it has started over (**Restarted**) and the primed text is left away: `SELECT SELECT` is never
//!    a query.
//! 3. **Line.** The first place at the start of a line or behind a colon that begins like a query.
//! 4. **Word.** The first such word anywhere, one in capitals before any other.
//! 5. **Nothing.** No query: the whole answer, so that the failure is seen downstream.
//!
//! What begins like a query is SELECT, VALUES `(`, or WITH with a name and AS or `(`: "With the schema
//! above" is prose. A `</think>` ends the part of an answer that is not meant as answer.
//!
//! Where it ends, whatever comes first ([`Cut`]); only places outside quotes and comments count, and
//! inside parentheses nothing but a fence or semicolon ends a query:
//!
//! - a closing fence; a single backtick if one stands right before the query;
//! - the first `;` behind a token;
//! - a second query or a CREATE, INSERT, ALTER or DROP that begins a line: no statement follows
//!   another one without a semicolon, but models that copy their prompt write them so;
//! - a comment at the start of a line, or `/* … */`, behind which the query does not go on. Models
//!   with examples in the prompt go on to the next question there. A comment in the middle of a
//!   query is followed by a clause or a connective and stays;
//! - a blank line behind which the query does not go on, or a line that begins with a word and a
//!   colon (`Explanation:`): prose.
//!
//! Text between is not changed; only the ends are trimmed. What is found need not be valid SQL.

mod begin;
mod end;

use serde::{Deserialize, Serialize};

/// A query and how it was found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Extracted {
    /// The query, trimmed.
    pub sql: String,
    /// What found its beginning.
    pub rule: Rule,
    /// What ended it; none if the answer ended with it.
    pub cut: Option<Cut>,
}

/// How the beginning of a query was found; see the module's documentation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Rule {
    /// In a fenced block.
    Fence,
    /// The answer goes on with what the prompt began.
    Primed,
    /// The answer begins again what the prompt began.
    Restarted,
    /// At the start of a line or behind a colon.
    Line,
    /// Somewhere in the text.
    Word,
    /// There is none.
    Nothing,
}

/// What ended a query before the answer did; see the module's documentation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Cut {
    /// A closing fence or backtick.
    Fence,
    /// A semicolon.
    Semicolon,
    /// Another statement.
    SecondStatement,
    /// A comment behind which the query does not go on.
    Comment,
    /// A blank line or a label with prose behind it.
    Prose,
}

/// The query in the answer `raw` to a prompt that ended with `primed` (empty for a chat).
///
/// ```
/// use harness_sql::{Rule, extract_sql};
/// let found = extract_sql("Sure!\n```sql\nSELECT a FROM t;\n```\nHope it helps.", "");
/// assert_eq!((found.sql.as_str(), found.rule), ("SELECT a FROM t", Rule::Fence));
/// assert_eq!(extract_sql(" a FROM t\n\n-- Next question", "SELECT").sql, "SELECT a FROM t");
/// ```
pub fn extract_sql(raw: &str, primed: &str) -> Extracted {
    let answer = raw
        .rfind("</think>")
        .map_or(raw, |at| &raw[at + "</think>".len()..]);
    let begin = begin::find(answer, primed);
    if begin.rule == Rule::Nothing {
        return Extracted {
            sql: answer.trim().to_owned(),
            rule: Rule::Nothing,
            cut: None,
        };
    }
    let (end, cut) = end::find(&begin.text);
    let sql = begin.text[..end].trim().to_owned();
    Extracted {
        sql,
        rule: begin.rule,
        cut: cut.or(begin.fenced.then_some(Cut::Fence)),
    }
}

/// A query that a model ran on behind, without what follows its end; the text before the end is not changed.
///
/// Released files of predictions hold queries rather than answers, and some of them go on with the next question. Only
/// the rules on the end of a query apply: what such a file begins with is the query.
pub fn cut_runaway(sql: &str) -> (&str, Option<Cut>) {
    let (end, cut) = end::find(sql);
    (&sql[..end], cut)
}

#[cfg(test)]
mod tests;
