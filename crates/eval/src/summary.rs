//! The verdicts of one file in figures, for one metric.

use std::collections::BTreeMap;

use harness_record::{Outcome, Verdict};
use serde::{Deserialize, Serialize};

use crate::interval::{Interval, wilson};

/// How the predictions did by one metric. No accuracy goes without the number of rows and an interval.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Summary {
    /// Name of the metric.
    pub metric: String,
    /// Rows that have a score.
    pub n: usize,
    /// Rows scored 1.
    pub right: usize,
    /// Rows scored 0, for whatever reason.
    pub wrong: usize,
    /// The rows scored 0 by what became of the prediction; `executed` are those that ran and returned something else.
    pub wrong_by_outcome: BTreeMap<Outcome, usize>,
    /// All rows by what became of the prediction.
    pub outcomes: BTreeMap<Outcome, usize>,
    /// Rows without a score because the database is absent.
    pub no_database: usize,
    /// Rows without a score because the gold query fails.
    pub gold_error: usize,
    /// `right / n`; `None` where no row has a score.
    pub accuracy: Option<f64>,
    /// Wilson's interval of the accuracy at 95 %.
    pub interval: Option<Interval>,
}

impl Summary {
    /// The figures of the verdicts for a metric. Verdicts without an entry for it count as without a score.
    pub fn new(verdicts: &[Verdict], metric: &str) -> Self {
        let mut summary = Self {
            metric: metric.to_owned(),
            n: 0,
            right: 0,
            wrong: 0,
            wrong_by_outcome: BTreeMap::new(),
            outcomes: BTreeMap::new(),
            no_database: 0,
            gold_error: 0,
            accuracy: None,
            interval: None,
        };
        for verdict in verdicts {
            *summary.outcomes.entry(verdict.outcome).or_default() += 1;
            match verdict.scores.get(metric).copied().flatten() {
                Some(score) => {
                    summary.n += 1;
                    if score >= 1.0 {
                        summary.right += 1;
                    } else {
                        summary.wrong += 1;
                        *summary.wrong_by_outcome.entry(verdict.outcome).or_default() += 1;
                    }
                }
                None if verdict.outcome == Outcome::NoDatabase => summary.no_database += 1,
                None => summary.gold_error += 1,
            }
        }
        if summary.n > 0 {
            summary.accuracy = Some(summary.right as f64 / summary.n as f64);
            summary.interval = Some(wilson(summary.right, summary.n));
        }
        summary
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn verdict(outcome: Outcome, score: Option<f64>) -> Verdict {
        Verdict {
            id: "x".into(),
            db_id: "d".into(),
            outcome,
            scores: BTreeMap::from([("m".into(), score)]),
            error_class: None,
            unstable: Vec::new(),
            error: None,
        }
    }

    #[test]
    fn wrong_error_and_unsaid_are_kept_apart() {
        let verdicts = [
            verdict(Outcome::Executed, Some(1.0)),
            verdict(Outcome::Executed, Some(0.0)),
            verdict(Outcome::Error, Some(0.0)),
            verdict(Outcome::Timeout, Some(0.0)),
            verdict(Outcome::NoDatabase, None),
            verdict(Outcome::GoldError, None),
        ];
        let summary = Summary::new(&verdicts, "m");
        assert_eq!((summary.n, summary.right, summary.wrong), (4, 1, 3));
        assert_eq!(summary.wrong_by_outcome[&Outcome::Executed], 1);
        assert_eq!(summary.outcomes[&Outcome::Executed], 2);
        assert_eq!((summary.no_database, summary.gold_error), (1, 1));
        assert_eq!(summary.accuracy, Some(0.25));
        assert_eq!(Summary::new(&[], "m").interval, None);
        let json = serde_json::to_string(&summary).unwrap();
        assert_eq!(serde_json::from_str::<Summary>(&json).unwrap(), summary);
    }
}
