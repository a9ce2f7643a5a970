//! What the checks share: a small database, rows, and how to evaluate them.

use std::fmt::Display;
use std::fs;
use std::path::{Path, PathBuf};

use harness_eval::{Limits, METRICS, Metric, Options, Place, Row, WorkerCommand, evaluate};
use harness_record::Verdict;

/// The argument that makes this program a worker.
pub const SERVE: &str = "serve-queries";
/// The argument that makes it evaluate a query that does not end.
pub const HOLD: &str = "hold";
/// The argument that makes it run queries with a cache.
pub const FILL: &str = "fill";

/// How this program evaluates.
pub fn options(workers: usize, limits: Limits) -> Options {
    Options {
        worker: WorkerCommand {
            program: std::env::current_exe().unwrap(),
            args: vec![SERVE.into()],
        },
        limits,
        workers,
        as_script: false,
        check_gold: true,
        repeats: 3,
        cache: None,
    }
}

/// The metrics that give the same every time.
pub fn metrics() -> Vec<Metric> {
    let metrics = METRICS.iter().filter(|metric| !metric.timed());
    metrics.copied().collect()
}

/// The verdicts by all these metrics.
pub fn verdicts(rows: &[Row], workers: usize, limits: Limits) -> Vec<Verdict> {
    let mut last = 0;
    let verdicts = evaluate(
        rows,
        &metrics(),
        &options(workers, limits),
        &mut |progress| {
            assert_eq!(progress.done, last + 1);
            last = progress.done;
        },
    );
    assert_eq!(last, rows.len());
    let judgements = verdicts.unwrap().into_iter();
    judgements.map(|judgement| judgement.verdict).collect()
}

/// A row on a database file.
pub fn row(id: impl Display, database: &Path, gold: &str, predicted: &str) -> Row {
    Row {
        id: id.to_string(),
        db_id: "small".into(),
        place: Place::from(Some(database.into())),
        gold: gold.into(),
        predicted: predicted.into(),
    }
}

/// A database of two small tables in a folder.
pub fn small_database(folder: &Path) -> PathBuf {
    let path = folder.join("small.sqlite");
    rusqlite::Connection::open(&path)
        .unwrap()
        .execute_batch(
            "CREATE TABLE fruit (id INTEGER PRIMARY KEY, name TEXT, price REAL);
             INSERT INTO fruit VALUES (1, 'apple', 0.5), (2, 'pear', 0.75), (3, 'plum', NULL);
             CREATE TABLE number AS WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c WHERE x < 1000)
             SELECT x FROM c;",
        )
        .unwrap();
    path
}

/// The folder of real data and goldens; `None`, said once, where it is not there and need not be.
pub fn shared() -> Option<PathBuf> {
    let folder = std::env::var_os("HARNESS_SHARED").map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared"),
        PathBuf::from,
    );
    if folder.join("golden").is_dir() {
        return Some(folder);
    }
    assert!(
        std::env::var_os("CI").is_none(),
        "no data folder at {}",
        folder.display()
    );
    println!(
        "skipped: no data folder at {} (set HARNESS_SHARED)",
        folder.display()
    );
    None
}

/// The text of a file.
pub fn read(path: impl AsRef<Path>) -> String {
    let path = path.as_ref();
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The rows of a file of JSON Lines.
pub fn json_lines(path: impl AsRef<Path>) -> Vec<serde_json::Value> {
    read(path)
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}
