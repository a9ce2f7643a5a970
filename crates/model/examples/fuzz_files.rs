//! Everything that reads a header or a vocabulary, on damaged files: GGUF, safetensors, `tokenizer.json`, and the
//! vocabularies in GGUF headers.
//!
//!     fuzz_files [--seed N] [--seconds N] [--inputs N] [--target gguf|safetensors|tokenizer|vocabulary]
//!
//! Each reader gets `--inputs` files, or as many as there is time for. What must hold: nothing panics, ids of a tokenizer are below
//! its size, and what is allocated stays within a multiple of the file's size. It ends with counts; a fault ends it
//! with the file, escaped.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stdout,
    missing_docs,
    reason = "a tool for developers, which stops at the first fault"
)]

#[path = "../tests/fuzz/mod.rs"]
mod fuzz;

use std::time::{Duration, Instant};

use fuzz::{Fuzzer, Target};

fn main() {
    let mut arguments = std::env::args().skip(1);
    let (mut seed, mut seconds, mut most) = (0, 60, u64::MAX);
    let mut targets = Target::ALL.to_vec();
    while let Some(name) = arguments.next() {
        let value = arguments.next().expect("a value");
        match name.as_str() {
            "--seed" => seed = value.parse().expect("a number"),
            "--seconds" => seconds = value.parse().expect("a number"),
            "--inputs" => most = value.parse().expect("a number"),
            "--target" => targets.retain(|target| target.name() == value),
            other => panic!("no option {other}"),
        }
    }
    for target in targets {
        let begin = Instant::now();
        let mut fuzzer = Fuzzer::new(target, seed);
        while fuzzer.inputs < most && begin.elapsed() < Duration::from_secs(seconds) {
            if let Err(breach) = fuzzer.steps(1_000) {
                println!(
                    "{}: {}, input {} of seed {seed}: {}",
                    target.name(),
                    breach.what,
                    fuzzer.inputs,
                    breach.input.escape_ascii()
                );
                std::process::exit(1);
            }
        }
        println!(
            "{:12} {} files, {} accepted, {:.0} s, seed {seed}, at most {} bytes at once and {} in all: no fault",
            target.name(),
            fuzzer.inputs,
            fuzzer.accepted,
            begin.elapsed().as_secs_f64(),
            fuzzer.most.0,
            fuzzer.most.1
        );
    }
}
