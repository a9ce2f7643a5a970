//! BIRD (Li et al., NeurIPS 2023), official layouts of train, dev and mini-dev.
//!
//! The train archive may be unpacked in place or as `train/`. Databases are large and often absent.

use std::path::Path;

use harness_record::Example;

use super::{DatasetKind, Entry, Layout, Questions};
use crate::error::DataError;
use crate::field::Record;

pub(super) const ENTRY: Entry = Entry {
    name: "bird",
    splits: |_: &Path| SPLITS.iter().map(|(name, ..)| (*name).to_owned()).collect(),
    read: |reference| match SPLITS.iter().find(|(name, ..)| *name == reference.split) {
        Some((_, layout, example)) => layout.read(&reference.root, *example),
        None => Err(DatasetKind::Bird.unknown_split(reference)),
    },
};

type MakeExample = fn(&str, &Record<'_>) -> Result<Example, DataError>;

const SPLITS: &[(&str, Layout, MakeExample)] = &[
    (
        "train",
        Layout {
            what: "the questions of BIRD train",
            questions: &[Questions {
                prefix: "bird-train",
                places: &["train.json", "train/train.json", "derived/train.json"],
            }],
            tables: &["train_tables.json", "train/train_tables.json"],
            databases: &["train_databases", "train/train_databases"],
        },
        by_row,
    ),
    (
        "dev",
        Layout {
            what: "the questions of BIRD dev",
            questions: &[Questions {
                prefix: "bird-dev",
                places: &["dev.json"],
            }],
            tables: &["dev_tables.json"],
            databases: &["dev_databases"],
        },
        by_question_id,
    ),
    (
        "mini-dev",
        Layout {
            what: "the questions of BIRD mini-dev",
            questions: &[Questions {
                prefix: "bird-mini-dev",
                places: &["mini_dev_sqlite.json"],
            }],
            tables: &["mini_dev_sqlite_tables.json", "dev_tables.json"],
            databases: &["dev_databases"],
        },
        by_question_id,
    ),
];

/// Train states no identifiers: its rows are counted.
fn by_row(prefix: &str, row: &Record<'_>) -> Result<Example, DataError> {
    example(format!("{prefix}-{}", row.number()), row)
}

/// Dev and mini-dev share their `question_id`s, so the same question has the same number in both.
fn by_question_id(prefix: &str, row: &Record<'_>) -> Result<Example, DataError> {
    example(format!("{prefix}-{}", row.unsigned("question_id")?), row)
}

fn example(id: String, row: &Record<'_>) -> Result<Example, DataError> {
    Ok(Example {
        id,
        db_id: row.database_name("db_id")?.to_owned(),
        question: row.filled_text("question")?.to_owned(),
        evidence: row.optional_text("evidence")?.map(str::to_owned),
        gold: row.filled_text("SQL")?.to_owned(),
        difficulty: row.optional_text("difficulty")?.map(str::to_owned),
    })
}
