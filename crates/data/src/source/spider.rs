//! Spider (Yu et al., EMNLP 2018), official layout.

use std::path::Path;

use harness_record::Example;

use super::{DatasetKind, Entry, Layout, Questions};
use crate::error::DataError;
use crate::field::Record;

pub(super) const ENTRY: Entry = Entry {
    name: "spider",
    splits: |_: &Path| SPLITS.iter().map(|(name, _)| (*name).to_owned()).collect(),
    read: |reference| match SPLITS.iter().find(|(name, _)| *name == reference.split) {
        Some((_, layout)) => layout.read(&reference.root, example),
        None => Err(DatasetKind::Spider.unknown_split(reference)),
    },
};

const TRAIN: Questions = Questions {
    prefix: "spider-train",
    places: &["train_spider.json"],
};

/// The older data sets in Spider's form. Copies that were put together anew keep them in `derived/`.
const OTHERS: Questions = Questions {
    prefix: "spider-train-others",
    places: &["train_others.json", "derived/train_others.json"],
};

const DEV: Questions = Questions {
    prefix: "spider-dev",
    places: &["dev.json"],
};

const SPLITS: &[(&str, Layout)] = &[
    ("train", layout("the questions of Spider train", &[TRAIN])),
    (
        "train-others",
        layout("the questions of Spider train-others", &[OTHERS]),
    ),
    (
        "train-all",
        layout("the questions of Spider train-all", &[TRAIN, OTHERS]),
    ),
    ("dev", layout("the questions of Spider dev", &[DEV])),
];

const fn layout(what: &'static str, questions: &'static [Questions]) -> Layout {
    Layout {
        what,
        questions,
        tables: &["tables.json"],
        databases: &["database"],
    }
}

/// Identifiers count the rows of the row's own file, so `train-all` has those of its two parts.
fn example(prefix: &str, row: &Record<'_>) -> Result<Example, DataError> {
    Ok(Example {
        id: format!("{prefix}-{}", row.number()),
        db_id: row.database_name("db_id")?.to_owned(),
        question: row.filled_text("question")?.to_owned(),
        evidence: None,
        gold: row.filled_text("query")?.to_owned(),
        difficulty: None,
    })
}
