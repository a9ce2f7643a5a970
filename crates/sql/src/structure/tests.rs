//! Pairs of queries that are the same, and pairs that are not.

use proptest::prelude::*;

use super::{Canonical, StructureError, Tables, canonical};

fn tables() -> Tables {
    let mut tables = Tables::new();
    tables.add("Singer", ["id", "name", "age", "band_id"]);
    tables.add("band", ["id", "title", "city"]);
    tables.add("concert", ["id", "band_id", "year"]);
    tables
}

#[track_caller]
fn form(sql: &str, tables: Option<&Tables>) -> Canonical {
    canonical(sql, tables).unwrap_or_else(|error| panic!("{sql}: {error}"))
}

#[track_caller]
fn check(left: &str, right: &str, tables: Option<&Tables>, expected: bool) {
    let (one, other) = (form(left, tables), form(right, tables));
    assert_eq!(one == other, expected, "{left}\n{one}\n{right}\n{other}");
}

/// With and without the tables.
#[track_caller]
fn same(left: &str, right: &str) {
    check(left, right, None, true);
    check(left, right, Some(&tables()), true);
}

#[track_caller]
fn different(left: &str, right: &str) {
    check(left, right, None, false);
    check(left, right, Some(&tables()), false);
}

/// A condition in the place of `_`.
fn select(condition: &str) -> String {
    format!("SELECT name FROM singer WHERE {condition}")
}

#[test]
fn spelling() {
    same(
        "select NAME from SINGER ;",
        "SELECT `name` FROM [singer] -- all",
    );
    same(
        "SELECT name FROM singer",
        "SELECT singer.name FROM main.singer",
    );
    same(
        "SELECT name FROM singer",
        "SELECT T1.name AS \"Who\" FROM singer AS T1",
    );
    same(
        "SELECT (((age)) + 1) FROM singer",
        "SELECT age + 1 FROM singer",
    );
    same(&select("age <> 016"), &select("age != 16"));
    same(&select("name = x'a0'"), &select("name = X'A0'"));
    same(&select("age == 1e2"), &select("100.0 = age"));
    different(&select("age = 100.0"), &select("age = 100"));
    same("SELECT count(1) FROM singer", "SELECT COUNT(*) FROM singer");
    different(
        "SELECT count(*) FROM singer",
        "SELECT count(id) FROM singer",
    );
    different(
        "SELECT count(*) FROM singer",
        "SELECT count(NULL) FROM singer",
    );
    same(
        "SELECT ifnull(age, 0) FROM singer",
        "SELECT COALESCE(age, 0) FROM singer",
    );
    same(
        "SELECT substring(name, 1) FROM singer",
        "SELECT substr(name, 1) FROM singer",
    );
    same(
        "SELECT CAST(age AS float) FROM singer",
        "SELECT CAST(age AS REAL) FROM singer",
    );
    different(
        "SELECT CAST(age AS INT) FROM singer",
        "SELECT CAST(age AS REAL) FROM singer",
    );
    same(&select("TRUE"), &select("1"));
    different(&select("name = 'a'"), &select("name = 'A'"));
    different(&select("name = 1"), &select("name = '1'"));
    same("SELECT max(-1, - 1)", "SELECT max(-(1), -1)");
    different("SELECT id FROM singer", "SELECT id FROM band");
}

#[test]
fn columns() {
    same(
        "SELECT name, age FROM singer",
        "SELECT age, name FROM singer",
    );
    different("SELECT name, name FROM singer", "SELECT name FROM singer");
    different(
        "SELECT DISTINCT name FROM singer",
        "SELECT name FROM singer",
    );
    same("SELECT ALL name FROM singer", "SELECT name FROM singer");
    same("SELECT * FROM singer", "SELECT s.* FROM singer s");
    same(
        "SELECT * FROM singer s, band b",
        "SELECT b.*, s.* FROM band b JOIN singer s",
    );
    different(
        "SELECT DISTINCT count(name) FROM singer",
        "SELECT count(DISTINCT name) FROM singer",
    );
    let join = |columns: &str| {
        format!("SELECT {columns} FROM singer JOIN band ON singer.band_id = band.id")
    };
    // Whose column it is, is known where the tables are.
    check(&join("city"), &join("band.city"), Some(&tables()), true);
    check(&join("city"), &join("band.city"), None, false);
    different(&join("singer.id"), &join("band.id"));
    // The engine does not know either whose this is.
    different(&join("id"), &join("band.id"));
    different(&join("id"), &join("singer.id"));
    check(
        "SELECT band_id FROM singer JOIN concert USING (band_id)",
        "SELECT band_id FROM concert JOIN singer USING (band_id)",
        Some(&tables()),
        true,
    );
}

#[test]
fn text_in_double_quotes() {
    same(&select("name = \"Ann\""), &select("name = 'Ann'"));
    same(
        &select("name IN (\"Ann\", 'Bo')"),
        &select("name IN ('Bo', 'Ann')"),
    );
    same(&select("name LIKE \"A%\""), &select("name LIKE 'A%'"));
    same("SELECT \"name\" FROM singer", "SELECT name FROM singer");
    same(
        "SELECT CASE WHEN age > 1 THEN \"old\" END FROM singer",
        "SELECT CASE WHEN age > 1 THEN 'old' END FROM singer",
    );
    // Only with the tables is it clear that this is a column, and that the other is none.
    check(
        &select("name = \"age\""),
        &select("name = age"),
        Some(&tables()),
        true,
    );
    check(
        &select("\"Ann\" = name"),
        &select("name = 'Ann'"),
        Some(&tables()),
        true,
    );
    check(
        &select("name = `Ann`"),
        &select("name = 'Ann'"),
        Some(&tables()),
        false,
    );
}

#[test]
fn conditions() {
    same(
        &select("age > 1 AND name = 'a'"),
        &select("'a' = name AND 1 < age"),
    );
    same(
        &select("age > 1 OR (age > 2 OR age > 3)"),
        &select("(age > 3 OR age > 1) OR age > 2"),
    );
    same(&select("age > 1 AND age > 1"), &select("age > 1"));
    different(
        &select("age > 1 AND age > 2"),
        &select("age > 1 OR age > 2"),
    );
    different(
        &select("age > 1 AND age > 2 OR age > 3"),
        &select("age > 1 AND (age > 2 OR age > 3)"),
    );
    different(&select("age > 1"), &select("age >= 1"));
    different(&select("age > 1"), &select("age < 1"));
    same(
        &select("age BETWEEN 1 AND 2"),
        &select("age >= 1 AND age <= 2"),
    );
    same(
        &select("age NOT BETWEEN 1 AND 2"),
        &select("age < 1 OR age > 2"),
    );
    same(&select("age IN (1, 2, 2)"), &select("age = 2 OR age = 1"));
    same(
        &select("age NOT IN (1, 2)"),
        &select("NOT (age = 1 OR age = 2)"),
    );
    same(&select("age IN (1)"), &select("age = 1"));
    different(&select("age IN (1, 2)"), &select("age IN (1, 3)"));
    different(&select("age IN ()"), &select("age NOT IN ()"));
    same(&select("NOT age > 1"), &select("age <= 1"));
    same(
        &select("NOT (age > 1 AND name LIKE 'a')"),
        &select("name NOT LIKE 'a' OR 1 >= age"),
    );
    same(&select("age IS NOT NULL"), &select("NOT age IS NULL"));
    same(&select("age NOTNULL"), &select("age IS NOT NULL"));
    different(&select("age IS NULL"), &select("age IS NOT NULL"));
    different(
        &select("name LIKE 'a' ESCAPE 'b'"),
        &select("name LIKE 'a'"),
    );
    different(&select("name LIKE 'a'"), &select("name GLOB 'a'"));
    different(&select("age - 1 = 0"), &select("1 - age = 0"));
    same(&select("age + 1 = 0"), &select("1 + age = 0"));
    different(&select("age + (1 + 2) = 0"), &select("(age + 1) + 2 = 0"));
    different(&select("name = 'a' COLLATE NOCASE"), &select("name = 'a'"));
}

#[test]
fn case() {
    let case = |text: &str| format!("SELECT {text} FROM singer");
    same(
        &case("CASE age WHEN 1 THEN 'a' WHEN 2 THEN 'b' ELSE NULL END"),
        &case("CASE WHEN 1 = age THEN 'a' WHEN age = 2 THEN 'b' END"),
    );
    same(
        &case("IIF(age > 1, 2, 3)"),
        &case("CASE WHEN age > 1 THEN 2 ELSE 3 END"),
    );
    different(
        &case("CASE WHEN age = 1 THEN 'a' WHEN age = 2 THEN 'b' END"),
        &case("CASE WHEN age = 2 THEN 'b' WHEN age = 1 THEN 'a' END"),
    );
    different(
        &case("CASE WHEN age = 1 THEN 'a' END"),
        &case("CASE WHEN age = 1 THEN 'a' ELSE 'b' END"),
    );
    different(
        &case("CASE WHEN age = 1 THEN 2 WHEN age = 2 THEN NULL END"),
        &case("CASE WHEN age = 1 THEN 2 ELSE NULL END"),
    );
}

#[test]
fn joins() {
    let on = "SELECT s.name FROM singer AS s JOIN band AS b ON s.band_id = b.id WHERE b.city = 'x'";
    for other in [
        "SELECT T2.name FROM band T1 INNER JOIN singer T2 ON T1.id = T2.band_id WHERE T1.city = 'x'",
        "SELECT singer.name FROM singer, band WHERE band.city = 'x' AND singer.band_id = band.id",
        "SELECT s.name FROM singer s CROSS JOIN band b WHERE b.id = s.band_id AND b.city = 'x'",
        "SELECT s.name FROM singer s JOIN band b ON b.id = s.band_id AND b.city = 'x'",
        "SELECT s.name FROM (singer s JOIN band b ON b.id = s.band_id) WHERE b.city = 'x'",
    ] {
        same(on, other);
    }
    for other in [
        "SELECT s.name FROM singer s LEFT JOIN band b ON b.id = s.band_id WHERE b.city = 'x'",
        "SELECT s.name FROM singer s JOIN band b WHERE b.city = 'x'",
        "SELECT s.name FROM singer s NATURAL JOIN band b WHERE b.city = 'x'",
        "SELECT s.name FROM singer s JOIN band b ON b.id = s.id WHERE b.city = 'x'",
    ] {
        different(on, other);
    }
    same(
        "SELECT singer.name FROM singer JOIN concert USING (band_id)",
        "SELECT singer.name FROM singer JOIN concert ON concert.band_id = singer.band_id",
    );
    same(
        "SELECT s.name FROM band b RIGHT JOIN singer s ON b.id = s.band_id",
        "SELECT s.name FROM singer s LEFT OUTER JOIN band b ON b.id = s.band_id",
    );
    different(
        "SELECT s.name FROM singer s LEFT JOIN band b ON b.id = s.band_id AND b.city = 'x'",
        "SELECT s.name FROM singer s LEFT JOIN band b ON b.id = s.band_id WHERE b.city = 'x'",
    );
    different(
        "SELECT s.name FROM singer s LEFT JOIN band b ON b.id = s.band_id",
        "SELECT s.name FROM band b LEFT JOIN singer s ON b.id = s.band_id",
    );
    same(
        "SELECT s.name FROM singer s FULL JOIN band b ON b.id = s.band_id",
        "SELECT s.name FROM band b FULL OUTER JOIN singer s ON b.id = s.band_id",
    );
    // Left joins that do not need each other, and an inner join between them.
    same(
        "SELECT s.name FROM singer s LEFT JOIN band b ON b.id = s.band_id JOIN concert c ON c.year = s.age",
        "SELECT s.name FROM concert c JOIN singer s ON c.year = s.age LEFT JOIN band b ON b.id = s.band_id",
    );
    different(
        "SELECT s.name FROM singer s LEFT JOIN (band b JOIN concert c ON c.band_id = b.id) ON b.id = s.band_id",
        "SELECT s.name FROM singer s LEFT JOIN band b ON b.id = s.band_id JOIN concert c ON c.band_id = b.id",
    );
}

#[test]
fn one_table_twice() {
    same(
        "SELECT a.name FROM singer a JOIN singer b ON a.age = b.age WHERE b.name = 'x'",
        "SELECT b.name FROM singer a JOIN singer b ON a.age = b.age WHERE a.name = 'x'",
    );
    different(
        "SELECT a.name FROM singer a JOIN singer b ON a.age < b.age",
        "SELECT b.name FROM singer a JOIN singer b ON a.age < b.age",
    );
    different(
        "SELECT a.name FROM singer a JOIN singer b ON a.id = b.id",
        "SELECT a.name FROM singer a JOIN singer b ON a.id = a.id",
    );
    same(
        "SELECT name FROM singer s WHERE age = (SELECT max(age) FROM singer t WHERE t.band_id = s.band_id)",
        "SELECT name FROM singer WHERE age = (SELECT max(x.age) FROM singer x WHERE singer.band_id = x.band_id)",
    );
    different(
        "SELECT name FROM singer s WHERE age = (SELECT max(age) FROM singer t WHERE t.band_id = s.band_id)",
        "SELECT name FROM singer s WHERE age = (SELECT max(age) FROM singer t WHERE t.band_id = t.band_id)",
    );
    // Three readings on a ring, entered elsewhere.
    same(
        "SELECT a.name FROM singer a, singer b, singer c WHERE a.id < b.age AND b.id < c.age AND c.id < a.age",
        "SELECT c.name FROM singer a, singer b, singer c WHERE a.id < b.age AND b.id < c.age AND c.id < a.age",
    );
}

#[test]
fn groups_and_order() {
    same(
        "SELECT city, count(*) AS n FROM band GROUP BY city, title HAVING n > 1 ORDER BY n DESC, city",
        "SELECT city, count(*) FROM band GROUP BY band.title, 1 HAVING 1 < count(*) ORDER BY 2 DESC, city ASC",
    );
    different(
        "SELECT city FROM band GROUP BY city",
        "SELECT city FROM band",
    );
    different(
        "SELECT city FROM band GROUP BY city",
        "SELECT city FROM band GROUP BY title",
    );
    different(
        "SELECT id FROM band ORDER BY id, city",
        "SELECT id FROM band ORDER BY city, id",
    );
    different(
        "SELECT id FROM band ORDER BY id",
        "SELECT id FROM band ORDER BY id DESC",
    );
    different(
        "SELECT id FROM band ORDER BY id, city DESC",
        "SELECT id FROM band ORDER BY id DESC, city DESC",
    );
    same(
        "SELECT id FROM band ORDER BY id NULLS FIRST",
        "SELECT id FROM band ORDER BY id",
    );
    different(
        "SELECT id FROM band ORDER BY id NULLS LAST",
        "SELECT id FROM band ORDER BY id",
    );
    same(
        "SELECT id FROM band LIMIT 2, 3",
        "SELECT id FROM band LIMIT 3 OFFSET 2",
    );
    same(
        "SELECT id FROM band LIMIT 3 OFFSET 0",
        "SELECT id FROM band LIMIT 3",
    );
    different("SELECT id FROM band LIMIT 3", "SELECT id FROM band LIMIT 2");
    different("SELECT id FROM band LIMIT 3", "SELECT id FROM band");
    // A result that hides a column of its name: ORDER BY means the result, WHERE the column.
    same(
        "SELECT age + 1 AS age FROM singer WHERE age > 3 ORDER BY age",
        "SELECT age + 1 FROM singer WHERE singer.age > 3 ORDER BY singer.age + 1",
    );
}

#[test]
fn subqueries_and_common_tables() {
    let derived =
        "SELECT t.n FROM (SELECT city, count(*) AS n FROM band GROUP BY city) t WHERE t.city = 'x'";
    for other in [
        "SELECT k FROM (SELECT count(*) AS k, city FROM band GROUP BY city) WHERE city = 'x'",
        "WITH c AS (SELECT city, count(*) AS n FROM band GROUP BY city) SELECT n FROM c WHERE city = 'x'",
        "WITH c(a, b) AS (SELECT city, count(*) FROM band GROUP BY city) SELECT z.b FROM c z WHERE z.a = 'x'",
        "WITH unused AS (SELECT 1), c(a, b) AS (SELECT band.city, count(*) FROM band GROUP BY 1) SELECT b FROM c WHERE a = 'x'",
    ] {
        same(derived, other);
    }
    for other in [
        "SELECT t.city FROM (SELECT city, count(*) AS n FROM band GROUP BY city) t WHERE t.city = 'x'",
        "SELECT t.n FROM (SELECT city, count(*) AS n FROM band GROUP BY title) t WHERE t.city = 'x'",
        "SELECT t.n FROM (SELECT city, count(*) AS n FROM band GROUP BY city) t WHERE t.n = 'x'",
    ] {
        different(derived, other);
    }
    same(
        "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c WHERE x < 9) SELECT x FROM c",
        "WITH RECURSIVE d(y) AS (SELECT 1 UNION ALL SELECT d.y + 1 FROM d WHERE 9 > y) SELECT d.y FROM d",
    );
    different(
        "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c WHERE x < 9) SELECT x FROM c",
        "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c WHERE x < 8) SELECT x FROM c",
    );
    same(
        "SELECT name FROM singer s WHERE EXISTS (SELECT 1 FROM band b WHERE b.id = s.band_id)",
        "SELECT name FROM singer WHERE EXISTS (SELECT * FROM band WHERE singer.band_id = band.id)",
    );
    different(
        "SELECT name FROM singer s WHERE EXISTS (SELECT 1 FROM band b WHERE b.id = s.band_id)",
        "SELECT name FROM singer s WHERE EXISTS (SELECT count(*) FROM band b WHERE b.id = s.band_id)",
    );
    different(
        "SELECT name FROM singer WHERE band_id IN (SELECT id FROM band)",
        "SELECT name FROM singer WHERE band_id NOT IN (SELECT id FROM band)",
    );
    same(
        "SELECT name FROM singer WHERE NOT band_id IN (SELECT band.id FROM band)",
        "SELECT name FROM singer WHERE band_id NOT IN (SELECT id FROM band)",
    );
    different(
        "SELECT name FROM singer WHERE band_id IN (SELECT id FROM band LIMIT 1)",
        "SELECT name FROM singer WHERE band_id IN (SELECT id FROM band)",
    );
}

#[test]
fn set_operations() {
    let (a, b, c) = (
        "SELECT id FROM band",
        "SELECT id FROM singer",
        "SELECT band_id FROM singer",
    );
    same(&format!("{a} UNION {b}"), &format!("{b} UNION {a}"));
    same(
        &format!("{a} UNION {b} UNION {c}"),
        &format!("{c} UNION {a} UNION {b} UNION {a}"),
    );
    same(
        &format!("{a} UNION ALL {b} UNION {c}"),
        &format!("{a} UNION {b} UNION {c}"),
    );
    same(&format!("{a} UNION ALL {b}"), &format!("{b} UNION ALL {a}"));
    same(&format!("{a} INTERSECT {b}"), &format!("{b} INTERSECT {a}"));
    different(&format!("{a} UNION ALL {b}"), &format!("{a} UNION {b}"));
    different(&format!("{a} UNION ALL {a}"), a);
    different(&format!("{a} EXCEPT {b}"), &format!("{b} EXCEPT {a}"));
    different(&format!("{a} INTERSECT {b}"), &format!("{a} UNION {b}"));
    // From left to right, whatever the parser thinks of INTERSECT.
    different(
        &format!("{a} UNION {b} INTERSECT {c}"),
        &format!("{a} UNION {c} INTERSECT {b}"),
    );
    same(
        &format!("{a} UNION {b} INTERSECT {c}"),
        &format!("{b} UNION {a} INTERSECT {c}"),
    );
    different(
        "SELECT id, age FROM singer UNION SELECT id, band_id FROM concert",
        "SELECT age, id FROM singer UNION SELECT id, band_id FROM concert",
    );
    same(
        "SELECT id AS x FROM band UNION SELECT age FROM singer ORDER BY x LIMIT 1",
        "SELECT age FROM singer UNION SELECT id FROM band ORDER BY 1 LIMIT 1",
    );
    same("VALUES (1, 'a'), (2, 'b')", "VALUES (2, 'b'), (1, 'a')");
    different("VALUES (1, 2)", "VALUES (2, 1)");
}

#[test]
fn windows() {
    same(
        "SELECT rank() OVER (PARTITION BY city, title ORDER BY id DESC) FROM band",
        "SELECT rank() OVER w FROM band WINDOW w AS (PARTITION BY title, band.city ORDER BY id DESC)",
    );
    same(
        "SELECT sum(id) OVER (ORDER BY id ROWS 2 PRECEDING) FROM band",
        "SELECT sum(id) OVER (ORDER BY id ROWS BETWEEN 2 PRECEDING AND CURRENT ROW) FROM band",
    );
    different(
        "SELECT rank() OVER (PARTITION BY city ORDER BY id) FROM band",
        "SELECT rank() OVER (ORDER BY id) FROM band",
    );
    different(
        "SELECT sum(id) OVER () FROM band",
        "SELECT sum(id) FROM band",
    );
    different(
        "SELECT count(*) FILTER (WHERE id > 1) FROM band",
        "SELECT count(*) FROM band",
    );
}

#[test]
fn what_has_no_form() {
    let kind = |sql: &str| match canonical(sql, None).unwrap_err() {
        StructureError::Syntax { .. } => "syntax",
        StructureError::NotAQuery => "no query",
        StructureError::Unsupported { .. } => "unsupported",
        StructureError::TooLarge { .. } => "too large",
    };
    for (sql, expected) in [
        ("", "no query"),
        ("DELETE FROM t", "no query"),
        ("SELECT 1; SELECT 2", "no query"),
        ("WITH c AS (SELECT 1) DELETE FROM c", "no query"),
        ("SELECT 'a", "syntax"),
        ("SELECT FROM WHERE", "syntax"),
        ("SELECT a FROM t LIMIT 1 BY a", "syntax"),
        ("SELECT TOP 3 a FROM t", "unsupported"),
        ("SELECT 0x10", "unsupported"),
        ("SELECT EXTRACT(year FROM a) FROM t", "unsupported"),
    ] {
        assert_eq!(kind(sql), expected, "{sql}");
    }
    // Each table is the one before it twice.
    let table = |n: usize| format!(", c{n} AS (SELECT x.a FROM c{0} x, c{0} y)", n - 1);
    let doubling: String = (1..60).map(table).collect();
    let doubling = format!("WITH c0 AS (SELECT 1 AS a){doubling} SELECT * FROM c59");
    assert_eq!(kind(&doubling), "too large");
    assert_eq!(
        kind(&format!("SELECT 1{}", " + 1".repeat(1_500))),
        "too large"
    );
}

/// Deep and long statements must neither overflow a small stack nor panic, nor take long.
#[test]
fn hostile_depth() {
    let work = || {
        let nested =
            |open: &str, close: &str, n| format!("SELECT {}1{}", open.repeat(n), close.repeat(n));
        for n in [10, 45, 160, 900, 10_000] {
            for sql in [
                nested("(", ")", n),
                nested("(SELECT ", ")", n),
                nested("NOT ", "", n),
                nested("CASE WHEN ", " THEN 1 END", n),
                format!("SELECT 1{}", " + 1".repeat(n)),
                format!("SELECT 1{}", " AND 1".repeat(n)),
                format!("SELECT 1{}", " UNION SELECT 1".repeat(n)),
                format!("SELECT 1{}", " IS NULL".repeat(n)),
                format!("SELECT * FROM t{}", ", t".repeat(n)),
                format!("SELECT * FROM t{}", " LEFT JOIN t".repeat(n)),
                format!("SELECT * FROM t{}", " RIGHT JOIN t".repeat(n)),
            ] {
                let _ = canonical(&sql, None);
            }
        }
        form(&format!("SELECT 1{}", " AND 1".repeat(990)), None);
        form(&format!("SELECT 1{}", " UNION SELECT 1".repeat(600)), None);
    };
    std::thread::Builder::new()
        .stack_size(1 << 20)
        .spawn(work)
        .unwrap()
        .join()
        .unwrap();
}

/// Conditions over the columns of one table.
fn condition() -> impl Strategy<Value = String> {
    let leaf = (
        prop::sample::select(vec!["id", "age", "band_id"]),
        prop::sample::select(vec!["=", "<", ">=", "!=", "IN"]),
        0..4,
    )
        .prop_map(|(column, operator, value)| match operator {
            "IN" => format!("{column} IN ({value}, 7)"),
            _ => format!("{column} {operator} {value}"),
        });
    leaf.prop_recursive(3, 12, 3, |inner| {
        (
            prop::collection::vec(inner, 1..4),
            prop::bool::ANY,
            prop::bool::ANY,
        )
            .prop_map(|(parts, all, negated)| {
                let joined = parts.join(if all { " AND " } else { " OR " });
                format!("{}({joined})", if negated { "NOT " } else { "" })
            })
    })
}

proptest! {
    #[test]
    fn a_query_is_itself_under_other_names(condition in condition(), order in Just(vec![0, 1, 2]).prop_shuffle()) {
        let columns = ["name", "count(*)", "max(age)"];
        let picked: Vec<&str> = order.iter().map(|at| columns[*at]).collect();
        let left = format!("SELECT {} FROM singer WHERE {condition} GROUP BY name", columns.join(", "));
        let right = format!("select {} from SINGER as t where (({condition})) group by (t.NAME)", picked.join(", "));
        prop_assert_eq!(form(&left, None), form(&right, None));
        let negated = format!("SELECT name FROM singer WHERE NOT (NOT ({condition}))");
        prop_assert_eq!(form(&negated, None), form(&select(&condition), None));
    }

    #[test]
    fn nothing_panics(text in "[a-zA-Z0-9 ,.*()'\"=<>;+-]{0,60}") {
        let _ = canonical(&format!("SELECT {text}"), None);
        let _ = canonical(&text, None);
    }
}
