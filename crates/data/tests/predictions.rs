//! Files of predictions as systems released them, in the shared data.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stderr,
    missing_docs
)]

use std::path::{Path, PathBuf};

use harness_data::predictions::{PredictionFormat, identify, read_predictions};
use harness_data::{DatasetKind, DatasetRef, load};

/// The folder of the released data; without it these tests say so and pass, except in continuous integration.
fn released() -> Option<PathBuf> {
    let shared = std::env::var_os("HARNESS_SHARED").map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared"),
        PathBuf::from,
    );
    let data = shared.join("data");
    if data.join("predictions").is_dir() {
        return Some(data);
    }
    assert!(
        std::env::var_os("CI").is_none(),
        "no predictions at {}",
        data.display()
    );
    eprintln!(
        "skipped: no predictions at {} (set HARNESS_SHARED)",
        data.display()
    );
    None
}

/// Reads a file and pairs it with a split; format, rows, entries without a query and whether databases agree.
#[track_caller]
fn check(
    file: &str,
    set: (DatasetKind, &str),
    by_position: bool,
    format: PredictionFormat,
    not_text: usize,
) {
    let Some(data) = released() else { return };
    let (dataset, split) = set;
    let reference = DatasetRef::new(dataset, data.join(dataset.name()), split);
    let examples = load(&reference).unwrap().examples;
    let read = read_predictions(&data.join("predictions").join(file), None).unwrap();
    assert_eq!((read.format, read.not_text.len()), (format, not_text));
    let rows = identify(read, &examples, by_position).unwrap();
    assert_eq!(rows.len(), examples.len());
    for (row, example) in rows.iter().zip(&examples) {
        assert_eq!(row.id, example.id);
        let database = row.db_id.as_ref();
        assert!(database.is_none_or(|db| *db == example.db_id), "{}", row.id);
    }
}

#[test]
fn released_files_are_read_and_paired() {
    use PredictionFormat::{Bird, Csv, Spider};
    let spider = (DatasetKind::Spider, "dev");
    let (dev, mini) = ((DatasetKind::Bird, "dev"), (DatasetKind::Bird, "mini-dev"));
    check("spider/C3SQL/predicted_sql.txt", spider, true, Spider, 0);
    check(
        "spider/DAIL-SQL/DAIL-SQL+GPT-4.txt",
        spider,
        true,
        Spider,
        0,
    );
    check(
        "spider/taoyds-spider/gold_example.txt",
        spider,
        true,
        Spider,
        0,
    );
    for file in [
        "CodeX/DIN-SQL",
        "CodeX/CodeX_few-shot",
        "GPT4_results/GPT4_zero_shot",
    ] {
        check(&format!("spider/DIN-SQL/{file}.csv"), spider, true, Csv, 0);
    }
    for by_position in [false, true] {
        let codes = "bird/CodeS/predict_dev-codes-7b-bird-with-evidence.json";
        check(codes, dev, by_position, Bird, 0);
        check(
            "bird/DAMO-ConvAI/turbo_output/predict_dev.json",
            dev,
            by_position,
            Bird,
            54,
        );
    }
    let mini_dev = "bird/mini_dev/sql_output_kg/predict_mini_dev_gpt-4_sqlite.json";
    check(mini_dev, mini, true, Bird, 0);
}
