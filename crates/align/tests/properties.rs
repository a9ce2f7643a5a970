//! What the formulas promise for any two sets of queries.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::float_cmp,
    missing_docs
)]

use std::collections::{BTreeMap, BTreeSet};

use harness_align::{AlignError, Options, QuerySet, compare};
use harness_sql::ngram::{NgramOptions, count};
use proptest::prelude::*;

const QUERIES: &[&str] = &[
    "SELECT a FROM t",
    "SELECT a FROM t WHERE b = 1",
    "SELECT a, b FROM t ORDER BY a ASC",
    "SELECT COUNT(*) FROM t",
    "SELECT a FROM t INNER JOIN u ON t.i = u.i",
    "SELECT a FROM t JOIN u ON t.i = u.i WHERE c IN (SELECT d FROM v)",
    "SELECT a FROM t GROUP BY b HAVING COUNT(*) > 1",
    "SELECT CASE WHEN a THEN 1 ELSE 2 END FROM t",
    "VALUES (1, 2)",
    "SELECT a FROM t UNION SELECT b FROM u",
];

fn set() -> impl Strategy<Value = Vec<&'static str>> {
    prop::collection::vec(prop::sample::select(QUERIES), 1..12)
}

fn options() -> impl Strategy<Value = Options> {
    (1..16_usize, 0.01..3.0, any::<bool>(), any::<bool>()).prop_map(
        |(l_max, alpha, filters, style_free)| Options {
            l_max,
            alpha,
            filters,
            style_free,
        },
    )
}

/// How often each n-gram occurs.
fn counts(set: &QuerySet, options: Options) -> BTreeMap<String, u64> {
    let forms: Vec<_> = if options.style_free {
        set.templates()
            .map(harness_sql::Template::style_free)
            .collect()
    } else {
        set.templates().cloned().collect()
    };
    let options = NgramOptions {
        l_max: options.l_max,
        filters: options.filters,
    };
    count(&forms, options)
}

/// The largest difference between two smoothed distributions (F2). Sets of other sizes can have the same one: two
/// n-grams once each or twice each are uniform either way.
fn gap(s: &QuerySet, t: &QuerySet, options: Options) -> f64 {
    let (s, t) = (counts(s, options), counts(t, options));
    let union: BTreeSet<&String> = s.keys().chain(t.keys()).collect();
    let share = |of: &BTreeMap<String, u64>, text: &String| {
        let own = of.get(text).copied().unwrap_or(0) as f64;
        let total: u64 = of.values().sum();
        (own + options.alpha) / (total as f64 + options.alpha * union.len() as f64)
    };
    union
        .iter()
        .map(|text| (share(&s, text) - share(&t, text)).abs())
        .fold(0.0, f64::max)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 500, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn bounds_and_directions(s in set(), t in set(), options in options()) {
        let (s, t) = (QuerySet::new(s), QuerySet::new(t));
        let found = compare(&s, &t, &options).unwrap();
        let reverse = compare(&t, &s, &options).unwrap();
        let lowest = (-1.0_f64).exp();
        prop_assert!(found.a_kl > lowest && found.a_kl <= 1.0);
        prop_assert!(found.d_kl >= 0.0 && found.d_kl <= found.c);
        prop_assert!((0.0..=1.0).contains(&found.js));
        prop_assert!((0.0..=1.0).contains(&found.ovlp_template) && (0.0..=1.0).contains(&found.ovlp_ngram));
        // The other direction is the same computation, to the bit.
        prop_assert_eq!((found.a_kl, found.d_kl, found.c), (reverse.a_kl_rev, reverse.d_kl_rev, reverse.c_rev));
        prop_assert_eq!(found.js, reverse.js);
        // A = 1 iff the same smoothed distribution. Counts are small here, so different ones are far apart.
        let gap = gap(&s, &t, options);
        prop_assert!(!(1e-12..1e-5).contains(&gap), "gap {}", gap);
        prop_assert_eq!(1.0 - found.a_kl < 1e-12, gap < 1e-12, "a {}, gap {}", found.a_kl, gap);
    }

    #[test]
    fn the_order_of_queries_does_not_matter(s in set(), t in set(), options in options()) {
        let reversed = |queries: &[&'static str]| QuerySet::new(queries.iter().rev());
        let found = compare(&QuerySet::new(&s), &QuerySet::new(&t), &options).unwrap();
        prop_assert_eq!(found, compare(&reversed(&s), &reversed(&t), &options).unwrap());
    }

    #[test]
    fn js_does_not_see_repetition(s in set(), t in set()) {
        let doubled = QuerySet::new(s.iter().chain(&s));
        let (s, t) = (QuerySet::new(&s), QuerySet::new(t));
        let of = |set| compare(set, &t, &Options::default()).unwrap();
        prop_assert!((of(&s).js - of(&doubled).js).abs() < 1e-12);
        prop_assert_eq!(of(&s).ovlp_template, of(&doubled).ovlp_template);
    }
}

#[test]
fn disjoint_sets_approach_the_lowest_score() {
    let repeated = |sql, n| QuerySet::new(std::iter::repeat_n(sql, n));
    let score = |n| {
        let found = compare(
            &repeated("SELECT a FROM t", n),
            &repeated("VALUES (1)", n),
            &Options::default(),
        );
        found.unwrap().a_kl
    };
    assert!((score(1) - 0.49).abs() < 0.005);
    assert!((score(1_000) - 0.368).abs() < 0.0005);
}

#[test]
fn bad_input_is_an_error() {
    let set = QuerySet::new(["SELECT a FROM t"]);
    let of = |source: &QuerySet, options: Options| {
        compare(source, &set, &options).unwrap_err().to_string()
    };
    let nothing = of(&QuerySet::new(["I cannot", "'"]), Options::default());
    assert!(
        nothing.starts_with("the source set has no query template: all of its 2 queries"),
        "{nothing}"
    );
    assert!(of(&QuerySet::default(), Options::default()).contains("all of its 0 queries"));
    for alpha in [0.0, -1.0, f64::NAN, f64::INFINITY] {
        assert!(
            of(
                &set,
                Options {
                    alpha,
                    ..Options::default()
                }
            )
            .starts_with("option alpha is")
        );
    }
    assert!(
        of(
            &set,
            Options {
                l_max: 0,
                ..Options::default()
            }
        )
        .contains("at least 1")
    );
    // A lone parenthesis is a template, but no n-gram of it passes the filters.
    let found = compare(&QuerySet::new(["("]), &set, &Options::default());
    assert!(matches!(
        found,
        Err(AlignError::NoNgrams { templates: 1, .. })
    ));
    let unknown = serde_json::from_str::<Options>("{\"lmax\": 3}")
        .unwrap_err()
        .to_string();
    assert!(unknown.contains("unknown field `lmax`"));
}
