//! Runs the tests of the program it is part of again, in processes of their own, under each cap of `HARNESS_CPU`.

use std::process::Command;

use harness_kernel::{Instructions, instructions};

const VARIABLE: &str = "HARNESS_CPU";

/// Runs all tests but `this` under each cap below what is used here. A run that is capped already does nothing: it
/// is one of these, or somebody asked for that cap alone.
pub fn run_all_but(this: &str) {
    if std::env::var_os(VARIABLE).is_some() {
        return;
    }
    let program = std::env::current_exe().unwrap();
    for level in Instructions::ALL {
        if level >= instructions() {
            break;
        }
        let done = Command::new(&program)
            .args(["--skip", this])
            .env(VARIABLE, level.name())
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&done.stdout);
        assert!(done.status.success(), "with {level}:\n{said}");
        assert!(!said.contains(" 0 passed"), "with {level}:\n{said}");
    }
}
