//! What became of the records of a split, for logs, manifests and the report.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::defect::DefectKind;

/// Counts of examples, by what became of them: `read` is the sum of `kept` and all that was left out.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Notes {
    /// Records in the files.
    pub read: usize,
    /// Identifiers given to records that repeat an earlier record in all fields; they are not left out.
    pub repeated: Vec<String>,
    /// Left out because their database is not among those asked for.
    pub other_databases: usize,
    /// Left out because the list of identifiers does not have them.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub not_chosen: usize,
    /// Identifiers of the list that no example of this set has, or none that was left; no records.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub chosen_elsewhere: usize,
    /// Left out because their database file is absent, by database.
    pub no_database: BTreeMap<String, usize>,
    /// Left out because a list of defects says so, by kind.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub defective: BTreeMap<DefectKind, usize>,
    /// Left out by the draw.
    pub not_drawn: usize,
    /// Rows that SQLite refuses, among those that were looked at: all that passed the filters before
    /// the draw, up to the limit. Looked for only where a database is made of each row.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub refused: Vec<Refusal>,
    /// How many of these were left out: all, but where [`DatasetRef::keep_refused`] keeps some.
    ///
    /// [`DatasetRef::keep_refused`]: crate::DatasetRef::keep_refused
    #[serde(default, skip_serializing_if = "is_zero")]
    pub refused_left_out: usize,
    /// What is in [`Dataset::examples`](crate::Dataset::examples).
    pub kept: usize,
    /// Of these, examples without a database file, by database: they can't be executed.
    pub kept_without_database: BTreeMap<String, usize>,
    /// The limit, where fewer examples passed the filters than it allows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit_not_reached: Option<usize>,
    /// Which of several releases of the data set this is, where that can differ.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub release: Option<String>,
}

/// A row of a data set that SQLite refuses.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refusal {
    /// Identifier of the row.
    pub id: String,
    /// What of it is refused.
    pub part: RefusedPart,
    /// Why, in the engine's words.
    pub reason: String,
}

/// What of a row SQLite refuses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RefusedPart {
    /// The question is blank, so there is nothing to ask.
    Question,
    /// The statements that make its tables: there is no schema and no database.
    Context,
    /// The gold query can't be compiled.
    Gold,
    /// The gold query is not one reading query: it writes, or is several statements.
    NotAQuery,
}

impl RefusedPart {
    /// In words, for a count.
    fn words(self) -> &'static str {
        match self {
            Self::Question => "a blank question",
            Self::Context => "a context that SQLite refuses",
            Self::Gold => "a gold query that SQLite refuses",
            Self::NotAQuery => "a gold that is not one reading query",
        }
    }
}

#[allow(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde hands over a reference"
)]
fn is_zero(count: &usize) -> bool {
    *count == 0
}

impl Notes {
    /// The notes as sentences, none for what did not happen.
    pub fn lines(&self) -> Vec<String> {
        let mut lines = vec![format!("{} of {} examples", self.kept, self.read)];
        lines.extend(
            self.release
                .iter()
                .map(|release| format!("release: {release}")),
        );
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
        if self.not_chosen > 0 {
            lines.push(format!(
                "{} left out: not among the identifiers that are wanted",
                self.not_chosen
            ));
        }
        if self.chosen_elsewhere > 0 {
            lines.push(format!(
                "{} of the wanted identifiers are not in this set",
                self.chosen_elsewhere
            ));
        }
        if !self.no_database.is_empty() {
            lines.push(format!(
                "left out, no database file: {}",
                counts(&self.no_database)
            ));
        }
        if !self.defective.is_empty() {
            lines.push(format!(
                "left out, defective gold: {}",
                counts(&self.defective)
            ));
        }
        lines.extend(self.refused_line());
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
        let lines = self.lines();
        let losses: Vec<&str> = lines
            .iter()
            .skip(1)
            .filter(|line| !line.starts_with("release: "))
            .map(String::as_str)
            .collect();
        if losses.is_empty() {
            "the files hold none".to_owned()
        } else {
            losses.join("; ")
        }
    }

    /// How many rows are refused, by part, and one of them as an example.
    fn refused_line(&self) -> Option<String> {
        let first = self.refused.first()?;
        let mut counts: BTreeMap<RefusedPart, usize> = BTreeMap::new();
        for refusal in &self.refused {
            *counts.entry(refusal.part).or_insert(0) += 1;
        }
        let counts: Vec<String> = counts
            .iter()
            .map(|(part, n)| format!("{n} with {}", part.words()))
            .collect();
        Some(format!(
            "{} left out of {} defective: {} (first: {}: {})",
            self.refused_left_out,
            self.refused.len(),
            counts.join(", "),
            first.id,
            first.reason,
        ))
    }
}

/// The sum, and the first names with their shares of it; a corpus of made-up data has thousands of databases.
fn counts<T: std::fmt::Display>(by_name: &BTreeMap<T, usize>) -> String {
    const SHOWN: usize = 20;
    let total: usize = by_name.values().sum();
    let mut names: Vec<String> = by_name
        .iter()
        .take(SHOWN)
        .map(|(name, n)| format!("{name} {n}"))
        .collect();
    if by_name.len() > SHOWN {
        names.push(format!("and {} more", by_name.len() - SHOWN));
    }
    format!("{total} ({})", names.join(", "))
}
