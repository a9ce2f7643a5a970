//! What became of the records of a split, for logs, manifests and the report.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// Counts of examples, by what became of them: `read` is the sum of `kept` and all that was left out.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Notes {
    /// Records in the files.
    pub read: usize,
    /// Identifiers given to records that repeat an earlier record in all fields; they are not left out.
    pub repeated: Vec<String>,
    /// Left out because their database is not among those asked for.
    pub other_databases: usize,
    /// Left out because their database file is absent, by database.
    pub no_database: BTreeMap<String, usize>,
    /// Left out by the draw.
    pub not_drawn: usize,
    /// What is in [`Dataset::examples`](crate::Dataset::examples).
    pub kept: usize,
    /// Of these, examples without a database file, by database: they can't be executed.
    pub kept_without_database: BTreeMap<String, usize>,
    /// The limit, where fewer examples passed the filters than it allows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit_not_reached: Option<usize>,
}

impl Notes {
    /// The notes as sentences, none for what did not happen.
    pub fn lines(&self) -> Vec<String> {
        let mut lines = vec![format!("{} of {} examples", self.kept, self.read)];
        if !self.repeated.is_empty() {
            let ids = self.repeated.join(", ");
            lines.push(format!(
                "{} repeat an earlier one: {ids}",
                self.repeated.len()
            ));
        }
        if self.other_databases > 0 {
            lines.push(format!(
                "{} left out: about other databases",
                self.other_databases
            ));
        }
        if !self.no_database.is_empty() {
            lines.push(format!(
                "left out, no database file: {}",
                counts(&self.no_database)
            ));
        }
        if self.not_drawn > 0 {
            lines.push(format!("{} left out: not drawn", self.not_drawn));
        }
        if !self.kept_without_database.is_empty() {
            let counts = counts(&self.kept_without_database);
            lines.push(format!(
                "kept without a database file (can't be executed): {counts}"
            ));
        }
        if let Some(limit) = self.limit_not_reached {
            lines.push(format!(
                "the limit of {limit} is more than there are: all were taken"
            ));
        }
        lines
    }

    /// Why nothing is left, in words.
    pub(crate) fn losses(&self) -> String {
        match &self.lines()[1..] {
            [] => "the files hold none".to_owned(),
            losses => losses.join("; "),
        }
    }
}

fn counts(by_name: &BTreeMap<String, usize>) -> String {
    let total: usize = by_name.values().sum();
    let names: Vec<String> = by_name
        .iter()
        .map(|(name, n)| format!("{name} {n}"))
        .collect();
    format!("{total} ({})", names.join(", "))
}
