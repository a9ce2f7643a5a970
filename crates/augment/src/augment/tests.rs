//! Skeletons of every kind on two made databases, run by an in-memory engine.

use std::convert::Infallible;

use harness_record::{Column, Content, ForeignKey, Query, Scalar, Schema, Table};
use harness_sql::template;
use rusqlite::Connection;
use rusqlite::types::ValueRef;

use super::{Augmented, Options, Probe, augment};
use crate::database::Database;
use crate::reason::Reason;
use crate::sense::Found;
use crate::wanted::wanted;

const SCRIPTS: [&str; 2] = [
    "CREATE TABLE stadium (stadium_id INTEGER PRIMARY KEY, title TEXT, city TEXT, capacity INTEGER, opened TEXT);
     INSERT INTO stadium VALUES (1, 'Oak Park', 'Leeds', 4000, '1990-05-01'), (2, 'Elm End', 'York', 9000, '2001-07-12'),
       (3, 'Ash Hill', 'Leeds', 7500, '1985-01-30'), (4, 'Yew Court', 'Hull', NULL, '2010-11-11');
     CREATE TABLE concert (concert_id INTEGER PRIMARY KEY, stadium_id INTEGER REFERENCES stadium, theme TEXT, price REAL, held TEXT);
     INSERT INTO concert VALUES (1, 1, 'Jazz Night', 20.5, '2014-02-01'), (2, 1, 'Rock', 35.0, '2015-03-02'),
       (3, 2, 'Jazz Night', 15.0, '2014-06-07'), (4, 3, 'Folk', 12.0, '2016-08-09'), (5, 3, 'Rock', 30.0, '2015-10-11'),
       (6, 2, 'Folk', NULL, '2014-12-13');",
    "CREATE TABLE shop (id INTEGER PRIMARY KEY, name TEXT, district TEXT, staff_count INTEGER, founded TEXT);
     INSERT INTO shop VALUES (1, 'Old Mill', 'North', 5, '1970-01-01'), (2, 'Corner', 'South', 3, '1999-09-09'),
       (3, 'Market', 'North', 12, '2005-05-05'), (4, 'Kiosk', 'East', 1, '2011-11-11');
     CREATE TABLE sale (sale_no INTEGER PRIMARY KEY, shop_ref INTEGER REFERENCES shop(id), product TEXT, amount REAL, sold TEXT);
     INSERT INTO sale VALUES (1, 1, 'Tea', 3.5, '2020-01-02'), (2, 1, 'Bread', 2.0, '2021-01-03'),
       (3, 2, 'Tea', 4.5, '2020-02-03'), (4, 3, 'Cake', 8.0, '2021-03-04'), (5, 3, 'Bread', 2.5, '2020-04-05'),
       (6, 2, NULL, 1.0, '2021-05-06');",
];

/// A database of one of the scripts: as what fills slots, and open.
fn databases() -> (Vec<Database>, Vec<Connection>) {
    let make = |(number, script): (usize, &&str)| {
        let connection = Connection::open_in_memory().unwrap();
        connection.execute_batch(script).unwrap();
        let names = if number == 0 {
            ["stadium", "concert"]
        } else {
            ["shop", "sale"]
        };
        let mut content = Content::default();
        let tables = names.map(|name| {
            let statement = connection
                .prepare(&format!("SELECT * FROM {name}"))
                .unwrap();
            let columns: Vec<Column> = statement
                .column_names()
                .map(|name| Column {
                    name: name.to_owned(),
                    ..Column::default()
                })
                .collect();
            drop(statement);
            let rows = rows(&connection, &format!("SELECT * FROM {name}")).unwrap();
            content.tables.insert(name.to_owned(), rows);
            Table {
                name: name.to_owned(),
                primary_key: vec![columns[0].name.clone()],
                columns,
            }
        });
        let schema = Schema {
            db_id: format!("db{number}"),
            foreign_keys: vec![ForeignKey {
                table: names[1].to_owned(),
                columns: vec![tables[1].columns[1].name.clone()],
                foreign_table: names[0].to_owned(),
                foreign_columns: vec![tables[0].columns[0].name.clone()],
            }],
            tables: tables.to_vec(),
        };
        (Database::new(&schema, &content), connection)
    };
    SCRIPTS.iter().enumerate().map(make).unzip()
}

fn rows(connection: &Connection, sql: &str) -> rusqlite::Result<Vec<Vec<Scalar>>> {
    let mut statement = connection.prepare(sql)?;
    let count = statement.column_count();
    let mut found = statement.query([])?;
    let mut rows = Vec::new();
    while let Some(row) = found.next()? {
        let scalar = |at| match row.get_ref(at).unwrap() {
            ValueRef::Null => Scalar::Null,
            ValueRef::Integer(number) => Scalar::Integer(number),
            ValueRef::Real(number) => Scalar::Real(number),
            ValueRef::Text(text) => Scalar::Text(String::from_utf8(text.to_vec()).unwrap()),
            ValueRef::Blob(_) => Scalar::Blob,
        };
        rows.push((0..count).map(scalar).collect());
    }
    Ok(rows)
}

/// Makes examples for skeletons, with an engine that runs everything.
fn make(skeletons: &[&str], seed: u64, per_template: usize) -> Augmented {
    let (databases, connections) = databases();
    let target: Vec<Query> = skeletons
        .iter()
        .enumerate()
        .map(|(number, sql)| Query {
            id: format!("target-{number}"),
            sql: (*sql).to_owned(),
            question: Some("Secret words of the target?".to_owned()),
            db_id: None,
        })
        .collect();
    let wanted = wanted([], skeletons.iter().copied(), 0.0);
    let options = Options {
        n: 1_000,
        per_template,
        seed,
    };
    let mut execute = |probes: &[Probe]| -> Result<Vec<Vec<Found>>, Infallible> {
        let run = |probe: &Probe| {
            let connection = &connections[probe.database];
            let queries = probe.queries.iter();
            queries.map(|sql| rows(connection, sql).ok()).collect()
        };
        Ok(probes.iter().map(run).collect())
    };
    let Ok(made) = augment(
        &wanted,
        &target,
        |_| None,
        &databases,
        &options,
        &mut execute,
        &mut |_, _| {},
    );
    made
}

/// One skeleton of each kind. Names and texts are such that one that is left would be seen.
const SKELETONS: [&str; 34] = [
    "SELECT zname FROM ztable",
    "SELECT zname, zage FROM ztable WHERE zcity = 'zurich'",
    "SELECT zname FROM ztable WHERE zage > -3 AND zcity != \"zurich\"",
    "SELECT count(*) FROM ztable WHERE zage BETWEEN 7 AND 77",
    "SELECT zname FROM ztable WHERE zcity IN ('zurich', 'zagreb')",
    "SELECT zname FROM ztable WHERE zcity LIKE '%zur%'",
    "SELECT zname FROM ztable WHERE zcity LIKE 'zur%' OR zage < 9",
    "SELECT avg(zage), max(zage) FROM ztable",
    "SELECT count(DISTINCT zcity) FROM ztable",
    "SELECT DISTINCT zcity FROM ztable ORDER BY zcity DESC",
    "SELECT zcity, count(*) FROM ztable GROUP BY zcity",
    "SELECT zcity FROM ztable GROUP BY zcity HAVING count(*) > 5",
    "SELECT zcity, avg(zage) AS zmean FROM ztable GROUP BY zcity ORDER BY zmean DESC",
    "SELECT zname FROM ztable ORDER BY zage DESC LIMIT 1",
    "SELECT zname FROM ztable ORDER BY zage LIMIT 7 OFFSET 2",
    "SELECT Z1.zname, Z2.ztitle FROM ztable AS Z1 JOIN zother AS Z2 ON Z1.zid = Z2.zref",
    "SELECT Z1.zname FROM ztable AS Z1 INNER JOIN zother AS Z2 ON Z1.zid = Z2.zref WHERE Z2.ztitle = 'zorro' GROUP BY Z1.zid",
    "SELECT zname FROM ztable, zother WHERE ztable.zid = zother.zref AND zother.ztitle = 'zorro'",
    "SELECT Z1.zname, count(*) FROM ztable AS Z1 LEFT JOIN zother AS Z2 ON Z1.zid = Z2.zref GROUP BY Z1.zid",
    "SELECT zname FROM ztable WHERE zid IN (SELECT zref FROM zother)",
    "SELECT zname FROM ztable WHERE zid NOT IN (SELECT zref FROM zother WHERE ztitle = 'zorro')",
    "SELECT zname FROM ztable WHERE zage > (SELECT avg(zage) FROM ztable)",
    "SELECT zname FROM ztable WHERE EXISTS (SELECT * FROM zother WHERE zother.zref = ztable.zid)",
    "SELECT zcity FROM ztable WHERE zage > 8 INTERSECT SELECT zcity FROM ztable WHERE zage < 80",
    "SELECT zcity FROM ztable EXCEPT SELECT zcity FROM ztable WHERE zage > 80",
    "SELECT zname FROM ztable WHERE zage > 8 UNION SELECT zname FROM ztable WHERE zcity = 'zurich' ORDER BY zname",
    "SELECT IIF(zage > 7, 'ztall', 'zsmall') FROM ztable",
    "SELECT CASE WHEN zcity = 'zurich' THEN 'zhome' ELSE 'zaway' END, zname FROM ztable",
    "SELECT CAST(SUM(CASE WHEN zcity = 'zurich' THEN 1 ELSE 0 END) AS REAL) * 100 / COUNT(*) FROM ztable",
    "SELECT count(*) FROM ztable WHERE STRFTIME('%Y', zday) = '1066'",
    "SELECT zname FROM ztable WHERE SUBSTR(zcity, 1, 3) = 'zur'",
    "WITH zpart AS (SELECT zcity, count(*) AS znumber FROM ztable GROUP BY zcity) SELECT zcity FROM zpart WHERE znumber > 1",
    "SELECT zname, RANK() OVER (PARTITION BY zcity ORDER BY zage DESC) AS zrank FROM ztable",
    "SELECT max(znumber) FROM (SELECT count(*) AS znumber FROM ztable GROUP BY zcity) AS zlist",
];

#[test]
fn every_kind_of_skeleton_is_made_with_its_very_template() {
    for seed in 0..3 {
        let made = make(&SKELETONS, seed, 3);
        for wanting in &made.templates {
            assert!(
                wanting.made > 0,
                "{}: {:?}",
                wanting.template,
                wanting.rejected
            );
        }
        assert!((made.lack_met - made.lack).abs() < 1e-12);
        for example in &made.examples {
            let found = template(&example.sql).unwrap().to_string();
            assert_eq!(found, example.template, "{}", example.sql);
            assert!(example.rows > 0);
            let skeleton: usize = example.skeleton["target-".len()..].parse().unwrap();
            assert_eq!(template(SKELETONS[skeleton]).unwrap().to_string(), found);
        }
    }
}

#[test]
fn nothing_of_the_target_is_left() {
    for example in make(&SKELETONS, 5, 4).examples {
        let all = format!("{} {}", example.sql, example.question).to_lowercase();
        for word in all.split(|c: char| !c.is_alphanumeric()) {
            assert!(
                !word.starts_with('z') && word != "secret" && word != "1066",
                "{all}"
            );
        }
    }
}

#[test]
fn questions_say_every_literal() {
    for example in make(&SKELETONS, 7, 4).examples {
        let pieces = harness_sql::lex::lex(&example.sql).unwrap();
        for piece in pieces {
            let kept = ["0", "1", "'%Y'"].contains(&piece.text);
            if !kept
                && matches!(
                    piece.kind,
                    harness_sql::lex::Kind::String | harness_sql::lex::Kind::Number
                )
            {
                let text = piece.text.trim_matches(['\'', '%']).replace('%', "");
                assert!(
                    example.question.contains(&text),
                    "{}\n{}",
                    example.question,
                    example.sql
                );
            }
        }
    }
}

#[test]
fn the_seed_decides() {
    let again = make(&SKELETONS, 1, 2);
    assert_eq!(make(&SKELETONS, 1, 2), again);
    assert_ne!(make(&SKELETONS, 2, 2), again);
}

#[test]
fn what_can_t_be_made_has_its_reason() {
    for (sql, reason) in [
        (
            "SELECT a FROM t JOIN u USING (x)",
            Reason::Unread("no USING"),
        ),
        ("SELECT soundex(a) FROM t", Reason::Function),
        (
            "SELECT a FROM t JOIN u ON t.x = u.y JOIN v ON u.z = v.w",
            Reason::NoTables,
        ),
        ("SELECT a FROM t WHERE \"b\".c = 1", Reason::Unresolved),
    ] {
        let made = make(&[sql], 0, 1);
        assert_eq!(made.examples, [], "{sql}");
        let rejected = &made.templates[0].rejected;
        assert!(rejected.contains_key(&reason), "{sql}: {rejected:?}");
    }
}

#[test]
fn examples_go_to_what_lacks_most() {
    let many = ["SELECT a FROM t WHERE b = 1"; 6];
    let mut skeletons = many.to_vec();
    skeletons.extend(["SELECT max(a) FROM t", "SELECT min(a) FROM t"]);
    let made = make(&skeletons, 0, 5);
    let asked: Vec<usize> = made.templates.iter().map(|it| it.asked).collect();
    assert_eq!(asked, [5, 5, 5]);
    assert!(made.templates.is_sorted_by(|a, b| a.lack >= b.lack));
}
