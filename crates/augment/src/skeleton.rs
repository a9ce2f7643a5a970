//! A query of the target as a skeleton: which of its tokens are names and literals, and what each of them has to be.
//!
//! Names are gathered into classes: a table that is read twice is one class, so is a column that is named twice. The
//! schema of the skeleton's own database helps to say whose an unqualified column is; without it the first source counts,
//! which is as good here, since nothing of that database is kept.

mod literals;
mod names;
mod needs;
mod scope;

use std::collections::BTreeMap;

use harness_record::Schema;
use harness_sql::lex::lex;
use harness_sql::{Template, template};

use crate::read::read;
use crate::reason::Reason;
use crate::tree::{At, Query};

pub use literals::{Slot, is_date_modifier, is_format, is_punctuation};
pub use names::{Name, Target};
pub use needs::{Needs, inner_text, is_aggregate};
use scope::Resolver;
pub use scope::parts;

/// A query whose names and literals can be replaced.
#[derive(Clone, Debug)]
pub struct Skeleton {
    /// What a query made of it must have as its template.
    pub template: Template,
    /// Tokens with what stands before each: nothing or one blank.
    pub tokens: Vec<(&'static str, String)>,
    /// The tree over the places of the tokens.
    pub query: Query,
    /// What each name is.
    pub names: BTreeMap<At, Name>,
    /// The number of each source, by [`Source::place`](crate::tree::Source::place).
    pub places: BTreeMap<At, usize>,
    /// What each literal that is replaced is for.
    pub literals: BTreeMap<At, Slot>,
    /// Everything that is read in a FROM.
    pub sources: Vec<SourceInfo>,
    /// Number of different tables.
    pub tables: usize,
    /// The different columns.
    pub columns: Vec<ColumnClass>,
    /// Which columns belong together.
    pub links: Vec<Link>,
    /// Equalities between columns of two sources, `(source, column class)` each.
    pub joins: Vec<[(usize, usize); 2]>,
}

/// One source of a FROM.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SourceInfo {
    /// The class of its table; none for a derived table and for a common table.
    pub table: Option<usize>,
    /// Whether it has an alias.
    pub alias: bool,
    /// The number of the common table it reads.
    pub cte: Option<usize>,
}

/// A column that is named once or more.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ColumnClass {
    /// The class of its table.
    pub table: usize,
    /// Its name in the skeleton, in lower case; only to tell it from others.
    name: String,
    /// What it is used for.
    pub needs: Needs,
}

/// Two columns that have to fit each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Link {
    /// Column classes.
    pub columns: [usize; 2],
    /// Whether they must be keys of each other; else they are of the same kind.
    pub key: bool,
}

impl Skeleton {
    /// Reads a query. `schema` is that of its own database, where that is known.
    pub fn new(sql: &str, schema: Option<&Schema>) -> Result<Self, Reason> {
        let template = template(sql).map_err(|_| Reason::Unread("a template"))?;
        let pieces = lex(sql).map_err(|_| Reason::Unread("a template"))?;
        let query = read(&pieces).map_err(|unread| Reason::Unread(unread.what))?;
        let mut end = 0;
        let tokens = pieces
            .iter()
            .map(|piece| {
                // A comment between two tokens may speak of the target's data.
                let gap = if piece.start > end && end > 0 {
                    " "
                } else {
                    ""
                };
                end = piece.end();
                (gap, piece.text.to_owned())
            })
            .collect();
        let mut resolver = Resolver::new(&pieces, schema);
        resolver.query(&query)?;
        let mut skeleton = Self {
            template,
            tokens,
            query: Query::default(),
            names: resolver.names,
            places: resolver.places,
            literals: BTreeMap::new(),
            sources: resolver.sources.into_iter().map(|it| it.info).collect(),
            tables: resolver.tables.len(),
            columns: resolver.columns,
            links: Vec::new(),
            joins: Vec::new(),
        };
        needs::gather(&query, &mut skeleton)?;
        skeleton.query = query;
        Ok(skeleton)
    }
}

#[cfg(test)]
mod tests;
