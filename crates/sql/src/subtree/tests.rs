use super::Subtrees;
use crate::Parsed;

fn subtrees(sql: &str) -> Subtrees {
    Parsed::new(sql).unwrap().subtrees()
}

#[test]
fn what_is_gone_makes_no_difference() {
    for (one, other) in [
        ("SELECT a FROM t", "select T1.\"b c\" AS d FROM u AS T1"),
        (
            "SELECT a FROM t WHERE b = 1 AND c = -2.5",
            "SELECT a FROM t WHERE (b = 'x') AND c = -3",
        ),
        (
            "SELECT a FROM t INNER JOIN u ON t.i = u.i ORDER BY a ASC",
            "SELECT a FROM t JOIN u ON t.i = u.i ORDER BY a",
        ),
        (
            "SELECT a FROM t LEFT OUTER JOIN u USING (i)",
            "SELECT a FROM t LEFT JOIN u USING (j)",
        ),
        (
            "SELECT CAST(a AS REAL) FROM t LIMIT 3",
            "SELECT CAST(b AS INTEGER) FROM t LIMIT 7",
        ),
    ] {
        assert_eq!(subtrees(one), subtrees(other), "{one}\n{other}");
    }
}

#[test]
fn what_counts_makes_a_difference() {
    let texts = [
        "SELECT a FROM t",
        "SELECT a, b FROM t",
        "SELECT DISTINCT a FROM t",
        "SELECT * FROM t",
        "SELECT a FROM t LIMIT 1",
        "SELECT a FROM t LIMIT 1 OFFSET 2",
        "SELECT a FROM t, u",
        "SELECT a FROM t JOIN u",
        "SELECT a FROM t JOIN u ON b = c",
        "SELECT a FROM t LEFT JOIN u ON b = c",
        "SELECT a FROM t WHERE b = c",
        "SELECT a FROM t WHERE b > c",
        "SELECT a FROM t WHERE b LIKE c",
        "SELECT a FROM t WHERE b NOT LIKE c",
        "SELECT a FROM t WHERE b IS NULL",
        "SELECT a FROM t WHERE b IS NOT NULL",
        "SELECT a FROM t WHERE b IN (1, 2)",
        "SELECT a FROM t WHERE b IN (1, 2, 3)",
        "SELECT a FROM t WHERE b IN (SELECT c FROM u)",
        "SELECT a FROM t GROUP BY b",
        "SELECT a FROM t GROUP BY b HAVING COUNT(*) > 1",
        "SELECT a FROM t GROUP BY b HAVING COUNT(c) > 1",
        "SELECT a FROM t GROUP BY b HAVING COUNT(DISTINCT c) > 1",
        "SELECT a FROM t ORDER BY b",
        "SELECT a FROM t ORDER BY b DESC",
        "SELECT a - b FROM t",
        "SELECT CASE WHEN a THEN b END FROM t",
        "SELECT CASE WHEN a THEN b ELSE c END FROM t",
        "SELECT a FROM t UNION SELECT b FROM u",
        "SELECT a FROM t UNION ALL SELECT b FROM u",
        "SELECT RANK() OVER (ORDER BY a) FROM t",
        "WITH x AS (SELECT a FROM t) SELECT a FROM x",
        "VALUES (1)",
    ];
    let all: Vec<_> = texts.map(subtrees).into();
    for (i, one) in all.iter().enumerate() {
        for (j, other) in all.iter().enumerate() {
            assert_eq!(i == j, one == other, "{}\n{}", texts[i], texts[j]);
        }
    }
}

/// `SELECT a FROM t WHERE b = 1`: the item, the equation, its clause, the block and the query.
#[test]
fn every_inner_node_is_counted_once() {
    let found = subtrees("SELECT a FROM t WHERE b = 1");
    assert_eq!(found.values().sum::<u32>(), 5);
    // Both equations are one subtree, twice.
    let twice = subtrees("SELECT a FROM t WHERE b = 1 AND c = 2");
    assert_eq!((twice.values().sum::<u32>(), twice.len()), (7, 6));
    // The part is found in the whole.
    let whole = subtrees("SELECT x FROM y WHERE z IN (SELECT a FROM t WHERE b = 1)");
    assert!(found.keys().all(|form| whole.contains_key(form)));
}

/// The numbers must not change between runs, machines and versions of the standard library.
#[test]
fn numbers_are_fixed() {
    let found: Vec<_> = subtrees("SELECT COUNT(*) FROM t").into_keys().collect();
    assert_eq!(found, FIXED);
}

const FIXED: [u64; 4] = [
    5_617_215_228_899_087_164,
    5_850_611_196_801_722_116,
    9_402_888_708_078_470_257,
    13_171_440_927_418_391_913,
];

#[test]
fn hostile_depth() {
    let work = || {
        let nested =
            |open: &str, close: &str, n| format!("SELECT {}1{}", open.repeat(n), close.repeat(n));
        for n in [40, 400, 980] {
            for sql in [
                nested("(", ")", n),
                nested("(SELECT ", ")", n),
                nested("NOT ", "", n),
                nested("CASE WHEN ", " THEN 1 END", n),
                format!("SELECT 1{}", " + 1".repeat(n)),
                format!("SELECT 1{}", " UNION SELECT 1".repeat(n)),
                format!("SELECT 1{}", " IS NULL".repeat(n)),
                format!("SELECT 1 FROM t{}", " JOIN u ON a".repeat(n / 3)),
            ] {
                let found = Parsed::new(&sql).map(|parsed| parsed.subtrees());
                assert!(found.is_none_or(|found| found.len() < 4_000));
            }
        }
    };
    std::thread::Builder::new()
        .stack_size(1 << 20)
        .spawn(work)
        .unwrap()
        .join()
        .unwrap();
}
