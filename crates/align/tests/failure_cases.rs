//! Where the score misleads, on real queries: each case is a property of the instrument, and its figure must not move.
//!
//! Figures without a golden are those that an independent program of the same formulas found, to the digits it gave.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stdout,
    missing_docs
)]

#[path = "support/shared.rs"]
mod shared;

use std::collections::BTreeMap;

use harness_align::assess::ceilings;
use harness_align::{
    Comparison, Options, QuerySet, RarefyOptions, Role, Warning, Workload, compare, explain,
};
use harness_record::Query;
use harness_sql::cut_runaway;

/// The queries of a file of records, with the databases they are for.
fn workload(file: &str, field: &str) -> Option<Workload> {
    let records = shared::read(&format!("data/{file}"))?;
    let queries = (0..).zip(records.as_array().unwrap()).map(|(number, row)| {
        let text = |field: &str| row[field].as_str().map(str::to_owned);
        let number: usize = number;
        Query {
            id: number.to_string(),
            sql: text(field).unwrap(),
            question: None,
            db_id: text("db_id"),
        }
    });
    Some(Workload::new(file, queries.collect()))
}

fn spider_train() -> Option<Workload> {
    workload("spider/train_spider.json", "query")
}

fn spider_dev() -> Option<Workload> {
    workload("spider/dev.json", "query")
}

fn bird_train() -> Option<Workload> {
    workload("bird/derived/train.json", "SQL")
}

fn bird_dev() -> Option<Workload> {
    workload("bird/dev.json", "SQL")
}

fn scores(source: &QuerySet, target: &Workload) -> Comparison {
    compare(source, target.templates(), &Options::default()).unwrap()
}

/// The queries of both.
fn joined(one: &Workload, other: &Workload) -> QuerySet {
    let all = one.queries().iter().chain(other.queries());
    QuerySet::new(all.map(|query| query.sql.as_str()))
}

/// That a figure is `expected`, which has `digits` decimals.
fn check(what: &str, found: f64, expected: f64, digits: i32) {
    assert!(
        (found - expected).abs() <= 0.5 * 10_f64.powi(-digits) + 1e-9,
        "{what}: {found}, expected {expected}"
    );
}

/// One template a thousand times over beats real training sets forward, and the other direction says so.
#[test]
fn forward_is_mode_seeking() {
    let (Some(spider), Some(bird)) = (spider_dev(), bird_dev()) else {
        return;
    };
    let mut of_bird: BTreeMap<_, (usize, &str)> = BTreeMap::new();
    for (query, template) in bird.queries().iter().zip(bird.templates().by_query()) {
        if let Some(template) = template {
            of_bird.entry(template).or_insert((0, &query.sql)).0 += 1;
        }
    }
    let commonest = of_bird.values().max_by_key(|(n, _)| *n).unwrap().1;
    for (what, sql, target, forward, reverse, js) in [
        ("Spider dev", "SELECT a FROM t", &spider, 0.81, 0.45, 0.81),
        ("BIRD dev", "SELECT a FROM t", &bird, 0.76, 0.41, 0.89),
        ("BIRD dev's own", commonest, &bird, 0.89, 0.64, 0.50),
    ] {
        let found = scores(&QuerySet::new([sql; 1000]), target);
        check(&format!("{what}, A(S,T)"), found.a_kl, forward, 2);
        check(&format!("{what}, A(T,S)"), found.a_kl_rev, reverse, 2);
        check(&format!("{what}, JS"), found.js, js, 2);
    }
    let Some(others) = workload("spider/derived/train_others.json", "query") else {
        return;
    };
    check(
        "1,659 real queries",
        scores(others.templates(), &spider).a_kl,
        0.756,
        3,
    );
}

/// A set that has every n-gram of a fitting one, and others, is scored far below it; overlap and reverse are not fooled.
#[test]
fn a_superset_is_punished() {
    let (Some(spider), Some(bird), Some(target)) = (spider_train(), bird_train(), spider_dev())
    else {
        return;
    };
    check("alone", scores(spider.templates(), &target).a_kl, 0.970, 3);
    let found = scores(&joined(&spider, &bird), &target);
    check("A(S,T)", found.a_kl, 0.675, 3);
    check("A(T,S)", found.a_kl_rev, 0.862, 3);
    check("n-grams", found.ovlp_ngram, 0.966, 3);
}

/// INNER before JOIN is 0.13 of A from Spider to BIRD, comes out on top of an explanation, and is gone from
/// the style-free score.
#[test]
fn one_habit_of_style_decides() {
    let (Some(spider), Some(bird)) = (spider_train(), bird_dev()) else {
        return;
    };
    let free = Options {
        style_free: true,
        ..Options::default()
    };
    let plain = scores(spider.templates(), &bird).a_kl;
    let without = compare(spider.templates(), bird.templates(), &free)
        .unwrap()
        .a_kl;
    check("without style", without - plain, 0.13, 2);
    let found = explain(&spider, &bird, &Options::default(), 5).unwrap();
    assert_eq!(found.words_too_little[0].word, "INNER");
    assert_eq!(found.too_little[0].ngram, "INNER");
    assert_eq!(found.too_much[0].ngram, "FROM JOIN ON");
    let free = explain(&spider, &bird, &free, 5).unwrap();
    assert!(free.words_too_little.iter().all(|row| row.word != "INNER"));
}

/// What a model writes after its answer is scored too, unless it is cut as the evaluator cuts it.
#[test]
fn runaway_output_is_cut() {
    let name = "predictions/bird/DAIL-SQL/BIRD_WITH_EVIDENCE-TEST_SQL_7-SHOT_EUCDISMASKPRESKLSIMTHR_QA-EXAMPLE_CTX-150_ANS-4096_TH-0.8.txt";
    let (Some(target), Some(text)) = (bird_dev(), shared::text(&format!("data/{name}"))) else {
        return;
    };
    let raw = QuerySet::new(text.lines());
    let cut = QuerySet::new(text.lines().map(|line| cut_runaway(line).0));
    assert_eq!(raw.n_queries(), 1534);
    check("as written", scores(&raw, &target).a_kl, 0.753, 3);
    check("cut", scores(&cut, &target).a_kl, 0.958, 3);
}

/// Queries that come twice say nothing new.
#[test]
fn doubles_leave_the_score_almost_as_it_is() {
    let (Some(train), Some(dev)) = (bird_train(), bird_dev()) else {
        return;
    };
    check("once", scores(train.templates(), &dev).a_kl, 0.960, 3);
    check(
        "twice",
        scores(&joined(&train, &train), &dev).a_kl,
        0.957,
        3,
    );
}

/// What is no SQL is left out of the score, and counted.
#[test]
fn what_is_left_out_is_told() {
    let file = "data/predictions/bird/DAMO-ConvAI/turbo_output/predict_dev.json";
    let (Some(target), Some(answers)) = (bird_dev(), shared::read(file)) else {
        return;
    };
    let answers = answers.as_object().unwrap();
    let sql = |i: usize| {
        // Where the model's answer had no text the file has a 0.
        let text = answers[&i.to_string()].as_str().unwrap_or_default();
        text.split("\t----- bird -----").next().unwrap()
    };
    let found = scores(&QuerySet::new((0..1534).map(sql)), &target);
    let left_out: usize = found.excluded_source.values().sum();
    assert_eq!((left_out, found.n_source), (56, 1478));
    // A third of the answers lost: scored on the good rest, and said.
    let broken = QuerySet::new((0..1534).map(|i| if i % 3 == 0 { "Sorry" } else { sql(i) }));
    let warned = scores(&broken, &target).warnings;
    assert!(
        warned.iter().any(|it| matches!(
            it,
            Warning::ManyLeftOut {
                set: Role::Source,
                ..
            }
        )),
        "{warned:?}"
    );
}

/// What the target's halves reach against each other, with the spread between draws as the tolerance.
#[test]
fn one_is_out_of_reach() {
    let (Some(spider), Some(bird)) = (spider_dev(), bird_dev()) else {
        return;
    };
    for (target, by_question, by_database) in [(&spider, 0.968, 0.924), (&bird, 0.960, 0.924)] {
        let found = ceilings(target, None, &Options::default(), &RarefyOptions::default());
        for (found, expected) in [
            (found.by_question.unwrap(), by_question),
            (found.by_database.unwrap(), by_database),
        ] {
            assert!(
                (found.a.mean - expected).abs() <= found.a.sd + 0.0005,
                "{}: {found:?}, expected {expected}",
                target.name()
            );
        }
    }
}
