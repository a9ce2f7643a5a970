//! Names as SQL has to write them.

use std::borrow::Cow;

/// Words that SQLite refuses, or takes for something else, where a bare name of a table or column
/// stands. Other keywords (`key`, `match`, `year`) may be used bare, and gold queries do so.
const RESERVED: &str = "\
    ADD ALL ALTER AND AS AUTOINCREMENT BETWEEN CASE CAST CHECK COLLATE COMMIT CONSTRAINT \
    CREATE CROSS CURRENT_DATE CURRENT_TIME CURRENT_TIMESTAMP DEFAULT DEFERRABLE DELETE \
    DISTINCT DROP ELSE ESCAPE EXCEPT EXISTS FALSE FOREIGN FROM FULL GLOB GROUP HAVING IF \
    IN INDEX INDEXED INNER INSERT INTERSECT INTO IS ISNULL JOIN LEFT LIKE LIMIT NATURAL \
    NOT NOTHING NOTNULL NULL ON OR ORDER OUTER PRIMARY RAISE REFERENCES REGEXP REPLACE \
    RETURNING RIGHT ROWID SELECT SET TABLE THEN TO TRANSACTION TRUE UNION UNIQUE UPDATE \
    USING VALUES WHEN WHERE WITH WITHIN";

/// A name, in backticks where it needs quotes. Backticks rather than double quotes: SQLite takes a
/// misspelt name in double quotes for a text and answers something, where it should fail.
pub(super) fn quoted(name: &str) -> Cow<'_, str> {
    if is_plain(name) {
        Cow::Borrowed(name)
    } else {
        format!("`{}`", name.replace('`', "``")).into()
    }
}

/// Names with commas between them.
pub(super) fn quoted_list(names: &[String]) -> String {
    let names: Vec<Cow<'_, str>> = names.iter().map(|name| quoted(name)).collect();
    names.join(", ")
}

fn is_plain(name: &str) -> bool {
    let mut letters = name.bytes();
    letters
        .next()
        .is_some_and(|first| first.is_ascii_alphabetic() || first == b'_')
        && letters.all(|letter| letter.is_ascii_alphanumeric() || letter == b'_')
        && !RESERVED
            .split(' ')
            .any(|word| word.eq_ignore_ascii_case(name))
}

#[cfg(test)]
mod tests {
    use rusqlite::Connection;

    use super::*;

    /// SQLite's complete list of keywords.
    const KEYWORDS: &str = "ABORT ACTION ADD AFTER ALL ALTER ALWAYS ANALYZE AND AS ASC ATTACH \
        AUTOINCREMENT BEFORE BEGIN BETWEEN BY CASCADE CASE CAST CHECK COLLATE COLUMN COMMIT CONFLICT \
        CONSTRAINT CREATE CROSS CURRENT CURRENT_DATE CURRENT_TIME CURRENT_TIMESTAMP DATABASE DEFAULT \
        DEFERRABLE DEFERRED DELETE DESC DETACH DISTINCT DO DROP EACH ELSE END ESCAPE EXCEPT EXCLUDE \
        EXCLUSIVE EXISTS EXPLAIN FAIL FILTER FIRST FOLLOWING FOR FOREIGN FROM FULL GENERATED GLOB \
        GROUP GROUPS HAVING IF IGNORE IMMEDIATE IN INDEX INDEXED INITIALLY INNER INSERT INSTEAD \
        INTERSECT INTO IS ISNULL JOIN KEY LAST LEFT LIKE LIMIT MATCH MATERIALIZED NATURAL NO NOT \
        NOTHING NOTNULL NULL NULLS OF OFFSET ON OR ORDER OTHERS OUTER OVER PARTITION PLAN PRAGMA \
        PRECEDING PRIMARY QUERY RAISE RANGE RECURSIVE REFERENCES REGEXP REINDEX RELEASE RENAME \
        REPLACE RESTRICT RETURNING RIGHT ROLLBACK ROW ROWS SAVEPOINT SELECT SET TABLE TEMP TEMPORARY \
        THEN TIES TO TRANSACTION TRIGGER UNBOUNDED UNION UNIQUE UPDATE USING VACUUM VALUES VIEW \
        VIRTUAL WHEN WHERE WINDOW WITH WITHOUT";

    /// Every keyword that SQLite does not take as a bare name is quoted, and quoted it is taken.
    #[test]
    fn sqlite_takes_every_name_as_written() {
        let names = KEYWORDS
            .split_whitespace()
            .chain(["a b", "1a", "", "é", "x`y", "a\"b", "_a1"]);
        for name in names {
            let connection = Connection::open_in_memory().unwrap();
            let name = quoted(name);
            let statements = format!(
                "CREATE TABLE {name} (id INTEGER, {name} TEXT, PRIMARY KEY ({name}));
                 INSERT INTO {name} VALUES (1, 'seven');
                 CREATE TABLE other (x TEXT, FOREIGN KEY (x) REFERENCES {name}({name}));"
            );
            connection
                .execute_batch(&statements)
                .unwrap_or_else(|error| panic!("{name}: {error}"));
            for query in [
                format!("SELECT {name} FROM {name} WHERE {name} = 'seven' ORDER BY {name} LIMIT 1"),
                format!("SELECT t.{name} FROM {name} AS t JOIN {name} AS u ON t.{name} = u.{name}"),
            ] {
                let found: Result<String, _> = connection.query_row(&query, [], |row| row.get(0));
                assert_eq!(found.as_deref(), Ok("seven"), "{query}");
            }
        }
    }

    #[test]
    fn plain_names_stay_bare() {
        for name in ["id", "Name", "_x1", "match", "Year", "key"] {
            assert_eq!(quoted(name), name);
        }
        assert_eq!(quoted("Order"), "`Order`");
        assert_eq!(quoted("x`y"), "`x``y`");
    }
}
