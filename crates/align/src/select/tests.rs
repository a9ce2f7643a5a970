use super::{Constraints, Pool, SelectMethod, SelectOptions, Selection, card, select};
use crate::compare::compare;
use crate::error::AlignError;
use crate::options::Options;
use crate::score::kl::kl;
use crate::sparse::Sparse;
use crate::workload::Workload;
use harness_record::Query;

/// Queries of `rows`: SQL, how often, database; every copy names another table.
fn workload(name: &str, rows: &[(&str, usize, &str)]) -> Workload {
    let mut queries = Vec::new();
    for (sql, times, database) in rows {
        for _ in 0..*times {
            let number = queries.len();
            queries.push(Query {
                id: format!("{name}-{number}"),
                sql: sql.replace('@', &format!("{name}_{number}")),
                question: Some(format!("What is {name} {number}?")),
                db_id: Some((*database).to_owned()),
            });
        }
    }
    Workload::new(name, queries)
}

fn target() -> Workload {
    workload(
        "t",
        &[
            ("SELECT a FROM @", 40, "x"),
            ("SELECT a FROM @ WHERE b = 1", 30, "x"),
            ("SELECT COUNT(*) FROM @ GROUP BY a", 20, "y"),
            ("SELECT a FROM @ ORDER BY b LIMIT 1", 10, "y"),
        ],
    )
}

fn pool() -> Pool {
    Pool::new(&[
        workload(
            "p",
            &[
                ("SELECT a FROM @", 300, "d1"),
                ("SELECT a FROM @ WHERE b = 1", 60, "d2"),
                ("SELECT COUNT(*) FROM @ GROUP BY a", 60, "d3"),
            ],
        ),
        workload(
            "q",
            &[
                ("SELECT a FROM @ ORDER BY b LIMIT 1", 40, "d1"),
                ("SELECT MAX(a), MIN(b) FROM @ JOIN u ON c = d", 300, "d4"),
            ],
        ),
    ])
}

fn options(method: SelectMethod, n: usize) -> SelectOptions {
    SelectOptions {
        n,
        method,
        ..SelectOptions::default()
    }
}

fn js(selection: &Selection, pool: &Pool) -> f64 {
    let set = selection.workload(pool);
    compare(set.templates(), target().templates(), &Options::default())
        .unwrap()
        .js
}

#[test]
fn greedy_is_nearer_than_its_control_arms() {
    let pool = pool();
    let run = |method| {
        let found = select(&pool, &target(), &options(method, 100)).unwrap();
        assert_eq!(found.picks.len(), 100);
        js(&found, &pool)
    };
    let greedy = run(SelectMethod::Greedy);
    assert!(greedy < 0.01, "{greedy}");
    assert!(run(SelectMethod::Importance) < run(SelectMethod::Random));
    assert!(greedy < run(SelectMethod::Random));
    assert!(run(SelectMethod::Random) < run(SelectMethod::LeastAligned));
}

/// Forward A(S', T) is mode-seeking: of all sets that repeat one template it likes one better than a set with every
/// template of the target beside others. The default takes every template of the target.
#[test]
fn forward_alignment_collapses() {
    let (pool, target) = (pool(), target());
    let options = options(SelectMethod::Greedy, 40);
    let space = Sparse::new(
        &[pool.workload().templates(), target.templates()],
        options.scores,
    );
    let of_target = space.count(space.templates(1));
    let score = |templates: &[u32]| {
        let counts = space.count(templates.iter().copied());
        let alpha = options.scores.alpha;
        (
            kl(&counts, &of_target, alpha).a,
            kl(&of_target, &counts, alpha).a,
        )
    };
    let mut tried = space.templates(0);
    tried.sort_unstable();
    tried.dedup();
    let repeated = tried
        .into_iter()
        .map(|template| score(&[template; 40]))
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .unwrap();
    let whole = score(&space.templates(0));
    assert!(repeated.0 > whole.0, "{repeated:?} {whole:?}");
    assert!(repeated.1 < whole.1, "{repeated:?} {whole:?}");
    let found = select(&pool, &target, &options).unwrap();
    let ours: Vec<u32> = found
        .picks
        .iter()
        .map(|pick| space.slots(0)[pick.place].unwrap())
        .collect();
    let times = |t: &u32| ours.iter().filter(|other| *other == t).count();
    assert!(ours.iter().map(times).max().unwrap() <= 24);
    assert_eq!(
        crate::score::overlap::templates(&ours, &space.templates(1)),
        1.0
    );
}

/// Gains that are bounded from earlier rounds choose what gains computed anew in every round choose.
#[test]
fn lazy_gains_change_nothing() {
    let (pool, target) = (pool(), target());
    let options = options(SelectMethod::Greedy, 60);
    let space = Sparse::new(
        &[pool.workload().templates(), target.templates()],
        options.scores,
    );
    let q = space.count(space.templates(1));
    let v = q.n.iter().filter(|n| **n > 0).count() as f64;
    let divergence = |chosen: &[u32]| -> f64 {
        let s = space.count(chosen.iter().copied());
        let mass = s.total as f64 + 0.5 * v;
        let term = |(t, s): (&u32, &u32)| {
            let q = f64::from(*t) / q.total as f64;
            if q > 0.0 {
                q * (q * mass / (f64::from(*s) + 0.5)).ln()
            } else {
                0.0
            }
        };
        q.n.iter().zip(&s.n).map(term).sum()
    };
    let found = select(&pool, &target, &options).unwrap();
    let mut left = space.templates(0);
    let mut chosen = Vec::new();
    for pick in &found.picks {
        let before = divergence(&chosen);
        let gain = |t: u32| before - divergence(&[&chosen[..], &[t]].concat());
        let best = left.iter().map(|t| gain(*t)).fold(f64::MIN, f64::max);
        assert!((pick.gain - best).abs() < 1e-9, "{} {best}", pick.gain);
        let template = space.slots(0)[pick.place].unwrap();
        left.remove(left.iter().position(|t| *t == template).unwrap());
        chosen.push(template);
    }
}

#[test]
fn constraints_hold_for_every_method() {
    let pool = pool();
    for method in SelectMethod::ALL {
        let run = |constraints| {
            let options = SelectOptions {
                constraints,
                ..options(method, 50)
            };
            select(&pool, &target(), &options).unwrap()
        };
        let most = |found: &Selection, of: fn(&super::Pick) -> String| {
            let mut counts = std::collections::BTreeMap::new();
            for pick in &found.picks {
                *counts.entry(of(pick)).or_insert(0_usize) += 1;
            }
            (counts.values().copied().max().unwrap(), counts.len())
        };
        let database = |pick: &super::Pick| format!("{}/{:?}", pick.set, pick.database);
        let found = run(Constraints {
            per_database: Some(12),
            ..Constraints::default()
        });
        assert_eq!(found.picks.len(), 50, "{method:?}");
        assert!(most(&found, database).0 <= 12, "{method:?}");
        let found = run(Constraints {
            per_template: Some(15),
            ..Constraints::default()
        });
        assert!(
            most(&found, |pick| pick.template.clone()).0 <= 15,
            "{method:?}"
        );
        let found = run(Constraints {
            templates: 5,
            databases: 5,
            ..Constraints::default()
        });
        assert_eq!(
            most(&found, |pick| pick.template.clone()).1,
            5,
            "{method:?}"
        );
        assert_eq!(most(&found, database).1, 5, "{method:?}");
        let found = run(Constraints {
            proportional: true,
            ..Constraints::default()
        });
        // 300 of 760 are of the first.
        assert_eq!(found.picks.len(), 50);
        assert!(most(&found, database).0 <= 20, "{method:?}");
        let found = run(Constraints {
            per_template: Some(2),
            ..Constraints::default()
        });
        assert_eq!((found.picks.len(), found.short()), (10, 40), "{method:?}");
    }
}

#[test]
fn leaks_and_duplicates_are_left_out() {
    let target = target();
    let mut rows = target.queries()[..3].to_vec();
    // Another text of the second, which no question gives away.
    rows[1].question = None;
    rows[1].sql = rows[1].sql.to_lowercase().replace(' ', "  ") + " ;";
    let query = |id: &str, sql: &str, question: &str| Query {
        id: id.to_owned(),
        sql: sql.to_owned(),
        question: Some(question.to_owned()),
        db_id: None,
    };
    rows.extend([
        query("new", "SELECT a FROM m", "What is a?"),
        query("same-sql", "select a from  m;", "Which a?"),
        query("same-question", "SELECT b FROM n", "what is A"),
        query("other", "SELECT b FROM o", "Which b?"),
        query("no", "nothing", ""),
    ]);
    let pool = Pool::new(&[Workload::new("p", rows)]);
    let found = select(&pool, &target, &options(SelectMethod::Random, 2)).unwrap();
    let mut ids: Vec<_> = found.picks.iter().map(|p| p.id.as_str()).collect();
    ids.sort_unstable();
    assert_eq!(ids, ["new", "other"]);
    let removed = found.removed;
    assert_eq!(
        (removed.leaks, removed.duplicates, removed.no_template),
        (3, 2, 1)
    );
    let all = SelectOptions {
        keep_duplicates: true,
        keep_leaks: true,
        ..options(SelectMethod::Random, 7)
    };
    assert_eq!(select(&pool, &target, &all).unwrap().picks.len(), 7);
    let error = select(&pool, &target, &options(SelectMethod::Random, 3)).unwrap_err();
    assert!(matches!(
        error,
        AlignError::TooFewCandidates { candidates: 2, .. }
    ));
}

#[test]
fn a_sample_of_49_is_refused() {
    let sample = |n| workload("t", &[("SELECT a FROM @", n, "x")]);
    let run = |n| select(&pool(), &sample(n), &options(SelectMethod::Greedy, 5));
    assert!(matches!(
        run(49).unwrap_err(),
        AlignError::SampleTooSmall { queries: 49, .. }
    ));
    assert_eq!(run(50).unwrap().warnings.len(), 1);
    assert!(run(500).unwrap().warnings.is_empty());
}

#[test]
fn the_card_tells_gains_and_gaps() {
    let rows: Vec<(&str, usize, &str)> = ["v", "w", "x", "y", "z"]
        .into_iter()
        .flat_map(|database| {
            [
                ("SELECT a FROM @", 22, database),
                ("SELECT COUNT(*) FROM @ GROUP BY a", 20, database),
                ("SELECT a FROM @ WHERE b IN (SELECT c FROM v)", 2, database),
            ]
        })
        .collect();
    let target = workload("t", &rows);
    let pool = pool();
    let found = select(&pool, &target, &options(SelectMethod::Greedy, 80)).unwrap();
    let card = card(&pool, &target, &found).unwrap();
    assert_eq!((card.arms.len(), card.n), (3, 80));
    assert!(card.arms[0].js < card.arms[1].js && card.arms[0].a_kl_rev > card.arms[1].a_kl_rev);
    assert_eq!(card.chosen_of.iter().sum::<usize>(), 80);
    assert!((card.coverage.chosen - 210.0 / 220.0).abs() < 1e-12);
    assert_eq!((card.missing.len(), card.missing[0].queries), (1, 10));
    assert!(!card.missing[0].in_pool);
    let held_out = card.held_out.unwrap();
    assert!(held_out.by_database);
    assert!(held_out.js_gain.unwrap().low > 0.0);
}
