use super::{Name, Skeleton, Slot, Target};
use crate::reason::Reason;

fn skeleton(sql: &str) -> Skeleton {
    Skeleton::new(sql, None).unwrap_or_else(|reason| panic!("{sql}: {reason:?}"))
}

/// Needs of a column as letters: n numeric, t text, d date, m measure, c compared, s shown, g grouped, o ordered.
fn needs(skeleton: &Skeleton) -> Vec<String> {
    skeleton
        .columns
        .iter()
        .map(|column| {
            let needs = column.needs;
            let all = [
                (needs.numeric, 'n'),
                (needs.text, 't'),
                (needs.date, 'd'),
                (needs.measure, 'm'),
                (needs.compared, 'c'),
                (needs.shown, 's'),
                (needs.grouped, 'g'),
                (needs.ordered, 'o'),
            ];
            let letters: String = all.iter().filter(|it| it.0).map(|it| it.1).collect();
            format!("{}:{letters}", column.name)
        })
        .collect()
}

#[test]
fn columns_are_told_apart_and_their_uses_known() {
    for (sql, tables, expected) in [
        (
            "SELECT a FROM t WHERE b = 'x' AND c > 3",
            1,
            &["a:s", "b:tc", "c:nmc"][..],
        ),
        (
            "SELECT sum(a), B FROM t GROUP BY b ORDER BY sum(a) DESC",
            1,
            &["a:nm", "b:sg"],
        ),
        (
            "SELECT a FROM t WHERE d > '2010-01-01' OR e LIKE '%x%'",
            1,
            &["a:s", "d:dmc", "e:tc"],
        ),
        (
            "SELECT T1.a FROM t AS T1 JOIN u AS T2 ON T1.x = T2.y ORDER BY T2.z",
            2,
            &["a:s", "x:", "y:", "z:o"],
        ),
        (
            "SELECT a FROM t WHERE x IN (SELECT y FROM u WHERE STRFTIME('%Y', d) = '2010')",
            2,
            &["a:s", "x:", "y:s", "d:d"],
        ),
        (
            "SELECT a - b FROM t WHERE a BETWEEN 1 AND 5",
            1,
            &["a:nmc", "b:n"],
        ),
    ] {
        let found = skeleton(sql);
        assert_eq!(
            (found.tables, needs(&found)),
            (tables, expected.iter().map(ToString::to_string).collect()),
            "{sql}"
        );
    }
}

#[test]
fn keys_of_joins_and_of_nested_queries_are_linked() {
    for (sql, links, joins) in [
        ("SELECT a FROM t JOIN u ON t.x = u.y", 1, 1),
        ("SELECT a FROM t, u WHERE t.x = u.y", 1, 1),
        ("SELECT a FROM t WHERE x NOT IN (SELECT y FROM u)", 1, 1),
        ("SELECT T1.a FROM t AS T1 JOIN t AS T2 ON T1.x = T2.y", 1, 1),
        ("SELECT a FROM t WHERE x = 1", 0, 0),
    ] {
        let found = skeleton(sql);
        let keys = found.links.iter().filter(|link| link.key).count();
        assert_eq!((keys, found.joins.len()), (links, joins), "{sql}");
    }
    let found = skeleton("SELECT a FROM t UNION SELECT b FROM u");
    assert!(!found.links[0].key);
}

#[test]
fn literals_and_what_they_are_for() {
    let kinds = |sql: &str| -> Vec<&'static str> {
        let found = skeleton(sql);
        found
            .literals
            .values()
            .map(|slot| match slot {
                Slot::Compare { .. } => "compare",
                Slot::Bound { low: true, .. } => "low",
                Slot::Bound { low: false, .. } => "high",
                Slot::Listed { .. } => "listed",
                Slot::Pattern { .. } => "pattern",
                Slot::Aggregate { .. } => "aggregate",
                Slot::Limit => "limit",
                Slot::Offset => "offset",
                Slot::Label(_) => "label",
            })
            .collect()
    };
    assert_eq!(
        kinds(
            "SELECT a FROM t WHERE a = 1 AND b BETWEEN 2 AND 3 AND c IN ('x', 'y') AND d LIKE 'z%' GROUP BY a HAVING count(*) > 1 LIMIT 1, 2"
        ),
        [
            "compare",
            "low",
            "high",
            "listed",
            "listed",
            "pattern",
            "aggregate",
            "offset",
            "limit"
        ]
    );
    // Numbers of calculations and formats say nothing of the data.
    assert_eq!(
        kinds("SELECT a * 100 / 2, STRFTIME('%Y', d), e || ', ' FROM t"),
        [""; 0]
    );
    assert_eq!(
        kinds("SELECT IIF(a > 1, 'tall', 'small') FROM t"),
        ["compare", "label", "label"]
    );
    assert_eq!(
        Skeleton::new("SELECT REPLACE(a, 'inch', '') FROM t", None).unwrap_err(),
        Reason::Literal
    );
    assert_eq!(
        Skeleton::new("SELECT soundex(a) FROM t", None).unwrap_err(),
        Reason::Function
    );
}

#[test]
fn aliases_results_and_derived_tables() {
    let found =
        skeleton("SELECT max(n) FROM (SELECT count(*) AS n FROM t GROUP BY a) AS s WHERE n > 2");
    let results: Vec<&Name> = found
        .names
        .values()
        .filter(|it| matches!(it, Name::Result(0)))
        .collect();
    assert_eq!(results.len(), 1);
    let targets = found.names.values().filter(|name| {
        matches!(
            name,
            Name::Column {
                target: Target::Result(0),
                ..
            }
        )
    });
    assert_eq!(targets.count(), 2);
    assert_eq!((found.tables, found.sources.len()), (1, 2));

    // A name in a nested query that is of the table outside is written with it.
    let schema = harness_record::Schema {
        db_id: "d".to_owned(),
        tables: [("t", ["x", "a"]), ("u", ["y", "b"])]
            .map(|(name, columns)| harness_record::Table {
                name: name.to_owned(),
                columns: columns
                    .map(|name| harness_record::Column {
                        name: name.to_owned(),
                        ..harness_record::Column::default()
                    })
                    .to_vec(),
                primary_key: Vec::new(),
            })
            .to_vec(),
        foreign_keys: Vec::new(),
    };
    let sql = "SELECT a FROM t WHERE EXISTS (SELECT b FROM u WHERE y = x)";
    let found = Skeleton::new(sql, Some(&schema)).unwrap();
    let qualified: Vec<usize> = found
        .names
        .iter()
        .filter(|(_, name)| matches!(name, Name::Column { qualify: true, .. }))
        .map(|(at, _)| *at)
        .collect();
    assert_eq!(qualified.len(), 1);
    assert_eq!(found.tokens[qualified[0]].1, "x");
    assert_eq!(found.joins.len(), 1);
}
