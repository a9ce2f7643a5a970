//! Do two queries say the same in the same way? The canonical form of a query, equal for queries that differ only in what
//! has no meaning.
//!
//! Built on sqlparser's tree, so it is complete where Spider's exact match gives up: kinds of join, lists, CASE, common
//! tables, subqueries, windows and set operations all count, and so do values, DISTINCT and LIMIT. It knows SQLite's
//! meaning of the text alone, never that of the data: no keys, no types.
//!
//! What makes no difference:
//!
//! - **Spelling**: case of keywords and names, quotes around names, redundant parentheses, `==` and `=`, `<>` and `!=`,
//!   `1e2` and `100.0`, `IFNULL` and two-valued `COALESCE`, `SUBSTRING` and `SUBSTR`, the name of a CAST's type within
//!   one affinity, `count(1)` and `count(*)`, TRUE and 1, `ASC`, `LIMIT b, a` and `LIMIT a OFFSET b`.
//! - **Names that were made up**: aliases of tables, common tables and results. A name of a result stands for its
//!   expression, an ordinal in GROUP BY or ORDER BY too. A common table is read as the subquery it stands for.
//! - **Which table a column is of**, written or not: where one table is read, or if the tables are given
//!   ([`Tables`]). Then a name in double quotes that is no column is text, as in SQLite. Without the tables it is text
//!   on the right of a comparison, in a list, as a bound or pattern, and in a branch of CASE.
//! - **Order** of result columns (but not between the sides of a set operation), of tables joined by inner joins, of
//!   left joins, of operands of AND, OR, `=`, `!=`, `+`, `*`, UNION and INTERSECT, of list items, of VALUES, GROUP BY and
//!   PARTITION BY terms. Repeated operands of AND and OR and repeated list items count once.
//! - **Where an inner join's condition stands**: ON, USING, WHERE, with JOIN, CROSS JOIN or a comma. `a RIGHT JOIN b` is
//!   `b LEFT JOIN a`.
//! - **Ways of writing a condition**: `a > b` and `b < a`; BETWEEN and its two comparisons; a list and its comparisons
//!   joined by OR; NOT before a condition and inside it (De Morgan holds for SQL's three values); `CASE x WHEN y` and
//!   `CASE WHEN x = y`; `IIF` and CASE; `ELSE NULL` and nothing; what an EXISTS selects, if it is plain.
//!
//! All else is a difference, also between queries that can be proved equal: IN and EXISTS, a subquery and a join,
//! NATURAL and ON. Two readings of one table are told apart by how they are used: of all ways to number them the one with
//! the smallest form is taken, up to [`MAX_NUMBERINGS`] ways; beyond, their order in the text counts.
//!
//! | file | what it does |
//! | --- | --- |
//! | `node` | the form itself: labels with ordered or unordered children |
//! | `scope` | which column a name means |
//! | `query` | common tables, set operations, ORDER BY and LIMIT of a set operation |
//! | `select` | one SELECT |
//! | `from` | tables and joins |
//! | `expr`, `call` | expressions; calls and windows |

mod call;
mod expr;
mod from;
mod node;
mod query;
mod scope;
mod select;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use sqlparser::ast::Statement;
use sqlparser::dialect::SQLiteDialect;
use sqlparser::parser::Parser;

use crate::lex::{Kind, lex};
use node::Node;

/// Ways of numbering tables that are read more than once that are tried, all levels of a query multiplied.
pub const MAX_NUMBERINGS: usize = 120;

/// Tokens of a query. Trees are walked by recursion, and this keeps them within a small thread's stack.
const MAX_TOKENS: usize = 2_000;
/// Levels of an expression or of nested queries.
const MAX_DEPTH: usize = 150;
/// Steps of one conversion: common tables are copied where they are read, so that a short text may mean a huge tree.
const MAX_STEPS: usize = 500_000;

/// A query without what has no meaning; equal for queries of the same structure.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Canonical(Node);

impl fmt::Display for Canonical {
    /// For people: the tree in one line.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The tables of a database and their columns, by name in any ASCII case.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tables(BTreeMap<String, BTreeSet<String>>);

impl Tables {
    /// No tables yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a table.
    pub fn add<'c>(&mut self, table: &str, columns: impl IntoIterator<Item = &'c str>) {
        let columns = columns.into_iter().map(str::to_ascii_lowercase).collect();
        self.0.insert(table.to_ascii_lowercase(), columns);
    }

    /// The columns of a table, if it is one of these.
    fn columns(&self, table: &str) -> Option<&BTreeSet<String>> {
        self.0.get(table)
    }
}

/// Why a text has no canonical form.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StructureError {
    /// The parser does not read it.
    #[error("the query can't be parsed: {message}")]
    Syntax {
        /// The parser's words.
        message: String,
    },
    /// It is not one statement that reads.
    #[error("the text is not a single reading query")]
    NotAQuery,
    /// It uses something that is not SQLite's, or that the parser can't tell from something else.
    #[error("the canonical form does not know {what}")]
    Unsupported {
        /// The construct.
        what: &'static str,
    },
    /// It is longer, deeper or unfolds to more than is read.
    #[error("the query is too large: its {what}")]
    TooLarge {
        /// What is too large.
        what: &'static str,
    },
}

/// The canonical form of a query, read against the tables if they are known.
pub fn canonical(sql: &str, tables: Option<&Tables>) -> Result<Canonical, StructureError> {
    let pieces = lex(sql).map_err(|error| StructureError::Syntax {
        message: error.to_string(),
    })?;
    if !crate::is_single_reading_query(sql) {
        return Err(StructureError::NotAQuery);
    }
    if pieces.len() > MAX_TOKENS {
        return Err(StructureError::TooLarge { what: "length" });
    }
    // The parser reads 0x10 and x'10' as the same thing.
    let hexadecimal = |text: &str| text.starts_with("0x") || text.starts_with("0X");
    let mut numbers = pieces.iter().filter(|piece| piece.kind == Kind::Number);
    refuse(
        numbers.any(|number| hexadecimal(number.text)),
        "hexadecimal numbers",
    )?;
    let statements =
        Parser::parse_sql(&SQLiteDialect {}, sql).map_err(|error| StructureError::Syntax {
            message: error.to_string(),
        })?;
    let [Statement::Query(query)] = statements.as_slice() else {
        return Err(StructureError::NotAQuery);
    };
    let mut builder = Builder {
        tables,
        steps: 0,
        depth: 0,
        numberings: 1,
    };
    let relation = builder.query(query, None, &[])?;
    Ok(Canonical(relation.node))
}

type Result<T, E = StructureError> = std::result::Result<T, E>;

/// What a conversion carries along.
struct Builder<'t> {
    tables: Option<&'t Tables>,
    /// Steps so far.
    steps: usize,
    /// Levels of expressions and queries that are open.
    depth: usize,
    /// Ways of numbering of the levels that are open, multiplied.
    numberings: usize,
}

impl Builder<'_> {
    /// Counts steps of work.
    fn spend(&mut self, steps: usize) -> Result<()> {
        self.steps += steps;
        if self.steps > MAX_STEPS {
            return Err(StructureError::TooLarge {
                what: "unfolded size",
            });
        }
        Ok(())
    }

    /// Does something one level further down.
    fn deeper<T>(&mut self, work: impl FnOnce(&mut Self) -> Result<T>) -> Result<T> {
        if self.depth == MAX_DEPTH {
            return Err(StructureError::TooLarge { what: "depth" });
        }
        self.depth += 1;
        let result = work(self);
        self.depth -= 1;
        result
    }
}

fn unsupported<T>(what: &'static str) -> Result<T> {
    Err(StructureError::Unsupported { what })
}

/// Fails if something is there that has no canonical form.
fn refuse(there: bool, what: &'static str) -> Result<()> {
    if there { unsupported(what) } else { Ok(()) }
}

#[cfg(test)]
mod tests;
