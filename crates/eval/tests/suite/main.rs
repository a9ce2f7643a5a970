//! The checks that need worker processes. This program is its own worker: started with [`SERVE`] it serves queries, and
//! otherwise it runs the checks one after another (they look at its child processes) and prints what libtest would.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stdout,
    missing_docs
)]

mod agree;
mod goldens;
mod hostile;
mod kept;
mod official;
mod processes;
mod support;
mod verdicts;

use std::process::ExitCode;
use std::time::Instant;

use support::{FILL, HOLD, SERVE};

const CHECKS: &[(&str, fn())] = &[
    (
        "agree::queries_of_equal_results_are_a_group",
        agree::queries_of_equal_results_are_a_group,
    ),
    ("verdicts::every_outcome", verdicts::every_outcome),
    (
        "verdicts::metrics_share_executions",
        verdicts::metrics_share_executions,
    ),
    (
        "verdicts::absent_databases_are_not_made",
        verdicts::absent_databases_are_not_made,
    ),
    (
        "verdicts::workers_do_not_change_them",
        verdicts::workers_do_not_change_them,
    ),
    ("verdicts::suites", verdicts::suites),
    ("verdicts::times", verdicts::times),
    ("verdicts::as_the_script_does", verdicts::as_the_script_does),
    ("verdicts::unstable_golds", verdicts::unstable_golds),
    ("verdicts::ties_of_the_gold", verdicts::ties_of_the_gold),
    (
        "processes::a_program_that_is_no_worker",
        processes::a_program_that_is_no_worker,
    ),
    (
        "processes::killed_workers_are_replaced",
        processes::killed_workers_are_replaced,
    ),
    ("processes::wall_limit", processes::wall_limit),
    (
        "processes::workers_end_with_their_parent",
        processes::workers_end_with_their_parent,
    ),
    (
        "processes::many_queries_at_once",
        processes::many_queries_at_once,
    ),
    ("processes::races", processes::races),
    (
        "processes::workers_confine_themselves",
        processes::workers_confine_themselves,
    ),
    (
        "processes::one_slow_prediction_delays_no_other",
        processes::one_slow_prediction_delays_no_other,
    ),
    (
        "kept::what_can_be_repeated_is_kept",
        kept::what_can_be_repeated_is_kept,
    ),
    (
        "kept::kills_lose_nothing_that_was_kept",
        kept::kills_lose_nothing_that_was_kept,
    ),
    ("hostile::nothing_changes", hostile::nothing_changes),
    ("goldens::edge_cases", goldens::edge_cases),
    ("goldens::spider", goldens::spider),
    ("goldens::bird", goldens::bird),
];

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    match args.first().map(String::as_str) {
        Some(SERVE) => harness_eval::worker_main(),
        Some(HOLD) => processes::hold(&args[1], &args[2]),
        Some(FILL) => kept::fill(&args[1], &args[2]),
        _ => {}
    }
    let start = Instant::now();
    let filters: Vec<&String> = args.iter().filter(|arg| !arg.starts_with('-')).collect();
    let chosen =
        |name: &str| filters.is_empty() || filters.iter().any(|filter| name.contains(*filter));
    let (mut passed, mut failed, mut left_out) = (0, 0, 0);
    println!(
        "\nrunning {} tests",
        CHECKS.iter().filter(|(name, _)| chosen(name)).count()
    );
    for (name, check) in CHECKS {
        if !chosen(name) {
            left_out += 1;
            continue;
        }
        if std::panic::catch_unwind(check).is_ok() {
            passed += 1;
            println!("test {name} ... ok");
        } else {
            failed += 1;
            println!("test {name} ... FAILED");
        }
    }
    println!(
        "\ntest result: {}. {passed} passed; {failed} failed; 0 ignored; 0 measured; {left_out} filtered out; \
         finished in {:.2}s\n",
        if failed == 0 { "ok" } else { "FAILED" },
        start.elapsed().as_secs_f64()
    );
    ExitCode::from(u8::from(failed > 0))
}
