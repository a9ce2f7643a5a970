//! What became of a set of answers, counted.

use harness_record::{Outcome, Verdict};
use serde::{Deserialize, Serialize};

/// Answers by what became of them. Wrong, error, timeout and no database are different things.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OutcomeCounts {
    /// Executed, and right.
    pub right: usize,
    /// Executed, and wrong.
    pub wrong: usize,
    /// The engine refused or failed it.
    pub error: usize,
    /// Stopped at the limit of steps or of time.
    pub timeout: usize,
    /// Stopped at a size limit.
    pub too_large: usize,
    /// Not a single reading query.
    pub refused: usize,
    /// No query.
    pub empty: usize,
    /// Cannot be said: there is no database.
    pub no_database: usize,
    /// Cannot be said: the gold query fails.
    pub gold_error: usize,
}

impl OutcomeCounts {
    /// Counts verdicts by one metric. An executed answer without a score by that metric counts as one that
    /// cannot be said because of its gold query.
    pub fn of(verdicts: &[Verdict], metric: &str) -> Self {
        let mut counts = Self::default();
        for verdict in verdicts {
            let score = verdict.scores.get(metric).copied().flatten();
            let slot = match verdict.outcome {
                Outcome::Executed => match score {
                    Some(score) if score >= 0.5 => &mut counts.right,
                    Some(_) => &mut counts.wrong,
                    None => &mut counts.gold_error,
                },
                Outcome::Error => &mut counts.error,
                Outcome::Timeout | Outcome::TimeoutWall => &mut counts.timeout,
                Outcome::TooLarge => &mut counts.too_large,
                Outcome::Refused => &mut counts.refused,
                Outcome::Empty => &mut counts.empty,
                Outcome::NoDatabase => &mut counts.no_database,
                Outcome::GoldError => &mut counts.gold_error,
            };
            *slot += 1;
        }
        counts
    }

    /// The counts with their names, in the order of the tables.
    pub fn named(&self) -> [(&'static str, usize); 9] {
        [
            ("right", self.right),
            ("wrong", self.wrong),
            ("error", self.error),
            ("timeout", self.timeout),
            ("too large", self.too_large),
            ("refused", self.refused),
            ("empty", self.empty),
            ("no database", self.no_database),
            ("gold error", self.gold_error),
        ]
    }
}
