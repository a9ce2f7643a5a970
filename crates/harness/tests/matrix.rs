//! A matrix of experiments: what cells share is done once, each is as if it were run alone, and one that fails does not stop the others.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

use std::fs;
use std::process::Stdio;
use std::time::{Duration, Instant};

use serde_json::Value;

mod support;
use support::{Lab, STAGES, assert_same};

const MATRIX: &str =
    "matrix:\n  train.learning_rate: [1.0e-2, 2.0e-2]\n  train.lora.rank: [2, 4]\n";
const CELLS: [&str; 4] = [
    "learning_rate=0.01,rank=2",
    "learning_rate=0.01,rank=4",
    "learning_rate=0.02,rank=2",
    "learning_rate=0.02,rank=4",
];

fn lab() -> Lab {
    let lab = Lab::new();
    lab.variant(
        "grid.yaml",
        "name: tiny\n",
        &format!("name: tiny\n{MATRIX}"),
    );
    lab
}

#[test]
fn cells_share_what_is_the_same_and_are_as_if_run_alone() {
    let lab = lab();
    let rows: Value = serde_json::from_str(&lab.succeed("plan grid.yaml --json")).unwrap();
    assert_eq!(rows.as_array().unwrap().len(), CELLS.len());
    assert_eq!(rows[0]["stages"], STAGES);
    let output = lab.harness("run grid.yaml").output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success(), "{said}");
    // All but training and what follows from it: four data sets, two answers of the base model with their scores, four alignments.
    let shared = said.matches(": as in ").count();
    assert_eq!(shared, 3 * (4 + 2 + 2 + 4), "{said}");
    assert!(lab.succeed("plan grid.yaml").contains(&format!(
        "4 cells, {} stages, {} with a result",
        4 * STAGES,
        4 * STAGES
    )));

    for cell in CELLS {
        lab.succeed(&format!("run grid.yaml --cell {cell} --set out=alone"));
        let (own, alone) = (format!("results/{cell}"), format!("alone/{cell}"));
        assert_same(&lab.findings(&own), &lab.findings(&alone));
        lab.succeed(&format!("verify --config grid.yaml --cell {cell}"));
    }
    let again = lab.harness("run grid.yaml").output().unwrap();
    let said = String::from_utf8(again.stderr).unwrap();
    assert_eq!(
        said.matches("are done already").count(),
        CELLS.len(),
        "{said}"
    );
    // A command for one experiment says how one is chosen.
    assert!(
        lab.fail("train --config grid.yaml --train-set plain --out a")
            .contains("--cell")
    );
    assert!(lab.succeed("config check grid.yaml").contains("4 cells"));
    assert!(lab.succeed("config show grid.yaml").contains(CELLS[2]));
    let one = lab.succeed(&format!("config show grid.yaml --cell {}", CELLS[2]));
    assert!(one.contains("rank: 2"), "{one}");
}

#[test]
fn a_cell_that_fails_does_not_stop_the_others() {
    let lab = lab();
    // A file where the second cell's folder is to be.
    fs::create_dir(lab.path("results")).unwrap();
    lab.write(&format!("results/{}", CELLS[1]), "in the way");
    let text = lab.fail("run grid.yaml");
    assert!(
        text.contains(&format!("1 of 4 cells failed: {}", CELLS[1])),
        "{text}"
    );
    for cell in [CELLS[0], CELLS[2], CELLS[3]] {
        assert!(
            lab.path(&format!("results/{cell}/report/all/report.json"))
                .is_file()
        );
    }
    fs::remove_file(lab.path(&format!("results/{}", CELLS[1]))).unwrap();
    lab.succeed("run grid.yaml");
}

#[test]
fn killed_again_and_again_it_comes_to_the_same_end() {
    let lab = lab();
    let start = |out: &str| {
        let mut command = lab.command();
        command
            .args(["run", "grid.yaml", "--set", &format!("out={out}")])
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        command.spawn().unwrap()
    };
    let begin = Instant::now();
    assert!(start("whole").wait().unwrap().success());
    let time = begin.elapsed();
    let mut kills = 0;
    loop {
        let mut child = start("killed");
        let wait = time.mul_f64(0.07 + 0.05 * f64::from(kills % 5));
        let until = Instant::now() + wait;
        while Instant::now() < until && child.try_wait().unwrap().is_none() {
            std::thread::sleep(Duration::from_millis(2));
        }
        if child.try_wait().unwrap().is_some() || kills >= 30 {
            assert!(child.wait().unwrap().success());
            break;
        }
        child.kill().unwrap();
        child.wait().unwrap();
        kills += 1;
    }
    assert!(kills >= 3, "{kills}");
    for cell in CELLS {
        assert_same(
            &lab.findings(&format!("whole/{cell}")),
            &lab.findings(&format!("killed/{cell}")),
        );
    }
}
