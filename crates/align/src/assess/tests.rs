//! The rules of the verdict, and ceilings whose value is known.

use harness_record::Query;

use super::{Withheld, assess, ceilings};
use crate::options::{Options, RarefyOptions};
use crate::score::rarefied::Verdict;
use crate::warning::Role;
use crate::workload::Workload;

/// Queries with their databases.
fn workload(name: &str, rows: impl IntoIterator<Item = (String, String)>) -> Workload {
    let queries = rows
        .into_iter()
        .enumerate()
        .map(|(number, (sql, db))| Query {
            id: number.to_string(),
            sql,
            question: None,
            db_id: Some(db).filter(|db| !db.is_empty()),
        });
    Workload::new(name, queries.collect())
}

/// `n` queries of five templates over so many databases.
fn queries(n: usize, databases: usize) -> Workload {
    let row = |i: usize| {
        let sql = format!("SELECT {}a FROM t", "a, ".repeat(i % 5));
        (sql, format!("db{}", i % databases))
    };
    workload("queries", (0..n).map(row))
}

fn rarefy() -> RarefyOptions {
    RarefyOptions {
        resamples: 100,
        ..RarefyOptions::default()
    }
}

fn verdict(
    source: &Workload,
    target: &Workload,
    predictions: &Workload,
) -> (Verdict, Vec<Withheld>) {
    let found = assess(
        source,
        target,
        Some(predictions),
        &Options::default(),
        &rarefy(),
    )
    .unwrap();
    let found = found.of_predictions.unwrap();
    (found.rarefied.verdict, found.withheld)
}

#[test]
fn when_nothing_is_claimed() {
    let odd = |n: usize| {
        workload(
            "odd",
            (0..n).map(|i| (format!("VALUES (max({i}))"), "d".into())),
        )
    };
    let target = queries(300, 7);
    assert_eq!(
        verdict(&queries(300, 1), &target, &odd(300)),
        (Verdict::Above, vec![])
    );
    assert_eq!(
        verdict(&odd(300), &target, &queries(300, 1)),
        (Verdict::Below, vec![])
    );
    let few = |set| vec![Withheld::TooFewQueries { set, n: 199 }];
    assert_eq!(
        verdict(&queries(199, 1), &target, &odd(300)),
        (Verdict::Withheld, few(Role::Source))
    );
    assert_eq!(
        verdict(&queries(300, 1), &queries(199, 7), &odd(300)),
        (Verdict::Withheld, few(Role::Target))
    );
    assert_eq!(
        verdict(&queries(300, 1), &target, &odd(199)),
        (Verdict::Withheld, few(Role::Predictions))
    );
    // 34 of 300 predictions are no SQL: 11.3 %.
    let chatty = workload(
        "chatty",
        (0..300).map(|i| {
            let sql = if i < 34 {
                "Sorry".to_owned()
            } else {
                format!("VALUES (max({i}))")
            };
            (sql, String::new())
        }),
    );
    let (found, reasons) = verdict(&queries(300, 1), &target, &chatty);
    assert_eq!(found, Verdict::Withheld);
    assert!(matches!(
        reasons[..],
        [Withheld::ManyLeftOut { set: Role::Predictions, share }] if (share - 34.0 / 300.0).abs() < 1e-12
    ));
    let (found, reasons) = verdict(&target, &target, &target);
    assert_eq!(found, Verdict::Open);
    assert!(reasons.contains(&Withheld::OpenByQuestion), "{reasons:?}");
}

/// Predictions are right for other questions on average, and wrong on the only databases of their kind.
#[test]
fn databases_may_open_what_questions_close() {
    let row = |i: usize, kind: usize| {
        let sql = if kind == 0 {
            "SELECT a FROM t WHERE b"
        } else {
            "SELECT count(*) FROM t GROUP BY a"
        };
        (sql.to_owned(), format!("db{}", i % 6))
    };
    // Five of six databases ask for the one template, the sixth for the other.
    let target = workload("t", (0..600).map(|i| row(i, usize::from(i % 6 == 0))));
    let source = workload("s", (0..600).map(|i| row(i, usize::from(i % 10 == 0))));
    let predictions = workload("p", (0..600).map(|i| row(i, usize::from(i % 3 == 0))));
    let found = assess(
        &source,
        &target,
        Some(&predictions),
        &Options::default(),
        &rarefy(),
    )
    .unwrap();
    let found = found.of_predictions.unwrap();
    let width = |it: Option<crate::Interval>| it.map(|it| it.high - it.low).unwrap();
    assert!(width(found.rarefied.interval_by_database) > 3.0 * width(found.rarefied.interval));
    assert_eq!(found.rarefied.databases, 6);
}

#[test]
fn ceilings_of_known_sets() {
    let options = Options::default();
    // Every question alike: either half is the other.
    let alike = workload(
        "alike",
        (0..40).map(|i| ("SELECT a FROM t".to_owned(), format!("d{}", i % 4))),
    );
    let found = ceilings(&alike, Some(10), &options, &rarefy());
    let by_question = found.by_question.unwrap();
    assert!((by_question.a.mean - 1.0).abs() < 1e-12);
    assert_eq!((by_question.n, by_question.n_target), (10.0, 20.0));
    // Every database of its own kind: halves of databases share nothing but words, halves of questions all.
    let apart = workload(
        "apart",
        (0..400).map(|i| {
            let db = i % 2;
            (
                ["SELECT a FROM t", "VALUES (max(1))"][db].to_owned(),
                format!("d{db}"),
            )
        }),
    );
    let found = ceilings(&apart, None, &options, &rarefy());
    assert!(found.by_question.unwrap().a.mean > 0.95);
    assert!(found.by_database.unwrap().a.mean < 0.4);
    let nowhere = workload(
        "nowhere",
        (0..4).map(|_| ("SELECT a".to_owned(), String::new())),
    );
    assert!(
        ceilings(&nowhere, None, &options, &rarefy())
            .by_database
            .is_none()
    );
    assert!(
        ceilings(&queries(1, 1), None, &options, &rarefy())
            .by_question
            .is_none()
    );
}
