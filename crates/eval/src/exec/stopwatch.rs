//! How long a query takes: the one place of this crate that reads the clock. What is measured is told and, for metrics of
//! speed, scored; no other score and no outcome depends on it.

use std::time::{Duration, Instant};

/// A running clock.
pub struct Stopwatch(Instant);

impl Stopwatch {
    /// Starts it.
    pub fn start() -> Self {
        Self(Instant::now())
    }

    /// Nanoseconds since it was started.
    pub fn ns(&self) -> u64 {
        u64::try_from(self.0.elapsed().as_nanos()).unwrap_or(u64::MAX)
    }

    /// What is left of a time that began with it; `None` when it is over.
    pub fn left(&self, whole: Duration) -> Option<Duration> {
        whole.checked_sub(self.0.elapsed())
    }
}
