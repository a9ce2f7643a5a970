//! `harness eval` on files of predictions, on pairs, and `eval diff`, over a made-up data set.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

mod support;

use std::fs;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use rusqlite::Connection;
use serde_json::{Value, json};
use support::{failed, succeeded};
use tempfile::TempDir;

/// A folder with a data set of its own layout, `pond`: five questions about a database, one about an absent one.
struct Pond {
    folder: TempDir,
}

const GOLDS: [&str; 6] = [
    "SELECT name FROM fish ORDER BY size DESC",
    "SELECT count(*) FROM fish",
    "SELECT name FROM fish WHERE size > 2",
    "SELECT name, size FROM fish",
    "SELECT max(size) FROM fish",
    "SELECT a FROM gone",
];

impl Pond {
    fn new() -> Self {
        let pond = Self {
            folder: tempfile::tempdir().unwrap(),
        };
        let ddl = "CREATE TABLE fish (id INTEGER PRIMARY KEY, name TEXT, size REAL);
                   INSERT INTO fish VALUES (1, 'pike', 9.5), (2, 'perch', 3.5), (3, 'bleak', 1);";
        pond.database("pond.sqlite", ddl);
        let rows = GOLDS.iter().enumerate().map(|(number, gold)| {
            let (db, ddl) = if number == 5 {
                ("lost", json!("CREATE TABLE gone (a INTEGER)"))
            } else {
                ("pond", Value::Null)
            };
            json!({
                "id": format!("q-{number}"), "db_id": db, "db": format!("{db}.sqlite"), "ddl": ddl,
                "question": "?", "sql": gold, "difficulty": (["easy", "hard"][number % 2]),
            })
        });
        pond.lines("pond.jsonl", rows);
        pond
    }

    fn path(&self, path: &str) -> PathBuf {
        self.folder.path().join(path)
    }

    fn write(&self, path: &str, content: &str) {
        let path = self.path(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }

    fn lines(&self, path: &str, rows: impl IntoIterator<Item = Value>) {
        let lines: Vec<String> = rows.into_iter().map(|row| format!("{row}\n")).collect();
        self.write(path, &lines.concat());
    }

    fn database(&self, path: &str, ddl: &str) {
        let path = self.path(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        Connection::open(path).unwrap().execute_batch(ddl).unwrap();
    }

    fn command(&self, line: &str) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_harness"));
        command
            .args(line.split_whitespace())
            .current_dir(self.folder.path())
            .env("HARNESS_CACHE", self.path("cache"))
            .env_remove("HARNESS_DATA")
            .env_remove("HARNESS_LOG")
            .stdin(Stdio::null());
        command
    }

    #[track_caller]
    fn succeed(&self, line: &str) -> String {
        succeeded(line, &self.command(line).output().unwrap())
    }

    #[track_caller]
    fn fail(&self, line: &str) -> String {
        failed(line, &self.command(line).output().unwrap())
    }

    /// Evaluates predictions of the data set; the rows of the verdicts without their times.
    #[track_caller]
    fn verdicts(&self, arguments: &str) -> Vec<Value> {
        self.succeed(&format!(
            "eval {arguments} --dataset jsonl --root . --split pond --verdicts verdicts.jsonl"
        ));
        self.rows("verdicts.jsonl")
    }

    fn rows(&self, path: &str) -> Vec<Value> {
        let text = fs::read_to_string(self.path(path)).unwrap();
        text.lines()
            .map(|line| {
                let mut row: Value = serde_json::from_str(line).unwrap();
                let ms = row.as_object_mut().unwrap().remove("ms").unwrap();
                assert!(ms.is_null() || ms.as_f64().unwrap() >= 0.0, "{row}");
                row
            })
            .collect()
    }
}

/// Six predictions: right, right in another way, refused, wrong, an error, about the absent database.
const PREDICTED: [&str; 6] = [
    "SELECT name FROM fish ORDER BY size DESC",
    "SELECT sum(1) FROM fish",
    "DELETE FROM fish",
    "SELECT name, id FROM fish",
    "SELECT max(weight) FROM fish",
    "SELECT a FROM gone",
];

fn by_id(queries: &[&str]) -> Vec<Value> {
    let rows = queries.iter().enumerate();
    rows.map(|(number, sql)| json!({"id": format!("q-{number}"), "sql": sql}))
        .collect()
}

#[test]
fn every_row_has_its_verdict() {
    let pond = Pond::new();
    // The order of the file does not matter where there are ids.
    pond.lines("p.jsonl", by_id(&PREDICTED).into_iter().rev());
    let rows = pond.verdicts("p.jsonl --policy bird_ex,spider_exec,bird_ex");
    let told: Vec<String> = rows
        .iter()
        .map(|row| {
            let field = |name: &str| row[name].to_string().replace('"', "");
            [
                "id",
                "db_id",
                "bird_ex",
                "spider_exec",
                "outcome",
                "error_class",
            ]
            .map(field)
            .join(" ")
        })
        .collect();
    assert_eq!(
        told,
        [
            "q-0 pond 1 1 executed null",
            "q-1 pond 1 1 executed null",
            "q-2 pond 0 0 refused refused",
            "q-3 pond 0 0 executed wrong_rows",
            "q-4 pond 0 0 error no_such_column",
            "q-5 lost null null no_database null",
        ]
    );
    assert_eq!(rows[4]["error"], "no such column: weight");
    assert_eq!(rows[3]["gold"], GOLDS[3]);
    assert_eq!(rows[3]["pred"], PREDICTED[3]);
    assert_eq!(
        rows[3]["pred_rows"],
        json!({"columns": 2, "rows": 3, "first": [["pike", 1], ["perch", 2], ["bleak", 3]]})
    );
    assert_eq!(rows[0]["unstable"], json!([]));
}

#[test]
fn all_formats_lead_to_the_same_verdicts() {
    let pond = Pond::new();
    pond.lines("ids.jsonl", by_id(&PREDICTED));
    let numbers: serde_json::Map<_, _> = PREDICTED
        .iter()
        .enumerate()
        .map(|(number, sql)| {
            let db = if number == 5 { "lost" } else { "pond" };
            (
                number.to_string(),
                json!(format!("{sql}\t----- bird -----\t{db}")),
            )
        })
        .collect();
    pond.write("bird.json", &Value::from(numbers).to_string());
    pond.write("spider.txt", &PREDICTED.join("\n"));
    let table: Vec<_> = PREDICTED
        .iter()
        .map(|sql| format!("\"{sql}\",?\n"))
        .collect();
    pond.write(
        "table.csv",
        &format!("PREDICTED SQL,NLQ\n{}", table.concat()),
    );
    let expected = pond.verdicts("ids.jsonl");
    for arguments in [
        "bird.json",
        "bird.json --by-position",
        "spider.txt --by-position",
        "table.csv --by-position",
        "ids.jsonl --by-position --workers 1",
        "ids.jsonl --workers 3",
        "spider.txt --format plain --by-position",
    ] {
        assert_eq!(pond.verdicts(arguments), expected, "{arguments}");
    }
}

#[test]
fn the_figures_have_numbers_and_intervals() {
    let pond = Pond::new();
    pond.lines("p.jsonl", by_id(&PREDICTED));
    let line = "eval p.jsonl --dataset jsonl --root . --split pond --policy bird_ex";
    let document: Value = serde_json::from_str(&pond.succeed(&format!("{line} --json"))).unwrap();
    let summary = &document["policies"][0];
    assert_eq!(
        (&summary["metric"], &summary["n"]),
        (&json!("bird_ex"), &json!(5))
    );
    assert_eq!(
        (&summary["right"], &summary["accuracy"]),
        (&json!(2), &json!(0.4))
    );
    // Wilson's interval of 2 of 5.
    let low = summary["interval"]["low"].as_f64().unwrap();
    assert!((low - 0.117_62).abs() < 1e-5, "{summary}");
    assert_eq!(document["refused"], json!(["q-2"]));
    assert_eq!(
        document["outcomes"],
        json!({"executed": 3, "error": 1, "refused": 1, "no_database": 1})
    );
    let levels = &document["breakdowns"][0];
    assert_eq!(
        (&levels["by"], &levels["groups"][0]["key"]),
        (&json!("level"), &json!("easy"))
    );
    assert_eq!(levels["groups"][0]["n"], 3);
    let text = pond.succeed(line);
    for part in [
        "p.jsonl on jsonl:pond: 6 predictions",
        "bird_ex   40.0 %  n 5  right 2  other questions [11.8, 76.9]  without database 1",
        "refused 1: q-2",
        "bird_ex by structure",
    ] {
        assert!(text.contains(part), "{part} is not in\n{text}");
    }
}

#[test]
fn predictions_that_do_not_fit_are_named() {
    let pond = Pond::new();
    let rows = by_id(&PREDICTED);
    pond.lines("gap.jsonl", rows[1..].to_vec());
    pond.lines("repeated.jsonl", rows.iter().chain([&rows[2]]).cloned());
    let surplus = json!({"id": "q-x", "sql": ""});
    pond.lines("surplus.jsonl", rows.iter().chain([&surplus]).cloned());
    let mut other = rows.clone();
    other[3]["db_id"] = json!("lake");
    pond.lines("other.jsonl", other);
    pond.write("short.txt", &PREDICTED[1..].join("\n"));
    pond.write(
        "blank.txt",
        &PREDICTED.join("\n\n").replace(PREDICTED[2], ""),
    );
    pond.write("empty.txt", "\n");
    pond.write("table.csv", "sql\nSELECT 1\n");
    pond.write("broken.json", "{\"0\": \"SELECT 1\"");
    pond.write("twice.json", "{\"0\": \"a\", \"0\": \"b\"}");
    pond.lines("shuffled.jsonl", rows.iter().rev().cloned());
    for (predictions, message) in [
        ("gap.jsonl", "1 example(s) without a prediction: q-0"),
        (
            "gap.jsonl --by-position",
            "5 predictions for 6 examples: they can't be paired by position",
        ),
        ("repeated.jsonl", "1 id(s) of several predictions: q-2"),
        ("surplus.jsonl", "1 prediction(s) without an example: q-x"),
        (
            "other.jsonl",
            "1 prediction(s) for another database than the example's: q-3",
        ),
        (
            "other.jsonl --by-position",
            "another database than the example's: q-3",
        ),
        ("short.txt", "5 predictions for 6 examples"),
        (
            "table.csv",
            "the predictions have no ids (format csv, 1 rows)",
        ),
        ("short.txt --by-position", "5 predictions for 6 examples"),
        (
            "blank.txt --by-position",
            "if they are empty predictions, read the file as the format plain",
        ),
        (
            "shuffled.jsonl --by-position",
            "line 1 has `q-5` where q-0 belongs",
        ),
        (
            "empty.txt --by-position",
            "no prediction in it, read as the format spider",
        ),
        (
            "broken.json",
            "broken.json:1:16: not the JSON of the format bird",
        ),
        (
            "twice.json",
            "the key `0` stands here for the second time in one object",
        ),
        ("no-such-file", "no-such-file: can't be read"),
        (
            "gap.jsonl --policy bird_x",
            "there is no metric `bird_x`; there are:",
        ),
        (
            "gap.jsonl --format xml",
            "invalid value 'xml' for '--format <FORMAT>'",
        ),
        ("gap.jsonl --workers 0", "0 is not in 1..=1024"),
        (
            "gap.jsonl --timeout-seconds 0",
            "expected a number of seconds above 0, at most a day",
        ),
    ] {
        let line = format!("eval {predictions} --dataset jsonl --root . --split pond");
        let error = pond.fail(&line);
        assert!(error.contains(message), "{line}:\n{error}");
    }
    for (line, message) in [
        ("eval", "<PREDICTIONS|--pairs <FILE>|--config <FILE>>"),
        ("eval gap.jsonl", "--dataset <KIND>"),
        ("eval gap.jsonl --dataset jsonl --root .", "--split <NAME>"),
        (
            "eval gap.jsonl --dataset jsonl --root . --split lake",
            "has no split `lake`",
        ),
        (
            "eval gap.jsonl --dataset bird --root . --split dev",
            "the questions of BIRD dev not found",
        ),
        ("eval --pairs gap.jsonl", "--root <DIR>"),
        (
            "eval --pairs gap.jsonl --root no-folder",
            "no-folder is no folder",
        ),
        ("eval gap.jsonl --config x.yaml", "cannot be used with"),
        ("eval --config x.yaml --policy bag", "cannot be used with"),
        (
            "eval gap.jsonl --adapter x --dataset jsonl --split pond",
            "cannot be used with",
        ),
    ] {
        let error = pond.fail(line);
        assert!(error.contains(message), "{line}:\n{error}");
    }
}

#[test]
fn verdicts_take_their_place_when_they_are_whole() {
    let pond = Pond::new();
    pond.lines("p.jsonl", by_id(&PREDICTED));
    let line = "eval p.jsonl --dataset jsonl --root . --split pond --verdicts";
    pond.write("kept.jsonl", "what was there");
    // The file of verdicts is opened before the work, so this is told at once.
    let error = pond.fail(&format!("{line} no-folder/v.jsonl"));
    assert!(error.contains("cannot write no-folder/v.jsonl"), "{error}");
    let error = pond.fail(&format!("{line} /dev/full"));
    assert!(error.contains("cannot write /dev/full"), "{error}");
    assert!(
        error.contains("hint: there is no room on the disk"),
        "{error}"
    );
    let error =
        pond.fail("eval p.jsonl --dataset jsonl --root . --split lake --verdicts kept.jsonl");
    assert!(error.contains("has no split"), "{error}");
    assert_eq!(
        fs::read_to_string(pond.path("kept.jsonl")).unwrap(),
        "what was there"
    );
    pond.succeed(&format!("{line} kept.jsonl"));
    assert_eq!(pond.rows("kept.jsonl").len(), 6);
    let names = fs::read_dir(pond.folder.path()).unwrap();
    let left = names.filter(|entry| {
        let name = entry.as_ref().unwrap().file_name();
        name.to_string_lossy().ends_with(".partial")
    });
    assert_eq!(left.count(), 0);
}

#[test]
fn pairs_come_out_in_their_order_with_the_database_of_their_name() {
    let pond = Pond::new();
    let ddl = |rows: &str| {
        format!("CREATE TABLE fish (name TEXT, size REAL); INSERT INTO fish VALUES {rows};")
    };
    pond.database(
        "root/spider/database/pond/pond.sqlite",
        &ddl("('pike', 9.5)"),
    );
    // A test suite: the second database tells what the first does not.
    pond.database(
        "root/spider/database/pond/pond_2.sqlite",
        &ddl("('pike', 9.5), ('bleak', 1)"),
    );
    pond.database(
        "root/bird/dev_databases/lake/lake.sqlite",
        &ddl("('char', 5)"),
    );
    pond.database("root/database/sea/sea.sqlite", &ddl("('cod', 7)"));
    let pair = |name: &str, db: &str, gold: &str, pred: Value| json!({"name": name, "db": db, "gold": gold, "pred": pred, "note": "passed over"});
    pond.lines(
        "pairs.jsonl",
        [
            pair("z", "sea", "SELECT name FROM fish", json!("SELECT 'cod'")),
            pair("a", "pond", "SELECT name FROM fish", json!("SELECT 'pike'")),
            pair("m", "lake", "SELECT size FROM fish", json!("SELECT 5")),
            pair("b", "lake", "SELECT size FROM fish", Value::Null),
            pair("c", "nowhere", "SELECT size FROM fish", json!("SELECT 5")),
            pair("d", "sea", "SELECT depth FROM fish", json!("SELECT 5")),
        ],
    );
    let line =
        "eval --pairs pairs.jsonl --root root --policy bird_ex,spider_exec --verdicts v.jsonl";
    let output = pond.command(line).output().unwrap();
    succeeded(line, &output);
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(
        said.contains("note: there is no database `nowhere` below root: looked for spider/database/nowhere/nowhere.sqlite"),
        "{said}"
    );
    let told: Vec<String> = pond
        .rows("v.jsonl")
        .iter()
        .map(|row| {
            let field = |name: &str| row[name].to_string().replace('"', "");
            ["id", "bird_ex", "spider_exec", "outcome"]
                .map(field)
                .join(" ")
        })
        .collect();
    assert_eq!(
        told,
        [
            "z 1 1 executed",
            "a 1 0 executed",
            "m 1 1 executed",
            "b 0 0 empty",
            "c null null no_database",
            "d null null gold_error",
        ]
    );
    pond.database("root/database/pond/pond.sqlite", &ddl("('pike', 1)"));
    let error = pond.fail(line);
    assert!(
        error.contains("pairs.jsonl, line 2: there are two databases `pond`"),
        "{error}"
    );

    for (row, message) in [
        (
            json!({"name": "a", "db": "sea", "gold": "SELECT 1"}),
            "line 1: missing field `pred`",
        ),
        (
            json!({"name": "a", "db": "../sea", "gold": "", "pred": ""}),
            "line 1: `db` is no name of a database: \"../sea\"",
        ),
        (
            json!({"name": "a", "db": "sea", "gold": 1, "pred": ""}),
            "expected a string",
        ),
        (
            json!([]),
            "a pair has the texts `name`, `db`, `gold` and `pred`",
        ),
    ] {
        pond.lines("wrong.jsonl", [row]);
        let error = pond.fail("eval --pairs wrong.jsonl --root root");
        assert!(error.contains(message), "{message}\n{error}");
    }
    let twice = pair("a", "sea", "SELECT 1", json!("SELECT 1"));
    pond.lines("wrong.jsonl", [twice.clone(), twice]);
    let error = pond.fail("eval --pairs wrong.jsonl --root root");
    assert!(
        error.contains("line 2: the name `a` is already that of line 1"),
        "{error}"
    );
    pond.write("wrong.jsonl", "\n");
    let error = pond.fail("eval --pairs wrong.jsonl --root root");
    assert!(error.contains("wrong.jsonl: no pair in it"), "{error}");
}

#[test]
fn a_difference_shows_queries_rows_and_the_paired_test() {
    let pond = Pond::new();
    pond.lines("a.jsonl", by_id(&PREDICTED));
    let mut better = PREDICTED;
    better[3] = GOLDS[3];
    better[4] = GOLDS[4];
    better[1] = "SELECT 17";
    pond.lines("b.jsonl", by_id(&better));
    let evaluate = |file: &str, policies: &str, out: &str| {
        pond.succeed(&format!(
            "eval {file} --dataset jsonl --root . --split pond --policy {policies} --verdicts {out}"
        ));
    };
    evaluate("a.jsonl", "bird_ex,spider_exec", "va.jsonl");
    evaluate("b.jsonl", "spider_exec,bird_ex", "vb.jsonl");
    let text = pond.succeed("eval diff va.jsonl vb.jsonl --policy bird_ex");
    for part in [
        "bird_ex: 40.0 % -> 60.0 %, gain +20.0 points, n 5, fixed 2, broken 1, McNemar exact p = 1.0000",
        "1 rows without a score on a side",
        "q-1 (pond): bird_ex 1 -> 0\n  gold    SELECT count(*) FROM fish\n          1 rows: (3)\n  before  SELECT sum(1) FROM fish\n          1 rows: (3)\n  after   SELECT 17\n          1 rows: (17)\n",
        "before  SELECT max(weight) FROM fish\n          error: no such column: weight\n",
    ] {
        assert!(text.contains(part), "{part} is not in\n{text}");
    }
    assert!(!text.contains("q-0"), "{text}");
    let document: Value =
        serde_json::from_str(&pond.succeed("eval diff va.jsonl vb.jsonl --json")).unwrap();
    let changed: Vec<_> = document["changed"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| &row["id"])
        .collect();
    assert_eq!(changed, ["q-1", "q-3", "q-4"]);
    assert_eq!(document["policies"][0]["metric"], "bird_ex");
    assert_eq!(document["policies"][1]["fixed"], 2);
    assert_eq!(
        document["changed"][2]["scores"],
        json!({"bird_ex": [0.0, 1.0], "spider_exec": [0.0, 1.0]})
    );
    // Nothing changed from a file to itself.
    let same: Value =
        serde_json::from_str(&pond.succeed("eval diff va.jsonl va.jsonl --json")).unwrap();
    assert_eq!(
        (&same["changed"], &same["policies"][0]["gain"]),
        (&json!([]), &json!(0.0))
    );

    let rows = fs::read_to_string(pond.path("va.jsonl")).unwrap();
    let (first, rest) = rows.split_once('\n').unwrap();
    pond.write("gap.jsonl", rest);
    pond.write("twice.jsonl", &format!("{first}\n{rows}"));
    pond.write("cut.jsonl", &rows[..rows.len() / 2]);
    pond.write(
        "other.jsonl",
        &rows.replace("bird_ex", "bag").replace("spider_exec", "x"),
    );
    pond.write("gold.jsonl", &rows.replace(GOLDS[0], "SELECT 1"));
    pond.write("none.jsonl", "");
    pond.write(
        "word.jsonl",
        &rows.replacen("\"bird_ex\":1", "\"bird_ex\":\"right\"", 1),
    );
    for (line, message) in [
        (
            "gap.jsonl va.jsonl",
            "the verdicts before have no row `q-0`, the others have",
        ),
        (
            "va.jsonl twice.jsonl",
            "the verdicts after have the id `q-0` more than once",
        ),
        ("va.jsonl cut.jsonl", "cut.jsonl, line 3"),
        (
            "va.jsonl other.jsonl",
            "the files have no policy in common: va.jsonl has bird_ex, spider_exec, other.jsonl has bag, x",
        ),
        (
            "va.jsonl vb.jsonl --policy bag",
            "va.jsonl has no policy `bag`; it has bird_ex, spider_exec",
        ),
        ("va.jsonl none.jsonl", "none.jsonl: no verdict in it"),
        (
            "va.jsonl word.jsonl",
            "word.jsonl: row 1 is no verdict: field `bird_ex`: expected a number or null",
        ),
        ("va.jsonl a.jsonl", "a.jsonl: row 1 is no verdict"),
        ("va.jsonl", "<B>"),
    ] {
        let error = pond.fail(&format!("eval diff {line}"));
        assert!(error.contains(message), "{line}: {message}\n{error}");
    }
    let text = pond.succeed("eval diff va.jsonl gold.jsonl");
    assert!(
        text.contains("warning: the gold queries of 1 rows differ between the files, q-0 first"),
        "{text}"
    );
}

#[test]
fn a_spider_folder_with_a_test_suite() {
    let pond = Pond::new();
    let golds = [
        "SELECT name FROM fish",
        "SELECT count(*) FROM fish",
        "SELECT 'value'",
    ];
    let questions: Vec<_> = golds
        .iter()
        .map(|gold| json!({"db_id": "pond", "question": "?", "query": gold}))
        .collect();
    pond.write("spider/dev.json", &Value::from(questions).to_string());
    let tables = json!([{
        "db_id": "pond", "table_names_original": ["fish"],
        "column_names_original": [[-1, "*"], [0, "name"], [0, "size"]],
        "column_types": ["text", "text", "number"], "primary_keys": [], "foreign_keys": [],
    }]);
    pond.write("spider/tables.json", &tables.to_string());
    let ddl = |rows: &str| {
        format!("CREATE TABLE fish (name TEXT, size REAL); INSERT INTO fish VALUES {rows};")
    };
    pond.database("spider/database/pond/pond.sqlite", &ddl("('pike', 9.5)"));
    pond.database("spider/database/pond/pond_2.sqlite", &ddl("('ide', 4)"));
    pond.write(
        "p.txt",
        "SELECT 'pike'\tpond\nselect count(*) from fish\tpond\nSELECT 'value'\tpond\n",
    );
    let scores = |arguments: &str| -> Vec<String> {
        let line = "eval p.txt --dataset spider --root spider --split dev --by-position";
        pond.succeed(&format!("{line} --verdicts v.jsonl {arguments}"));
        let row = |row: &Value| {
            format!(
                "{} {} {} {}",
                row["id"], row["spider_exec"], row["spider_exact"], row["bird_ex"]
            )
        };
        pond.rows("v.jsonl").iter().map(row).collect()
    };
    let policies = "--policy spider_exec,spider_exact,bird_ex";
    // A constant that happens to be right on the database itself is found out by the suite.
    assert_eq!(
        scores(policies),
        [
            "\"spider-dev-0\" 0 0 1",
            "\"spider-dev-1\" 1 1 1",
            "\"spider-dev-2\" 1 null 1",
        ]
    );
    // The official script replaces the word before it looks.
    assert_eq!(
        scores(&format!("{policies} --as-script"))[2],
        "\"spider-dev-2\" 0 null 1"
    );
    // The usual policies, with Spider's levels.
    let text = pond.succeed("eval p.txt --dataset spider --root spider --split dev --by-position");
    for part in ["spider_exec ", "spider_exact ", "by level", "easy"] {
        assert!(text.contains(part), "{part} is not in\n{text}");
    }
}

#[test]
fn outcomes_are_kept_for_the_next_run() {
    let pond = Pond::new();
    pond.lines("p.jsonl", by_id(&PREDICTED));
    let run = |arguments: &str| {
        let line = format!(
            "eval p.jsonl --dataset jsonl --root . --split pond --verdicts v.jsonl {arguments}"
        );
        let output = pond.command(&line).output().unwrap();
        succeeded(&line, &output);
        let said = String::from_utf8(output.stderr).unwrap();
        (said, pond.rows("v.jsonl"))
    };
    let (_, cold) = run("--no-cache");
    assert!(!pond.path("cache").exists());
    let (said, first) = run("--cache kept");
    assert!(said.contains(" 0 results were at hand"), "{said}");
    let (said, second) = run("--cache kept");
    assert!(said.contains("note: 0 queries were run"), "{said}");
    assert_eq!((&first, &second), (&cold, &cold));
    // What is damaged is told, and made anew.
    for entry in fs::read_dir(pond.path("kept")).unwrap() {
        fs::write(entry.unwrap().path(), "this is no cache").unwrap();
    }
    let (said, third) = run("--cache kept");
    assert!(
        said.contains("warning: ") && said.contains("begun anew"),
        "{said}"
    );
    assert_eq!(third, cold);
    let error = pond.fail("eval p.jsonl --dataset jsonl --root . --split pond --cache p.jsonl");
    assert!(
        error.contains("can't use p.jsonl as the folder of kept outcomes"),
        "{error}"
    );
    let error =
        pond.fail("eval p.jsonl --dataset jsonl --root . --split pond --cache x --no-cache");
    assert!(error.contains("cannot be used with"), "{error}");
}
