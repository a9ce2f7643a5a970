//! Queries by a grammar: SQLite's and Spider's constructs over the made-up tables, with mistakes among them.

use super::draw::Draw;

/// How deep queries and expressions are nested.
const DEPTH: usize = 4;

const TABLES: &str = "fruit ~ fruit ~ basket ~ basket ~ number";
const COLUMNS: &str =
    "name ~ price ~ fruit_id ~ weight ~ x ~ T1.id ~ \"name\" ~ `price` ~ [weight]";
/// Sources that have all of these columns.
const ALL: &str = "fruit AS T1 JOIN basket AS T2 ON T1.id = T2.fruit_id JOIN number~fruit T1, basket T2, number ~\
    fruit T1 LEFT JOIN basket T2 ON T2.fruit_id = T1.id CROSS JOIN number";
/// Names that are there by chance only.
const RARE: &str = "T1.name ~ T2.id ~ fruit.price ~ rowid ~ absent ~ missing.x";
const LITERALS: &str = "1 ~ 0 ~ -1 ~ 2.5 ~ 1e300 ~ 9007199254740993 ~ NULL ~ 'apple' ~ \"pear\" ~ '%p%' ~ '' ~ 'it''s' ~ x'00ff' ~ \
    'é' ~ 'distinct' ~ 'order by' ~ TRUE ~ CURRENT_DATE";
/// Functions with the number of their arguments; 0 is any number.
const FUNCTIONS: &str = "abs/1 ~ length/1 ~ upper/1 ~ lower/1 ~ round/1 ~ round/2 ~ coalesce/2 ~ ifnull/2 ~ nullif/2 ~ substr/2 ~ \
    substr/3 ~ replace/3 ~ hex/1 ~ quote/1 ~ typeof/1 ~ printf/0 ~ instr/2 ~ trim/1 ~ date/1 ~ strftime/2 ~ \
    julianday/1 ~ json/1 ~ json_extract/2 ~ json_array/0 ~ iif/3 ~ char/0 ~ unicode/1 ~ zeroblob/1 ~ \
    likely/1 ~ randomblob/1 ~ soundex/1 ~ glob/2 ~ like/3 ~ min/2 ~ max/3 ~ load_extension/1 ~ \
    fts3_tokenizer/1 ~ json_group_array/1 ~ concat_ws/0 ~ unhex/1 ~ sqlite_compileoption_get/1 ~ json_set/3 \
    ~ sign/1 ~ format/0 ~ octet_length/1";
const AGGREGATES: &str = "count ~ sum ~ avg ~ min ~ max ~ total ~ group_concat";
const OPERATORS: &str = "= ~ < ~ > ~ <= ~ >= ~ != ~ <> ~ + ~ - ~ * ~ / ~ % ~ || ~ & ~ | ~ << ~ IS ~ IS NOT ~ LIKE ~ NOT \
    LIKE ~ GLOB ~ AND ~ OR ~ -> ~ ->> ~ COLLATE nocase =";
const JOINS: &str =
    "JOIN ~ , ~ LEFT JOIN ~ INNER JOIN ~ CROSS JOIN ~ NATURAL JOIN ~ FULL OUTER JOIN";
const SETS: &str = "UNION ~ UNION ALL ~ INTERSECT ~ EXCEPT";
const OTHERS: &str = "DELETE FROM fruit ~ PRAGMA user_version = 5 ~ ATTACH 'x.sqlite' AS x ~ EXPLAIN SELECT 1 ~ VACUUM ~ CREATE \
    TEMP TABLE t AS SELECT 1 ~ INSERT INTO fruit VALUES (9, 'x', 1) RETURNING id ~ SELECT 1; SELECT 2 ~ SELECT \
    * FROM pragma_table_info('fruit') ~ SELECT * FROM sqlite_master ~ VALUES (1), (2) ~ ; ~ -- ~ SELECT * FROM \
    json_each('[1,2]') ~ SELECT * FROM json_tree('{\"a\":[1]}') ~ BEGIN ~ REINDEX ~ SELECT * FROM dbstat ~ \
    SELECT * FROM generate_series(1,3) ~ SELECT fts5(1) ~ SELECT rtreecheck('fruit')";

/// A text that is mostly one query.
pub fn text(draw: &mut Draw) -> String {
    let mut sql = String::new();
    if draw.once_in(24) {
        sql.push_str(draw.word(OTHERS));
    } else {
        query(&mut sql, draw, DEPTH);
    }
    if draw.once_in(8) {
        sql.push_str(draw.piece(";~;;~ -- end~ /* end */~\n~; SELECT 1"));
    }
    sql
}

fn query(sql: &mut String, draw: &mut Draw, depth: usize) {
    if depth == DEPTH && draw.once_in(8) {
        let recursive = draw.piece("~RECURSIVE ");
        sql.push_str(&format!("WITH {recursive}c(x) AS ("));
        query(sql, draw, depth - 1);
        sql.push_str(
            draw.piece(") ~ UNION ALL SELECT x + 1 FROM c) ~ UNION SELECT x FROM c LIMIT 9) "),
        );
    }
    select(sql, draw, depth);
    if depth > 0 && draw.once_in(6) {
        sql.push_str(&format!(" {} ", draw.word(SETS)));
        select(sql, draw, depth - 1);
    }
    if draw.once_in(4) {
        sql.push_str(" ORDER BY ");
        list(sql, draw, |sql, draw| {
            expression(sql, draw, 1);
            sql.push_str(draw.piece("~ ASC~ DESC~ NULLS LAST"));
        });
    }
    if draw.once_in(5) {
        sql.push_str(draw.piece(" LIMIT 1~ LIMIT 3 OFFSET 1~ LIMIT -1~ LIMIT 'x'"));
    }
}

fn select(sql: &mut String, draw: &mut Draw, depth: usize) {
    sql.push_str(draw.piece("SELECT ~SELECT ~SELECT DISTINCT ~select "));
    list(sql, draw, |sql, draw| {
        if draw.once_in(8) {
            sql.push('*');
        } else {
            expression(sql, draw, depth.min(2));
            sql.push_str(draw.piece("~~~ AS name~ out"));
        }
    });
    if draw.once_in(16) {
        return;
    }
    sql.push_str(" FROM ");
    if draw.once_in(4) {
        source(sql, draw, depth, "T1");
        if draw.once_in(2) {
            sql.push_str(&format!(" {} ", draw.word(JOINS)));
            source(sql, draw, depth, "T2");
            sql.push_str(draw.piece(" ON T1.id = T2.fruit_id~ USING (id)~~ ON x = x"));
        }
    } else {
        // All columns are known here.
        sql.push_str(draw.piece(ALL));
    }
    if draw.once_in(2) {
        sql.push_str(" WHERE ");
        condition(sql, draw, depth);
    }
    if draw.once_in(4) {
        sql.push_str(" GROUP BY ");
        list(sql, draw, |sql, draw| sql.push_str(draw.word(COLUMNS)));
        if draw.once_in(2) {
            sql.push_str(" HAVING ");
            condition(sql, draw, depth);
        }
    }
}

fn source(sql: &mut String, draw: &mut Draw, depth: usize, alias: &str) {
    if depth > 0 && draw.once_in(6) {
        sql.push('(');
        query(sql, draw, depth - 1);
        sql.push(')');
    } else {
        sql.push_str(draw.word(TABLES));
    }
    match draw.below(3) {
        0 => sql.push_str(&format!(" AS {alias}")),
        1 => sql.push_str(&format!(" {alias}")),
        _ => {}
    }
}

fn condition(sql: &mut String, draw: &mut Draw, depth: usize) {
    expression(sql, draw, 0);
    match draw.below(8) {
        0 if depth > 0 => {
            sql.push_str(draw.piece(" IN (~ NOT IN (~ = (~ > ("));
            query(sql, draw, depth - 1);
            sql.push(')');
        }
        1 => sql.push_str(draw.piece(" BETWEEN 1 AND 3~ NOT BETWEEN 'a' AND name~ IN (1, 'x')")),
        2 => sql.push_str(draw.piece(" IS NULL~ IS NOT NULL~ NOTNULL~ ISNULL")),
        3 if depth > 0 => {
            sql.push_str(" AND EXISTS (");
            query(sql, draw, depth - 1);
            sql.push(')');
        }
        _ => {
            sql.push_str(&format!(" {} ", draw.word(OPERATORS)));
            expression(sql, draw, depth.min(1));
        }
    }
    if draw.once_in(3) {
        sql.push_str(draw.piece(" AND ~ OR "));
        condition(sql, draw, depth.saturating_sub(1));
    }
}

fn expression(sql: &mut String, draw: &mut Draw, depth: usize) {
    match draw.below(if depth == 0 { 2 } else { 9 }) {
        0 => sql.push_str(draw.word(LITERALS)),
        2 | 3 => {
            let (name, count) = draw.word(FUNCTIONS).split_once('/').unwrap_or_default();
            let count = count.parse().unwrap_or(0);
            sql.push_str(name);
            sql.push('(');
            let count = if count == 0 || draw.once_in(30) {
                draw.below(5)
            } else {
                count
            };
            for number in 0..count {
                sql.push_str(if number == 0 { "" } else { ", " });
                expression(sql, draw, depth - 1);
            }
            sql.push(')');
        }
        4 => {
            expression(sql, draw, depth - 1);
            sql.push_str(&format!(" {} ", draw.word(OPERATORS)));
            expression(sql, draw, depth - 1);
        }
        5 => {
            sql.push_str("CASE WHEN ");
            condition(sql, draw, depth - 1);
            sql.push_str(" THEN ");
            expression(sql, draw, depth - 1);
            sql.push_str(draw.piece(" END~ END~ END~ ELSE NULL END~ ELSE 1 END~"));
        }
        6 => {
            sql.push('(');
            query(sql, draw, depth - 1);
            sql.push(')');
        }
        7 if draw.once_in(2) => aggregate(sql, draw, depth),
        7 => {
            sql.push_str("CAST(");
            expression(sql, draw, depth - 1);
            sql.push_str(draw.piece(" AS INTEGER)~ AS REAL)~ AS TEXT)~ AS x y (1))"));
        }
        8 => {
            aggregate(sql, draw, depth);
            sql.push_str(draw.piece(" OVER ()~ OVER (PARTITION BY name ORDER BY price)~ FILTER (WHERE x > 1)~ OVER (ORDER BY x ROWS BETWEEN 1 PRECEDING AND CURRENT ROW)"));
        }
        _ if draw.once_in(20) => sql.push_str(draw.word(RARE)),
        _ => sql.push_str(draw.word(COLUMNS)),
    }
}

fn aggregate(sql: &mut String, draw: &mut Draw, depth: usize) {
    sql.push_str(draw.word(AGGREGATES));
    sql.push('(');
    match draw.below(20) {
        0 => sql.push('*'),
        1 => sql.push_str("DISTINCT name"),
        _ => expression(sql, draw, depth.saturating_sub(2)),
    }
    sql.push(')');
}

/// One, and at times more, with commas between them.
fn list(sql: &mut String, draw: &mut Draw, one: impl Fn(&mut String, &mut Draw)) {
    one(sql, draw);
    while draw.once_in(3) {
        sql.push_str(", ");
        one(sql, draw);
    }
}
