//! Hand-made cases, a table for each rule.

use super::{Excluded, template};

/// Each line of `cases` is `query => template`, or `query => !reason`.
fn check(cases: &str) {
    for case in cases.lines().map(str::trim).filter(|line| !line.is_empty()) {
        let (sql, expected) = case.split_once(" => ").expect("query => template");
        let found = match template(sql) {
            Ok(template) => template.to_string(),
            Err(reason) => format!("!{}", reason.as_str()),
        };
        assert_eq!(found, expected, "{sql}");
    }
}

#[test]
fn r4_dropped_classes() {
    check(
        "SELECT 'a', \"b\", `c`, [d], 1, ?2, x FROM t => SELECT , , , , , , FROM
         SELECT TRUE, FALSE, NULL, true(1) FROM t => SELECT , , NULL , TRUE ( ) FROM",
    );
}

#[test]
fn r5_dotted_names() {
    check(
        "SELECT t.order, t . group, u.* FROM t => SELECT , , * FROM
         SELECT select.a FROM t => SELECT FROM
         SELECT a::text, b::order FROM t => SELECT :: , :: FROM
         SELECT t.count(*) FROM t => SELECT ( * ) FROM",
    );
}

#[test]
fn r6_as() {
    check(
        "SELECT a AS count, b AS end, CASE WHEN c THEN d END AS left FROM t => SELECT , , CASE WHEN THEN END FROM
         SELECT CAST(a AS DECIMAL(10, 2)) + 1 FROM t => SELECT CAST ( ) + FROM
         SELECT TRY_CAST((a AS b) AS INT) FROM t => SELECT TRY_CAST ( ( ) ) FROM
         SELECT CAST(a AS INT FROM t => SELECT CAST (
         SELECT CAST(t.as AS INT) FROM t => SELECT CAST ( ) FROM
         SELECT a AS AS b FROM t => SELECT FROM
         SELECT t.AS LEFT JOIN u => SELECT JOIN
         SELECT a AS DISTINCT FROM t => SELECT DISTINCT FROM
         SELECT a AS max(b) FROM t => SELECT ( ) FROM",
    );
}

#[test]
fn r7_r8_keywords_in_any_case() {
    check(
        "select DISTINCT a from t where b glob 'x' and c Regexp 'y' => SELECT DISTINCT FROM WHERE GLOB AND REGEXP
         SELECT a FROM t NATURAL JOIN u CROSS JOIN v USING (w) => SELECT FROM NATURAL JOIN CROSS JOIN USING ( )",
    );
}

#[test]
fn r9_words_in_their_place() {
    check(
        "SELECT end FROM t WHERE end = 1 => SELECT FROM WHERE =
         SELECT CASE WHEN a THEN CASE b WHEN 1 THEN 2 END END, end FROM t => SELECT CASE WHEN THEN CASE WHEN THEN END END , FROM
         SELECT end(a), CASE WHEN b THEN 1 END FROM t => SELECT END ( ) , CASE WHEN THEN END FROM
         SELECT left(a, 2), right FROM t LEFT JOIN u FULL OUTER JOIN v => SELECT LEFT ( , ) , FROM LEFT JOIN FULL OUTER JOIN
         SELECT nulls, first FROM t ORDER BY a NULLS FIRST, b NULLS LAST => SELECT , FROM ORDER BY NULLS FIRST , NULLS LAST
         SELECT t.nulls last FROM t => SELECT LAST FROM
         SELECT partition, over FROM t => SELECT , FROM
         SELECT row FROM t WHERE row_number() over (rows) > (row) => SELECT FROM WHERE ROW_NUMBER ( ) OVER ( ROWS ) > ( )
         SELECT replace(a, 'b', 'c') FROM t => SELECT REPLACE ( , , ) FROM
         REPLACE INTO t VALUES (1) => REPLACE INTO VALUES ( )
         DROP VIEW IF EXISTS v => DROP VIEW IF EXISTS
         ALTER TABLE t ADD COLUMN c TEXT => ALTER TABLE ADD COLUMN
         SELECT key, column, view, if FROM t => SELECT , , , FROM
         SELECT interval, INTERVAL 1 day FROM t => SELECT , INTERVAL FROM",
    );
}

#[test]
fn r10_functions() {
    check(
        "SELECT my_fn (a), COUNT(DISTINCT b) FILTER (WHERE c) FROM t => SELECT MY_FN ( ) , COUNT ( DISTINCT ) FILTER ( WHERE ) FROM
         INSERT INTO t (a) VALUES (1) => INSERT INTO ( ) VALUES ( )
         WITH x(a) AS (SELECT 1) SELECT a FROM x => WITH ( ) ( SELECT ) SELECT FROM
         CREATE TABLE t (a INT REFERENCES u(b)) => CREATE TABLE ( REFERENCES ( ) )",
    );
}

#[test]
fn r12_operators_and_signs() {
    check(
        "SELECT a <> b, c == d, e != f FROM t => SELECT != , = , != FROM
         SELECT -1, - 1, a -1, -a, (a) -1, 'x' -1, :p -1, 2 -1 FROM t => SELECT , , - , - , ( ) - , - , - , - FROM
         SELECT NULL -1, CURRENT_DATE +1, CASE WHEN a THEN b END -1, a AS -1 FROM t => SELECT NULL - , CURRENT_DATE + , CASE WHEN THEN END - , - FROM
         SELECT a = -1, b IN (-1, +2), * -1, - -1 FROM t => SELECT = , IN ( , ) , * , - FROM
         SELECT a . -1 FROM t => SELECT - FROM
         SELECT CAST(a AS INT) -1 FROM t => SELECT CAST ( ) - FROM",
    );
}

#[test]
fn r14_no_template() {
    check(
        "SELECT 'a FROM t => !unterminated
         'a' b 1 => !empty
         -1 => !empty
         and or => !not_sql
         EXPLAIN SELECT 1 => SELECT
         count(*) => !not_sql
         * => !not_sql
         (((  => ( ( (
         ) SELECT => !not_sql",
    );
    assert_eq!(template(""), Err(Excluded::Empty));
    assert_eq!(template(" ;;; -- x"), Err(Excluded::Empty));
    assert_eq!(
        serde_json::to_string(&Excluded::NotSql).unwrap(),
        "\"not_sql\""
    );
}

#[test]
fn r15_style_free() {
    let full =
        template("SELECT a FROM t INNER JOIN u LEFT OUTER JOIN v ORDER BY a ASC, b DESC").unwrap();
    assert_eq!(
        full.style_free().to_string(),
        "SELECT FROM JOIN LEFT JOIN ORDER BY , DESC"
    );
    assert_eq!(
        serde_json::to_value(full.style_free()).unwrap(),
        "SELECT FROM JOIN LEFT JOIN ORDER BY , DESC"
    );
}

#[test]
fn long_inputs_are_linear_and_need_no_stack() {
    let sql = format!("SELECT {}1{}", "(".repeat(300_000), ")".repeat(300_000));
    assert_eq!(template(&sql).unwrap().tokens().len(), 600_001);
    let casts = format!("SELECT {}", "CAST(a AS ".repeat(100_000));
    assert_eq!(template(&casts).unwrap().to_string(), "SELECT CAST (");
}
