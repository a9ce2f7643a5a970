//! How long a query takes: the one place of this crate that reads the clock. What is measured is told and, for metrics of
//! speed, scored; no other score and no outcome depends on it.

use std::time::Instant;

/// A running clock.
pub struct Stopwatch(Instant);

impl Stopwatch {
    /// Starts it.
    pub fn start() -> Self {
        Self(Instant::now())
    }

    /// Milliseconds since it was started.
    pub fn ms(&self) -> f64 {
        self.0.elapsed().as_secs_f64() * 1000.0
    }
}
