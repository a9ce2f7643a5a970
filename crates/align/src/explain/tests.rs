//! Explanations of divergences whose cause is known.

use harness_record::Query;
use proptest::prelude::*;

use super::{contains, explain};
use crate::compare::compare;
use crate::options::Options;
use crate::workload::Workload;

fn workload(sqls: &[&str]) -> Workload {
    let query = |(number, sql): (usize, &&str)| Query {
        id: number.to_string(),
        sql: (*sql).to_owned(),
        question: None,
        db_id: None,
    };
    Workload::new("w", sqls.iter().enumerate().map(query).collect())
}

#[test]
fn a_habit_comes_out_on_top() {
    let source = workload(&["SELECT a FROM t JOIN u ON x = y", "SELECT a FROM t"].repeat(50));
    let target = workload(&["SELECT a FROM t INNER JOIN u ON x = y", "SELECT a FROM t"].repeat(50));
    let found = explain(&source, &target, &Options::default(), 3).unwrap();
    assert!(found.too_little[0].ngram.contains("INNER"), "{found:#?}");
    assert!(found.too_much[0].ngram.contains("FROM JOIN"), "{found:#?}");
    assert_eq!(found.too_little[0].examples, ["0", "2", "4"]);
    let word = &found.words_too_little[0];
    assert_eq!(
        (word.word.as_str(), word.n_source, word.n_target),
        ("INNER", 0, 50)
    );
    let template = &found.templates_too_little[0];
    assert_eq!(
        (
            template.template.as_str(),
            template.n_source,
            template.n_target
        ),
        ("SELECT FROM INNER JOIN ON =", 0, 50)
    );
    // Without marks of style there is nothing to explain.
    let free = Options {
        style_free: true,
        ..Options::default()
    };
    let found = explain(&source, &target, &free, 3).unwrap();
    assert_eq!(
        (
            found.d_kl,
            found.too_much.len(),
            found.templates_too_much.len()
        ),
        (0.0, 0, 0)
    );
}

#[test]
fn whole_tokens_only() {
    for (whole, part, expected) in [
        ("FROM INNER JOIN ON", "JOIN ON", true),
        ("FROM JOINED ON", "JOIN", false),
        ("A AA AA B", "AA B", true),
        ("COUNT ( * )", "COUNT ( * )", true),
        ("É É", "É", true),
        ("XÉ", "É", false),
    ] {
        assert_eq!(contains(whole, part), expected, "{whole} / {part}");
    }
}

const QUERIES: &[&str] = &[
    "SELECT a FROM t",
    "SELECT a FROM t WHERE b = 1",
    "SELECT COUNT(*) FROM t",
    "SELECT a FROM t JOIN u ON t.i = u.i WHERE c IN (SELECT d FROM v)",
    "SELECT a FROM t GROUP BY b HAVING COUNT(*) > 1",
];

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    /// The terms of all features, nested ones included, are the divergence.
    #[test]
    fn terms_add_up(
        s in prop::collection::vec(prop::sample::select(QUERIES), 1..20),
        t in prop::collection::vec(prop::sample::select(QUERIES), 1..20),
    ) {
        let (s, t) = (workload(&s), workload(&t));
        let found = super::terms(&s, &t, &Options::default()).unwrap();
        let expected = compare(s.templates(), t.templates(), &Options::default()).unwrap();
        prop_assert!((found.0 - expected.d_kl).abs() < 1e-9, "{} {}", found.0, expected.d_kl);
        prop_assert!((found.1 - expected.d_kl_rev).abs() < 1e-9);
    }
}
