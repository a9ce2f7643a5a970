//! From tokens to the tree, as `process_sql.get_sql` does it.
//!
//! The script's reader looks at little: what follows the part it understands is not looked at, and what Python raises
//! on the way means that the query is not read. `None` stands for that here.

mod condition;
mod cursor;
mod scope;
mod unit;

use condition::conditions;
use cursor::{Cursor, begins_clause};
use scope::Scope;
use unit::{column_unit, value_unit};

use super::names::Names;
use super::numbers;
use super::tokens::tokens;
use super::tree::{Aggregate, ColumnUnit, OrderBy, Query, SetOperation, TableUnit, Term};

/// The tree of a query; `None` if the script does not read it.
pub fn parse(sql: &str, names: &Names) -> Option<Query> {
    let tokens = tokens(sql)?;
    let scope = Scope::new(&tokens, names)?;
    let mut cursor = Cursor {
        tokens: &tokens,
        at: 0,
    };
    query(&mut cursor, &scope, Frames(0))
}

/// How deep the reading is, counted as Python counts it: in calls.
#[derive(Debug, Clone, Copy)]
struct Frames(u16);

impl Frames {
    /// Python stops at 1,000, of which the script itself, and what a query calls when nothing is nested in it, use a few.
    const MOST: u16 = 990;

    /// A query on the right side of a condition is four calls below its own.
    fn in_condition(self) -> Option<Self> {
        self.below(4)
    }

    /// A query among tables is two calls below.
    fn in_from(self) -> Option<Self> {
        self.below(2)
    }

    /// A query behind a set operation is one call below.
    fn combined(self) -> Option<Self> {
        self.below(1)
    }

    fn below(self, calls: u16) -> Option<Self> {
        (self.0 + calls <= Self::MOST).then_some(Self(self.0 + calls))
    }
}

/// A query with all its clauses.
fn query<'a>(cursor: &mut Cursor<'a>, scope: &Scope<'a>, frames: Frames) -> Option<Query> {
    let block = cursor.take("(");
    // The tables come first, since they say whose columns the selected ones are. The first `from` is taken for this
    // query's own, wherever it is; what lies between the end of the select list and it is not looked at.
    let mut list = cursor.clone();
    let rest = cursor.tokens.get(cursor.at..)?;
    cursor.at += rest.iter().position(|word| word == "from")? + 1;
    let (units, joined_on, tables) = from(cursor, scope, frames)?;
    let mut query = select(&mut list, scope, &tables)?;
    query.tables = units;
    query.joined_on = joined_on;
    if cursor.take("where") {
        query.filter = conditions(cursor, scope, &tables, frames)?;
    }
    query.group_by = group_by(cursor, scope, &tables)?;
    if cursor.take("having") {
        query.having = conditions(cursor, scope, &tables, frames)?;
    }
    if cursor.take("order") {
        query.order_by = Some(order_by(cursor, scope, &tables)?);
    }
    if cursor.take("limit") {
        query.limit = Some(numbers::integer(cursor.next()?)?);
    }
    cursor.skip_semicolons();
    if block {
        cursor.expect(")")?;
    }
    cursor.skip_semicolons();
    if let Some(operation) = cursor.peek().and_then(SetOperation::of) {
        cursor.next();
        let second = self::query(cursor, scope, frames.combined()?)?;
        query.combined = Some((operation, Box::new(second)));
    }
    Some(query)
}

/// The select list.
fn select<'a>(cursor: &mut Cursor<'a>, scope: &Scope<'a>, tables: &[&'a str]) -> Option<Query> {
    cursor.expect("select")?;
    let mut query = Query {
        distinct: cursor.take("distinct"),
        ..Query::default()
    };
    while let Some(word) = cursor.peek().filter(|word| !begins_clause(word)) {
        let aggregate = Aggregate::of(word);
        cursor.at += usize::from(aggregate.is_some());
        let unit = value_unit(cursor, scope, tables)?;
        query
            .select
            .push((aggregate.unwrap_or(Aggregate::None), unit));
        cursor.take(",");
    }
    Some(query)
}

/// Tables and queries with their join conditions, and the names of the tables whose columns need no prefix. Neither
/// `join` nor a comma is asked for between two tables, and a comma is not read.
fn from<'a>(
    cursor: &mut Cursor<'a>,
    scope: &Scope<'a>,
    frames: Frames,
) -> Option<(Vec<TableUnit>, Vec<Term>, Vec<&'a str>)> {
    let mut units = Vec::new();
    let mut joined_on = Vec::new();
    let mut tables = Vec::new();
    while cursor.peek().is_some() {
        let block = cursor.take("(");
        if cursor.peek()? == "select" {
            let inner = query(cursor, scope, frames.in_from()?)?;
            units.push(TableUnit::Query(Box::new(inner)));
        } else {
            cursor.take("join");
            let (name, text) = scope.table(cursor.next()?)?;
            if cursor.take("as") {
                cursor.next();
            }
            units.push(TableUnit::Table(name));
            if !tables.contains(&text) {
                tables.push(text);
            }
        }
        if cursor.take("on") {
            let conditions = conditions(cursor, scope, &tables, frames)?;
            if !joined_on.is_empty() {
                joined_on.push(Term::And);
            }
            joined_on.extend(conditions);
        }
        if block {
            cursor.expect(")")?;
        }
        if !cursor.in_clause() {
            break;
        }
    }
    Some((units, joined_on, tables))
}

fn group_by<'a>(
    cursor: &mut Cursor<'a>,
    scope: &Scope<'a>,
    tables: &[&'a str],
) -> Option<Vec<ColumnUnit>> {
    let mut units = Vec::new();
    if !cursor.take("group") {
        return Some(units);
    }
    cursor.expect("by")?;
    while cursor.in_clause() {
        units.push(column_unit(cursor, scope, tables)?);
        if !cursor.take(",") {
            break;
        }
    }
    Some(units)
}

fn order_by<'a>(cursor: &mut Cursor<'a>, scope: &Scope<'a>, tables: &[&'a str]) -> Option<OrderBy> {
    cursor.expect("by")?;
    let mut order = OrderBy {
        descending: false,
        units: Vec::new(),
    };
    while cursor.in_clause() {
        order.units.push(value_unit(cursor, scope, tables)?);
        if let Some(direction @ ("asc" | "desc")) = cursor.peek() {
            order.descending = direction == "desc";
            cursor.next();
        }
        if !cursor.take(",") {
            break;
        }
    }
    Some(order)
}
