//! How often the interval of a rarefied alignment ratio contains what it should, by simulation on real queries.
//!
//!     cargo run --release --example coverage -- SOURCE TARGET PREDICTIONS QUESTIONS
//!
//! SOURCE, TARGET and PREDICTIONS are JSON Lines with `sql` and `db_id`; predictions are in the order of the target. A
//! random part of the target's questions, or the questions of a random half of its databases, is taken as all there is,
//! and the interval is computed from it; this is done 300 times. The truth is the mean of the ratios that were found: the
//! same bias is in all of them. Taking m of M questions without replacement varies less than drawing from endless ones
//! does, by √(1 − m/M), and the table says so beside the ratio of widths.
#![allow(
    clippy::print_stdout,
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a program for developers"
)]

use std::collections::BTreeSet;

use harness_align::{Interval, Options, RarefiedRatio, RarefyOptions, Workload, rarefied_ratio_of};
use harness_record::Query;
use rand::seq::index;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;
use rayon::prelude::*;

const RUNS: usize = 300;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [source, target, predictions, questions] = arguments.as_slice() else {
        println!("usage: coverage SOURCE TARGET PREDICTIONS QUESTIONS");
        return;
    };
    let (source, target, predictions) = (read(source), read(target), read(predictions));
    let questions: usize = questions.parse().expect("a number of questions");
    let all = target.len();
    let by_question = |random: &mut ChaCha8Rng| index::sample(random, all, questions).into_vec();
    let names: BTreeSet<&str> = target
        .queries()
        .iter()
        .filter_map(|q| q.db_id.as_deref())
        .collect();
    let names: Vec<&str> = names.into_iter().collect();
    let by_database = |random: &mut ChaCha8Rng| {
        let chosen = index::sample(random, names.len(), names.len() / 2);
        let chosen: BTreeSet<&str> = chosen.into_iter().map(|i| names[i]).collect();
        let has = |i: &usize| {
            target.queries()[*i]
                .db_id
                .as_deref()
                .is_some_and(|db| chosen.contains(db))
        };
        (0..all).filter(has).collect()
    };
    let fpc = (1.0 - questions as f64 / all as f64).sqrt();
    report(
        "questions",
        fpc,
        |it| it.interval,
        &simulate(&source, &target, &predictions, by_question),
    );
    report(
        "databases",
        0.5_f64.sqrt(),
        |it| it.interval_by_database,
        &simulate(&source, &target, &predictions, by_database),
    );
}

fn simulate(
    source: &Workload,
    target: &Workload,
    predictions: &Workload,
    part: impl Fn(&mut ChaCha8Rng) -> Vec<usize> + Sync,
) -> Vec<RarefiedRatio> {
    let run = |run: u64| {
        let mut random = ChaCha8Rng::seed_from_u64(run);
        let places = part(&mut random);
        let rarefy = RarefyOptions {
            resamples: 200,
            seed: run,
            ..RarefyOptions::default()
        };
        let (t, p) = (
            target.subset("t", &places),
            predictions.subset("p", &places),
        );
        rarefied_ratio_of(source, &p, &t, &Options::default(), &rarefy).expect("a ratio")
    };
    (0..RUNS as u64).into_par_iter().map(run).collect()
}

fn report(
    unit: &str,
    finite: f64,
    interval: impl Fn(&RarefiedRatio) -> Option<Interval>,
    found: &[RarefiedRatio],
) {
    let n = found.len() as f64;
    let truth = found.iter().map(|it| it.ar).sum::<f64>() / n;
    let sd = (found.iter().map(|it| (it.ar - truth).powi(2)).sum::<f64>() / (n - 1.0)).sqrt();
    let intervals: Vec<Interval> = found.iter().filter_map(&interval).collect();
    if intervals.is_empty() {
        println!("{unit}: no interval");
        return;
    }
    let count = intervals.len() as f64;
    let hits = intervals.iter().filter(|it| it.contains(truth)).count();
    let width = intervals.iter().map(|it| it.high - it.low).sum::<f64>() / count;
    println!(
        "{unit}: ratio {truth:.4}, standard deviation {sd:.4}; intervals contain it {hits} times of {count}, mean half \
         width {:.4} = {:.2} standard deviations (1.96 for endless {unit}, {:.2} for those drawn here)",
        width / 2.0,
        width / 2.0 / sd,
        1.96 / finite
    );
}

fn read(path: &str) -> Workload {
    let text = std::fs::read_to_string(path).expect(path);
    let queries = text.lines().enumerate().map(|(number, line)| {
        let row: serde_json::Value = serde_json::from_str(line).expect(path);
        Query {
            id: number.to_string(),
            sql: row["sql"].as_str().expect("a field `sql`").to_owned(),
            question: None,
            db_id: row["db_id"].as_str().map(str::to_owned),
        }
    });
    Workload::new(path, queries.collect())
}
