//! What every score promises, and figures of an independent implementation.

use harness_record::Query;
use proptest::prelude::*;

use super::{Direction, Missing, ScoreRow, direction, score_table};
use crate::compare::compare;
use crate::options::Options;
use crate::workload::Workload;

fn workload(sqls: &[&str]) -> Workload {
    let query = |(number, sql): (usize, &&str)| Query {
        id: number.to_string(),
        sql: (*sql).to_owned(),
        question: Some(format!("Question about {}?", sql.len())),
        db_id: None,
    };
    Workload::new("w", sqls.iter().enumerate().map(query).collect())
}

fn table(source: &[&str], target: &[&str]) -> Vec<ScoreRow> {
    score_table(
        &workload(source),
        &workload(target),
        None,
        &Options::default(),
    )
    .unwrap()
}

fn row<'a>(rows: &'a [ScoreRow], name: &str) -> &'a ScoreRow {
    rows.iter()
        .find(|row| row.name == name)
        .unwrap_or_else(|| panic!("{name}"))
}

const S: &[&str] = &[
    "SELECT a FROM t",
    "SELECT a FROM t WHERE b = 1",
    "SELECT COUNT(*) FROM t JOIN u ON t.i = u.i",
    "SELECT a, b, c FROM t ORDER BY a LIMIT 3",
];
const T: &[&str] = &[
    "SELECT a FROM t",
    "SELECT MAX(a) FROM t WHERE b IN (SELECT c FROM u WHERE d > 1)",
    "SELECT a FROM t INNER JOIN u ON t.i = u.i GROUP BY a HAVING COUNT(*) > 2",
];

/// Figures of `scripts/reference/alignment_rivals.py`, which counts features and n-grams by itself (numpy, scipy).
#[test]
fn agrees_with_scipy() {
    let rows = table(S, T);
    for (name, expected) in include_str!("figures.txt")
        .lines()
        .map(|line| line.split_once(' ').unwrap())
    {
        let expected: f64 = expected.parse().unwrap();
        let found = row(&rows, name).value.unwrap();
        assert!(
            (found - expected).abs() < 1e-9,
            "{name}: {found}, expected {expected}"
        );
    }
}

#[test]
fn the_scores_of_the_paper_are_those_of_compare() {
    let rows = table(S, T);
    let found = compare(
        workload(S).templates(),
        workload(T).templates(),
        &Options::default(),
    )
    .unwrap();
    for (name, expected) in found.scores() {
        if !name.starts_with("d_kl") {
            assert_eq!(row(&rows, &name).value, Some(expected), "{name}");
        }
    }
    assert_eq!(
        row(&rows, "a_kl_min").value,
        Some(found.a_kl.min(found.a_kl_rev))
    );
}

#[test]
fn ratios_are_above_1_where_the_training_set_is_closer() {
    let (source, target, predictions) = (workload(T), workload(T), workload(S));
    let rows = score_table(&source, &target, Some(&predictions), &Options::default()).unwrap();
    for row in &rows {
        if row.name.starts_with("question") {
            assert_eq!(
                (row.ratio, row.missing),
                (None, Some(Missing::SameQuestions))
            );
        } else if row.direction == Direction::Distance {
            // The training set is the target: its distance is 0.
            assert_eq!((row.value, row.ratio), (Some(0.0), None), "{}", row.name);
            assert_eq!(row.missing, Some(Missing::DividedByZero));
        } else {
            assert!(row.ratio.unwrap() > 1.0, "{}", row.name);
        }
    }
}

#[test]
fn directions_by_name() {
    for (name, expected) in [
        ("a_kl", Direction::Likeness),
        ("js_style_free", Direction::Distance),
        ("js_ratio", Direction::Likeness),
        ("wasserstein_joins", Direction::Distance),
        ("d_kl_rev", Direction::Distance),
        ("nll_mmd", Direction::Distance),
        ("feature_energy", Direction::Distance),
        ("something", Direction::Likeness),
    ] {
        assert_eq!(direction(name), expected, "{name}");
    }
}

#[test]
fn what_is_missing_is_said() {
    let broken = score_table(
        &workload(&["SELECT FROM WHERE"]),
        &workload(T),
        None,
        &Options::default(),
    )
    .unwrap();
    assert_eq!(
        row(&broken, "feature_energy").missing,
        Some(Missing::NothingParsed)
    );
    assert!(row(&broken, "a_kl").value.is_some());
    let silent = Workload::new(
        "w",
        vec![Query {
            id: "0".into(),
            sql: "SELECT 1".into(),
            question: None,
            db_id: None,
        }],
    );
    let rows = score_table(&silent, &workload(T), None, &Options::default()).unwrap();
    assert_eq!(
        row(&rows, "question_tfidf").missing,
        Some(Missing::NoQuestions)
    );
}

#[test]
fn what_the_parser_refuses_is_counted() {
    let refused = |rows: &[ScoreRow], name| {
        let refused = row(rows, name).refused?;
        Some((refused.source, refused.target, refused.predictions))
    };
    let source = workload(&[S[0], S[1], "SELECT FROM WHERE", "SELECT (1"]);
    let own = workload(&[T[0], "SELECT a FROM"]);
    let rows = score_table(&source, &workload(T), Some(&own), &Options::default()).unwrap();
    for name in ["feature_energy", "subtree_jaccard", "wasserstein_joins"] {
        assert_eq!(refused(&rows, name), Some((2, 0, 1)), "{name}");
    }
    assert_eq!(refused(&rows, "a_kl"), None);
    assert_eq!(refused(&table(S, T), "feature_energy"), None);
}

/// A model that writes no SQL has no ratio; the training set still has its scores.
#[test]
fn predictions_without_sql_cost_the_ratios_alone() {
    let (source, target, own) = (workload(S), workload(T), workload(&["Sorry", "no"]));
    let rows = score_table(&source, &target, Some(&own), &Options::default()).unwrap();
    for row in &rows {
        let expected = if row.name.starts_with("question") {
            Missing::SameQuestions
        } else if row.refused.is_some() {
            Missing::NothingParsed
        } else {
            Missing::NoTemplates
        };
        assert_eq!(
            (row.of_predictions, row.ratio, row.missing),
            (None, None, Some(expected)),
            "{}",
            row.name
        );
        assert!(row.value.is_some(), "{}", row.name);
    }
}

#[test]
fn threads_do_not_show() {
    let rows = |threads| {
        let (source, target) = (workload(&S.repeat(30)), workload(&T.repeat(20)));
        let own = workload(&S.repeat(15));
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(threads)
            .build()
            .unwrap();
        let rows = pool.install(|| score_table(&source, &target, Some(&own), &Options::default()));
        serde_json::to_string(&rows.unwrap()).unwrap()
    };
    assert_eq!(rows(1), rows(2));
}

const SYMMETRIC: &[&str] = &[
    "js",
    "template_jaccard",
    "subtree_jaccard",
    "wasserstein_joins",
];

proptest! {
    #![proptest_config(ProptestConfig { cases: 100, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn bounds_symmetry_and_order(
        s in prop::collection::vec(prop::sample::select([S, T].concat()), 1..8),
        t in prop::collection::vec(prop::sample::select([S, T].concat()), 1..8),
    ) {
        let (there, back) = (table(&s, &t), table(&t, &s));
        let reversed: Vec<&str> = s.iter().rev().copied().collect();
        prop_assert_eq!(&there, &table(&reversed, &t));
        for one in &there {
            let value = one.value.unwrap();
            prop_assert!(value >= 0.0, "{}", one.name);
            if one.direction == Direction::Likeness {
                prop_assert!(value <= 1.0 + 1e-12, "{} {}", one.name, value);
            }
        }
        for name in SYMMETRIC {
            let gap = row(&there, name).value.unwrap() - row(&back, name).value.unwrap();
            prop_assert!(gap.abs() < 1e-12, "{}", name);
        }
        let same = table(&s, &s);
        for one in &same {
            let best = if one.direction == Direction::Likeness { 1.0 } else { 0.0 };
            prop_assert!((one.value.unwrap() - best).abs() < 1e-9, "{} {:?}", one.name, one.value);
        }
    }
}
