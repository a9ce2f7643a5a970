//! Which column a name means: the tables of a SELECT, those of the queries around it, and the names of its results.

use std::ops::ControlFlow;
use std::rc::Rc;

use sqlparser::ast::{Expr, FunctionArg, Ident, NamedWindowDefinition, visit_expressions};

use super::node::Node;
use super::query::CommonTables;
use super::{Builder, Result};

/// What a query in FROM returns.
#[derive(Debug, Clone)]
pub struct Relation {
    /// Its canonical form.
    pub node: Node,
    /// Its columns in the order of the text: the name, if there is one, and the place in the form.
    pub columns: Vec<(Option<String>, usize)>,
    /// Whether there are columns that are not listed, by a `*`.
    pub open: bool,
}

impl Relation {
    /// Where the column of a name is in the form.
    pub fn place(&self, column: &str) -> Option<usize> {
        let found = |(name, _): &&(Option<String>, usize)| name.as_deref() == Some(column);
        self.columns.iter().find(found).map(|(_, place)| *place)
    }
}

/// What something in FROM is, without its alias.
pub enum Origin<'s> {
    /// A table, or a function that returns one.
    Table {
        /// Its name.
        name: String,
        /// The arguments of a function.
        arguments: &'s [FunctionArg],
    },
    /// A query, or a common table read as one.
    Query(Rc<Relation>),
}

/// Something in FROM.
pub struct Source<'s> {
    /// The name it goes by in the query.
    pub alias: Option<String>,
    /// What it is.
    pub origin: Origin<'s>,
    /// Its canonical name, without a number.
    pub identity: String,
    /// Tells it from those of the same identity.
    pub number: usize,
}

impl Source<'_> {
    /// The canonical name.
    pub fn name(&self) -> String {
        format!("{}#{}", self.identity, self.number)
    }
}

/// The names that one SELECT can use.
pub struct Scope<'s> {
    /// What is in FROM.
    pub sources: Vec<Source<'s>>,
    /// Whether columns of several of them are one, by USING or NATURAL; otherwise a name that several have is refused
    /// by the engine.
    pub merged: bool,
    /// The expressions of result columns that have a name of their own.
    pub results: Vec<(String, &'s Expr)>,
    /// Its named windows.
    pub windows: &'s [NamedWindowDefinition],
    /// The SELECT around it.
    pub outer: Option<&'s Scope<'s>>,
    /// The common tables that its subqueries can read.
    pub common: &'s CommonTables,
}

impl<'s> Scope<'s> {
    /// A place where only names from outside are known.
    pub fn empty(outer: Option<&'s Scope<'s>>, common: &'s CommonTables) -> Self {
        Self {
            sources: Vec::new(),
            merged: false,
            results: Vec::new(),
            windows: &[],
            outer,
            common,
        }
    }
}

/// When a name may be that of a result column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Results {
    /// Never: in the results themselves and in FROM.
    Never,
    /// If it is no column: in WHERE, GROUP BY and HAVING.
    Last,
    /// Before all else: in ORDER BY.
    First,
}

/// Whether a source has a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Has {
    /// It has.
    Yes,
    /// It has not.
    No,
    /// Its columns are not known.
    Unknown,
}

/// A name as it is used.
#[derive(Clone, Copy)]
pub struct Name<'n> {
    /// The column.
    pub ident: &'n Ident,
    /// Whether it stands where text is more likely than a column, if it is in double quotes and the tables are unknown.
    pub value: bool,
    /// Whether it may be a result column.
    pub results: Results,
}

impl Builder<'_> {
    /// What a name without a table means.
    pub(super) fn unqualified(&mut self, name: Name<'_>, scope: &Scope<'_>) -> Result<Node> {
        let column = name.ident.value.to_ascii_lowercase();
        let result = scope
            .results
            .iter()
            .find(|(result, _)| *result == column && name.results != Results::Never);
        if let Some((_, expr)) = result {
            // Without the tables a name that is a result is taken for it, unless that would be made of itself.
            let first = name.results == Results::First
                || (self.tables.is_none() && !mentions(expr, &column));
            if first {
                return self.expr(expr, scope, Results::Never);
            }
        }
        let in_double_quotes = name.ident.quote_style == Some('"');
        let mut level = Some((0, scope));
        while let Some((up, scope)) = level {
            let (mut known, mut unknown) = (Vec::new(), Vec::new());
            for source in &scope.sources {
                match self.has(source, &column) {
                    Has::Yes => known.push(source),
                    Has::Unknown => unknown.push(source),
                    Has::No => {}
                }
            }
            if known.len() > 1 && !scope.merged {
                return Ok(Node::leaf(format!("?.{column}")));
            }
            if let Some(source) = known.into_iter().min_by_key(|source| source.name()) {
                return Ok(reference(up, source, &column));
            }
            match unknown.as_slice() {
                [] => {}
                _ if in_double_quotes && name.value => break,
                [source] => return Ok(reference(up, source, &column)),
                _ => return Ok(Node::leaf(format!("?.{column}"))),
            }
            level = scope.outer.map(|outer| (up + 1, outer));
        }
        if let Some((_, expr)) = result {
            return self.expr(expr, scope, Results::Never);
        }
        Ok(if in_double_quotes {
            Node::text(&name.ident.value)
        } else {
            Node::leaf(format!("?.{column}"))
        })
    }

    pub(super) fn has(&self, source: &Source<'_>, column: &str) -> Has {
        let known = match &source.origin {
            Origin::Table { name, .. } => {
                self.tables
                    .and_then(|tables| tables.columns(name))
                    .map(|columns| {
                        columns.contains(column) || ["rowid", "oid", "_rowid_"].contains(&column)
                    })
            }
            Origin::Query(relation) => {
                let listed = relation.place(column).is_some();
                (listed || !relation.open).then_some(listed)
            }
        };
        match known {
            Some(true) => Has::Yes,
            Some(false) => Has::No,
            None => Has::Unknown,
        }
    }
}

/// The column of a table that is named.
pub fn qualified(table: &str, column: &str, scope: &Scope<'_>) -> Node {
    let table = table.to_ascii_lowercase();
    let column = column.to_ascii_lowercase();
    let mut level = Some((0, scope));
    while let Some((up, scope)) = level {
        let found = |source: &&Source| source.alias.as_ref() == Some(&table);
        if let Some(source) = scope.sources.iter().find(found) {
            return reference(up, source, &column);
        }
        level = scope.outer.map(|outer| (up + 1, outer));
    }
    Node::leaf(format!("?{table}.{column}"))
}

/// A column of a source so many levels up.
pub fn reference(up: usize, source: &Source<'_>, column: &str) -> Node {
    let place = match &source.origin {
        Origin::Table { .. } => None,
        Origin::Query(relation) => relation.place(column),
    };
    let (up, source) = ("^".repeat(up), source.name());
    Node::leaf(match place {
        Some(place) => format!("{up}{source}.${place}"),
        None => format!("{up}{source}.{column}"),
    })
}

/// Whether an expression has the bare name in it.
fn mentions(expr: &Expr, column: &str) -> bool {
    visit_expressions(expr, |inner| match inner {
        Expr::Identifier(ident) if ident.value.eq_ignore_ascii_case(column) => {
            ControlFlow::Break(())
        }
        _ => ControlFlow::Continue(()),
    })
    .is_break()
}
