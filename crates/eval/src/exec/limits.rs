//! What one query may use.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// What one query may use. Each limit applies to each query alone, gold or predicted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Limits {
    /// Instructions of SQLite's virtual machine, to the next thousand. The same query on the same database takes the
    /// same number of them on any machine under any load, so this limit, unlike a clock, gives a verdict that can be
    /// repeated. It stands for BIRD's 30 seconds: the default is 30 s at 100 million instructions a second. Measured on a
    /// busy server core: 120 million a second in an endless recursion, 230 million in a counted cross join.
    pub steps: u64,
    /// Milliseconds by the clock, after which the worker is killed. It is a net below the step limit, for the rare
    /// query that spends its time inside single instructions (a sort or a pattern match over large text).
    pub wall_ms: u64,
    /// Rows in the result.
    pub rows: u64,
    /// Columns in the result.
    pub columns: u32,
    /// Bytes of one text or blob, also between the steps of the query.
    pub cell_bytes: u32,
    /// Bytes of the whole result, at nine a number and a little more than their length for texts.
    pub result_bytes: u64,
    /// Bytes of SQLite's heap. Temporary tables and sorts are held there and never on disk.
    pub heap_bytes: u64,
    /// Bytes of the text of the query.
    pub sql_bytes: u32,
    /// Depth of the expression tree.
    pub expression_depth: u32,
}

impl Limits {
    /// The wall limit as a duration.
    pub fn wall(&self) -> Duration {
        Duration::from_millis(self.wall_ms)
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            steps: 3_000_000_000,
            wall_ms: 60_000,
            rows: 1_000_000,
            columns: 2_000,
            cell_bytes: 16 << 20,
            result_bytes: 64 << 20,
            heap_bytes: 1 << 30,
            sql_bytes: 1_000_000,
            expression_depth: 1_000,
        }
    }
}
