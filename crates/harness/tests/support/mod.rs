//! A folder with everything an experiment needs (model, data, databases, YAML), and the binary to run in it.
#![allow(
    dead_code,
    reason = "each test file is a program of its own and uses a part"
)]

mod checkpoint;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Output, Stdio};

pub use checkpoint::Checkpoint;
use rusqlite::Connection;
use serde_json::{Value, json};
use tempfile::TempDir;

/// The stages of the experiment, in the order of the work.
pub const STAGES: usize = 4 + 2 + 2 + 4 + 2 + 4 + 4 + 1 + 1;

/// The experiment: two training sets, two targets.
const EXPERIMENT: &str = "\
# Every stage once, in a moment.
name: tiny
out: results
data: {jsonl: data}
model: {name: tiny, source: [{local: model}]}
train_sets:
  plain: {dataset: jsonl, split: plain}
  counts: {dataset: jsonl, split: counts}
targets:
  shop: {dataset: jsonl, split: shop}
  mixed: {dataset: jsonl, split: mixed}
train:
  lora: {rank: 4}
  learning_rate: 1e-2
  steps: 24
  batch_size: 4
  dev_examples: 2
  dev_every: 8
  checkpoint_every: 2
generate: {batch_size: 3, max_new_tokens: 12}
eval: {workers: 2, bootstrap_draws: 200}
";

/// A folder of its own for a test.
pub struct Lab {
    folder: TempDir,
}

impl Lab {
    /// Makes model, data and `tiny.yaml`.
    pub fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let lab = Self { folder };
        Checkpoint::new(32).write(&lab.path("model"));
        fs::create_dir(lab.path("data")).unwrap();
        for (name, table) in [("shop", "t"), ("school", "u")] {
            let script = format!(
                "CREATE TABLE {table} (a INTEGER PRIMARY KEY, b TEXT, c REAL);
                 INSERT INTO {table} VALUES (1, 'x', 0.5), (2, 'y', 1.5), (3, 'x', 2.5);"
            );
            let file = lab.path(&format!("data/{name}.sqlite"));
            Connection::open(file)
                .unwrap()
                .execute_batch(&script)
                .unwrap();
        }
        lab.write_rows("plain", &questions("shop", "t", 16, &["a", "b", "c"]));
        lab.write_rows(
            "counts",
            &questions("school", "u", 12, &["count(*)", "max(a)"]),
        );
        lab.write_rows("shop", &questions("shop", "t", 14, &["b", "count(*)"]));
        let mut mixed = questions("school", "u", 5, &["a", "max(a)"]);
        // Its schema is told, its database is not there.
        mixed.insert(
            2,
            json!({
                "id": "lost-0", "db_id": "lost", "db": "lost.sqlite", "question": "What is lost?",
                "ddl": "CREATE TABLE gone (a INTEGER)", "sql": "SELECT a FROM gone",
            }),
        );
        lab.write_rows("mixed", &mixed);
        lab.write("tiny.yaml", EXPERIMENT);
        lab
    }

    /// A path below the folder.
    pub fn path(&self, path: &str) -> PathBuf {
        self.folder.path().join(path)
    }

    pub fn write(&self, path: &str, content: &str) {
        fs::write(self.path(path), content).unwrap();
    }

    /// Writes a split of the data.
    pub fn write_rows(&self, split: &str, rows: &[Value]) {
        let lines: Vec<String> = rows.iter().map(|row| format!("{row}\n")).collect();
        self.write(&format!("data/{split}.jsonl"), &lines.concat());
    }

    /// Writes `tiny.yaml` with `old` replaced, under another name.
    pub fn variant(&self, name: &str, old: &str, new: &str) {
        assert!(EXPERIMENT.contains(old), "the experiment has no {old:?}");
        self.write(name, &EXPERIMENT.replacen(old, new, 1));
    }

    /// The binary, in this folder, with nothing of the user's surroundings.
    pub fn command(&self) -> std::process::Command {
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_harness"));
        self.surround(&mut command);
        command
    }

    /// Makes a command run in this folder, with nothing of the user's surroundings.
    pub fn surround(&self, command: &mut std::process::Command) {
        command
            .current_dir(self.folder.path())
            .env("HARNESS_CACHE", self.path("cache"))
            .env_remove("HARNESS_DATA")
            .env_remove("HARNESS_LOG")
            .stdin(Stdio::null());
    }

    /// The binary with arguments as one would type them.
    pub fn harness(&self, line: &str) -> assert_cmd::Command {
        let mut command = self.command();
        command.args(line.split_whitespace());
        assert_cmd::Command::from_std(command)
    }

    /// Runs a command that is expected to work; what it printed.
    #[track_caller]
    pub fn succeed(&self, line: &str) -> String {
        succeeded(line, &self.harness(line).output().unwrap())
    }

    /// Runs a command that is expected to fail in an orderly way; what it said on standard error.
    #[track_caller]
    pub fn fail(&self, line: &str) -> String {
        failed(line, &self.harness(line).output().unwrap())
    }

    /// The experiment with results in `out`; what it printed.
    #[track_caller]
    pub fn run_to(&self, out: &str) -> String {
        self.succeed(&format!("run tiny.yaml --set out={out}"))
    }

    /// The rows of a JSON Lines file.
    pub fn rows(&self, path: &str) -> Vec<Value> {
        let text = fs::read_to_string(self.path(path)).unwrap_or_else(|e| panic!("{path}: {e}"));
        text.lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect()
    }

    pub fn json(&self, path: &str) -> Value {
        let text = fs::read_to_string(self.path(path)).unwrap_or_else(|e| panic!("{path}: {e}"));
        serde_json::from_str(&text).unwrap_or_else(|e| panic!("{path}: {e}"))
    }

    /// All files below a folder with their bytes, but for the lock, which holds the number of the last process.
    pub fn tree(&self, folder: &str) -> BTreeMap<String, Vec<u8>> {
        fn walk(root: &Path, folder: &Path, files: &mut BTreeMap<String, Vec<u8>>) {
            for entry in fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    walk(root, &path, files);
                } else if path.file_name().is_some_and(|name| name != ".lock") {
                    let name = path.strip_prefix(root).unwrap().to_str().unwrap();
                    files.insert(name.to_owned(), fs::read(&path).unwrap());
                }
            }
        }
        let mut files = BTreeMap::new();
        let root = self.path(folder);
        walk(&root, &root, &mut files);
        files
    }

    /// What an experiment found, without when and how fast: the files whose bytes are promised to be the same.
    pub fn findings(&self, out: &str) -> BTreeMap<String, Vec<u8>> {
        let mut files = self.tree(out);
        files.retain(|path, _| {
            [
                "predictions.jsonl",
                "verdicts.jsonl",
                "alignment.json",
                "adapter_config.json",
                "adapter_model.safetensors",
                "cells.json",
            ]
            .iter()
            .any(|name| path.ends_with(name))
        });
        files
    }
}

/// Questions about one table, whose answers are queries for one column each.
fn questions(db: &str, table: &str, count: usize, columns: &[&str]) -> Vec<Value> {
    (0..count)
        .map(|number| {
            let column = columns[number % columns.len()];
            json!({
                "id": format!("{db}-{number}"), "db_id": db, "db": format!("{db}.sqlite"),
                "question": format!("What is {column} in list {number}?"),
                "sql": format!("SELECT {column} FROM {table}"),
            })
        })
        .collect()
}

/// Asserts that two sets of files are the same; only the names of those that differ are told.
#[track_caller]
pub fn assert_same(left: &BTreeMap<String, Vec<u8>>, right: &BTreeMap<String, Vec<u8>>) {
    assert!(!left.is_empty());
    let names: Vec<&String> = left.keys().chain(right.keys()).collect();
    let differ: Vec<_> = names
        .into_iter()
        .filter(|name| left.get(*name) != right.get(*name))
        .collect();
    assert!(differ.is_empty(), "these differ: {differ:?}");
}

#[track_caller]
pub fn succeeded(what: &str, output: &Output) -> String {
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(
        output.status.success(),
        "{what}: {}\n{error}",
        output.status
    );
    String::from_utf8(output.stdout.clone()).unwrap()
}

#[track_caller]
pub fn failed(what: &str, output: &Output) -> String {
    let error = String::from_utf8(output.stderr.clone()).unwrap();
    assert!(
        matches!(output.status.code(), Some(1 | 2)),
        "{what}: {}\n{error}",
        output.status
    );
    assert!(
        error.contains("error: ") && !error.contains("panicked"),
        "{what}:\n{error}"
    );
    error
}
