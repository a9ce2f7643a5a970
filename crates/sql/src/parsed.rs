//! A statement as sqlparser reads it: what the countable features and the subtrees stand on.

use sqlparser::ast::Statement;
use sqlparser::dialect::SQLiteDialect;
use sqlparser::parser::Parser;

use crate::features::{self, Features};
use crate::lex::lex;
use crate::subtree::{self, Subtrees};

/// A chain such as `a + a + …` makes a tree as deep as it is long, and the tree is walked and freed by
/// recursion. This many tokens keep that within a small thread's stack; the longest gold query of
/// Spider and BIRD has a few hundred.
const MAX_TOKENS: usize = 2_000;

/// The tree of one statement.
#[derive(Clone, Debug)]
pub struct Parsed {
    statement: Statement,
    tokens: u32,
}

impl Parsed {
    /// Reads `sql`, if it is one statement that sqlparser reads and no longer than 2,000 tokens.
    pub fn new(sql: &str) -> Option<Self> {
        // The text behind the first statement is not read, as in a template (R2).
        let pieces = lex(sql).ok()?;
        let (first, last) = (pieces.first()?, pieces.last()?);
        if pieces.len() > MAX_TOKENS {
            return None;
        }
        let mut statements =
            Parser::parse_sql(&SQLiteDialect {}, &sql[first.start..last.end()]).ok()?;
        let statement = statements.pop().filter(|_| statements.is_empty())?;
        Some(Self {
            statement,
            tokens: pieces.len() as u32,
        })
    }

    /// How often each construct occurs.
    pub fn features(&self) -> Features {
        features::of(&self.statement, self.tokens)
    }

    /// The subtrees without names and literals.
    pub fn subtrees(&self) -> Subtrees {
        subtree::of(&self.statement)
    }
}
