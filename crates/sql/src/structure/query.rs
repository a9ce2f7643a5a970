//! Queries: common tables, set operations, and what stands behind them.

use std::rc::Rc;

use sqlparser::ast::{
    Expr, LimitClause, OrderBy, OrderByExpr, OrderByKind, OrderBySort, Query, SetExpr, SetOperator,
    SetQuantifier, TableAlias, Value, Values,
};

use super::node::Node;
use super::scope::{Relation, Results, Scope};
use super::select::Use;
use super::{Builder, Result, refuse, unsupported};

/// The common tables that a query can read, the nearest last.
pub type CommonTables = [(String, Rc<Relation>)];

impl Builder<'_> {
    /// A query with everything that belongs to it.
    pub(super) fn query(
        &mut self,
        query: &Query,
        outer: Option<&Scope<'_>>,
        common: &CommonTables,
    ) -> Result<Relation> {
        self.deeper(|this| this.whole_query(query, outer, common))
    }

    fn whole_query(
        &mut self,
        query: &Query,
        outer: Option<&Scope<'_>>,
        common: &CommonTables,
    ) -> Result<Relation> {
        refuse(query.fetch.is_some(), "FETCH")?;
        refuse(!query.locks.is_empty(), "FOR UPDATE")?;
        refuse(query.for_clause.is_some(), "FOR")?;
        refuse(query.settings.is_some(), "SETTINGS")?;
        refuse(query.format_clause.is_some(), "FORMAT")?;
        refuse(!query.pipe_operators.is_empty(), "a pipe operator")?;
        let mut common = common.to_vec();
        for table in query.with.iter().flat_map(|with| &with.cte_tables) {
            refuse(table.from.is_some(), "FROM behind a common table")?;
            let name = table.alias.name.value.to_ascii_lowercase();
            // What a table that reads itself returns is known by its own name only.
            let mut itself = Relation {
                node: Node::leaf("itself"),
                columns: Vec::new(),
                open: true,
            };
            rename(&mut itself, &table.alias)?;
            common.push((name, Rc::new(itself)));
            let mut relation = self.query(&table.query, None, &common)?;
            rename(&mut relation, &table.alias)?;
            if let Some(last) = common.last_mut() {
                last.1 = Rc::new(relation);
            }
        }
        let order = order_terms(query.order_by.as_ref())?;
        let mut relation = match query.body.as_ref() {
            SetExpr::Select(select) => self.select(select, Use::Free { order }, outer, &common)?,
            body => {
                let mut relation = self.set_operation(body, outer, &common)?;
                let terms = order.iter().map(|term| self.place_term(term, &relation));
                let terms = terms.collect::<Result<Vec<_>>>()?;
                if !terms.is_empty() {
                    let order = Node::list("order", terms);
                    relation.node = Node::list("ordered", vec![relation.node, order]);
                }
                relation
            }
        };
        if let Some(limit) = &query.limit_clause {
            relation.node = self.limit(limit, relation.node, outer, &common)?;
        }
        Ok(relation)
    }

    /// Everything in the place of a SELECT that is none.
    fn set_operation(
        &mut self,
        body: &SetExpr,
        outer: Option<&Scope<'_>>,
        common: &CommonTables,
    ) -> Result<Relation> {
        // SQLite's operators all bind alike, from left to right; the parser's do not. Chains may be long, so that they
        // are laid out with a list of work.
        let (mut sides, mut operators) = (Vec::new(), Vec::new());
        let mut work = vec![(None, body)];
        while let Some((operator, next)) = work.pop() {
            if let SetExpr::SetOperation {
                left,
                op,
                set_quantifier,
                right,
            } = next
            {
                work.push((Some((op, set_quantifier)), right.as_ref()));
                work.push((operator, left.as_ref()));
            } else {
                sides.push(next);
                operators.extend(operator);
            }
        }
        let mut sides = sides.into_iter();
        let Some(first) = sides.next() else {
            return unsupported("nothing");
        };
        let mut relation = self.side(first, outer, common)?;
        for ((operator, quantifier), side) in operators.into_iter().zip(sides) {
            let side = self.side(side, outer, common)?;
            relation.node = combine(*operator, *quantifier, relation.node, side.node)?;
        }
        Ok(relation)
    }

    fn side(
        &mut self,
        side: &SetExpr,
        outer: Option<&Scope<'_>>,
        common: &CommonTables,
    ) -> Result<Relation> {
        match side {
            SetExpr::Select(select) => self.select(select, Use::Side, outer, common),
            SetExpr::Query(query) => self.query(query, outer, common),
            SetExpr::Values(values) => self.values(values, outer, common),
            _ => unsupported("a statement in the place of SELECT"),
        }
    }

    fn values(
        &mut self,
        values: &Values,
        outer: Option<&Scope<'_>>,
        common: &CommonTables,
    ) -> Result<Relation> {
        let scope = Scope::empty(outer, common);
        let mut rows = Vec::new();
        let width = values.rows.first().map_or(0, |row| row.content.len());
        for row in &values.rows {
            let cells = row.content.iter();
            let cells = cells.map(|cell| self.value(cell, &scope, Results::Never));
            rows.push(Node::list("row", cells.collect::<Result<_>>()?));
        }
        Ok(Relation {
            node: Node::bag("values", rows),
            columns: (0..width)
                .map(|at| (Some(format!("column{}", at + 1)), at))
                .collect(),
            open: false,
        })
    }

    /// A term of an ORDER BY behind a set operation: it can only mean a column of the result.
    fn place_term(&mut self, term: &OrderByExpr, relation: &Relation) -> Result<Node> {
        let place = match &term.expr {
            Expr::Identifier(ident) => relation.place(&ident.value.to_ascii_lowercase()),
            other => ordinal(other).and_then(|ordinal| ordinal.checked_sub(1)),
        };
        let node = match place {
            Some(place) => Node::leaf(format!("${place}")),
            None => self.expr(&term.expr, &Scope::empty(None, &[]), Results::Never)?,
        };
        directed(term, node)
    }

    fn limit(
        &mut self,
        limit: &LimitClause,
        node: Node,
        outer: Option<&Scope<'_>>,
        common: &CommonTables,
    ) -> Result<Node> {
        let (limit, offset) = match limit {
            LimitClause::LimitOffset {
                limit,
                offset,
                limit_by,
            } => {
                refuse(!limit_by.is_empty(), "LIMIT BY")?;
                (limit.as_ref(), offset.as_ref().map(|offset| &offset.value))
            }
            LimitClause::OffsetCommaLimit { offset, limit } => (Some(limit), Some(offset)),
        };
        let scope = Scope::empty(outer, common);
        let mut children = vec![node];
        for part in [limit, offset] {
            children.push(match part {
                Some(part) => self.expr(part, &scope, Results::Never)?,
                None => Node::leaf("-"),
            });
        }
        if children[2].label == "0" {
            children[2] = Node::leaf("-");
        }
        Ok(Node::list("limit", children))
    }
}

/// Gives the columns the names that an alias lists.
pub fn rename(relation: &mut Relation, alias: &TableAlias) -> Result<()> {
    refuse(alias.at.is_some(), "AT behind an alias")?;
    if alias.columns.is_empty() {
        return Ok(());
    }
    let names = alias.columns.iter();
    let names = names.map(|column| column.name.value.to_ascii_lowercase());
    if relation.open || relation.columns.len() != alias.columns.len() {
        // Which column is which is not known; the names stand for their places in the list.
        relation.columns = names
            .enumerate()
            .map(|(at, name)| (Some(name), at))
            .collect();
        relation.open = false;
    } else {
        for (column, name) in relation.columns.iter_mut().zip(names) {
            column.0 = Some(name);
        }
    }
    Ok(())
}

fn combine(
    operator: SetOperator,
    quantifier: SetQuantifier,
    left: Node,
    right: Node,
) -> Result<Node> {
    // Children of an operation of the same kind become children of this one.
    let spliced = |labels: &[&str]| {
        let mut sides = if labels.contains(&left.label.as_str()) {
            left.children.clone()
        } else {
            vec![left.clone()]
        };
        sides.push(right.clone());
        sides
    };
    Ok(match (operator, quantifier) {
        (SetOperator::Union, SetQuantifier::None) => {
            // What is left of repeated rows does not depend on when they were removed.
            Node::set("union", spliced(&["union", "union all"]))
        }
        (SetOperator::Union, SetQuantifier::All) => Node::bag("union all", spliced(&["union all"])),
        (SetOperator::Intersect, SetQuantifier::None) => {
            Node::set("intersect", spliced(&["intersect"]))
        }
        (SetOperator::Except, SetQuantifier::None) => Node::list("except", vec![left, right]),
        _ => return unsupported("this set operation"),
    })
}

/// The terms of an ORDER BY.
pub fn order_terms(order: Option<&OrderBy>) -> Result<&[OrderByExpr]> {
    let Some(order) = order else { return Ok(&[]) };
    refuse(order.interpolate.is_some(), "INTERPOLATE")?;
    match &order.kind {
        OrderByKind::Expressions(terms) => Ok(terms),
        OrderByKind::All(_) => unsupported("ORDER BY ALL"),
    }
}

/// A term of an ORDER BY with its direction.
pub fn directed(term: &OrderByExpr, node: Node) -> Result<Node> {
    refuse(term.with_fill.is_some(), "WITH FILL")?;
    let descending = match &term.options.sort {
        None | Some(OrderBySort::Asc) => false,
        Some(OrderBySort::Desc) => true,
        Some(OrderBySort::Using(_)) => return unsupported("ORDER BY USING"),
    };
    // SQLite holds NULL for the smallest value.
    let nulls_first = term.options.nulls_first.unwrap_or(!descending);
    Ok(Node::list(
        match (descending, nulls_first) {
            (false, true) => "asc",
            (false, false) => "asc nulls last",
            (true, true) => "desc nulls first",
            (true, false) => "desc",
        },
        vec![node],
    ))
}

/// The number of a result column, if a term of GROUP BY or ORDER BY is one.
pub fn ordinal(expr: &Expr) -> Option<usize> {
    match expr {
        Expr::Nested(inner) => ordinal(inner),
        Expr::Value(value) => match &value.value {
            Value::Number(digits, _) => digits.parse().ok(),
            _ => None,
        },
        _ => None,
    }
}
