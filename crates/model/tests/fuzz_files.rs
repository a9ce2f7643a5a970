//! The readers of headers and vocabularies on damaged files: no panic, no memory on the word of a header.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

mod fuzz;

use fuzz::{Fuzzer, Target};

/// Files for each reader; the example `fuzz_files` reads millions.
const INPUTS: u64 = 20_000;

/// One test, as the allocator counts for the whole program.
#[test]
fn damaged_files_are_refused_or_read() {
    for target in Target::ALL {
        let mut fuzzer = Fuzzer::new(target, 5);
        while fuzzer.inputs < INPUTS {
            if let Err(breach) = fuzzer.steps(1_000) {
                panic!(
                    "{target:?} {}: {:?}",
                    breach.what,
                    breach.input.escape_ascii().to_string()
                );
            }
        }
        // The damage has to leave some files whole and break most.
        let share = fuzzer.accepted as f64 / fuzzer.inputs as f64;
        assert!(
            (0.005..0.95).contains(&share),
            "{target:?}: {share} accepted"
        );
    }
}
