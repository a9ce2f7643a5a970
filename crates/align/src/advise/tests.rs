//! Advice on made-up sets whose answer is known.

use std::collections::BTreeMap;

use harness_record::Query;

use super::{Advice, Answer, Caution, Reading, advise};
use crate::cell::Cell;
use crate::options::{Options, RarefyOptions};
use crate::workload::Workload;

const PLAIN: &[&str] = &[
    "SELECT a FROM t",
    "SELECT a FROM t WHERE b = 1",
    "SELECT COUNT(*) FROM t",
    "SELECT a, b FROM t ORDER BY a",
];
const NESTED: &[&str] = &[
    "SELECT a FROM t JOIN u ON t.i = u.i WHERE c IN (SELECT d FROM v)",
    "SELECT a FROM t JOIN u ON t.i = u.i GROUP BY b HAVING COUNT(*) > 1",
    "SELECT a FROM t JOIN u ON t.i = u.i WHERE c > (SELECT AVG(c) FROM t) ORDER BY c DESC LIMIT 1",
    "SELECT a FROM t UNION SELECT b FROM u",
];

/// Each query of each list so many times in turn.
fn set(name: &str, parts: &[(&[&str], usize)]) -> Workload {
    let mut queries = Vec::new();
    for (sqls, times) in parts {
        for sql in (0..*times).flat_map(|_| sqls.iter()) {
            queries.push(Query {
                id: format!("{name}-{}", queries.len()),
                sql: (*sql).to_owned(),
                question: None,
                db_id: None,
            });
        }
    }
    Workload::new(name, queries)
}

fn ask(train: &[Workload], target: &Workload, predictions: &Workload, history: &[Cell]) -> Advice {
    let rarefy = RarefyOptions {
        resamples: 200,
        ..RarefyOptions::default()
    };
    advise(
        "m",
        train,
        target,
        predictions,
        history,
        &Options::default(),
        &rarefy,
    )
    .unwrap()
}

fn readings(advice: &Advice) -> Vec<(&str, Reading)> {
    let candidates = advice.candidates.iter();
    candidates
        .map(|it| (it.name.as_str(), it.reading))
        .collect()
}

#[test]
fn the_fitting_set_is_named_first() {
    let target = set("t", &[(NESTED, 125)]);
    let predictions = set("p", &[(NESTED, 20), (PLAIN, 105)]);
    let train = [
        set("plain", &[(PLAIN, 200)]),
        set("nested", &[(NESTED, 200)]),
    ];
    let found = ask(&train, &target, &predictions, &[]);
    assert_eq!(
        readings(&found),
        [("nested", Reading::Closer), ("plain", Reading::Further)]
    );
    assert_eq!(
        found.answer,
        Answer::FineTune {
            on: "nested".to_owned()
        }
    );
    assert_eq!((found.lacking.len(), found.lacking_share), (0, 0.0));
}

#[test]
fn a_good_model_needs_no_bad_set() {
    let target = set("t", &[(NESTED, 125)]);
    let found = ask(&[set("plain", &[(PLAIN, 200)])], &target, &target, &[]);
    assert_eq!(found.answer, Answer::DoNot);
    assert_eq!(found.lacking_share, 1.0);
    let first = &found.lacking[0];
    assert_eq!((first.count, first.examples.len()), (125, 2));
}

#[test]
fn few_questions_are_no_ground_for_a_verdict() {
    let target = set("t", &[(NESTED, 40)]);
    let predictions = set("p", &[(PLAIN, 40)]);
    let found = ask(
        &[set("nested", &[(NESTED, 200)])],
        &target,
        &predictions,
        &[],
    );
    assert_eq!(readings(&found), [("nested", Reading::Withheld)]);
    assert_eq!(found.answer, Answer::CannotTell);
}

/// One template over and over is like a part of the target: A(S, T) alone would call it close.
#[test]
fn a_narrow_set_is_not_recommended() {
    let target = set("t", &[(PLAIN, 60), (NESTED, 60)]);
    let odd = ["VALUES (1, max(2))", "SELECT CASE WHEN a THEN 1 END"];
    let predictions = set("p", &[(NESTED, 40), (&odd, 160)]);
    let found = ask(
        &[set("narrow", &[(&PLAIN[..1], 500)])],
        &target,
        &predictions,
        &[],
    );
    let it = &found.candidates[0];
    assert!(it.ratio_rev < 1.0, "{}", it.ratio_rev);
    assert_ne!(it.reading, Reading::Closer);
    assert!(it.ratio.ar > 1.0, "{}", it.ratio.ar);
    assert_eq!(it.cautions, [Caution::Narrow]);
}

#[test]
fn a_cell_is_not_told_by_itself() {
    let target = set("t", &[(NESTED, 125)]);
    let predictions = set("p", &[(PLAIN, 125)]);
    let train = [set("nested", &[(NESTED, 200)])];
    let cell = |name: &str, ar: f64| Cell {
        model: "m".to_owned(),
        train_set: name.to_owned(),
        target: "t".to_owned(),
        seed: 1,
        before: 0.1,
        after: 0.3,
        n: 10,
        gain_interval: None,
        scores: BTreeMap::from([("ar_rarefied".to_owned(), ar)]),
    };
    let history = [cell("nested", 1.5), cell("other", 1.2)];
    let found = ask(&train, &target, &predictions, &history);
    assert_eq!(found.candidates[0].expectation.cells, 1);
}
