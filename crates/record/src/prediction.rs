//! What a model wrote for one question.

use serde::{Deserialize, Serialize};

/// One prediction. A file of predictions is JSON Lines of these rows.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Prediction {
    /// Identifier of the [`Example`](crate::Example) that was asked.
    pub id: String,
    /// Name of the database the question is about.
    pub db_id: String,
    /// The query, after extraction from `raw`; empty if there is none.
    pub sql: String,
    /// The text the model generated, untouched.
    pub raw: String,
    /// Why generation ended.
    pub finish: Finish,
    /// Number of tokens in the prompt.
    pub prompt_tokens: usize,
    /// Number of tokens generated, the end token included.
    pub completion_tokens: usize,
    /// Mean natural-log probability of the generated tokens; `None` where nothing was generated.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mean_logprob: Option<f64>,
    /// Which of several answers to the question it is, from 0; `None` where there was one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sample: Option<usize>,
    /// How many of those answers, this one counted, give the same result; `None` where there was no vote.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub votes: Option<usize>,
}

/// Why generation ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Finish {
    /// The model wrote an end token.
    EndOfText,
    /// One of the stop texts was written (`;`, a closing fence, …).
    StopText,
    /// The limit of new tokens was reached: the answer was cut.
    MaxTokens,
    /// Prompt and answer filled the context of the model: the answer was cut, or never begun.
    ContextFull,
}
