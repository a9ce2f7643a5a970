//! Mixtures whose weights are known, grids, and halves of the target that were not fitted to.

use harness_record::Query;
use proptest::prelude::*;

use super::{Fit, MixOptions, Mixture, Objective, mix};
use crate::error::AlignError;
use crate::workload::Workload;

const KINDS: &[&str] = &[
    "SELECT a FROM t",
    "SELECT COUNT(*) FROM t WHERE b = 1",
    "SELECT a FROM t JOIN u ON t.i = u.i",
    "VALUES (MAX(1))",
    "SELECT a FROM t GROUP BY b HAVING COUNT(*) > 1",
];

/// A set with so many queries of each kind.
fn set(name: &str, counts: &[usize]) -> Workload {
    let sqls = counts
        .iter()
        .zip(KINDS)
        .flat_map(|(n, sql)| std::iter::repeat_n(*sql, *n));
    let query = |(number, sql): (usize, &str)| Query {
        id: number.to_string(),
        sql: sql.to_owned(),
        question: None,
        db_id: None,
    };
    Workload::new(name, sqls.enumerate().map(query).collect())
}

fn options(objective: Objective) -> MixOptions {
    MixOptions {
        objective,
        splits: 0,
        ..MixOptions::default()
    }
}

fn weights(found: &Mixture) -> Vec<f64> {
    found.sets.iter().map(|it| it.weight).collect()
}

/// The target is made of two sets in n-grams: their weights are found again, and the divergence is 0.
#[test]
fn a_mixture_is_taken_apart() {
    // Two n-grams each: 3 to 1 in n-grams is 3 to 1 in queries.
    let (a, b) = (set("a", &[0, 0, 0, 1]), set("b", &[1]));
    let n_grams = |set: &Workload| {
        let templates = set.templates().templates();
        harness_sql::ngram::count(templates, harness_sql::NgramOptions::default())
            .values()
            .sum::<u64>() as f64
    };
    let (of_a, of_b) = (n_grams(&a), n_grams(&b));
    let target = set("t", &[100, 0, 0, 300]);
    let found = mix(&[a, b], &target, None, &options(Objective::Js)).unwrap();
    let share = 300.0 * of_a / (300.0 * of_a + 100.0 * of_b);
    assert!((weights(&found)[0] - share).abs() < 1e-6, "{found:?}");
    assert!((found.sets[0].queries - 0.75).abs() < 1e-6, "{found:?}");
    assert!(found.value < 1e-9 && found.gap <= 1e-9 && found.fit == Fit::Aligns);
    assert!(found.best_single_value > 0.02, "{found:?}");
}

#[test]
fn one_set_is_its_own_mixture() {
    let found = mix(
        &[set("a", &[5, 5])],
        &set("t", &[5, 0, 5]),
        None,
        &options(Objective::Js),
    )
    .unwrap();
    assert_eq!(weights(&found), [1.0]);
    assert_eq!(found.value, found.best_single_value);
}

/// What no set has is told, and what the model writes may be nearer than all of them.
#[test]
fn none_aligns_is_an_answer() {
    let target = set("t", &[0, 0, 100, 0, 300]);
    let sets = [set("a", &[300]), set("b", &[0, 300])];
    let found = mix(&sets, &target, None, &options(Objective::Js)).unwrap();
    assert_eq!((found.fit, found.overlap), (Fit::NoneAligns, 0.0));
    assert_eq!((found.lacking.len(), found.lacking[0].count), (2, 300));
    let own = set("p", &[10, 0, 90, 0, 290]);
    let found = mix(&sets, &target, Some(&own), &options(Objective::Js)).unwrap();
    assert_eq!(found.fit, Fit::PredictionsNearer);
}

#[test]
fn the_gain_is_measured_on_halves_that_were_not_seen() {
    let sets = [set("a", &[300, 10]), set("b", &[0, 10, 300])];
    let target = set("t", &[200, 20, 200]);
    let options = MixOptions {
        splits: 40,
        ..MixOptions::default()
    };
    let found = mix(&sets, &target, None, &options).unwrap();
    let interval = found.gain_interval.unwrap();
    assert!(found.gain > 0.01 && interval.low > 0.0, "{found:?}");
    let again = mix(&sets, &target, None, &options).unwrap();
    assert_eq!(found, again);
}

#[test]
fn bad_input_is_an_error() {
    let target = set("t", &[5]);
    let none = mix(&[], &target, None, &MixOptions::default());
    assert!(matches!(
        none,
        Err(AlignError::Option { field: "sets", .. })
    ));
    let options = MixOptions {
        tolerance: 0.0,
        ..MixOptions::default()
    };
    assert!(mix(&[set("a", &[1])], &target, None, &options).is_err());
}

fn counts() -> impl Strategy<Value = Vec<usize>> {
    prop::collection::vec(0..6_usize, 5).prop_map(|mut counts| {
        counts[0] += 1;
        counts
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, failure_persistence: None, ..ProptestConfig::default() })]

    /// No point of a grid is better, weights are shares, and the order of the sets does not matter.
    #[test]
    fn the_optimum(a in counts(), b in counts(), c in counts(), t in counts(), reverse in any::<bool>()) {
        let objective = if reverse { Objective::ReverseKl } else { Objective::Js };
        let options = options(objective);
        let sets = [set("a", &a), set("b", &b), set("c", &c)];
        let target = set("t", &t);
        let found = mix(&sets, &target, None, &options).unwrap();
        let w = weights(&found);
        prop_assert!((w.iter().sum::<f64>() - 1.0).abs() < 1e-9 && w.iter().all(|w| *w >= 0.0));
        prop_assert!(found.value <= found.best_single_value + 1e-9);
        let grid_table = table(&sets, &target, &options);
        for i in 0..=20 {
            for j in 0..=20 - i {
                let grid = [f64::from(i) / 20.0, f64::from(j) / 20.0, f64::from(20 - i - j) / 20.0];
                prop_assert!(found.value <= grid_table.value(&grid) + 1e-8, "{:?} {:?}", grid, found);
            }
        }
        let turned = [sets[2].clone(), sets[0].clone(), sets[1].clone()];
        let other = mix(&turned, &target, None, &options).unwrap();
        prop_assert!((other.value - found.value).abs() < 1e-8);
        // One more set never makes the best mixture worse.
        let fewer = mix(&sets[..2], &target, None, &options).unwrap();
        if objective == Objective::Js {
            prop_assert!(found.value <= fewer.value + 1e-8);
        }
    }
}

fn table(sets: &[Workload], target: &Workload, options: &MixOptions) -> super::Table {
    let all: Vec<_> = sets
        .iter()
        .chain([target])
        .map(Workload::templates)
        .collect();
    let space = crate::distribution::Space::new(&all, options.scores);
    let counts: Vec<_> = (0..all.len())
        .map(|k| space.count(space.templates(k)))
        .collect();
    let of_sets: Vec<_> = counts[..sets.len()].iter().collect();
    super::Table::new(
        options.objective,
        &of_sets,
        &counts[sets.len()],
        options.scores.alpha,
    )
}
