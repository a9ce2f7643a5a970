//! Which repository of a model hub; it is written in configurations even where fetching is not built in.

use serde::{Deserialize, Serialize};

/// A model repository at a revision.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HubSource {
    /// Owner and name, such as `Qwen/Qwen2.5-Coder-0.5B-Instruct`.
    pub repo: String,
    /// Branch, tag or commit; only a commit names the same files for ever.
    #[serde(default = "main_branch")]
    pub revision: String,
    /// Which file with weights, where the repository has several; `*` stands for any characters. Of a GGUF file nothing
    /// else is fetched.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file: Option<String>,
}

impl HubSource {
    /// The repository at its main branch.
    pub fn of(repo: impl Into<String>) -> Self {
        Self {
            repo: repo.into(),
            revision: main_branch(),
            file: None,
        }
    }
}

fn main_branch() -> String {
    "main".into()
}
