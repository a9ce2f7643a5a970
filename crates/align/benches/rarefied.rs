//! Rarefied scores a second: `cargo bench -p harness-align --profile release -- SOURCE PREDICTIONS TARGET [L_MAX]`, files
//! with one query a line. Each draw and each resample makes two scores; the best of five runs counts.
#![allow(clippy::print_stdout, clippy::unwrap_used, clippy::expect_used)]

use std::time::Instant;

use harness_align::{Options, QuerySet, RarefyOptions, compare, rarefied_ratio};

fn main() {
    let arguments: Vec<String> = std::env::args()
        .skip(1)
        .filter(|argument| argument != "--bench")
        .collect();
    let [source, predictions, target, rest @ ..] = arguments.as_slice() else {
        println!("name three files of queries: source, predictions, target");
        return;
    };
    let read = |path: &String| QuerySet::new(std::fs::read_to_string(path).unwrap().lines());
    let (source, predictions, target) = (read(source), read(predictions), read(target));
    let options = Options {
        l_max: rest.first().map_or(15, |l_max| l_max.parse().unwrap()),
        ..Options::default()
    };
    let rarefy = |draws: usize, resamples: usize| {
        let rarefy = RarefyOptions {
            draws,
            resamples,
            ..RarefyOptions::default()
        };
        let run = || {
            let start = Instant::now();
            rarefied_ratio(&source, &predictions, &target, &options, &rarefy).unwrap();
            start.elapsed().as_secs_f64()
        };
        (0..5).map(|_| run()).fold(f64::INFINITY, f64::min)
    };
    for (name, set) in [("source", &source), ("predictions", &predictions)] {
        let features = compare(set, &target, &options).unwrap().n_union;
        println!(
            "{name}: {} queries, {features} n-grams with the target",
            set.n_queries()
        );
    }
    // What is done once is in both and falls out of the difference.
    let (few, draws, resamples) = (rarefy(2, 2), rarefy(1_002, 2), rarefy(2, 1_002));
    println!("{:.0} scores a second by draws", 2_000.0 / (draws - few));
    println!(
        "{:.0} scores a second by resamples",
        2_000.0 / (resamples - few)
    );
}
