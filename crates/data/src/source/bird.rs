//! BIRD (Li et al., NeurIPS 2023), official layouts of train, dev and mini-dev.
//!
//! The train archive may be unpacked in place or as `train/`. Databases are large and often absent.

use std::path::Path;

use harness_record::Example;

use super::{DatasetKind, Entry, Layout, Questions};
use crate::error::DataError;
use crate::field::Record;
use crate::file::SourceFile;

pub(super) const ENTRY: Entry = Entry {
    name: "bird",
    splits: |_: &Path| SPLITS.iter().map(|(name, ..)| (*name).to_owned()).collect(),
    read: |reference| match SPLITS.iter().find(|(name, ..)| *name == reference.split) {
        Some((name, layout, example)) => {
            let mut source = layout.read(&reference.root, *example)?;
            source.release = (*name == "dev").then(|| release(&source.files)).flatten();
            Ok(source)
        }
        None => Err(DatasetKind::Bird.unknown_split(reference)),
    },
    examples: |reference| match SPLITS.iter().find(|(name, ..)| *name == reference.split) {
        Some((_, layout, example)) => layout.examples(&reference.root, *example),
        None => Err(DatasetKind::Bird.unknown_split(reference)),
    },
};

type MakeExample = fn(&str, &Record<'_>) -> Result<Example, DataError>;

const SPLITS: &[(&str, Layout, MakeExample)] = &[
    (
        "train",
        Layout {
            what: "BIRD train",
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
            what: "BIRD dev",
            questions: &[Questions {
                prefix: "bird-dev",
                places: &["dev.json", "dev_20240627/dev.json"],
            }],
            tables: &["dev_tables.json", "dev_20240627/dev_tables.json"],
            databases: &["dev_databases", "dev_20240627/dev_databases"],
        },
        by_question_id,
    ),
    (
        "mini-dev",
        Layout {
            what: "BIRD mini-dev",
            questions: &[Questions {
                prefix: "bird-mini-dev",
                places: &["mini_dev_sqlite.json"],
            }],
            tables: &["mini_dev_sqlite_tables.json", "dev_tables.json"],
            databases: &["dev_databases", "dev_20240627/dev_databases"],
        },
        by_question_id,
    ),
];

/// Releases of dev by the SHA-256 of `dev.json`. Others circulate, in which golds, questions and
/// evidence differ, so that scores on them can't be compared.
const RELEASES: [(&str, &str); 1] = [(
    "630272f2b1c44d8cef2c3b246f623355cf0bbc1e832c81061df895530dfc2f06",
    "BIRD dev of 27 June 2024",
)];

/// The questions are the first file of a split.
fn release(files: &[SourceFile]) -> Option<String> {
    let questions = files.first()?;
    let known = RELEASES.iter().find(|(hash, _)| *hash == questions.sha256);
    Some(match known {
        Some((_, name)) => (*name).to_owned(),
        None => format!(
            "BIRD dev, a release we do not know (SHA-256 of dev.json {})",
            questions.sha256
        ),
    })
}

/// Train states no identifiers: its rows are counted.
fn by_row(prefix: &str, row: &Record<'_>) -> Result<Example, DataError> {
    example(format!("{prefix}-{}", row.number()), row)
}

/// Dev and mini-dev share their `question_id`s, so the same question has the same number in both.
pub(crate) fn by_question_id(prefix: &str, row: &Record<'_>) -> Result<Example, DataError> {
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
