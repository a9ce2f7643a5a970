//! Countable features of a query, from its parse tree.
//!
//! They serve plain statistics and rival scores. Where the parser refuses a query there are none; the
//! templates, which need no parser, still are.

use std::ops::ControlFlow;

use serde::{Deserialize, Serialize};
use sqlparser::ast::{
    Expr, GroupByExpr, ObjectName, Query, Select, SetExpr, Statement, TableFactor, Visit, Visitor,
};

use crate::parsed::Parsed;

/// How often each construct occurs in one statement, subqueries included.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Features {
    /// Lexical tokens of the statement, names and literals included.
    pub tokens: u32,
    /// Tables named in FROM clauses, each time; common tables count where they are read.
    pub tables: u32,
    /// JOIN operators of every kind; a comma in FROM is none.
    pub joins: u32,
    /// SELECT blocks.
    pub selects: u32,
    /// Deepest nesting of queries: 1 for a query without a subquery.
    pub depth: u32,
    /// UNION, INTERSECT and EXCEPT operators.
    pub set_operations: u32,
    /// Calls of COUNT, SUM, AVG, MIN, MAX, TOTAL and `GROUP_CONCAT`.
    pub aggregates: u32,
    /// SELECT blocks with DISTINCT.
    pub distinct: u32,
    /// WHERE clauses.
    pub filters: u32,
    /// GROUP BY clauses.
    pub group_by: u32,
    /// HAVING clauses.
    pub having: u32,
    /// ORDER BY clauses of queries (not those of windows).
    pub order_by: u32,
    /// LIMIT clauses.
    pub limit: u32,
    /// CASE expressions.
    pub cases: u32,
    /// CAST expressions, `::` included.
    pub casts: u32,
    /// Common tables (WITH).
    pub ctes: u32,
    /// Calls with OVER.
    pub windows: u32,
}

/// The features of `sql`, if it is one statement that sqlparser reads and no longer than 2,000 tokens.
pub fn features(sql: &str) -> Option<Features> {
    Parsed::new(sql).map(|parsed| parsed.features())
}

/// The features of a statement of so many tokens.
pub(crate) fn of(statement: &Statement, tokens: u32) -> Features {
    let features = Features {
        tokens,
        ..Features::default()
    };
    let mut counter = Counter { features, depth: 0 };
    let _: ControlFlow<()> = statement.visit(&mut counter);
    counter.features
}

struct Counter {
    features: Features,
    depth: u32,
}

impl Visitor for Counter {
    type Break = ();

    fn pre_visit_query(&mut self, query: &Query) -> ControlFlow<()> {
        self.depth += 1;
        let f = &mut self.features;
        f.depth = f.depth.max(self.depth);
        f.ctes += query
            .with
            .as_ref()
            .map_or(0, |with| with.cte_tables.len() as u32);
        f.order_by += u32::from(query.order_by.is_some());
        f.limit += u32::from(query.limit_clause.is_some());
        f.set_operations += set_operations(&query.body);
        ControlFlow::Continue(())
    }

    fn post_visit_query(&mut self, _: &Query) -> ControlFlow<()> {
        self.depth -= 1;
        ControlFlow::Continue(())
    }

    fn pre_visit_select(&mut self, select: &Select) -> ControlFlow<()> {
        let f = &mut self.features;
        f.selects += 1;
        f.joins += select
            .from
            .iter()
            .map(|table| table.joins.len() as u32)
            .sum::<u32>();
        f.distinct += u32::from(select.distinct.is_some());
        f.filters += u32::from(select.selection.is_some());
        f.having += u32::from(select.having.is_some());
        f.group_by += u32::from(match &select.group_by {
            GroupByExpr::All(_) => true,
            GroupByExpr::Expressions(expressions, _) => !expressions.is_empty(),
        });
        ControlFlow::Continue(())
    }

    fn pre_visit_table_factor(&mut self, factor: &TableFactor) -> ControlFlow<()> {
        match factor {
            TableFactor::Table { .. } => self.features.tables += 1,
            TableFactor::NestedJoin {
                table_with_joins, ..
            } => {
                self.features.joins += table_with_joins.joins.len() as u32;
            }
            _ => {}
        }
        ControlFlow::Continue(())
    }

    fn pre_visit_expr(&mut self, expression: &Expr) -> ControlFlow<()> {
        let f = &mut self.features;
        match expression {
            Expr::Case { .. } => f.cases += 1,
            Expr::Cast { .. } => f.casts += 1,
            Expr::Function(call) => {
                f.windows += u32::from(call.over.is_some());
                f.aggregates += u32::from(is_aggregate(&call.name));
            }
            _ => {}
        }
        ControlFlow::Continue(())
    }
}

/// The set operators between the blocks of one query; those inside parenthesised queries are counted
/// when those are visited. A list of work instead of recursion, because chains lean to the left.
fn set_operations(body: &SetExpr) -> u32 {
    let mut found = 0;
    let mut work = vec![body];
    while let Some(next) = work.pop() {
        if let SetExpr::SetOperation { left, right, .. } = next {
            found += 1;
            work.extend([left.as_ref(), right.as_ref()]);
        }
    }
    found
}

fn is_aggregate(name: &ObjectName) -> bool {
    let [part] = name.0.as_slice() else {
        return false;
    };
    let name = part.as_ident().map_or("", |ident| ident.value.as_str());
    ["COUNT", "SUM", "AVG", "MIN", "MAX", "TOTAL", "GROUP_CONCAT"]
        .iter()
        .any(|a| a.eq_ignore_ascii_case(name))
}

#[cfg(test)]
mod tests {
    use super::{Features, features};

    #[test]
    fn a_query_with_a_bit_of_everything() {
        let sql = "WITH old AS (SELECT a FROM t WHERE b > 3), new AS (SELECT 1)
            SELECT DISTINCT COUNT(*), MAX(x), CASE WHEN y THEN 1 END, CAST(z AS REAL), RANK() OVER (ORDER BY q)
            FROM t JOIN u ON t.i = u.i LEFT JOIN (SELECT i FROM v GROUP BY i HAVING SUM(w) > 1) s ON s.i = u.i, old
            WHERE t.i IN (SELECT i FROM w WHERE j = (SELECT MIN(j) FROM w))
            UNION SELECT 1, 2, 3, 4, 5 FROM t ORDER BY 1 LIMIT 2; SELECT 'not read";
        let expected = Features {
            tokens: 137,
            tables: 8,
            joins: 2,
            selects: 7,
            depth: 3,
            set_operations: 1,
            aggregates: 4,
            distinct: 1,
            filters: 3,
            group_by: 1,
            having: 1,
            order_by: 1,
            limit: 1,
            cases: 1,
            casts: 1,
            ctes: 2,
            windows: 1,
        };
        assert_eq!(features(sql), Some(expected));
    }

    #[test]
    fn plain_and_broken() {
        let plain = features("SELECT a FROM t ;").unwrap();
        assert_eq!(
            (plain.tokens, plain.tables, plain.depth, plain.joins),
            (4, 1, 1, 0)
        );
        for sql in [
            "",
            "SELECT FROM WHERE",
            "SELECT 'a",
            "Sorry, no",
            "SELECT (1",
        ] {
            assert_eq!(features(sql), None, "{sql}");
        }
    }

    /// Deep and long statements must neither overflow a small stack nor panic.
    #[test]
    fn hostile_depth() {
        let work = || {
            let nested = |open: &str, close: &str, n| {
                format!("SELECT {}1{}", open.repeat(n), close.repeat(n))
            };
            for n in [40, 400, 980, 100_000] {
                features(&nested("(", ")", n));
                features(&nested("(SELECT ", ")", n));
                features(&nested("NOT ", "", n));
                features(&nested("CASE WHEN ", " THEN 1 END", n));
                features(&format!("SELECT 1{}", " + 1".repeat(n)));
                features(&format!("SELECT 1{}", " UNION SELECT 1".repeat(n)));
                features(&format!("SELECT 1{}", " IS NULL".repeat(n)));
            }
            assert_eq!(
                features(&format!("SELECT 1{}", " + 1".repeat(999))).map(|f| f.tokens),
                Some(2_000)
            );
            assert_eq!(features(&format!("SELECT 1{}", " + 1".repeat(1_000))), None);
        };
        std::thread::Builder::new()
            .stack_size(1 << 20)
            .spawn(work)
            .unwrap()
            .join()
            .unwrap();
    }
}
