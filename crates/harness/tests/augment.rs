//! `harness augment` on a small database: what it writes is a data set, and says what it is.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

mod support;

use std::collections::BTreeSet;
use std::fs;

use rusqlite::Connection;
use serde_json::Value;
use support::Lab;

const SHOP: &str = "
    CREATE TABLE shop (id INTEGER PRIMARY KEY, name TEXT, district TEXT, staff_count INTEGER);
    INSERT INTO shop VALUES (1, 'Old Mill', 'North', 5), (2, 'Corner', 'South', 3), (3, 'Market', 'North', 12);
    CREATE TABLE sale (sale_no INTEGER PRIMARY KEY, shop_ref INTEGER REFERENCES shop(id), product TEXT, amount REAL);
    INSERT INTO sale VALUES (1, 1, 'Tea', 3.5), (2, 1, 'Bread', 2.0), (3, 2, 'Tea', 4.5), (4, 3, 'Cake', 8.0);";

/// What is wanted: two templates that the source has, five that it lacks, and one that can't be made of its tables.
const TARGET: &str = "\
SELECT singer_name FROM singer
SELECT count(*) FROM singer
SELECT singer_name FROM singer WHERE country = 'France'
SELECT country, count(*) FROM singer GROUP BY country ORDER BY count(*) DESC LIMIT 1
SELECT T1.singer_name FROM singer AS T1 JOIN song AS T2 ON T1.id = T2.singer WHERE T2.title LIKE '%love%'
SELECT singer_name FROM singer WHERE id NOT IN (SELECT singer FROM song)
SELECT avg(age) FROM singer WHERE age > (SELECT avg(age) FROM singer)
SELECT a FROM t JOIN u ON t.x = u.y JOIN v ON u.z = v.w
";

fn lab() -> Lab {
    let lab = Lab::new();
    Connection::open(lab.path("data/market.sqlite"))
        .unwrap()
        .execute_batch(SHOP)
        .unwrap();
    let row = |number: usize, sql: &str| {
        serde_json::json!({
            "id": format!("market-{number}"), "db_id": "market", "db": "market.sqlite",
            "question": "Which?", "sql": sql,
        })
    };
    lab.write_rows(
        "market",
        &[
            row(0, "SELECT name FROM shop"),
            row(1, "SELECT count(*) FROM sale"),
        ],
    );
    lab.write("target.sql", TARGET);
    lab
}

const COMMAND: &str = "augment --source data/market.jsonl --target target.sql --per-template 3";

#[test]
fn what_is_made_is_a_data_set() {
    let lab = lab();
    let said = lab.succeed(&format!("{COMMAND} --out made"));
    assert!(said.contains("OVLP of templates"), "{said}");
    let rows = lab.rows("made/synthetic.jsonl");
    let templates: BTreeSet<&str> = rows
        .iter()
        .map(|row| row["template"].as_str().unwrap())
        .collect();
    assert!(templates.len() >= 4, "{templates:?}");
    for row in &rows {
        assert_eq!(row["synthetic"], true);
        assert_eq!(
            (&row["db_id"], &row["db"]),
            (&"market".into(), &"../data/market.sqlite".into())
        );
        let text = format!("{} {}", row["sql"], row["question"]);
        for left in ["singer", "song", "country", "France", "love"] {
            assert!(!text.contains(left), "{text}");
        }
    }
    // The harness reads it as any other set, and every query runs.
    let checked = lab.succeed("data check made/synthetic.jsonl --json");
    let checked: Value = serde_json::from_str(&checked).unwrap();
    let text = checked.to_string();
    assert!(
        !text.contains("no such column") && !text.contains("syntax error"),
        "{text}"
    );

    let card = lab.json("made/card.json");
    assert_eq!(card["wanted"], 6);
    assert_eq!(card["made"], rows.len());
    assert_eq!(card["templates"].as_array().unwrap().len(), 6);
    assert_eq!(card["failed"]["no tables and columns of this shape"], 1);
    let better =
        |key: &str| card["after"][key].as_f64().unwrap() > card["before"][key].as_f64().unwrap();
    assert!(better("ovlp_template") && better("a_kl_rev"), "{card}");
    let markdown = fs::read_to_string(lab.path("made/card.md")).unwrap();
    assert!(
        markdown.contains(rows[0]["question"].as_str().unwrap()),
        "{markdown}"
    );
}

#[test]
fn the_same_seed_gives_the_same_bytes() {
    let lab = lab();
    lab.succeed(&format!("{COMMAND} --out one"));
    lab.succeed(&format!("{COMMAND} --out two"));
    support::assert_same(&lab.tree("one"), &lab.tree("two"));
    lab.succeed(&format!("{COMMAND} --out three --seed 9"));
    assert_ne!(lab.tree("one"), lab.tree("three"));

    let few = lab.succeed(&format!("{COMMAND} --out few --n 2 --json"));
    let few: Value = serde_json::from_str(&few).unwrap();
    assert_eq!((&few["made"], &few["not_asked"]), (&2.into(), &4.into()));
    let weighty = lab.succeed(&format!("{COMMAND} --out few --min-weight 0.5 --json"));
    let weighty: Value = serde_json::from_str(&weighty).unwrap();
    assert_eq!(
        (&weighty["wanted"], &weighty["made"]),
        (&0.into(), &0.into())
    );
}

#[test]
fn a_source_without_databases_is_refused() {
    let lab = lab();
    let said = lab.fail("augment --source target.sql --target target.sql --out made");
    assert!(said.contains("names no data set"), "{said}");
    fs::remove_file(lab.path("data/market.sqlite")).unwrap();
    let said = lab.fail(&format!("{COMMAND} --out made"));
    assert!(said.contains("database"), "{said}");
    assert!(!lab.path("made").exists());
}
