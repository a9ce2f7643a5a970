//! Query templates: what is left of a query when names, aliases, types and literals are gone (R4–R15).
//!
//! The rules look at a token and its neighbours, never at a parse tree, so that a broken query has a
//! template too and no library's printer can change one. Each function below names its rule.

use std::borrow::Cow;
use std::fmt;

use serde::{Deserialize, Serialize};

mod reduce;
mod symbol;
mod table;

pub use table::TemplateTable;

use reduce::reduce;
use symbol::{Names, Symbol};

/// The structure of one query: keywords, function names, operators, parentheses and commas in order.
///
/// Prints with one blank between tokens; no token holds white space, so the printed form is exact.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Template {
    tokens: Vec<Cow<'static, str>>,
}

impl Template {
    fn of(symbols: &[Symbol], names: &Names) -> Self {
        Self {
            tokens: symbols.iter().map(|symbol| names.text(*symbol)).collect(),
        }
    }

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
    let (mut names, mut symbols) = (Names::default(), Vec::new());
    reduce(sql, &mut names, &mut symbols)?;
    Ok(Template::of(&symbols, &names))
}

#[cfg(test)]
mod tests;
