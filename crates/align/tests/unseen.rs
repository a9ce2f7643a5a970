//! Choosing and mixing are worth something only on queries of the target that they have not seen: here on real ones.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stdout,
    missing_docs
)]

#[path = "support/shared.rs"]
mod shared;

use harness_align::mix::{MixOptions, mix, value_of};
use harness_align::select::{Pool, SelectMethod, SelectOptions, select};
use harness_align::{Options, Workload, compare};
use harness_record::Query;
use serde_json::Value;

fn workload(name: &str, file: &str, sql: &str) -> Option<Workload> {
    let rows = shared::read(file)?;
    let text = |row: &Value, field: &str| row[field].as_str().map(str::to_owned);
    let queries = rows
        .as_array()
        .unwrap()
        .iter()
        .enumerate()
        .map(|(number, row)| Query {
            id: format!("{name}-{number}"),
            sql: text(row, sql).unwrap(),
            question: text(row, "question"),
            db_id: text(row, "db_id"),
        });
    Some(Workload::new(name, queries.collect()))
}

/// The queries of every second database, and the others.
fn halves(target: &Workload) -> (Workload, Workload) {
    let mut names: Vec<&str> = target
        .queries()
        .iter()
        .filter_map(|q| q.db_id.as_deref())
        .collect();
    names.sort_unstable();
    names.dedup();
    let even = |i: &usize| {
        let db = target.queries()[*i].db_id.as_deref().unwrap();
        names.iter().position(|name| *name == db).unwrap() % 2 == 0
    };
    let (seen, unseen): (Vec<usize>, Vec<usize>) = (0..target.len()).partition(even);
    (
        target.subset("seen", &seen),
        target.subset("unseen", &unseen),
    )
}

fn js(source: &Workload, target: &Workload) -> f64 {
    compare(source.templates(), target.templates(), &Options::default())
        .unwrap()
        .js
}

#[test]
fn what_is_chosen_for_one_half_of_the_databases_serves_the_other() {
    let spider = workload("train", "data/spider/train_spider.json", "query");
    let dev = workload("dev", "data/spider/dev.json", "query");
    let bird = workload("bird", "data/bird/dev.json", "SQL");
    let gold = shared::text("data/bird/train_gold.sql");
    let (Some(spider), Some(dev), Some(bird), Some(gold)) = (spider, dev, bird, gold) else {
        return;
    };
    let lines = gold.lines().enumerate().filter_map(|(number, line)| {
        let (sql, db) = line.rsplit_once('\t')?;
        Some(Query {
            id: format!("bird-train-{number}"),
            sql: sql.to_owned(),
            question: None,
            db_id: Some(db.to_owned()),
        })
    });
    let bird_train = Workload::new("bird-train", lines.collect());
    let pool = Pool::new(&[spider.clone(), bird_train.clone()]);
    for (target, name) in [(&dev, "Spider dev"), (&bird, "BIRD dev")] {
        let (seen, unseen) = halves(target);
        let chosen = |method, seed| {
            let options = SelectOptions {
                n: 300,
                method,
                seed,
                ..SelectOptions::default()
            };
            let found = select(&pool, &seen, &options).unwrap();
            js(&found.workload(&pool), &unseen)
        };
        for seed in [1, 2, 3] {
            let (greedy, random) = (
                chosen(SelectMethod::Greedy, seed),
                chosen(SelectMethod::Random, seed),
            );
            println!(
                "{name}, seed {seed}: JS on the unseen half {greedy:.3} chosen, {random:.3} at random"
            );
            assert!(greedy < random - 0.02, "{name}: {greedy} {random}");
        }
    }
    // A target of both kinds: the weights for one half of its databases serve the other.
    let both: Vec<Query> = [&dev, &bird]
        .into_iter()
        .flat_map(|set| set.queries().to_vec())
        .collect();
    let both = Workload::new("both", both);
    let (even, odd): (Vec<usize>, Vec<usize>) = (0..both.len()).partition(|i| i % 2 == 0);
    let by_question = (both.subset("seen", &even), both.subset("unseen", &odd));
    let sets = [spider, bird_train];
    let options = MixOptions {
        splits: 0,
        ..MixOptions::default()
    };
    for ((seen, unseen), name) in [(by_question, "questions"), (halves(&both), "databases")] {
        let found = mix(&sets, &seen, None, &options).unwrap();
        let of = |weights: &[f64]| value_of(&sets, &unseen, weights, &options).unwrap();
        let weights: Vec<f64> = found.sets.iter().map(|set| set.weight).collect();
        let mixture = of(&weights);
        let single = of(&[1.0, 0.0]).min(of(&[0.0, 1.0]));
        println!(
            "halves of the {name}: JS on the unseen one {mixture:.3} mixed, {single:.3} best single set"
        );
        assert!(mixture < single - 0.02, "{name}: {mixture} {single}");
        // Halves of the questions are made of the two targets alike, so that no other weights can do better.
        if name == "questions" {
            for tenth in 0..=10 {
                let share = f64::from(tenth) / 10.0;
                assert!(mixture < of(&[share, 1.0 - share]) + 0.002, "{share}");
            }
        }
    }
}
