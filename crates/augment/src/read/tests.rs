use harness_sql::lex::lex;

use super::read;
use crate::tree::{Expr, Join, SetOp};

fn query(sql: &str) -> crate::tree::Query {
    read(&lex(sql).unwrap()).unwrap_or_else(|unread| panic!("{sql}: {unread:?}"))
}

/// The condition with parentheses around every operation.
fn shape(tokens: &[harness_sql::lex::Piece<'_>], expr: &Expr) -> String {
    let inner = |expr: &Expr| shape(tokens, expr);
    match expr {
        Expr::Column { name, .. } | Expr::Literal { at: name, .. } => tokens[*name].text.to_owned(),
        Expr::Binary { op, left, right } => format!("({} {op} {})", inner(left), inner(right)),
        Expr::Not(one) => format!("(NOT {})", inner(one)),
        Expr::Unary(_, one) => format!("(- {})", inner(one)),
        Expr::Paren(one) => inner(one),
        Expr::IsNull { expr, not } => format!("({} null {not})", inner(expr)),
        Expr::Between {
            expr, low, high, ..
        } => {
            format!("({} {}..{})", inner(expr), inner(low), inner(high))
        }
        Expr::InList { expr, not, list } => format!("({} in {not} {})", inner(expr), list.len()),
        Expr::Like { expr, not, .. } => format!("({} like {not})", inner(expr)),
        _ => "…".to_owned(),
    }
}

#[test]
fn operators_bind_as_in_sqlite() {
    for (condition, expected) in [
        (
            "a = 1 AND b = 2 OR c = 3",
            "(((a = 1) AND (b = 2)) OR (c = 3))",
        ),
        ("NOT a = 1 AND b", "((NOT (a = 1)) AND b)"),
        ("a + b * c || d > -1", "((a + (b * (c || d))) > 1)"),
        ("a = b < c", "(a = (b < c))"),
        (
            "a BETWEEN 1 AND 2 AND b IS NOT NULL",
            "((a 1..2) AND (b null true))",
        ),
        (
            "a NOT IN (1, 2) OR a NOT LIKE 'x'",
            "((a in true 2) OR (a like true))",
        ),
        ("a - -b", "(a - (- b))"),
        ("(a OR b) AND c", "((a OR b) AND c)"),
        ("a <> 1 AND b == 2", "((a != 1) AND (b = 2))"),
    ] {
        let sql = format!("SELECT x FROM t WHERE {condition}");
        let tokens = lex(&sql).unwrap();
        let read = read(&tokens).unwrap();
        let filter = read.cores[0].filter.as_ref().unwrap();
        assert_eq!(shape(&tokens, &filter.condition), expected, "{condition}");
        assert_eq!(tokens[filter.begin].text, "WHERE");
        assert_eq!(filter.end, tokens.len());
    }
}

#[test]
fn clauses() {
    let found = query(
        "WITH p AS (SELECT 1) SELECT DISTINCT a, T1.*, count(DISTINCT b) n FROM t AS T1 LEFT OUTER JOIN u ON T1.x = u.y, \
         (SELECT * FROM v) w GROUP BY a, 2 HAVING n > 1 ORDER BY n DESC, a LIMIT 3, 4",
    );
    let core = &found.cores[0];
    assert_eq!(
        (found.ctes.len(), core.items.len(), core.group.len()),
        (1, 3, 2)
    );
    let joins: Vec<Join> = core.from.iter().map(|it| it.join).collect();
    assert_eq!(joins, [Join::First, Join::Left, Join::Inner]);
    assert!(core.distinct && core.having.is_some() && core.from[1].on.is_some());
    assert!(found.order[0].descending && !found.order[1].descending);
    let at = |expr: &Option<Expr>| match expr {
        Some(Expr::Literal { at, .. }) => *at,
        other => panic!("{other:?}"),
    };
    assert!(at(&found.offset) < at(&found.limit));

    let found =
        query("SELECT a FROM t UNION ALL SELECT a FROM u EXCEPT SELECT a FROM v ORDER BY 1");
    let ops: Vec<_> = found.cores.iter().map(|core| core.op).collect();
    assert_eq!(ops, [None, Some(SetOp::UnionAll), Some(SetOp::Except)]);
    for sql in [
        "SELECT CASE a WHEN 1 THEN 'x' ELSE 'y' END FROM t",
        "SELECT RANK() OVER (PARTITION BY a ORDER BY b DESC) FROM t",
        "SELECT CAST(sum(a) AS DECIMAL(10, 2)) * 100 / count(*) FROM t WHERE NOT EXISTS (SELECT 1 FROM u)",
        "SELECT a FROM t WHERE (SELECT max(b) FROM u) > a AND \"c d\" = \"text\"",
    ] {
        query(sql);
    }
}

#[test]
fn what_is_not_read_says_so() {
    for (sql, what) in [
        ("VALUES (1)", "SELECT"),
        ("SELECT a FROM t JOIN u USING (x)", "no USING"),
        ("SELECT a FROM t NATURAL JOIN u", "no NATURAL JOIN"),
        ("SELECT a FROM (t JOIN u)", "no joins in parentheses"),
        ("SELECT sum(a) FILTER (WHERE b) FROM t", "no FILTER"),
        ("SELECT a FROM t WHERE", "an expression"),
        ("SELECT a FROM t extra words", "the end of the query"),
        ("WITH RECURSIVE p AS (SELECT 1) SELECT 1", "no recursion"),
    ] {
        assert_eq!(read(&lex(sql).unwrap()).unwrap_err().what, what, "{sql}");
    }
    let deep = format!("SELECT {}1{}", "(".repeat(5_000), ")".repeat(5_000));
    assert!(read(&lex(&deep).unwrap()).is_err());
    let deep = format!("SELECT {}1", "(".repeat(500));
    assert_eq!(read(&lex(&deep).unwrap()).unwrap_err().what, "less nesting");
    let deep = format!("SELECT {}a", "NOT ".repeat(500));
    assert_eq!(read(&lex(&deep).unwrap()).unwrap_err().what, "less nesting");
}
