//! Attention that slides: a query sees the latest positions only.

use serde::{Deserialize, Serialize};

/// Where attention slides, and how much it sees.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SlidingWindow {
    /// Positions that a query sees, its own among them; at least 1.
    pub tokens: usize,
    /// The layers that slide, ascending.
    pub layers: Vec<usize>,
}
