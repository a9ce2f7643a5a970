//! One row of each kind, and what does not change a verdict.

use std::fs;

use harness_eval::{EvalError, Limits, Place, evaluate, metric};
use harness_record::Outcome;

use crate::support::{options, row, small_database, verdicts};

pub fn every_outcome() {
    let folder = tempfile::tempdir().unwrap();
    let database = small_database(folder.path());
    let limits = Limits {
        steps: 1_000_000,
        ..Limits::default()
    };
    let gold = "SELECT name FROM fruit";
    let cases = [
        (
            gold,
            "SELECT name FROM fruit ORDER BY price",
            Outcome::Executed,
            Some(1.0),
        ),
        (
            gold,
            "SELECT price FROM fruit",
            Outcome::Executed,
            Some(0.0),
        ),
        (gold, "SELECT names FROM fruit", Outcome::Error, Some(0.0)),
        (
            gold,
            "SELECT count(*) FROM number a, number b, number c",
            Outcome::Timeout,
            Some(0.0),
        ),
        (
            gold,
            "SELECT hex(zeroblob(100000000))",
            Outcome::TooLarge,
            Some(0.0),
        ),
        (gold, "DELETE FROM fruit", Outcome::Refused, Some(0.0)),
        (
            gold,
            "SELECT name FROM fruit; SELECT 1",
            Outcome::Refused,
            Some(0.0),
        ),
        (gold, "", Outcome::Empty, Some(0.0)),
        (
            "SELECT name FROM fruit WHERE id > 9",
            "-- none",
            Outcome::Empty,
            Some(0.0),
        ),
        ("SELECT nothing", "SELECT 1", Outcome::GoldError, None),
        (
            "DELETE FROM fruit",
            "DELETE FROM fruit",
            Outcome::GoldError,
            None,
        ),
    ];
    let rows: Vec<_> = cases
        .iter()
        .enumerate()
        .map(|(id, (gold, predicted, ..))| row(id, &database, gold, predicted))
        .collect();
    let verdicts = verdicts(&rows, 2, limits);
    for ((verdict, row), (.., outcome, score)) in verdicts.iter().zip(&rows).zip(cases) {
        assert_eq!(verdict.id, row.id);
        assert_eq!(
            verdict.outcome, outcome,
            "{}: {:?}",
            row.predicted, verdict.error
        );
        assert_eq!(verdict.error.is_none(), outcome == Outcome::Executed);
        for metric in ["bag", "bird_ex", "spider_exec"] {
            let value = verdict.scores[metric];
            assert_eq!(value, score, "{metric}: {}", row.predicted);
        }
    }
    let none = evaluate(&rows, &[], &options(1, limits), &mut |_| {});
    assert!(matches!(none, Err(EvalError::NoMetric { .. })));
}

pub fn metrics_share_executions() {
    let folder = tempfile::tempdir().unwrap();
    let database = small_database(folder.path());
    // If gold and prediction, or the two metrics, ran the query apart, the random rows would hardly be equal.
    let sql = "SELECT random(), random(), random()";
    for verdict in verdicts(&[row(0, &database, sql, sql)], 1, Limits::default()) {
        for metric in ["bag", "bird_ex", "soft_f1", "spider_exec"] {
            assert_eq!(verdict.scores[metric], Some(1.0), "{metric}");
        }
    }
    // The outcome is that of the first metric's form of the query.
    let rows = [row(
        0,
        &database,
        "SELECT 1 WHERE 1 != 2",
        "SELECT 1 WHERE 1 ! = 2",
    )];
    for (names, outcome) in [
        (["spider_exec", "bird_ex"], Outcome::Executed),
        (["bird_ex", "spider_exec"], Outcome::Error),
    ] {
        let metrics = names.map(|name| metric(name).unwrap());
        let options = options(1, Limits::default());
        let verdicts = evaluate(&rows, &metrics, &options, &mut |_| {}).unwrap();
        let verdict = &verdicts[0].verdict;
        assert_eq!(verdict.outcome, outcome);
        assert_eq!(verdict.scores["spider_exec"], Some(1.0));
        assert_eq!(verdict.scores["bird_ex"], Some(0.0));
    }
}

pub fn absent_databases_are_not_made() {
    let folder = tempfile::tempdir().unwrap();
    let absent = folder.path().join("absent.sqlite");
    let mut rows = vec![
        row(0, &absent, "SELECT 1", "SELECT 1"),
        row(1, folder.path(), "SELECT 1", "SELECT 1"),
        row(2, &absent, "SELECT 1", "SELECT 1"),
    ];
    rows[2].place = Place::default();
    for verdict in verdicts(&rows, 1, Limits::default()) {
        assert_eq!(verdict.outcome, Outcome::NoDatabase);
        // Metrics of texts need no database.
        for metric in ["bag", "bird_ex", "soft_f1", "spider_exec"] {
            assert_eq!(verdict.scores[metric], None, "{metric}");
        }
    }
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
    // A file that is no database is a fault of the gold side first.
    fs::write(
        &absent,
        "not a database, but as long as the header of one would be".repeat(4),
    )
    .unwrap();
    let verdict = &verdicts(&rows[..1], 1, Limits::default())[0];
    assert_eq!(verdict.outcome, Outcome::GoldError, "{verdict:?}");
}

pub fn workers_do_not_change_them() {
    let folder = tempfile::tempdir().unwrap();
    let database = small_database(folder.path());
    let rows: Vec<_> = (0..100)
        .map(|id| {
            let predicted = format!("SELECT x FROM number WHERE x % 10 = {}", id % 12);
            row(
                id,
                &database,
                "SELECT x FROM number WHERE x % 10 = 3",
                &predicted,
            )
        })
        .collect();
    let one = verdicts(&rows, 1, Limits::default());
    assert_eq!(
        one.iter()
            .filter(|verdict| verdict.scores["bird_ex"] == Some(1.0))
            .count(),
        9
    );
    for workers in [0, 3, 8] {
        assert_eq!(verdicts(&rows, workers, Limits::default()), one);
    }
    assert!(verdicts(&[], 4, Limits::default()).is_empty());
}

pub fn suites() {
    let folder = tempfile::tempdir().unwrap();
    let first = small_database(folder.path());
    // The same tables with other contents: what agreed by chance on the first does not on this one.
    let second = folder.path().join("second.sqlite");
    fs::copy(&first, &second).unwrap();
    rusqlite::Connection::open(&second)
        .unwrap()
        .execute_batch("UPDATE fruit SET price = 9 WHERE id = 1")
        .unwrap();
    let gold = "SELECT name FROM fruit WHERE id = 2";
    let by_chance = "SELECT name FROM fruit ORDER BY price DESC LIMIT 1";
    let mut rows = vec![
        row(0, &first, gold, by_chance),
        row(1, &first, gold, by_chance),
        row(
            2,
            &first,
            gold,
            "SELECT name FROM fruit WHERE 3 > id AND id > 1",
        ),
        row(3, &first, gold, gold),
    ];
    for row in &mut rows[1..] {
        row.place.files.push(second.clone());
    }
    rows[3]
        .place
        .files
        .push(folder.path().join("absent.sqlite"));
    let verdicts = verdicts(&rows, 1, Limits::default());
    let scores = |name: &str| -> Vec<_> {
        let score = |verdict: &harness_record::Verdict| verdict.scores[name];
        verdicts.iter().map(score).collect()
    };
    // A suite that is not whole says nothing.
    assert_eq!(
        scores("spider_exec"),
        [Some(1.0), Some(0.0), Some(1.0), None]
    );
    assert_eq!(scores("bird_ex"), [Some(1.0); 4]);
}

pub fn unstable_golds() {
    let folder = tempfile::tempdir().unwrap();
    let database = small_database(folder.path());
    let golds = [
        // No order, but the same bag either way.
        ("SELECT name FROM fruit", false),
        ("SELECT name FROM fruit ORDER BY price DESC LIMIT 1", false),
        // Two prices are above 0.1: which row is first is open.
        ("SELECT name FROM fruit WHERE price > 0.1 LIMIT 1", true),
        (
            "SELECT name FROM fruit ORDER BY price > 0.1 DESC LIMIT 1",
            true,
        ),
        ("SELECT random()", true),
        ("SELECT date('now')", true),
        ("SELECT nothing", false),
    ];
    let rows: Vec<_> = golds
        .iter()
        .enumerate()
        .map(|(id, (gold, _))| row(id, &database, gold, gold))
        .collect();
    for ((gold, unstable), verdict) in golds.iter().zip(verdicts(&rows, 1, Limits::default())) {
        for name in ["bird_ex", "spider_exec"] {
            assert_eq!(
                verdict.unstable.iter().any(|n| n == name),
                *unstable,
                "{gold}"
            );
        }
    }
}

pub fn as_the_script_does() {
    let folder = tempfile::tempdir().unwrap();
    let database = small_database(folder.path());
    let rows = [row(
        0,
        &database,
        "SELECT name FROM fruit WHERE id = 1",
        "SELECT name FROM fruit WHERE id = value",
    )];
    let metrics = [metric("spider_exec").unwrap(), metric("bird_ex").unwrap()];
    for (as_script, expected) in [(true, Some(1.0)), (false, Some(0.0))] {
        let options = harness_eval::Options {
            as_script,
            ..options(1, Limits::default())
        };
        let judgements = evaluate(&rows, &metrics, &options, &mut |_| {}).unwrap();
        assert_eq!(judgements[0].verdict.scores["spider_exec"], expected);
        // BIRD's script does no such thing.
        assert_eq!(judgements[0].verdict.scores["bird_ex"], Some(0.0));
    }
}

pub fn times() {
    let folder = tempfile::tempdir().unwrap();
    let database = small_database(folder.path());
    let gold = "SELECT name FROM fruit WHERE id = 1";
    let slow =
        "SELECT name FROM fruit WHERE id = 1 AND (SELECT count(*) FROM number a, number b) > 0";
    let rows = [
        row(0, &database, gold, slow),
        row(1, &database, slow, gold),
        row(2, &database, gold, "SELECT name FROM fruit"),
        row(3, &database, gold, "SELECT names FROM fruit"),
        row(4, &database, "SELECT nothing", gold),
    ];
    let metrics = ["bird_ex", "ves", "r_ves"].map(|name| metric(name).unwrap());
    let mut timed = 0;
    let judgements = evaluate(
        &rows,
        &metrics,
        &options(2, Limits::default()),
        &mut |now| {
            timed += usize::from(now.phase == harness_eval::Phase::Timing);
        },
    );
    let judgements = judgements.unwrap();
    assert_eq!(timed, 2);
    let score = |at: usize, name: &str| judgements[at].verdict.scores[name];
    // A million pairs against one row: no load of the machine turns that round.
    assert!(score(0, "ves").unwrap() < 0.5);
    assert_eq!(score(0, "r_ves"), Some(0.5));
    assert!(score(1, "ves").unwrap() > 2.0);
    assert_eq!(score(1, "r_ves"), Some(1.25_f64.sqrt()));
    assert_eq!(judgements[1].spread.unwrap().laps, 3);
    for at in [2, 3] {
        assert_eq!(
            (score(at, "ves"), score(at, "r_ves")),
            (Some(0.0), Some(0.0))
        );
        assert_eq!(judgements[at].spread, None);
    }
    assert_eq!((score(4, "ves"), score(4, "r_ves")), (None, None));
}

/// Rows that the gold's terms do not tell apart may come in any order, also where the terms are not among the columns.
pub fn ties_of_the_gold() {
    let folder = tempfile::tempdir().unwrap();
    let database = small_database(folder.path());
    let gold = "SELECT x FROM number WHERE x < 7 ORDER BY x % 2";
    let cases = [
        (
            gold,
            "SELECT x FROM number WHERE x < 7 ORDER BY x % 2, x DESC",
            1.0,
        ),
        (
            gold,
            "SELECT x FROM number WHERE x < 7 ORDER BY x % 2, x * 3 % 7",
            1.0,
        ),
        (
            gold,
            "SELECT x FROM number WHERE x < 7 ORDER BY x % 2 DESC",
            0.0,
        ),
        (gold, "SELECT x FROM number WHERE x < 7 ORDER BY x", 0.0),
        (gold, "SELECT x FROM number WHERE x < 8 ORDER BY x % 2", 0.0),
        (
            "SELECT x FROM number WHERE x < 7 ORDER BY x % 2 LIMIT 4",
            "SELECT x FROM number WHERE x IN (1, 2, 4, 6) ORDER BY x % 2, x DESC",
            1.0,
        ),
        (
            "SELECT x FROM (SELECT x FROM number WHERE x < 7 ORDER BY x % 2)",
            "SELECT x FROM number WHERE x < 7 ORDER BY x",
            1.0,
        ),
        (
            "SELECT max(x), 'order by' FROM number GROUP BY x % 2",
            "SELECT max(x), 'order by' FROM number GROUP BY x % 2 ORDER BY x % 2 DESC",
            1.0,
        ),
    ];
    let rows: Vec<_> = cases
        .iter()
        .enumerate()
        .map(|(id, (gold, predicted, _))| row(id, &database, gold, predicted))
        .collect();
    for (verdict, (_, predicted, score)) in verdicts(&rows, 1, Limits::default()).iter().zip(cases)
    {
        assert_eq!(
            verdict.scores["ordered_if_gold_orders"],
            Some(score),
            "{predicted}"
        );
    }
}
