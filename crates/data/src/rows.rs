//! Whole rows of a database, drawn at random, for those who make queries about it.
//!
//! As everywhere in this crate the database is read-only, the statements are made here, and all of them together have a
//! limit of steps.

use std::path::Path;

use harness_record::{Content, Scalar, Schema, Table};
use rand::SeedableRng;
use rand::seq::index::sample;
use rand_chacha::ChaCha8Rng;
use rusqlite::Connection;
use rusqlite::types::ValueRef;

use crate::content::{name, open};
use crate::error::DataError;

/// Rows of a table that are read to draw from: the first ones.
const MOST_READ: usize = 5_000;

/// Draws up to `count` rows of every table, in the order in which they are stored. A table that the schema has and the
/// file has not is left out. The same file and seed give the same rows.
///
/// # Errors
/// [`DataError::NotSqlite`], [`DataError::Io`], and [`DataError::Content`] for a table that can't be read within the
/// limit.
pub fn read_rows(
    path: &Path,
    schema: &Schema,
    count: usize,
    seed: u64,
) -> Result<Content, DataError> {
    let connection = open(path)?;
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let mut content = Content::default();
    for table in &schema.tables {
        let rows = rows_of(&connection, table).map_err(|source| DataError::Content {
            path: path.to_owned(),
            table: table.name.clone(),
            source,
        })?;
        let Some(rows) = rows else { continue };
        let mut drawn = sample(&mut rng, rows.len(), count.min(rows.len())).into_vec();
        drawn.sort_unstable();
        let mut rows: Vec<Option<Vec<Scalar>>> = rows.into_iter().map(Some).collect();
        let drawn = drawn.into_iter().filter_map(|at| rows[at].take());
        content.tables.insert(table.name.clone(), drawn.collect());
    }
    Ok(content)
}

/// The first rows of a table; none if the file does not have it as the schema says.
fn rows_of(connection: &Connection, table: &Table) -> rusqlite::Result<Option<Vec<Vec<Scalar>>>> {
    let names: Vec<String> = table.columns.iter().map(|it| name(&it.name)).collect();
    let query = format!(
        "SELECT {} FROM {} LIMIT {MOST_READ}",
        names.join(", "),
        name(&table.name)
    );
    let Ok(mut statement) = connection.prepare(&query) else {
        return Ok(None);
    };
    let mut found = statement.query([])?;
    let mut rows = Vec::new();
    while let Some(row) = found.next()? {
        let scalar = |at| row.get_ref(at).map(scalar);
        rows.push((0..names.len()).map(scalar).collect::<Result<_, _>>()?);
    }
    Ok(Some(rows))
}

fn scalar(value: ValueRef<'_>) -> Scalar {
    match value {
        ValueRef::Null => Scalar::Null,
        ValueRef::Integer(number) => Scalar::Integer(number),
        ValueRef::Real(number) => Scalar::Real(number),
        ValueRef::Text(bytes) => match std::str::from_utf8(bytes) {
            Ok(text) => Scalar::Text(text.to_owned()),
            Err(_) => Scalar::Blob,
        },
        ValueRef::Blob(_) => Scalar::Blob,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schema::from_sqlite;

    #[test]
    fn rows_are_drawn_in_their_order() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("d.sqlite");
        Connection::open(&path)
            .unwrap()
            .execute_batch(
                "CREATE TABLE t (a INTEGER, `b c` TEXT, d);
                 INSERT INTO t SELECT value, 'n' || value, CASE WHEN value % 2 THEN 0.5 END
                 FROM (WITH RECURSIVE n(value) AS (SELECT 1 UNION ALL SELECT value + 1 FROM n WHERE value < 40)
                       SELECT value FROM n);
                 CREATE TABLE odd (x BLOB, y TEXT);
                 INSERT INTO odd VALUES (x'00ff', CAST(x'ff' AS TEXT));",
            )
            .unwrap();
        let mut schema = from_sqlite(&path, "d").unwrap();
        let rows = |seed| read_rows(&path, &schema, 10, seed).unwrap();
        let drawn = rows(1);
        let t = &drawn.tables["t"];
        assert_eq!(t.len(), 10);
        let number = |row: &Vec<Scalar>| match row[0] {
            Scalar::Integer(number) => number,
            ref other => panic!("{other:?}"),
        };
        assert!(t.is_sorted_by_key(number));
        let first = number(&t[0]);
        assert_eq!(t[0][1], Scalar::Text(format!("n{first}")));
        let expected = if first % 2 == 1 {
            Scalar::Real(0.5)
        } else {
            Scalar::Null
        };
        assert_eq!(t[0][2], expected);
        assert_eq!(drawn.tables["odd"], [[Scalar::Blob, Scalar::Blob]]);
        assert_eq!(rows(1), drawn);
        assert_ne!(rows(2), drawn);

        schema.tables[0].columns[0].name = "not there".to_owned();
        let drawn = read_rows(&path, &schema, 10, 1).unwrap();
        assert_eq!(drawn.tables.keys().collect::<Vec<_>>(), ["odd"]);
    }
}
