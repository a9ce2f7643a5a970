//! The subtrees of a query's parse tree, without names and literals: what two queries are made of, and how it is nested.
//!
//! Each node of sqlparser's tree (query, SELECT, table, expression) has a label without names and values; a subtree is
//! told by a hash of its label and its children's hashes in their order. Two queries share a subtree if they share a
//! part with all that is below it. Where the parser refuses a query there is none.

use std::fmt::{self, Write};
use std::ops::ControlFlow;

use sqlparser::ast::{
    Expr, GroupByExpr, ObjectName, OrderByKind, OrderBySort, Query, Select, SetExpr, TableFactor,
    Visit, Visitor,
};

use crate::features::parse_one;

/// Hashes of all subtrees of `sql`, sorted, each as often as it occurs; none where the parser refuses the query or it is
/// longer than 2,000 tokens.
///
/// ```
/// let of = |sql: &str| harness_sql::subtrees(sql).unwrap();
/// assert_eq!(of("SELECT a FROM t WHERE b = 1"), of("select x.c from y as x where x.d = 'z'"));
/// assert_ne!(of("SELECT a FROM t WHERE b = 1"), of("SELECT a FROM t WHERE b > 1"));
/// ```
pub fn subtrees(sql: &str) -> Option<Vec<u64>> {
    let (statement, _) = parse_one(sql)?;
    let mut gather = Gather::default();
    let _: ControlFlow<()> = statement.visit(&mut gather);
    gather.done.sort_unstable();
    Some(gather.done)
}

/// Hashes of what was left, and of what is open: for each open node its own hash so far.
#[derive(Default)]
struct Gather {
    open: Vec<u64>,
    done: Vec<u64>,
}

impl Gather {
    fn enter(&mut self, label: &Label) {
        self.open.push(label.0);
    }

    fn leave(&mut self) {
        let Some(hash) = self.open.pop() else { return };
        self.done.push(hash);
        if let Some(parent) = self.open.last_mut() {
            *parent = mix(*parent, hash);
        }
    }
}

impl Visitor for Gather {
    type Break = ();

    fn pre_visit_query(&mut self, query: &Query) -> ControlFlow<()> {
        let mut label = Label::new("query");
        if let Some(with) = &query.with {
            label.add(if with.recursive {
                "with recursive"
            } else {
                "with"
            });
        }
        set_operators(&query.body, &mut label);
        if let Some(order) = &query.order_by {
            label.add("order by");
            if let OrderByKind::Expressions(terms) = &order.kind {
                for term in terms {
                    let descends = matches!(term.options.sort, Some(OrderBySort::Desc));
                    label.add(if descends { "desc" } else { "asc" });
                }
            }
        }
        if query.limit_clause.is_some() {
            label.add("limit");
        }
        self.enter(&label);
        ControlFlow::Continue(())
    }

    fn post_visit_query(&mut self, _: &Query) -> ControlFlow<()> {
        self.leave();
        ControlFlow::Continue(())
    }

    fn pre_visit_select(&mut self, select: &Select) -> ControlFlow<()> {
        let mut label = Label::new("select");
        let grouped = match &select.group_by {
            GroupByExpr::All(_) => true,
            GroupByExpr::Expressions(terms, _) => !terms.is_empty(),
        };
        for (part, name) in [
            (select.distinct.is_some(), "distinct"),
            (select.selection.is_some(), "where"),
            (grouped, "group by"),
            (select.having.is_some(), "having"),
        ] {
            if part {
                label.add(name);
            }
        }
        label.number(select.projection.len());
        for table in &select.from {
            label.add("from");
            for join in &table.joins {
                label.variant(&join.join_operator);
            }
        }
        self.enter(&label);
        ControlFlow::Continue(())
    }

    fn post_visit_select(&mut self, _: &Select) -> ControlFlow<()> {
        self.leave();
        ControlFlow::Continue(())
    }

    fn pre_visit_table_factor(&mut self, factor: &TableFactor) -> ControlFlow<()> {
        let mut label = Label::new("table");
        label.variant(factor);
        self.enter(&label);
        ControlFlow::Continue(())
    }

    fn post_visit_table_factor(&mut self, _: &TableFactor) -> ControlFlow<()> {
        self.leave();
        ControlFlow::Continue(())
    }

    fn pre_visit_expr(&mut self, expression: &Expr) -> ControlFlow<()> {
        self.enter(&expression_label(expression));
        ControlFlow::Continue(())
    }

    fn post_visit_expr(&mut self, _: &Expr) -> ControlFlow<()> {
        self.leave();
        ControlFlow::Continue(())
    }
}

fn expression_label(expression: &Expr) -> Label {
    match expression {
        // Qualified or not, a column is a column.
        Expr::Identifier(_) | Expr::CompoundIdentifier(_) => Label::new("column"),
        Expr::Value(_) => Label::new("value"),
        Expr::BinaryOp { op, .. } => {
            let mut label = Label::new("binary");
            label.add(&op.to_string());
            label
        }
        Expr::UnaryOp { op, .. } => {
            let mut label = Label::new("unary");
            label.add(&op.to_string());
            label
        }
        Expr::Function(call) => {
            let mut label = Label::new("call");
            label.add(&name(&call.name));
            if call.over.is_some() {
                label.add("over");
            }
            label
        }
        Expr::InList { negated, list, .. } => {
            let mut label = negation("in list", *negated);
            label.number(list.len());
            label
        }
        Expr::InSubquery { negated, .. } => negation("in", *negated),
        Expr::Exists { negated, .. } => negation("exists", *negated),
        Expr::Between { negated, .. } => negation("between", *negated),
        Expr::Like { negated, .. } => negation("like", *negated),
        Expr::Case {
            conditions,
            operand,
            else_result,
            ..
        } => {
            let mut label = Label::new("case");
            label.number(conditions.len());
            label.number(usize::from(operand.is_some()) + 2 * usize::from(else_result.is_some()));
            label
        }
        other => {
            let mut label = Label::new("expression");
            label.variant(other);
            label
        }
    }
}

fn negation(what: &str, negated: bool) -> Label {
    let mut label = Label::new(what);
    if negated {
        label.add("not");
    }
    label
}

/// The last part of a function's name, in upper case.
fn name(object: &ObjectName) -> String {
    let last = object.0.last().and_then(|part| part.as_ident());
    last.map_or(String::new(), |ident| ident.value.to_ascii_uppercase())
}

/// The set operators of one query, leftmost last. A loop, because chains lean to the left.
fn set_operators(body: &SetExpr, label: &mut Label) {
    let mut work = vec![body];
    while let Some(next) = work.pop() {
        if let SetExpr::SetOperation {
            op,
            set_quantifier,
            left,
            right,
        } = next
        {
            label.add(&op.to_string());
            label.add(&set_quantifier.to_string());
            work.extend([left.as_ref(), right.as_ref()]);
        }
    }
}

/// A hash of words. It is the same in every build and run, which the standard library's does not promise.
struct Label(u64);

impl Label {
    fn new(word: &str) -> Self {
        let mut label = Self(0xCBF2_9CE4_8422_2325);
        label.add(word);
        label
    }

    fn add(&mut self, word: &str) {
        for byte in word.bytes() {
            // FNV-1a.
            self.0 = (self.0 ^ u64::from(byte)).wrapping_mul(0x0100_0000_01B3);
        }
        self.0 = mix(self.0, 1);
    }

    fn number(&mut self, number: usize) {
        self.0 = mix(self.0, number as u64);
    }

    /// The name of an enumeration's variant, which its debugging form begins with.
    fn variant(&mut self, value: &impl fmt::Debug) {
        let mut first = FirstWord(String::new());
        // It fails where the word ends, so that a large tree is not printed for its first word.
        let _ = write!(first, "{value:?}");
        self.add(&first.0);
    }
}

/// Takes letters and digits until something else comes.
struct FirstWord(String);

impl Write for FirstWord {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        for letter in text.chars() {
            if !letter.is_ascii_alphanumeric() {
                return Err(fmt::Error);
            }
            self.0.push(letter);
        }
        Ok(())
    }
}

/// Depends on the order of its arguments.
fn mix(a: u64, b: u64) -> u64 {
    let mixed = (a.rotate_left(23) ^ b).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    mixed ^ (mixed >> 29)
}

#[cfg(test)]
mod tests {
    use super::subtrees;

    #[test]
    fn names_and_values_are_gone_and_structure_is_not() {
        let same = |a: &str, b: &str| subtrees(a).unwrap() == subtrees(b).unwrap();
        assert!(same("SELECT t.a FROM t", "SELECT b FROM u AS v"));
        assert!(same("SELECT count(*) FROM t", "SELECT COUNT(*) FROM u"));
        for (a, b) in [
            ("SELECT a FROM t", "SELECT DISTINCT a FROM t"),
            (
                "SELECT a FROM t JOIN u ON x = y",
                "SELECT a FROM t LEFT JOIN u ON x = y",
            ),
            (
                "SELECT a FROM t WHERE b IN (1, 2)",
                "SELECT a FROM t WHERE b IN (1, 2, 3)",
            ),
            (
                "SELECT a FROM t WHERE b IN (1)",
                "SELECT a FROM t WHERE b NOT IN (1)",
            ),
            ("SELECT max(a) FROM t", "SELECT min(a) FROM t"),
            (
                "SELECT a FROM t UNION SELECT b FROM u",
                "SELECT a FROM t EXCEPT SELECT b FROM u",
            ),
            (
                "SELECT a FROM t ORDER BY a",
                "SELECT a FROM t ORDER BY a DESC",
            ),
            ("SELECT a - (b - c)", "SELECT (a - b) - c"),
            (
                "SELECT CASE WHEN a THEN b END",
                "SELECT CASE WHEN a THEN b ELSE c END",
            ),
        ] {
            assert!(!same(a, b), "{a} / {b}");
        }
        assert_eq!(subtrees("SELECT FROM WHERE"), None);
    }

    #[test]
    fn a_part_is_found_in_the_whole() {
        let part = subtrees("SELECT max(b) FROM u").unwrap();
        let whole = subtrees("SELECT a FROM t WHERE c > (SELECT max(d) FROM v)").unwrap();
        assert!(part.iter().all(|hash| whole.binary_search(hash).is_ok()));
        // Query, select, table, call and its column.
        assert_eq!(part.len(), 5);
    }
}
