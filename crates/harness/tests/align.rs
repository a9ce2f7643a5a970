//! `harness align` on two sets of queries, and `align explain`, in a user's hands.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stdout,
    missing_docs
)]

mod support;

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use support::Lab;

/// A file of the shared folder beside the repository; none where it is not there, which CI does not allow.
fn shared(path: &str) -> Option<PathBuf> {
    let root = std::env::var_os("HARNESS_SHARED").map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared"),
        PathBuf::from,
    );
    let file = root.join(path);
    if file.exists() {
        return Some(file);
    }
    assert!(
        std::env::var_os("CI").is_none(),
        "{} is absent",
        file.display()
    );
    println!("passed over: {} is absent", file.display());
    None
}

fn write(lab: &Lab, name: &str, rows: &[Value]) {
    let lines: Vec<String> = rows.iter().map(|row| format!("{row}\n")).collect();
    fs::write(lab.path(name), lines.concat()).unwrap();
}

fn json_of(lab: &Lab, line: &str) -> Value {
    serde_json::from_str(&lab.succeed(line)).unwrap()
}

fn close(found: &Value, expected: &Value, tolerance: f64, what: &str) {
    let (found, expected) = (found.as_f64().unwrap(), expected.as_f64().unwrap());
    assert!(
        (found - expected).abs() <= tolerance * expected.abs(),
        "{what}: {found}, expected {expected}"
    );
}

const FIGURES: [&str; 10] = [
    "d_kl",
    "c",
    "a_kl",
    "d_kl_rev",
    "c_rev",
    "a_kl_rev",
    "js",
    "ovlp_template",
    "ovlp_ngram",
    "n_union",
];

#[test]
fn the_tiny_golden_through_the_command() {
    let Some(golden) = shared("golden/alignment.json") else {
        return;
    };
    let golden: Value = serde_json::from_str(&fs::read_to_string(golden).unwrap()).unwrap();
    let lab = Lab::new();
    for name in ["source", "target"] {
        let queries = golden["tiny"][name].as_array().unwrap();
        let rows: Vec<Value> = queries.iter().map(|sql| json!({"sql": sql})).collect();
        write(&lab, &format!("{name}.jsonl"), &rows);
        // One query a line says the same.
        let lines: Vec<&str> = queries.iter().map(|sql| sql.as_str().unwrap()).collect();
        fs::write(lab.path(&format!("{name}.sql")), lines.join("\n")).unwrap();
    }
    for expected in golden["tiny"]["scores"].as_array().unwrap() {
        let filters = if expected["filters"] == json!(true) {
            ""
        } else {
            " --no-filters"
        };
        let options = format!(
            "--l-max {} --alpha {}{filters} --json",
            expected["l_max"], expected["alpha"]
        );
        for kind in ["jsonl", "sql"] {
            let line = format!("align --source source.{kind} --target target.{kind} {options}");
            let found = json_of(&lab, &line);
            for name in FIGURES {
                close(&found[name], &expected[name], 1e-9, name);
            }
        }
    }
}

#[test]
fn real_pairs_through_the_command() {
    let Some(golden) = shared("golden/alignment.json") else {
        return;
    };
    let (Some(spider), Some(bird)) = (shared("data/spider"), shared("data/bird")) else {
        return;
    };
    let golden: Value = serde_json::from_str(&fs::read_to_string(golden).unwrap()).unwrap();
    let lab = Lab::new();
    for (pairs, flag) in [("pairs", ""), ("pairs_style_free", " --style-free")] {
        let line = format!(
            "align --source spider:train@{} --target bird:dev@{} --json{flag}",
            spider.display(),
            bird.display()
        );
        let found = json_of(&lab, &line);
        let expected = &golden[pairs]["spider_train->bird_dev"];
        for name in FIGURES.iter().filter(|name| !expected[**name].is_null()) {
            close(&found[*name], &expected[*name], 1e-9, name);
        }
        assert_eq!(found["n_source"], 7000);
    }
}

/// Predictions, a verdict, intervals by question and by database, and the same bytes at one thread and at three.
#[test]
fn predictions_get_a_verdict() {
    let lab = Lab::new();
    let good = "SELECT a FROM t JOIN u ON t.i = u.i WHERE b > 1";
    let plain = "SELECT a FROM t";
    let rows = |sql: &dyn Fn(usize) -> &'static str, n: usize| -> Vec<Value> {
        (0..n)
            .map(|i| json!({"id": i, "sql": sql(i), "db_id": format!("d{}", i % 6)}))
            .collect()
    };
    write(&lab, "train.jsonl", &rows(&|_| good, 400));
    write(
        &lab,
        "target.jsonl",
        &rows(&|i| if i % 7 == 0 { plain } else { good }, 300),
    );
    // Every third answer runs on into the next question.
    let answers: Vec<Value> = (0..300)
        .rev()
        .map(|i| {
            let tail = if i % 3 == 0 {
                ";\n\n-- Next\nSELECT b FROM v"
            } else {
                ""
            };
            json!({"id": i, "sql": format!("{plain}{tail}")})
        })
        .collect();
    write(&lab, "answers.jsonl", &answers);
    let line = "align --source train.jsonl --target target.jsonl --predictions answers.jsonl --resamples 200";
    let text = lab.succeed(line);
    assert!(
        text.contains("train.jsonl is closer to target.jsonl"),
        "{text}"
    );
    assert!(
        text.contains("100 predictions went on behind the end of the query"),
        "{text}"
    );
    assert!(text.contains("6 databases"), "{text}");
    let found = json_of(&lab, &format!("{line} --json"));
    let rarefied = &found["of_predictions"]["rarefied"];
    assert_eq!(
        (&rarefied["verdict"], &rarefied["n"]),
        (&json!("above"), &json!(300))
    );
    assert!(rarefied["interval_by_database"]["low"].as_f64().unwrap() > 1.0);
    assert!(found["ar"].as_f64().unwrap() > 1.0);
    let with_threads = |n: &str| {
        let mut command = lab.command();
        let arguments: Vec<&str> = line.split(' ').chain(["--json"]).collect();
        command.args(arguments).env("RAYON_NUM_THREADS", n);
        command.output().unwrap().stdout
    };
    assert_eq!(with_threads("1"), with_threads("3"));
    // Too few queries: all figures are there, and no verdict.
    write(&lab, "few.jsonl", &rows(&|_| good, 150));
    let few = json_of(
        &lab,
        "align --source few.jsonl --target target.jsonl --predictions answers.jsonl --json",
    );
    assert_eq!(few["of_predictions"]["rarefied"]["verdict"], "withheld");
    assert_eq!(
        few["of_predictions"]["withheld"][0]["reason"],
        "too_few_queries"
    );
    assert!(few["ar"].is_number());
}

#[test]
fn what_carries_the_divergence() {
    let lab = Lab::new();
    let queries = |join: &str| -> Vec<Value> {
        let sql = format!("SELECT a FROM t {join} u ON t.i = u.i");
        vec![json!({"sql": sql}), json!({"sql": "SELECT a FROM t"})]
    };
    write(&lab, "s.jsonl", &queries("JOIN"));
    write(&lab, "t.jsonl", &queries("INNER JOIN"));
    let found = json_of(
        &lab,
        "align explain --source s.jsonl --target t.jsonl --json",
    );
    assert_eq!(found["words_too_little"][0]["word"], "INNER");
    assert_eq!(found["templates_too_little"][0]["n_source"], 0);
    let text = lab.succeed("align explain --source s.jsonl --target t.jsonl --top 3");
    assert!(text.contains("SELECT FROM INNER JOIN ON =  (1)"), "{text}");
}

/// The whole table, with what a model wrote and without.
#[test]
fn all_scores() {
    let lab = Lab::new();
    let rows = |sqls: &[&str]| -> Vec<Value> {
        let row = |(i, sql): (usize, &&str)| json!({"id": i, "sql": sql, "question": format!("Question {i}?")});
        sqls.iter().enumerate().map(row).collect()
    };
    let (near, far) = ("SELECT a FROM t WHERE b = 1", "SELECT a FROM");
    write(
        &lab,
        "s.jsonl",
        &rows(&[near, near, "SELECT COUNT(*) FROM t", far]),
    );
    write(
        &lab,
        "t.jsonl",
        &rows(&[near, near, "SELECT MAX(a) FROM t"]),
    );
    write(
        &lab,
        "own.jsonl",
        &rows(&["SELECT a FROM t", "SELECT b FROM u", "SELECT c FROM v"]),
    );
    let numbers =
        json!({"name": "made", "source": [1, 2], "target": [2, 4], "predictions": [5, 7]});
    fs::write(lab.path("numbers.json"), numbers.to_string()).unwrap();
    let pair = "align --source s.jsonl --target t.jsonl --predictions own.jsonl --resamples 0";
    assert!(json_of(&lab, &format!("{pair} --json"))["scores"].is_null());
    let found = json_of(&lab, &format!("{pair} --arrays numbers.json --json"));
    let scores = found["scores"].as_array().unwrap();
    let row = |name: &str| scores.iter().find(|row| row["name"] == name).unwrap();
    assert_eq!(row("a_kl")["value"], found["a_kl"]);
    assert_eq!(row("a_kl")["ratio"], found["ar"]);
    for name in ["subtree_jaccard", "js", "js_style_free"] {
        assert!(
            row(name)["ratio"].as_f64().is_some_and(|it| it > 1.0),
            "{}",
            row(name)
        );
    }
    // What the parser reads of both sets has the same features: there is nothing to divide by.
    assert_eq!(row("feature_energy")["missing"], "divided_by_zero");
    assert_eq!(row("feature_energy")["refused"]["source"], 1);
    assert_eq!(row("question_bm25")["missing"], "same_questions");
    // Means 1.5, 3 and 6.
    let gap = row("made_gap");
    assert_eq!(
        (&gap["value"], &gap["of_predictions"], &gap["ratio"]),
        (&json!(1.5), &json!(3.0), &json!(2.0))
    );
    let text = lab.succeed(&format!("{pair} --all"));
    for part in [
        "feature_energy -",
        "question_tfidf and 1 more: predictions answer the target's own questions",
        "1 queries of the source",
    ] {
        assert!(text.contains(part), "{part} in {text}");
    }
    fs::write(
        lab.path("numbers.json"),
        "{\"name\": \"made\", \"source\": [1], \"target\": []}",
    )
    .unwrap();
    let said = lab.fail(&format!("{pair} --arrays numbers.json"));
    assert!(
        said.contains("numbers.json") && said.contains("at least one row"),
        "{said}"
    );
}

#[test]
fn bad_input_is_told() {
    let lab = Lab::new();
    write(&lab, "good.jsonl", &[json!({"sql": "SELECT a FROM t"})]);
    write(&lab, "none.jsonl", &[json!({"sql": "Sorry."})]);
    fs::write(
        lab.path("broken.jsonl"),
        "{\"sql\": \"SELECT 1\"}\n{\"sql\": 3}\n",
    )
    .unwrap();
    write(
        &lab,
        "strange.jsonl",
        &[json!({"id": "x", "sql": "SELECT 1"})],
    );
    for (line, part) in [
        (
            "align --source good.jsonl --target absent.jsonl",
            "absent.jsonl",
        ),
        ("align --source good.jsonl --target broken.jsonl", "line 2"),
        (
            "align --source none.jsonl --target good.jsonl",
            "no query template",
        ),
        (
            "align --source spyder:dev --target good.jsonl",
            "there is no kind of data set `spyder`",
        ),
        (
            "align --source good.jsonl --target good.jsonl --alpha 0",
            "alpha",
        ),
        (
            "align --source good.jsonl --target good.jsonl --predictions strange.jsonl",
            "`x`",
        ),
        ("align --source good.jsonl", "--target"),
        ("align", "--source"),
    ] {
        let said = lab.fail(line);
        assert!(said.contains(part), "{line}: {said}");
    }
}
