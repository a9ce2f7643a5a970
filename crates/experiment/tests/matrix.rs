//! A matrix: its cells, their names and order, and what is wrong with one.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

use std::fmt::Write as _;
use std::path::Path;

use harness_experiment::spec::{Cell, Env, load, load_cells};
use proptest::prelude::*;

const REST: &str = "\
out: results/x
model: {name: m, source: [a]}
train_sets: {s: {dataset: spider, split: train}}
targets: {t: {dataset: spider, split: dev}}
";

fn cells_of(matrix: &str, sets: &[&str]) -> Result<Vec<Cell>, String> {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("x.yaml");
    std::fs::write(&file, format!("{matrix}{REST}")).unwrap();
    let sets: Vec<String> = sets.iter().map(|set| (*set).to_owned()).collect();
    load_cells(&file, &sets, &Env::default()).map_err(|error| {
        error
            .to_string()
            .replace(&file.display().to_string(), "x.yaml")
    })
}

fn names(cells: &[Cell]) -> Vec<&str> {
    cells.iter().map(|cell| cell.name.as_str()).collect()
}

#[test]
fn a_matrix_is_a_cell_for_each_combination() {
    let matrix = "\
matrix:
  train.learning_rate: [1.0e-4, 2.0e-4]
  seed: [1, 2]
  prompt.format: [ddl]
  exclude: [{train.learning_rate: 2.0e-4, seed: 1}]
  include: [{seed: 9, train.steps: 5}]
";
    let cells = cells_of(matrix, &["train.batch_size=3"]).unwrap();
    assert_eq!(
        names(&cells),
        [
            "learning_rate=0.0001,seed=1",
            "learning_rate=0.0001,seed=2",
            "learning_rate=0.0002,seed=2",
            "seed=9,steps=5",
        ]
    );
    let last = &cells[2].spec;
    assert!((last.train.learning_rate - 2e-4).abs() < 1e-12);
    assert_eq!((last.seed, last.train.batch_size), (2, 3));
    assert_eq!(last.out, Path::new("results/x/learning_rate=0.0002,seed=2"));
    assert_eq!(
        (cells[3].spec.seed, cells[3].spec.train.steps),
        (9, Some(5))
    );
}

#[test]
fn without_a_matrix_there_is_one_cell() {
    let cells = cells_of("", &[]).unwrap();
    assert_eq!(names(&cells), [""]);
    assert_eq!(cells[0].spec.out, Path::new("results/x"));
}

#[test]
fn mappings_and_lists_are_values_too() {
    let matrix = "\
matrix:
  train_sets.s: [{dataset: spider, split: train, limit: 5}, {dataset: spider, split: train}]
  train.lora.targets: [[q_proj], [q_proj, v_proj]]
";
    let cells = cells_of(matrix, &[]).unwrap();
    assert_eq!(
        names(&cells),
        [
            "s=1,targets=1",
            "s=1,targets=2",
            "s=2,targets=1",
            "s=2,targets=2"
        ]
    );
    assert_eq!(cells[1].spec.train_sets["s"].limit, Some(5));
    assert_eq!(cells[2].spec.train_sets["s"].limit, None);
}

#[test]
fn one_cell_is_had_by_its_name() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("x.yaml");
    std::fs::write(&file, format!("matrix: {{seed: [1, 2]}}\n{REST}")).unwrap();
    let get = |cell| load(&file, cell, &[], &Env::default());
    assert_eq!(get(Some("seed=2")).unwrap().seed, 2);
    let text = |cell| get(cell).unwrap_err().to_string();
    assert!(
        text(None).contains("these are 2 experiments"),
        "{}",
        text(None)
    );
    assert!(text(None).contains("--cell seed=1"), "{}", text(None));
    assert!(
        text(Some("seed=3")).contains("did you mean `seed="),
        "{}",
        text(Some("seed=3"))
    );
}

#[test]
fn what_is_wrong_is_told_with_its_place_and_its_cells() {
    for (matrix, place, what) in [
        ("matrix: 5\n", "x.yaml:1:9", "found a number"),
        (
            "matrix: {seed: 5}\n",
            "x.yaml:1:16",
            "expected a list of values",
        ),
        ("matrix: {seed: []}\n", "x.yaml:1:10", "the list is empty"),
        ("matrix: {seed: [1, 2, 1]}\n", "x.yaml:1:23", "twice"),
        ("matrix: {}\n", "x.yaml:1", "0 cells"),
        (
            "matrix: {seed: [1], exclude: [{seed: 1}]}\n",
            "x.yaml:1",
            "0 cells",
        ),
        (
            "matrix: {seed: [1, 2], exclude: [{sed: 1}]}\n",
            "x.yaml:1:35",
            "`seed`",
        ),
        (
            "matrix: {seed: [1, 2], exclude: [{seed: 3}]}\n",
            "x.yaml:1:34",
            "nothing is left out",
        ),
        (
            "matrix: {seed: [1, 2], include: [{seed: 2}]}\n",
            "x.yaml:1",
            "both called `seed=2`",
        ),
        (
            "matrix: {seed: [1, 2], include: [3]}\n",
            "x.yaml:1:34",
            "such as `{seed: 3}`",
        ),
        ("matrix: {sed: [1, 2]}\n", "x.yaml:1", "seed"),
        (
            "matrix: {train.learning_rate: [1.0, -1.0], seed: [1, 2]}\n",
            "x.yaml:1:37",
            "(in learning_rate=-1",
        ),
    ] {
        let error = cells_of(matrix, &[]).unwrap_err();
        assert!(
            error.contains(place) && error.contains(what),
            "{matrix}{error}"
        );
    }
    // A fault of all cells is told once, as if there were no matrix.
    let error = cells_of("nonsense: 1\nmatrix: {seed: [1, 2, 3]}\n", &[]).unwrap_err();
    assert_eq!(error.matches("unknown key").count(), 1, "{error}");
    assert!(!error.contains("(in "), "{error}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    #[test]
    fn as_many_cells_as_combinations_each_with_a_name(lengths in prop::collection::vec(1usize..5, 1..4)) {
        let keys = ["seed", "train.steps", "train.batch_size"];
        let mut matrix = "matrix:\n".to_owned();
        for (key, length) in keys.iter().zip(&lengths) {
            let values: Vec<String> = (1..=*length).map(|it| it.to_string()).collect();
            writeln!(matrix, "  {key}: [{}]", values.join(", ")).unwrap();
        }
        let cells = cells_of(&matrix, &[]).unwrap();
        prop_assert_eq!(cells.len(), lengths.iter().product::<usize>());
        let mut names = names(&cells);
        // The last key runs fastest.
        let of = |cell: &Cell| (cell.spec.seed, cell.spec.train.steps, cell.spec.train.batch_size);
        prop_assert!(cells.windows(2).all(|pair| of(&pair[0]) < of(&pair[1])));
        names.sort_unstable();
        names.dedup();
        prop_assert_eq!(names.len(), cells.len());
        prop_assert!(names.iter().all(|name| !name.contains(['/', ' '])));
    }
}
