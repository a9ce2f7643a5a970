//! What a training set and a target have in common: a first look for leaks.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::dataset::Dataset;

/// Counts of what two data sets share.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Overlap {
    /// Databases that both ask about, by name.
    pub shared_databases: usize,
    /// Target examples whose question is also in the training set.
    pub same_question: usize,
    /// Target examples whose gold query is also in the training set, whatever its database.
    pub same_gold: usize,
}

/// Compares a training set with a target. Questions and queries count as the same if they differ in
/// white space, case and a final `;` only; near-duplicates are not looked for.
pub fn overlap(train: &Dataset, target: &Dataset) -> Overlap {
    let databases: BTreeSet<&str> = train.examples.iter().map(|it| it.db_id.as_str()).collect();
    let questions: BTreeSet<String> = train
        .examples
        .iter()
        .map(|it| folded(&it.question))
        .collect();
    let golds: BTreeSet<String> = train.examples.iter().map(|it| folded(&it.gold)).collect();
    let target_databases: BTreeSet<&str> =
        target.examples.iter().map(|it| it.db_id.as_str()).collect();
    let count = |known: &dyn Fn(&harness_record::Example) -> bool| {
        target
            .examples
            .iter()
            .filter(|example| known(example))
            .count()
    };
    Overlap {
        shared_databases: databases.intersection(&target_databases).count(),
        same_question: count(&|it| questions.contains(&folded(&it.question))),
        same_gold: count(&|it| golds.contains(&folded(&it.gold))),
    }
}

fn folded(text: &str) -> String {
    let words: Vec<&str> = text.split_whitespace().collect();
    words
        .join(" ")
        .to_lowercase()
        .trim_end_matches([';', ' '])
        .to_owned()
}
