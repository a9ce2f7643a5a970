//! One query of a workload.

use serde::{Deserialize, Serialize};

use crate::example::Example;

/// A query with what is known beside its text: what alignment compares, whether it is a gold query or a prediction.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Query {
    /// Identifier, unique within its workload: that of its example, or the number of its line.
    pub id: String,
    /// The text.
    pub sql: String,
    /// The question it answers, where that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub question: Option<String>,
    /// The database it is about, where that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub db_id: Option<String>,
}

impl From<Example> for Query {
    /// The gold query of an example.
    fn from(example: Example) -> Self {
        Self {
            id: example.id,
            sql: example.gold,
            question: Some(example.question),
            db_id: Some(example.db_id),
        }
    }
}
