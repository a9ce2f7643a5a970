//! The structural features of a gold query, as names of groups.

use harness_sql::features;

/// What a query is made of: its number of joins (`no_join`, `1_join`, `2_joins`, `3_joins_or_more`) and each of `nested`,
/// `set_operation`, `aggregate`, `distinct`, `where`, `group_by`, `having`, `order_by`, `limit`, `case`, `cast`, `cte` and
/// `window` that it has, subqueries included. A comma in FROM is no join, a query inside another makes it `nested`. A query
/// that the parser does not read is `unparsed` and nothing else.
pub fn structure(sql: &str) -> Vec<&'static str> {
    let Some(found) = features(sql) else {
        return vec!["unparsed"];
    };
    let joins = match found.joins {
        0 => "no_join",
        1 => "1_join",
        2 => "2_joins",
        _ => "3_joins_or_more",
    };
    let flags = [
        ("nested", found.depth > 1),
        ("set_operation", found.set_operations > 0),
        ("aggregate", found.aggregates > 0),
        ("distinct", found.distinct > 0),
        ("where", found.filters > 0),
        ("group_by", found.group_by > 0),
        ("having", found.having > 0),
        ("order_by", found.order_by > 0),
        ("limit", found.limit > 0),
        ("case", found.cases > 0),
        ("cast", found.casts > 0),
        ("cte", found.ctes > 0),
        ("window", found.windows > 0),
    ];
    let flags = flags.into_iter().filter(|(_, has)| *has);
    std::iter::once(joins)
        .chain(flags.map(|(name, _)| name))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn features_by_name() {
        for (sql, expected) in [
            ("SELECT a FROM t", "no_join"),
            ("SELECT a FROM t, u", "no_join"),
            ("SELECT 'order by' FROM t JOIN u ON t.a = u.a", "1_join"),
            (
                "SELECT a FROM t JOIN u JOIN v JOIN w WHERE b IN (SELECT 1)",
                "3_joins_or_more nested where",
            ),
            (
                "WITH c AS (SELECT 1) SELECT DISTINCT count(*), CAST(a AS REAL) FROM c JOIN t JOIN u GROUP BY b
                 HAVING count(*) > 1 UNION SELECT CASE WHEN a THEN b END, rank() OVER () FROM t ORDER BY 1 LIMIT 2",
                "2_joins nested set_operation aggregate distinct group_by having order_by limit case cast cte window",
            ),
            ("SELECT FROM", "unparsed"),
            ("", "unparsed"),
        ] {
            assert_eq!(structure(sql).join(" "), expected, "{sql}");
        }
    }
}
