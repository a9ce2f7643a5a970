//! Subtrees of a parse tree without names, aliases and literals, as numbers that can be counted and compared.
//!
//! A node is a query, a SELECT block, a clause, a table of FROM or an expression; a column and a literal are one and the
//! same empty leaf, as a template drops both (a word in double quotes may be either). What changes nothing in the result
//! of a query is not seen: INNER, OUTER, ASC and parentheses. The number of a subtree is a hash of its form by a fixed
//! rule, so that it is the same in every run; two of a million different forms share one with probability 10⁻⁷.

mod label;

use std::collections::BTreeMap;
use std::collections::HashMap;
use std::ops::ControlFlow;

use sqlparser::ast::{
    Expr, GroupByExpr, Join, JoinConstraint, JoinOperator, OrderByExpr, Query, Select, SelectItem,
    Statement, TableFactor, Visit, Visitor,
};

/// How often each subtree occurs, by its number.
pub type Subtrees = BTreeMap<u64, u32>;

/// Larger subtrees, in nodes, are not counted: two queries share one of that size only if they share its parts, and
/// those are.
pub const MAX_NODES: u32 = 64;

/// The subtrees of a statement that have at least one word or operator in them.
pub(crate) fn of(statement: &Statement) -> Subtrees {
    let mut walk = Walk {
        open: vec![Node::new("")],
        ..Walk::default()
    };
    let _: ControlFlow<()> = statement.visit(&mut walk);
    walk.found
}

/// A node whose children are still to come.
struct Node {
    hash: u64,
    nodes: u32,
    /// A leaf that is not counted by itself: a name or a literal.
    operand: bool,
}

impl Node {
    fn new(label: &str) -> Self {
        // FNV-1a: short, and the same on every machine and in every version of the standard library.
        let mut hash = 0xcbf2_9ce4_8422_2325_u64;
        for byte in label.bytes() {
            hash = (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
        }
        Self {
            hash: mixed(hash),
            nodes: 1,
            operand: false,
        }
    }

    fn add(&mut self, child: &Self) {
        // The state is mixed before the child comes in, so that the order of children counts.
        self.hash = mixed(self.hash.rotate_left(23) ^ child.hash);
        self.nodes = self.nodes.saturating_add(child.nodes);
    }
}

/// Spreads every bit over the whole number (the finaliser of `SplitMix64`).
fn mixed(mut x: u64) -> u64 {
    x = x.wrapping_add(0x9e37_79b9_7f4a_7c15);
    x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    x ^ (x >> 31)
}

/// Where a node lies, as long as its tree does: expressions and tables never lie at one place for this purpose.
#[derive(PartialEq, Eq, Hash)]
enum Place {
    Expr(usize),
    Table(usize),
}

impl Place {
    fn of(expr: &Expr) -> Self {
        Self::Expr(std::ptr::from_ref(expr).addr())
    }

    fn of_table(table: &TableFactor) -> Self {
        Self::Table(std::ptr::from_ref(table).addr())
    }
}

#[derive(Default)]
struct Walk {
    /// The nodes around the present one, the outermost first; one at least.
    open: Vec<Node>,
    /// The clause that an expression or table stands in, told by the SELECT around it: the visitor does not say.
    clauses: HashMap<Place, &'static str>,
    found: Subtrees,
}

impl Walk {
    fn open(&mut self, label: &str) {
        self.open.push(Node::new(label));
    }

    fn close(&mut self, clause: Option<&'static str>) {
        let Some(mut node) = self.open.pop() else {
            return;
        };
        self.count(&node);
        if let Some(clause) = clause {
            let mut outer = Node::new(clause);
            outer.add(&node);
            self.count(&outer);
            node = outer;
        }
        if let Some(parent) = self.open.last_mut() {
            parent.add(&node);
        }
    }

    fn count(&mut self, node: &Node) {
        if !node.operand && node.nodes <= MAX_NODES {
            *self.found.entry(node.hash).or_insert(0) += 1;
        }
    }

    fn joins(&mut self, joins: &[Join]) {
        for join in joins {
            let (operator, constraint) = label::join(&join.join_operator);
            self.clauses
                .insert(Place::of_table(&join.relation), operator);
            if let Some(JoinConstraint::On(on)) = constraint {
                self.clauses.insert(Place::of(on), "ON");
            }
            if let JoinOperator::AsOf {
                match_condition, ..
            } = &join.join_operator
            {
                self.clauses.insert(Place::of(match_condition), "MATCH");
            }
        }
    }
}

impl Visitor for Walk {
    type Break = ();

    fn pre_visit_query(&mut self, query: &Query) -> ControlFlow<()> {
        self.open(&label::query(query));
        ControlFlow::Continue(())
    }

    fn post_visit_query(&mut self, _: &Query) -> ControlFlow<()> {
        self.close(None);
        ControlFlow::Continue(())
    }

    fn pre_visit_select(&mut self, select: &Select) -> ControlFlow<()> {
        self.open(&label::select(select));
        for item in &select.projection {
            if let SelectItem::UnnamedExpr(expr)
            | SelectItem::ExprWithAlias { expr, .. }
            | SelectItem::ExprWithAliases { expr, .. } = item
            {
                self.clauses.insert(Place::of(expr), "item");
            }
        }
        for table in &select.from {
            self.joins(&table.joins);
        }
        let clauses = [(&select.selection, "WHERE"), (&select.having, "HAVING")];
        for (clause, name) in clauses {
            if let Some(expr) = clause {
                self.clauses.insert(Place::of(expr), name);
            }
        }
        ControlFlow::Continue(())
    }

    fn post_visit_select(&mut self, _: &Select) -> ControlFlow<()> {
        self.close(None);
        ControlFlow::Continue(())
    }

    fn pre_visit_group_by(&mut self, group: &GroupByExpr) -> ControlFlow<()> {
        if label::groups(group) {
            self.open("GROUP BY");
        }
        ControlFlow::Continue(())
    }

    fn post_visit_group_by(&mut self, group: &GroupByExpr) -> ControlFlow<()> {
        if label::groups(group) {
            self.close(None);
        }
        ControlFlow::Continue(())
    }

    fn pre_visit_order_by_expr(&mut self, order: &OrderByExpr) -> ControlFlow<()> {
        self.open(label::order(order));
        ControlFlow::Continue(())
    }

    fn post_visit_order_by_expr(&mut self, _: &OrderByExpr) -> ControlFlow<()> {
        self.close(None);
        ControlFlow::Continue(())
    }

    fn pre_visit_table_factor(&mut self, factor: &TableFactor) -> ControlFlow<()> {
        match factor {
            TableFactor::Table { .. } => {
                self.open("");
                if let Some(node) = self.open.last_mut() {
                    node.operand = true;
                }
            }
            TableFactor::NestedJoin {
                table_with_joins, ..
            } => {
                self.open("tables");
                self.joins(&table_with_joins.joins);
            }
            other => self.open(&label::variant(other)),
        }
        ControlFlow::Continue(())
    }

    fn post_visit_table_factor(&mut self, factor: &TableFactor) -> ControlFlow<()> {
        let clause = self.clauses.remove(&Place::of_table(factor));
        self.close(clause);
        ControlFlow::Continue(())
    }

    fn pre_visit_expr(&mut self, expr: &Expr) -> ControlFlow<()> {
        if let Expr::Nested(inner) = expr {
            // Parentheses are no node: what is inside stands in the clause that they stand in.
            if let Some(clause) = self.clauses.remove(&Place::of(expr)) {
                self.clauses.insert(Place::of(inner), clause);
            }
            return ControlFlow::Continue(());
        }
        let (label, operand) = label::expr(expr);
        self.open(&label);
        if let Some(node) = self.open.last_mut() {
            node.operand = operand;
        }
        ControlFlow::Continue(())
    }

    fn post_visit_expr(&mut self, expr: &Expr) -> ControlFlow<()> {
        if !matches!(expr, Expr::Nested(_)) {
            let clause = self.clauses.remove(&Place::of(expr));
            self.close(clause);
        }
        ControlFlow::Continue(())
    }
}

#[cfg(test)]
mod tests;
