//! The check of data sets: every known defect of the released data is found, and experiments respect what it lists.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stderr,
    missing_docs
)]

mod support;

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value, json};
use support::{Lab, succeeded};

/// The folder of the released data; without it these tests say so and pass, except in continuous integration.
fn released() -> Option<PathBuf> {
    let shared = std::env::var_os("HARNESS_SHARED").map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared"),
        PathBuf::from,
    );
    let data = shared.join("data");
    if data.is_dir() {
        return Some(data);
    }
    assert!(
        std::env::var_os("CI").is_none(),
        "no data at {}",
        data.display()
    );
    eprintln!(
        "skipped: no data at {} (set HARNESS_SHARED)",
        data.display()
    );
    None
}

/// Summary and defects of a released set.
fn check(data: &Path, set: &str) -> (Value, Vec<Value>) {
    let output = Command::new(env!("CARGO_BIN_EXE_harness"))
        .args(["data", "check", set, "--json", "--data"])
        .arg(data)
        .output()
        .unwrap();
    let result: Value = serde_json::from_str(&succeeded(set, &output)).unwrap();
    let defects = result["defects"].as_array().unwrap().clone();
    for defect in &defects {
        assert_eq!(defect["set"], set);
        assert!(defect["message"].as_str().unwrap().len() < 200, "{defect}");
    }
    (result["sets"][0].clone(), defects)
}

/// The named field of the defects of a kind.
fn named<'a>(defects: &'a [Value], kind: &str, field: &str) -> Vec<&'a str> {
    let of_kind = defects.iter().filter(|defect| defect["kind"] == kind);
    of_kind
        .filter_map(|defect| defect[field].as_str())
        .collect()
}

#[test]
fn all_known_defects_of_spider_are_found() {
    let Some(data) = released() else { return };
    let (dev, defects) = check(&data, "spider:dev");
    assert_eq!(
        dev,
        json!({
            "set": "spider:dev", "examples": 1034, "databases": 20, "databases_present": 19,
            "executed": 972, "compiled": 62, "defects": {"no_database": 62, "empty_result": 49},
            "excluded": 0,
        })
    );
    assert_eq!(named(&defects, "no_database", "db_id"), ["wta_1"]);

    let (train, defects) = check(&data, "spider:train");
    assert_eq!(
        (&train["executed"], &train["compiled"]),
        (&json!(6904), &json!(96))
    );
    assert_eq!(
        train["defects"],
        json!({
            "no_database": 96, "empty_database": 100, "empty_result": 254, "unknown_table": 1,
            "gold_error": 2,
        })
    );
    assert_eq!(train["excluded"], 3);
    assert_eq!(
        named(&defects, "no_database", "db_id"),
        ["baseball_1", "soccer_1"]
    );
    assert_eq!(named(&defects, "empty_database", "db_id"), ["music_2"]);
    assert_eq!(
        named(&defects, "unknown_table", "id"),
        ["spider-train-3153"]
    );
    assert_eq!(
        named(&defects, "unknown_table", "message"),
        ["no such table: Ref_Company_Types"]
    );
    assert_eq!(
        named(&defects, "gold_error", "id"),
        ["spider-train-4513", "spider-train-4514"]
    );
    for message in named(&defects, "gold_error", "message") {
        assert!(
            message.contains("ORDER BY clause should come after INTERSECT"),
            "{message}"
        );
    }

    let (others, defects) = check(&data, "spider:train-others");
    assert_eq!(others["executed"], 1659);
    assert_eq!(
        others["defects"],
        json!({"empty_database": 1659, "empty_result": 1362})
    );
    assert_eq!(
        named(&defects, "empty_database", "db_id"),
        ["academic", "geo", "imdb", "restaurants", "scholar", "yelp"]
    );
}

#[test]
fn all_known_defects_of_bird_are_found() {
    let Some(data) = released() else { return };
    let (train, defects) = check(&data, "bird:train");
    assert_eq!(
        (&train["executed"], &train["compiled"]),
        (&json!(0), &json!(9428))
    );
    assert_eq!(train["excluded"], 350);
    assert_eq!(named(&defects, "no_database", "db_id").len(), 69);
    let refused = |db_id: &str| {
        let about = |defect: &&Value| defect["db_id"] == db_id && defect["id"].is_string();
        defects.iter().filter(about).count()
    };
    let counts = ["retail_world", "works_cycles", "app_store", "shooting"].map(refused);
    assert_eq!(counts, [330, 10, 6, 4]);

    for (set, executed, compiled) in [("bird:dev", 129, 1405), ("bird:mini-dev", 52, 448)] {
        let (summary, defects) = check(&data, set);
        assert_eq!(summary["executed"], executed);
        assert_eq!(summary["defects"], json!({ "no_database": compiled }));
        assert_eq!(named(&defects, "no_database", "db_id").len(), 10);
    }
}

/// The lab's data with two golds spoiled and one that returns nothing.
fn spoiled() -> Lab {
    let lab = Lab::new();
    let mut plain = lab.rows("data/plain.jsonl");
    plain[3]["sql"] = json!("SELECT a FROM gone");
    plain[4]["sql"] = json!("SELECT a FROM t WHERE a > 99");
    lab.write_rows("plain", &plain);
    let mut mixed = lab.rows("data/mixed.jsonl");
    mixed[0]["sql"] = json!("SELECT a, FROM u");
    lab.write_rows("mixed", &mixed);
    lab
}

#[test]
fn what_the_check_lists_is_neither_trained_on_nor_scored() {
    let lab = spoiled();
    let text = lab.succeed("data check data/plain.jsonl data/mixed.jsonl --out defects.jsonl");
    for part in [
        "unknown_table: 1",
        "empty_result: 1 (kept)",
        "gold_error: 1",
        "no_database: 1",
    ] {
        assert!(text.contains(part), "{part} is not in:\n{text}");
    }
    let left_out: Vec<String> = lab
        .rows("defects.jsonl")
        .iter()
        .map(|row| format!("{} {} {}", row["set"], row["id"], row["kind"]).replace('"', ""))
        .collect();
    assert_eq!(
        left_out,
        [
            "jsonl:plain shop-3 unknown_table",
            "jsonl:plain shop-4 empty_result",
            "jsonl:mixed null no_database",
            "jsonl:mixed school-0 gold_error",
        ]
    );
    let line = lab.succeed("data check --config tiny.yaml --set-name plain --json");
    assert!(line.contains("\"excluded\": 1"), "{line}");

    lab.variant("clean.yaml", "train:\n", "defects: defects.jsonl\ntrain:\n");
    lab.succeed("run clean.yaml --set out=clean");
    let set = lab.json("clean/data/plain/set.json");
    assert_eq!(set["notes"]["defective"], json!({"unknown_table": 1}));
    assert_eq!(
        lab.json("clean/data/plain/manifest.json")["notes"]["left_out_defective"],
        json!({"unknown_table": 1})
    );
    let summary = lab.json("clean/train/plain/summary.json");
    assert_eq!(summary["examples_used"], 16 - 1 - 2, "two are held out");
    let judged = lab.rows("clean/score/base--mixed/verdicts.jsonl");
    assert_eq!(judged.len(), 5, "one of six is left out");
    let report = lab.json("clean/report/all/report.json").to_string();
    for part in [
        "1 examples of plain left out: defective gold",
        "1 examples of mixed left out: defective gold",
    ] {
        assert!(report.contains(part), "{part} is not in the report");
    }
    // Another list is another experiment, and no list is the experiment as it always was.
    let digest = |run: &str| lab.json(&format!("{run}/data/plain/manifest.json"))["inputs"].clone();
    lab.succeed("data read --config tiny.yaml --set out=dirty");
    assert!(digest("clean").get("file:defects/1").is_some());
    assert!(digest("dirty").get("file:defects/1").is_none());
}

#[test]
fn a_list_of_defects_that_is_none_is_told() {
    let lab = Lab::new();
    lab.variant(
        "wrong.yaml",
        "train:\n",
        "defects: [data/plain.jsonl]\ntrain:\n",
    );
    let error = lab.fail("data read --config wrong.yaml");
    for part in ["data/plain.jsonl", "line 1", "expected a defect"] {
        assert!(error.contains(part), "{part} is not in:\n{error}");
    }
}

#[test]
fn leaks_are_reported_and_refused_where_they_are_denied() {
    let lab = Lab::new();
    lab.succeed("run tiny.yaml");
    let leaks = lab.json("results/align/plain--shop/leaks.json");
    assert_eq!(leaks["shared_databases"], json!(["shop"]));
    assert!(!leaks["same_sql"].as_array().unwrap().is_empty());
    let report = lab.json("results/report/all/report.json").to_string();
    assert!(report.contains("training set and target share: 1 databases in both"));

    lab.variant("denied.yaml", "train:\n", "leaks: deny\ntrain:\n");
    for line in [
        "run denied.yaml --set out=denied",
        "train --config denied.yaml --train-set plain --out adapter",
    ] {
        let error = lab.fail(line);
        for part in [
            "leaks: deny",
            "plain and shop share 1 databases",
            "shop-1 = shop-0",
        ] {
            assert!(error.contains(part), "{line}: {part} is not in:\n{error}");
        }
    }
    assert!(!lab.path("denied/train").exists());
    lab.succeed("data read --config denied.yaml --set out=denied");
}

#[test]
fn sets_can_be_counted_and_shown() {
    let lab = Lab::new();
    let stats: Value =
        serde_json::from_str(&lab.succeed("data stats data/plain.jsonl --json")).unwrap();
    assert_eq!(
        (&stats[0]["examples"], &stats[0]["set"]),
        (&json!(16), &json!("jsonl:plain"))
    );
    assert_eq!(stats[0]["gold_tokens"]["median"], 4);
    let counted: Value = serde_json::from_str(
        &lab.succeed("data stats --config tiny.yaml --set-name plain --max-length 20 --json"),
    )
    .unwrap();
    let tokens = &counted[0]["tokens"];
    assert_eq!(tokens["too_long"], 16, "{tokens}");
    assert!(tokens["prompt"]["min"].as_u64() < tokens["whole"]["min"].as_u64());
    // The tokens of a part of configs/model, without an experiment.
    std::fs::create_dir_all(lab.path("configs/model")).unwrap();
    lab.write("configs/model/own.yaml", "source: [{local: model}]\n");
    let counted: Value = serde_json::from_str(
        &lab.succeed("data stats data/plain.jsonl --model own --max-length 20 --json"),
    )
    .unwrap();
    assert_eq!(counted[0]["tokens"]["too_long"], 16, "{counted}");

    let shown = lab.succeed("data show data/plain.jsonl --id shop-3");
    for part in [
        "shop-3\n",
        "question: What is a in list 3?",
        "CREATE TABLE t",
    ] {
        assert!(shown.contains(part), "{part} is not in:\n{shown}");
    }
    let drawn = lab.succeed("data show data/plain.jsonl --n 3 --seed 5");
    assert_eq!(drawn.matches("question: ").count(), 3);
    assert_eq!(
        drawn,
        lab.succeed("data show data/plain.jsonl --n 3 --seed 5")
    );
    let error = lab.fail("data show data/plain.jsonl --id none");
    assert!(error.contains("no example has the id `none`"), "{error}");
}

#[cfg(feature = "hub")]
#[test]
fn what_can_not_be_fetched_is_told_with_the_way_by_hand() {
    let lab = Lab::new();
    let error = lab.fail("data fetch spyder");
    assert!(error.contains("there are: spider, bird-dev"), "{error}");
    // A port that was just closed: nobody answers.
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let output = lab
        .harness("data fetch gretel --out got")
        .env("HF_ENDPOINT", &address)
        .env("HF_HOME", lab.path("hub"))
        .output()
        .unwrap();
    let error = support::failed("data fetch", &output);
    let path = format!("{address}/datasets/gretelai/synthetic_text_to_sql/resolve/740ab236");
    for part in [
        path.as_str(),
        "no connection",
        "by hand: get",
        "put it into got",
    ] {
        assert!(error.contains(part), "{part} is not in:\n{error}");
    }
    assert_eq!(std::fs::read_dir(lab.path("got")).unwrap().count(), 0);
}

#[test]
fn a_model_is_probed_beside_a_control() {
    let lab = Lab::new();
    let line = "data probe --config tiny.yaml --set-name plain --n 9 --seed 3 --json";
    let probed: Value = serde_json::from_str(&lab.succeed(line)).unwrap();
    // A model of random weights knows nothing; what it was asked is counted all the same.
    let (golds, short) = (&probed[0]["golds"], &probed[0]["too_short"]);
    assert_eq!(golds["n"].as_u64().unwrap() + short.as_u64().unwrap(), 9);
    assert_eq!(golds["exact"]["count"], 0);
    assert_eq!(golds["n"], probed[0]["control"]["n"]);
    let error = lab.fail("data probe data/plain.jsonl");
    assert!(error.contains("no model is given"), "{error}");
}
