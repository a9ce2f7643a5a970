//! Spider (Yu et al., EMNLP 2018), official layout, and what others made of its development set:
//! Spider-DK (Gan et al., EMNLP 2021), Spider-Syn (Gan et al., ACL 2021) and Spider-Realistic (Deng et
//! al., NAACL 2021). These ask about Spider's databases, so they are further splits beside it, in the
//! folders of their releases or below `variants/`; only Spider-DK brings three databases of its own.

use std::path::Path;

use harness_record::Example;

use super::{DatasetKind, Entry, Layout, Questions};
use crate::error::DataError;
use crate::field::Record;

pub(super) const ENTRY: Entry = Entry {
    name: "spider",
    splits: |_: &Path| SPLITS.iter().map(|(name, ..)| (*name).to_owned()).collect(),
    read: |reference| match SPLITS.iter().find(|(name, ..)| *name == reference.split) {
        Some((_, layout, question)) => layout.read(&reference.root, |prefix, row| {
            example(prefix, row, question)
        }),
        None => Err(DatasetKind::Spider.unknown_split(reference)),
    },
    examples: |reference| match SPLITS.iter().find(|(name, ..)| *name == reference.split) {
        Some((_, layout, question)) => layout.examples(&reference.root, |prefix, row| {
            example(prefix, row, question)
        }),
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

const TEST: Questions = Questions {
    prefix: "spider-test",
    places: &["test.json", "test_data/dev.json"],
};

const DK: Questions = Questions {
    prefix: "spider-dk",
    places: &[
        "Spider-DK/Spider-DK.json",
        "variants/Spider-DK/Spider-DK.json",
    ],
};

const SYN: Questions = Questions {
    prefix: "spider-syn",
    places: &[
        "Spider-Syn/dev.json",
        "Spider-Syn/Spider-Syn/dev.json",
        "variants/Spider-Syn/dev.json",
    ],
};

const SYN_TRAIN: Questions = Questions {
    prefix: "spider-syn-train",
    places: &[
        "Spider-Syn/train_spider.json",
        "Spider-Syn/Spider-Syn/train_spider.json",
        "variants/Spider-Syn/train_spider.json",
    ],
};

const REALISTIC: Questions = Questions {
    prefix: "spider-realistic",
    places: &[
        "spider-realistic.json",
        "spider-realistic/spider-realistic.json",
        "variants/spider-realistic.json",
    ],
};

/// Name, files, and the field that holds the question.
const SPLITS: &[(&str, Layout, &str)] = &[
    ("train", layout("Spider train", &[TRAIN]), "question"),
    (
        "train-others",
        layout("Spider train-others", &[OTHERS]),
        "question",
    ),
    (
        "train-all",
        layout("Spider train-all", &[TRAIN, OTHERS]),
        "question",
    ),
    ("dev", layout("Spider dev", &[DEV]), "question"),
    (
        "test",
        Layout {
            tables: &["test_tables.json", "test_data/tables.json"],
            databases: &["test_database"],
            ..layout("Spider test", &[TEST])
        },
        "question",
    ),
    (
        "dk",
        Layout {
            tables: &["Spider-DK/tables.json", "variants/Spider-DK/tables.json"],
            databases: &[
                "Spider-DK/database",
                "variants/Spider-DK/database",
                "database",
            ],
            ..layout("Spider-DK", &[DK])
        },
        "question",
    ),
    ("syn", layout("Spider-Syn", &[SYN]), "SpiderSynQuestion"),
    (
        "syn-train",
        layout("Spider-Syn train", &[SYN_TRAIN]),
        "SpiderSynQuestion",
    ),
    (
        "realistic",
        layout("Spider-Realistic", &[REALISTIC]),
        "question",
    ),
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
pub(crate) fn example(
    prefix: &str,
    row: &Record<'_>,
    question: &str,
) -> Result<Example, DataError> {
    Ok(Example {
        id: format!("{prefix}-{}", row.number()),
        db_id: row.database_name("db_id")?.to_owned(),
        question: row.filled_text(question)?.to_owned(),
        evidence: None,
        gold: row.filled_text("query")?.to_owned(),
        difficulty: None,
    })
}
