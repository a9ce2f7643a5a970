//! All scores against a naive computation: n-grams as strings in maps, formulas as they are written, every template taken
//! apart every time it occurs.

#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

use std::collections::{HashMap, HashSet};

use harness_align::{Options, QuerySet, compare};
use proptest::prelude::*;

/// What queries are made of; every text that is drawn begins with SELECT, and so has a template or an open quote.
const PIECES: &[&str] = &[
    "a",
    "b,",
    ",",
    "(",
    ")",
    "COUNT(",
    "max (",
    "*",
    "FROM t",
    "JOIN u ON",
    "INNER JOIN",
    "WHERE",
    "= 1",
    "ORDER BY a ASC",
    "DESC",
    "IN (1, 2)",
    "(SELECT a FROM t)",
    "UNION SELECT",
    "CASE WHEN",
    "END",
    "gr\u{f6}\u{df}e(",
    "||",
    "'",
];

fn query() -> impl Strategy<Value = String> {
    prop::collection::vec(prop::sample::select(PIECES), 0..25)
        .prop_map(|pieces| format!("SELECT {}", pieces.join(" ")))
}

fn naive_ngrams(templates: &[Vec<String>], l_max: usize, filters: bool) -> HashMap<String, u64> {
    let mut counts = HashMap::new();
    for tokens in templates {
        for start in 0..tokens.len() {
            for end in start + 1..=tokens.len().min(start + l_max) {
                let run = &tokens[start..end];
                if !filters || passes(run) {
                    *counts.entry(run.join(" ")).or_insert(0) += 1;
                }
            }
        }
    }
    counts
}

fn passes(run: &[String]) -> bool {
    let mut depth = 0;
    for token in run {
        depth += i32::from(token == "(") - i32::from(token == ")");
        if depth < 0 {
            return false;
        }
    }
    let word = |token: &String| {
        let first = token.chars().next().unwrap();
        first.is_ascii_uppercase() || first == '_' || !first.is_ascii()
    };
    depth == 0 && run[0] != "," && run[run.len() - 1] != "," && run.iter().any(word)
}

/// D and c (F2–F4).
fn naive_kl(s: &HashMap<String, u64>, t: &HashMap<String, u64>, alpha: f64) -> (f64, f64) {
    let union: HashSet<&String> = s.keys().chain(t.keys()).collect();
    let v = union.len() as f64;
    let total = |of: &HashMap<String, u64>| of.values().sum::<u64>() as f64;
    let share = |of: &HashMap<String, u64>, f: &String| {
        (of.get(f).copied().unwrap_or(0) as f64 + alpha) / (total(of) + alpha * v)
    };
    let least = alpha / (total(t) + alpha * v);
    let (mut d, mut c) = (0.0, 0.0);
    for f in union {
        d += share(s, f) * (share(s, f) / share(t, f)).ln();
        c += share(s, f) * (share(s, f) / least).ln();
    }
    (d.max(0.0), c)
}

/// JS (F5).
fn naive_js(s: &HashMap<String, u64>, t: &HashMap<String, u64>) -> f64 {
    let total = |of: &HashMap<String, u64>| of.values().sum::<u64>() as f64;
    let side = |own: &HashMap<String, u64>, other: &HashMap<String, u64>| -> f64 {
        own.iter()
            .map(|(f, n)| {
                let p = *n as f64 / total(own);
                let q = other.get(f).copied().unwrap_or(0) as f64 / total(other);
                0.5 * p * (2.0 * p / (p + q)).log2()
            })
            .sum()
    };
    side(s, t) + side(t, s)
}

fn templates(set: &QuerySet, style_free: bool) -> Vec<Vec<String>> {
    let texts = set.templates().map(ToString::to_string);
    texts
        .map(|text| {
            let tokens = text.split(' ').map(str::to_owned);
            tokens
                .filter(|token| !style_free || !["INNER", "OUTER", "ASC"].contains(&token.as_str()))
                .collect()
        })
        .collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 500, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn scores_are_those_of_the_formulas(
        s in prop::collection::vec(query(), 1..12),
        t in prop::collection::vec(query(), 1..12),
        repeats in 1..4_usize,
        l_max in 1..18_usize,
        alpha in 0.01..3.0,
        (filters, style_free) in any::<(bool, bool)>(),
    ) {
        let s: Vec<&String> = s.iter().cycle().take(s.len() * repeats).collect();
        let (s, t) = (QuerySet::new(s), QuerySet::new(&t));
        let options = Options { l_max, alpha, filters, style_free };
        let Ok(found) = compare(&s, &t, &options) else {
            // Quotes without an end leave no template.
            prop_assert!(s.n_templates() == 0 || t.n_templates() == 0);
            return Ok(());
        };
        let (of_s, of_t) = (templates(&s, style_free), templates(&t, style_free));
        let (n_s, n_t) = (naive_ngrams(&of_s, l_max, filters), naive_ngrams(&of_t, l_max, filters));
        let (d, c) = naive_kl(&n_s, &n_t, alpha);
        let (d_rev, c_rev) = naive_kl(&n_t, &n_s, alpha);
        let known: HashSet<_> = of_s.iter().collect();
        let shared = of_t.iter().filter(|template| known.contains(template)).count();
        let shared_ngrams: u64 = n_t.iter().filter(|(f, _)| n_s.contains_key(*f)).map(|(_, n)| n).sum();
        let union: HashSet<_> = n_s.keys().chain(n_t.keys()).collect();
        prop_assert_eq!(found.n_union, union.len());
        for (name, found, expected) in [
            ("a_kl", found.a_kl, (-d / c).exp()),
            ("a_kl_rev", found.a_kl_rev, (-d_rev / c_rev).exp()),
            ("c", found.c, c),
            ("c_rev", found.c_rev, c_rev),
            ("ovlp_template", found.ovlp_template, shared as f64 / of_t.len() as f64),
            ("ovlp_ngram", found.ovlp_ngram, shared_ngrams as f64 / n_t.values().sum::<u64>() as f64),
        ] {
            prop_assert!((found - expected).abs() <= 1e-9 * expected, "{}: {} and {}", name, found, expected);
        }
        // These may be 0, where a relative error says nothing.
        for (name, found, expected) in [
            ("d_kl", found.d_kl, d),
            ("d_kl_rev", found.d_kl_rev, d_rev),
            ("js", found.js, naive_js(&n_s, &n_t)),
        ] {
            prop_assert!((found - expected).abs() <= 1e-9 * expected + 1e-13, "{}: {} and {}", name, found, expected);
        }
    }
}
