//! A reader that goes away.
#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

mod support;

use std::io::Read;
use std::process::Stdio;

use support::Lab;

#[test]
fn a_closed_pipe_ends_a_command_without_a_word() {
    let lab = Lab::new();
    let mut child = lab
        .command()
        .args(["model", "show", "model", "--json"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let mut said = String::new();
    child
        .stderr
        .take()
        .unwrap()
        .read_to_string(&mut said)
        .unwrap();
    let status = child.wait().unwrap();
    assert_eq!((status.code(), said.as_str()), (Some(141), ""));
}
