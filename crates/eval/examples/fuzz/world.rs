//! The made-up database that queries are about, and the good inputs that mutations start from.

use std::fs;
use std::path::PathBuf;

use harness_eval::{Limits, exec};
use harness_record::{Column, ForeignKey, Schema, Table};
use tempfile::TempDir;

/// A character no query has: it parts two texts in one input.
pub const PART: char = '\u{1e}';

/// What all targets share.
#[derive(Debug)]
pub struct World {
    /// The folder in which the database is alone.
    pub folder: TempDir,
    /// The database.
    pub database: PathBuf,
    /// The bytes it has to keep.
    pub content: Vec<u8>,
    /// Its tables.
    pub schema: Schema,
    /// Narrow limits, so that no execution takes long.
    pub limits: Limits,
}

impl World {
    /// Makes the database.
    pub fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder can be made");
        let database = folder.path().join("small.sqlite");
        rusqlite::Connection::open(&database)
            .and_then(|connection| {
                connection.execute_batch(
                    "CREATE TABLE fruit (id INTEGER PRIMARY KEY, name TEXT, price REAL);
                     INSERT INTO fruit VALUES (1, 'apple', 0.5), (2, 'pear', 0.75), (3, 'plum', NULL), (4, x'ff', 1e300);
                     CREATE TABLE basket (id INTEGER PRIMARY KEY, fruit_id INTEGER REFERENCES fruit (id), weight REAL);
                     INSERT INTO basket VALUES (1, 1, 2.5), (2, 1, 1.0), (3, 3, -0.0);
                     CREATE INDEX by_fruit ON basket (fruit_id);
                     CREATE TABLE number AS WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c WHERE x < 100)
                     SELECT x FROM c;",
                )
            })
            .expect("the database can be made");
        Self {
            content: fs::read(&database).expect("the database is there"),
            database,
            folder,
            schema: schema(),
            limits: Limits {
                steps: 20_000,
                rows: 200,
                columns: 100,
                cell_bytes: 20_000,
                result_bytes: 100_000,
                heap_bytes: 64 << 20,
                sql_bytes: 20_000,
                ..Limits::default()
            },
        }
    }

    /// Whether the folder and the database are as they were.
    pub fn is_untouched(&self) -> bool {
        let alone = fs::read_dir(self.folder.path()).is_ok_and(|entries| entries.count() == 1);
        alone && fs::read(&self.database).is_ok_and(|content| content == self.content)
    }
}

fn schema() -> Schema {
    let table = |name: &str, columns: &[(&str, &str)]| Table {
        name: name.to_owned(),
        columns: columns
            .iter()
            .map(|(name, data_type)| Column {
                name: (*name).to_owned(),
                data_type: (*data_type).to_owned(),
                ..Column::default()
            })
            .collect(),
        primary_key: vec!["id".to_owned()],
    };
    Schema {
        db_id: "small".to_owned(),
        tables: vec![
            table(
                "fruit",
                &[("id", "number"), ("name", "text"), ("price", "number")],
            ),
            table(
                "basket",
                &[
                    ("id", "number"),
                    ("fruit_id", "number"),
                    ("weight", "number"),
                ],
            ),
            table("number", &[("x", "number")]),
        ],
        foreign_keys: vec![ForeignKey {
            table: "basket".to_owned(),
            columns: vec!["fruit_id".to_owned()],
            foreign_table: "fruit".to_owned(),
            foreign_columns: vec!["id".to_owned()],
        }],
    }
}

/// Good queries.
pub fn queries() -> Vec<Vec<u8>> {
    [
        "SELECT count(*) FROM fruit",
        "SELECT name, price FROM fruit WHERE price > 0.6 ORDER BY name DESC LIMIT 1",
        "SELECT T1.name FROM fruit AS T1 JOIN basket AS T2 ON T1.id = T2.fruit_id GROUP BY T1.name HAVING count(*) >= 2",
        "SELECT DISTINCT name FROM fruit WHERE id IN (SELECT fruit_id FROM basket) AND NOT name LIKE '%p%'",
        "SELECT name FROM fruit WHERE price BETWEEN 0.1 AND 1 UNION SELECT x FROM number EXCEPT SELECT weight FROM basket",
        "SELECT max(price) - min(price), avg(price) FROM fruit",
        "WITH c AS (SELECT fruit_id, sum(weight) AS total FROM basket GROUP BY 1) SELECT name, CASE WHEN total > 1 THEN 'a' ELSE NULL END FROM fruit LEFT JOIN c ON c.fruit_id = fruit.id",
        "SELECT name, rank() OVER (PARTITION BY price ORDER BY id) FROM fruit WHERE name <> 'it''s' -- a remark",
        "SELECT `name` FROM [fruit] f, basket b WHERE f.id = b.fruit_id AND strftime('%Y', '2020-01-01') = \"2020\";",
        "SELECT count(DISTINCT x) FROM number WHERE x > = 3 OR x ! = 5 /* two */ LIMIT 3 OFFSET 1",
        "SELECT a.name FROM (SELECT name FROM fruit ORDER BY price) AS a INTERSECT SELECT name FROM fruit WHERE price IS NOT NULL",
        "SELECT group_concat(name, ', ') FILTER (WHERE id < 3), CAST(price AS INTEGER) FROM fruit WHERE EXISTS (SELECT 1)",
    ]
    .map(|text| text.as_bytes().to_vec())
    .to_vec()
}

/// Every query beside itself and beside the next one.
pub fn pairs() -> Vec<Vec<u8>> {
    let queries = queries();
    let beside = |first: &[u8], second: &[u8]| [first, &[PART as u8], second].concat();
    let next = queries.iter().skip(1).chain(&queries[..1]);
    let same = queries.iter().map(|query| beside(query, query));
    same.chain(
        queries
            .iter()
            .zip(next)
            .map(|(one, other)| beside(one, other)),
    )
    .collect()
}

/// Replies of workers.
pub fn replies() -> Vec<Vec<u8>> {
    use exec::{Rows, Value};
    let row = vec![
        Value::Null,
        Value::Int(-1),
        Value::Real(0.5),
        Value::Text(b"a".to_vec()),
        Value::Blob(vec![0xff]),
    ];
    let rows = |rows: Vec<Vec<Value>>| {
        harness_eval::fuzz::reply_of(&Rows { columns: 5, rows }, (500, true))
    };
    let failure = b"\0\0\0\0\0\0\0\0\x01[\"Error\",\"no such table: x\"]".to_vec();
    vec![
        rows(vec![]),
        rows(vec![row.clone()]),
        rows(vec![row.clone(), row]),
        failure,
    ]
}

/// Results as [`super::target`] reads them from bytes.
pub fn results() -> Vec<Vec<u8>> {
    vec![
        vec![2, 0, 1, 2, 3, 4, 5],
        vec![3, 8, 9, 10, 11, 12, 13, 8, 9, 10, 11, 12, 13],
        vec![
            12, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1,
        ],
        vec![1],
    ]
}
