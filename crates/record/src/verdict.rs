//! What became of one predicted query when it was run and compared with the gold query.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// The verdict on one prediction. A file of verdicts is JSON Lines of these rows.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Verdict {
    /// Identifier of the example.
    pub id: String,
    /// Name of the database.
    pub db_id: String,
    /// What happened when the prediction was run.
    pub outcome: Outcome,
    /// Value of each metric, by the metric's name: 1 right, 0 wrong, `None` where it can't be said
    /// (no database, a gold query that fails).
    pub scores: BTreeMap<String, Option<f64>>,
    /// What is wrong with the prediction, in a word of a fixed list; `None` where nothing is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error_class: Option<String>,
    /// Metrics under which the gold query does not even agree with itself when it is run once more with rows in another
    /// order: their scores on this row are partly chance.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unstable: Vec<String>,
    /// The engine's or the sandbox's own words, where the outcome is not [`Outcome::Executed`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

/// What happened when a predicted query was run. Wrong answers are `Executed` with a score of 0:
/// wrong, error, timeout and no database are four different things.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// It ran to its end within the limits.
    Executed,
    /// The engine refused or failed it.
    Error,
    /// It passed the step limit and was stopped, as it would be on any machine.
    Timeout,
    /// It was killed at the time limit, and again when it was run alone. Another machine may see it end.
    TimeoutWall,
    /// It passed a size limit (rows, bytes, memory) and was stopped.
    TooLarge,
    /// It is not a single reading query, so it was not run.
    Refused,
    /// There is nothing to run: the prediction is empty.
    Empty,
    /// The database file is absent, so nothing can be said.
    NoDatabase,
    /// The gold query itself fails, so nothing can be said.
    GoldError,
}
