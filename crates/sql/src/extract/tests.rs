//! Answers as models write them; a table for each rule and each cut.

use super::Cut::{self, Comment, Fence, Prose, SecondStatement, Semicolon};
use super::{Rule, extract_sql};

fn check(primed: &str, raw: &str, sql: &str, rule: Rule, cut: impl Into<Option<Cut>>) {
    let found = extract_sql(raw, primed);
    assert_eq!(found.sql, sql, "{raw}");
    assert_eq!((found.rule, found.cut), (rule, cut.into()), "{raw}");
}

#[test]
fn fences() {
    for (raw, cut) in [
        ("```sql\nSELECT a FROM t\n```", Fence),
        ("```\nSELECT a FROM t\n```\nIt's done.", Fence),
        ("```SQL SELECT a FROM t```", Fence),
        ("```SELECT a FROM t```", Fence),
        ("Don't worry:\n```sqlite\nSELECT a FROM t;\n```", Semicolon),
        (
            "```python\nprint(1)\n```\nor\n```sql\nSELECT a FROM t\n```",
            Fence,
        ),
        (
            "```sql\nCREATE TABLE t (a)\n```\n```sql\nSELECT a FROM t\n```\n```sql\nSELECT b\n```",
            Fence,
        ),
        (
            "<think>SELECT x?</think>```sql\nSELECT a FROM t\n```",
            Fence,
        ),
    ] {
        check("", raw, "SELECT a FROM t", Rule::Fence, cut);
    }
    check(
        "",
        "```sql\nSELECT a FROM t",
        "SELECT a FROM t",
        Rule::Fence,
        None,
    );
    check(
        "",
        "```sql\n-- all\nSELECT a\n\n-- from here\nFROM t\n```",
        "-- all\nSELECT a\n\n-- from here\nFROM t",
        Rule::Fence,
        Fence,
    );
    check(
        "",
        "```sql\nselect `a` from `t`\n```",
        "select `a` from `t`",
        Rule::Fence,
        Fence,
    );
}

#[test]
fn primed() {
    for (raw, cut) in [
        (" a FROM t", None),
        ("a FROM t", None),
        (" a FROM t;\nSELECT b", Some(Semicolon)),
        (
            " a FROM t\n```\n\n```sql\nSELECT b FROM u\n```",
            Some(Fence),
        ),
        (" a FROM t\n\n-- How many?\nSELECT b FROM u", Some(Comment)),
        (
            " a FROM t\n/* Answer the following: b? */\nSELECT b FROM u",
            Some(Comment),
        ),
        (" a FROM t\nSELECT b FROM u", Some(SecondStatement)),
        (" a FROM t\n\nCREATE TABLE u (b)", Some(SecondStatement)),
        (" a FROM t\nQuestion: what's b?", Some(Prose)),
    ] {
        check("SELECT", raw, "SELECT a FROM t", Rule::Primed, cut);
    }
    check(
        "SELECT",
        " Here it is:\n```sql\nSELECT a FROM t\n```",
        "SELECT a FROM t",
        Rule::Fence,
        Fence,
    );
    check(
        "SELECT",
        "\n```sql\nSELECT a FROM t\n```",
        "SELECT a FROM t",
        Rule::Fence,
        Fence,
    );
    check(
        "SELECT",
        "SELECT a FROM t",
        "SELECT a FROM t",
        Rule::Restarted,
        None,
    );
    check(
        "SELECT",
        " WITH x AS (SELECT 1) SELECT * FROM x",
        "WITH x AS (SELECT 1) SELECT * FROM x",
        Rule::Restarted,
        None,
    );
    check("SELECT ", "", "SELECT", Rule::Primed, None);
    check(
        "SELECT",
        " (SELECT 1) - 2",
        "SELECT (SELECT 1) - 2",
        Rule::Primed,
        None,
    );
    check(
        "WITH x AS (",
        "SELECT 1) SELECT 2",
        "WITH x AS (SELECT 1) SELECT 2",
        Rule::Primed,
        None,
    );
}

#[test]
fn without_a_fence() {
    for (raw, rule, cut) in [
        ("SELECT a FROM t", Rule::Line, None),
        (
            "With the schema above:\n\nSELECT a FROM t\n\nThis isn't hard.",
            Rule::Line,
            Some(Prose),
        ),
        (
            "To select a, use this. Answer: SELECT a FROM t",
            Rule::Line,
            None,
        ),
        ("To select a, use SELECT a FROM t", Rule::Word, None),
        (
            "Just use `SELECT a FROM t`. It's fine.",
            Rule::Word,
            Some(Fence),
        ),
        ("Answer: `SELECT a FROM t` is it.", Rule::Line, Some(Fence)),
        (
            "SELECT a FROM t\n\n- a is a column",
            Rule::Line,
            Some(Prose),
        ),
        (
            "SELECT a FROM t\n\nFrom the schema, t has a.",
            Rule::Line,
            Some(Prose),
        ),
        ("SELECT a FROM t\nExplanation: a", Rule::Line, Some(Prose)),
        ("SELECT a FROM t\n-- done", Rule::Line, Some(Comment)),
        ("SELECT a FROM t /* runs on", Rule::Line, Some(Comment)),
        ("SELECT a FROM t\n```\nIt's done", Rule::Line, Some(Fence)),
    ] {
        check("", raw, "SELECT a FROM t", rule, cut);
    }
    check(
        "",
        "run select a from t",
        "select a from t",
        Rule::Word,
        None,
    );
    check(
        "",
        "(SELECT a FROM t) UNION SELECT b FROM u",
        "(SELECT a FROM t) UNION SELECT b FROM u",
        Rule::Line,
        None,
    );
    check(
        "",
        " Sorry, I can't. ",
        "Sorry, I can't.",
        Rule::Nothing,
        None,
    );
    check("", "", "", Rule::Nothing, None);
}

#[test]
fn what_stays() {
    for sql in [
        "SELECT a -- the name\nFROM t",
        "SELECT a,\n\n  b\n\nFROM t\n-- only old ones\nWHERE c > 1\n/* or new */ OR c < 0",
        "WITH x AS (\n  SELECT 1\n)\n\n-- main\nSELECT * FROM x",
        "SELECT a FROM t\n\nUNION ALL\n\nSELECT b FROM u",
        "SELECT ';', \"--\", '\n\nprose' FROM t",
        "SELECT a FROM t WHERE b IN (\n\n  SELECT c FROM u\n\n)",
        "SELECT a FROM t WHERE b = :b",
        "VALUES (1)",
    ] {
        check("", sql, sql, Rule::Line, None);
    }
}
