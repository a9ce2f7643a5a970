use super::{Verdict, rarefied_ratio};
use crate::{AlignError, Options, QuerySet, RarefyOptions, compare};

/// `n` queries, those of kind `i % kinds` alike.
fn queries(n: usize, kinds: usize) -> QuerySet {
    QuerySet::new((0..n).map(|i| {
        format!(
            "SELECT {} FROM t{}",
            "a, ".repeat(i % kinds),
            " WHERE b".repeat(i % 2)
        )
    }))
}

fn foreign(n: usize) -> QuerySet {
    QuerySet::new((0..n).map(|i| format!("VALUES (max({}), 1)", i % 5)))
}

#[test]
fn whole_sets_give_the_plain_ratio() {
    let (source, predictions, target) = (queries(300, 7), queries(300, 3), queries(250, 5));
    let options = Options::default();
    let found = rarefied_ratio(
        &source,
        &predictions,
        &target,
        &options,
        &RarefyOptions::default(),
    )
    .unwrap();
    let plain = |set| compare(set, &target, &options).unwrap().a_kl;
    assert!((found.a_source.mean - plain(&source)).abs() < 1e-12);
    assert!((found.ar - plain(&source) / plain(&predictions)).abs() < 1e-12);
    assert_eq!(
        (found.n, found.a_source.sd, found.paired),
        (300, 0.0, false)
    );
}

#[test]
fn the_same_seed_gives_the_same_bytes_at_any_number_of_threads() {
    let (source, predictions, target) = (queries(400, 9), queries(220, 4), queries(220, 5));
    let run = |seed, threads| {
        let rarefy = RarefyOptions {
            resamples: 40,
            seed,
            ..RarefyOptions::default()
        };
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(threads)
            .build()
            .unwrap();
        let found = pool.install(|| {
            rarefied_ratio(&source, &predictions, &target, &Options::default(), &rarefy)
        });
        serde_json::to_string(&found.unwrap()).unwrap()
    };
    assert_eq!(run(1, 1), run(1, 3));
    assert_ne!(run(1, 1), run(2, 1));
}

#[test]
fn verdicts() {
    let target = queries(600, 5);
    let rarefy = RarefyOptions {
        resamples: 60,
        ..RarefyOptions::default()
    };
    let verdict = |source: &QuerySet, predictions: &QuerySet| {
        let found =
            rarefied_ratio(source, predictions, &target, &Options::default(), &rarefy).unwrap();
        assert_eq!(found.interval.unwrap().resamples, 60);
        found.verdict
    };
    assert_eq!(verdict(&queries(700, 5), &foreign(600)), Verdict::Above);
    assert_eq!(verdict(&foreign(700), &queries(600, 5)), Verdict::Below);
    assert_eq!(verdict(&queries(100, 5), &foreign(600)), Verdict::Withheld);
}

#[test]
fn bad_input_is_an_error() {
    let set = queries(20, 5);
    let with = |rarefy| rarefied_ratio(&set, &set, &set, &Options::default(), &rarefy);
    for n in [0, 21] {
        let found = with(RarefyOptions {
            n: Some(n),
            ..RarefyOptions::default()
        });
        assert!(matches!(found, Err(AlignError::Option { field: "n", .. })));
    }
    assert!(
        with(RarefyOptions {
            draws: 0,
            ..RarefyOptions::default()
        })
        .is_err()
    );
    let none = rarefied_ratio(
        &set,
        &QuerySet::new(["no"]),
        &set,
        &Options::default(),
        &RarefyOptions::default(),
    );
    assert!(matches!(
        none,
        Err(AlignError::NoTemplates { queries: 1, .. })
    ));
    let no_interval = with(RarefyOptions {
        resamples: 0,
        n: Some(10),
        ..RarefyOptions::default()
    })
    .unwrap();
    assert!(no_interval.interval.is_none() && no_interval.a_source.sd > 0.0);
}
