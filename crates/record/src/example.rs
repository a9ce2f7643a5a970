//! One question with its gold query.

use serde::{Deserialize, Serialize};

/// One row of a text-to-SQL data set: a question about one database and the query that answers it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Example {
    /// Identifier, unique within its data set and split, stable across runs (`spider-train-17`, `bird-dev-803`).
    pub id: String,
    /// Name of the database the question is about.
    pub db_id: String,
    /// The question in natural language.
    pub question: String,
    /// External knowledge given with the question (BIRD's `evidence`); `None` where the data set has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub evidence: Option<String>,
    /// The gold query, as the data set writes it.
    pub gold: String,
    /// Difficulty as the data set states it (BIRD: `simple`, `moderate`, `challenging`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub difficulty: Option<String>,
}
