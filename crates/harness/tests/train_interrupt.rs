//! A real process that trains is killed at random moments, or interrupted: what is left in the end is what an
//! undisturbed run leaves.
#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read};
use std::os::unix::process::ExitStatusExt;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

mod support;
use support::{Lab, assert_same};

const STEPS: usize = 40;
const KILLS: usize = 20;

fn lab() -> Lab {
    let lab = Lab::new();
    lab.variant(
        "long.yaml",
        "  steps: 24\n  batch_size: 4\n  dev_examples: 2\n  dev_every: 8\n  checkpoint_every: 2\n",
        "  steps: 40\n  batch_size: 8\n  dev_examples: 2\n  dev_every: 7\n  checkpoint_every: 1\n  \
         keep_checkpoints: 2\n  select: best\n",
    );
    lab
}

fn start(lab: &Lab, out: &str) -> Child {
    let mut command = lab.command();
    command
        .args(["train", "--config", "long.yaml", "--train-set", "plain"])
        .args(["--out", out])
        .stdout(Stdio::null())
        .stderr(Stdio::piped());
    command.spawn().unwrap()
}

/// What the process said until it ended, and how.
fn finish(mut child: Child) -> (std::process::ExitStatus, String) {
    let mut said = String::new();
    child
        .stderr
        .take()
        .unwrap()
        .read_to_string(&mut said)
        .unwrap();
    (child.wait().unwrap(), said)
}

/// Adapter and log. The adapter's configuration and the summary are made from the same numbers.
fn left(lab: &Lab, out: &str) -> BTreeMap<String, Vec<u8>> {
    let mut files = lab.tree(out);
    files.retain(|path, _| path != "manifest.json");
    assert!(files.contains_key("adapter_model.safetensors"));
    assert_eq!(
        lab.rows(&format!("{out}/log.jsonl"))
            .iter()
            .filter(|row| row["event"] == "step")
            .count(),
        STEPS
    );
    files
}

#[test]
fn killed_at_twenty_moments_it_leaves_the_same_bytes() {
    let lab = lab();
    let begin = Instant::now();
    let (status, said) = finish(start(&lab, "whole"));
    let whole_time = begin.elapsed();
    assert!(status.success(), "{said}");
    let expected = left(&lab, "whole");

    let mut random = ChaCha8Rng::seed_from_u64(3);
    let mut kills = 0;
    let mut round = 0;
    while kills < KILLS {
        // A run that reaches its end before enough kills is compared and begun anew.
        let out = format!("killed-{round}");
        round += 1;
        loop {
            let mut child = start(&lab, &out);
            // From before the first step to about the end of an undisturbed run.
            let wait = whole_time.mul_f64(random.random_range(0.1..0.9));
            let until = Instant::now() + wait;
            while Instant::now() < until && child.try_wait().unwrap().is_none() {
                std::thread::sleep(Duration::from_millis(2));
            }
            if kills < KILLS && child.try_wait().unwrap().is_none() {
                child.kill().unwrap();
                let (status, _) = finish(child);
                if status.signal() == Some(9) {
                    kills += 1;
                    continue;
                }
                assert!(status.success());
            } else {
                let (status, said) = finish(child);
                assert!(status.success(), "{said}");
            }
            break;
        }
        assert_same(&left(&lab, &out), &expected);
    }
}

fn interrupt(child: &Child) {
    let sent = Command::new("kill")
        .args(["-INT", &child.id().to_string()])
        .status()
        .unwrap();
    assert!(sent.success());
}

#[test]
fn an_interrupt_finishes_the_step_and_says_how_to_go_on() {
    let lab = lab();
    let (status, said) = finish(start(&lab, "whole"));
    assert!(status.success(), "{said}");

    let mut child = start(&lab, "stopped");
    // The signal is caught from the first step on; the step's line is in the log before the next begins.
    let log = lab.path("stopped/.work/train/.plain.partial/log.jsonl");
    while std::fs::read_to_string(&log).map_or(0, |text| text.lines().count()) < 3 {
        assert!(child.try_wait().unwrap().is_none(), "it ended too early");
        std::thread::sleep(Duration::from_millis(1));
    }
    interrupt(&child);
    let mut said = String::new();
    let stderr = child.stderr.take().unwrap();
    for line in BufReader::new(stderr).lines() {
        said += &line.unwrap();
        said.push('\n');
    }
    let status = child.wait().unwrap();
    assert_eq!(status.code(), Some(130), "{said}");
    assert!(said.contains("stopped after step"), "{said}");
    assert!(said.contains("a checkpoint is saved; to go on"), "{said}");
    assert!(
        said.contains("train --config long.yaml --train-set plain --out stopped"),
        "{said}"
    );
    assert!(
        !said.contains("error:") && !said.contains("panicked"),
        "{said}"
    );
    let done = lab.rows("stopped/.work/train/.plain.partial/log.jsonl");
    let steps = done.iter().filter(|row| row["event"] == "step").count();
    assert!((1..STEPS).contains(&steps));

    let (status, said) = finish(start(&lab, "stopped"));
    assert!(status.success(), "{said}");
    assert!(
        said.contains(&format!("going on from the checkpoint after step {steps}")),
        "{said}"
    );
    assert_same(&left(&lab, "stopped"), &left(&lab, "whole"));
}

#[test]
fn a_damaged_checkpoint_is_told_and_the_one_before_is_used() {
    let lab = lab();
    let (status, said) = finish(start(&lab, "whole"));
    assert!(status.success(), "{said}");
    let mut child = start(&lab, "torn");
    let folder = "torn/.work/train/.plain.partial/checkpoint";
    let newest = || {
        let mut names: Vec<String> = std::fs::read_dir(lab.path(folder))
            .into_iter()
            .flatten()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .filter(|name| name.starts_with("step-"))
            .collect();
        names.sort();
        (names.len() > 1).then(|| names.pop()).flatten()
    };
    while newest().is_none_or(|name| name.as_str() < "step-00000004") {
        assert!(child.try_wait().unwrap().is_none(), "it ended too early");
        std::thread::sleep(Duration::from_millis(1));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    let name = newest().unwrap();
    let file = lab.path(&format!("{folder}/{name}/progress.json"));
    let text = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, &text[..text.len() / 2]).unwrap();

    let (status, said) = finish(start(&lab, "torn"));
    assert!(status.success(), "{said}");
    let warning = said
        .lines()
        .find(|line| line.starts_with("warning: the checkpoint "));
    assert!(warning.unwrap().contains(&name), "{said}");
    assert!(
        said.contains("going on from the checkpoint after step"),
        "{said}"
    );
    assert_same(&left(&lab, "torn"), &left(&lab, "whole"));
}

#[test]
fn a_whole_experiment_stops_in_its_training_and_goes_on() {
    let lab = lab();
    let begin = |out: &str| {
        let mut command = lab.command();
        command
            .args(["run", "long.yaml", "--set", &format!("out={out}")])
            .stdout(Stdio::null())
            .stderr(Stdio::piped());
        command.spawn().unwrap()
    };
    let mut child = begin("stopped");
    let log = lab.path("stopped/train/.counts.partial/log.jsonl");
    while std::fs::read_to_string(&log).map_or(0, |text| text.lines().count()) < 3 {
        assert!(child.try_wait().unwrap().is_none(), "it ended too early");
        std::thread::sleep(Duration::from_millis(1));
    }
    interrupt(&child);
    let (status, said) = finish(child);
    assert_eq!(status.code(), Some(130), "{said}");
    assert!(said.contains("run long.yaml --set out=stopped"), "{said}");
    for out in ["stopped", "whole"] {
        let (status, said) = finish(begin(out));
        assert!(status.success(), "{said}");
    }
    assert_same(&lab.findings("stopped"), &lab.findings("whole"));
}

#[test]
fn a_disk_without_room_is_told_and_the_checkpoint_before_stays() {
    let lab = lab();
    let (status, said) = finish(start(&lab, "whole"));
    assert!(status.success(), "{said}");
    let mut child = start(&lab, "full");
    let folder = "full/.work/train/.plain.partial/checkpoint";
    let names = || {
        let entries = std::fs::read_dir(lab.path(folder)).into_iter().flatten();
        let mut names: Vec<String> = entries
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    };
    while !names().iter().any(|name| name.starts_with("step-")) {
        assert!(child.try_wait().unwrap().is_none(), "it ended too early");
        std::thread::sleep(Duration::from_millis(1));
    }
    interrupt(&child);
    let (status, said) = finish(child);
    assert_eq!(status.code(), Some(130), "{said}");
    let before = names();

    // A limit on the size of files stands for a disk without room: the optimiser's state is 30 kB.
    let program = env!("CARGO_BIN_EXE_harness");
    let line = format!(
        "trap '' XFSZ; ulimit -f 24; exec '{program}' train --config long.yaml --train-set plain --out full"
    );
    let mut command = Command::new("bash");
    lab.surround(&mut command);
    let output = command.args(["-c", &line]).output().unwrap();
    let said = support::failed("train", &output);
    assert!(
        said.contains("cannot write") && said.contains("optimizer.safetensors"),
        "{said}"
    );
    assert!(
        said.contains("hint: there is no room on the disk"),
        "{said}"
    );
    assert_eq!(names(), before);

    let (status, said) = finish(start(&lab, "full"));
    assert!(status.success(), "{said}");
    assert_same(&left(&lab, "full"), &left(&lab, "whole"));
}
