//! The verdicts of one file in figures, for one metric.

use std::collections::BTreeMap;

use harness_record::{Outcome, Verdict};
use serde::{Deserialize, Serialize};

use crate::interval::{Interval, mean_of_groups, wilson};
use crate::metric;

/// How the predictions did by one metric. No accuracy goes without the number of rows and an interval.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Summary {
    /// Name of the metric.
    pub metric: String,
    /// Rows that have a score.
    pub n: usize,
    /// Rows scored 1, or more where a metric goes beyond.
    pub right: usize,
    /// Rows scored less, for whatever reason.
    pub wrong: usize,
    /// The wrong rows by what became of the prediction; `executed` are those that ran and returned something else.
    pub wrong_by_outcome: BTreeMap<Outcome, usize>,
    /// All rows by what became of the prediction.
    pub outcomes: BTreeMap<Outcome, usize>,
    /// Rows without a score because the database is absent.
    pub no_database: usize,
    /// Rows without a score because the gold query fails, or can't be read by a metric of texts.
    pub gold_error: usize,
    /// Mean score, which is `right / n` unless the metric is graded; `None` where no row has a score.
    pub accuracy: Option<f64>,
    /// Interval of the mean at 95 %, for other questions on these databases: Wilson's, or the percentile bootstrap of
    /// 2,000 samples if the metric is graded.
    pub interval: Option<Interval>,
    /// The same for other databases: percentile bootstrap of 10,000 samples of whole databases, fewer above 2,000
    /// databases. `None` below two. Questions on one database resemble each other, so this one is usually wider.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by_database: Option<Interval>,
    /// Rows on whose gold the metric does not agree with itself ([`Verdict::unstable`]).
    #[serde(default)]
    pub unstable: usize,
}

const SAMPLES_OF_QUESTIONS: usize = 2_000;
const SAMPLES_OF_DATABASES: usize = 10_000;
const CONFIDENCE: f64 = 0.95;
const SEED: u64 = 0;

/// Fewer samples, but never below a thousand, where there is so much to draw from that they would take seconds.
fn samples(wanted: usize, groups: usize) -> usize {
    const DRAWS: usize = 20_000_000;
    wanted.min((DRAWS / groups.max(1)).max(1_000))
}

impl Summary {
    /// The figures of the verdicts for a metric. Verdicts without an entry for it count as without a score.
    pub fn new<'v>(verdicts: impl IntoIterator<Item = &'v Verdict>, metric: &str) -> Self {
        let graded = metric::metric(metric).is_ok_and(|metric| metric.graded);
        Self::of(verdicts, metric, graded)
    }

    fn of<'v>(verdicts: impl IntoIterator<Item = &'v Verdict>, metric: &str, graded: bool) -> Self {
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
            by_database: None,
            unstable: 0,
        };
        let mut scores = Vec::new();
        let mut databases: BTreeMap<&str, (f64, usize)> = BTreeMap::new();
        for verdict in verdicts {
            *summary.outcomes.entry(verdict.outcome).or_default() += 1;
            summary.unstable += usize::from(verdict.unstable.iter().any(|name| name == metric));
            match verdict.scores.get(metric).copied().flatten() {
                Some(score) => {
                    summary.n += 1;
                    scores.push((score, 1));
                    let database = databases.entry(&verdict.db_id).or_default();
                    database.0 += score;
                    database.1 += 1;
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
            let sum: f64 = scores.iter().map(|(score, _)| score).sum();
            summary.accuracy = Some(sum / summary.n as f64);
            summary.interval = if graded {
                mean_of_groups(
                    &scores,
                    samples(SAMPLES_OF_QUESTIONS, scores.len()),
                    CONFIDENCE,
                    SEED,
                )
            } else {
                Some(wilson(summary.right, summary.n))
            };
            let databases: Vec<_> = databases.into_values().collect();
            summary.by_database = mean_of_groups(
                &databases,
                samples(SAMPLES_OF_DATABASES, databases.len()),
                CONFIDENCE,
                SEED,
            );
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

    /// Expected intervals from `scripts/reference/eval_intervals.py`; a million samples there, fewer here.
    #[test]
    fn intervals_agree_with_scipy() {
        let row = |id: usize, metric: &str, score: f64| Verdict {
            id: id.to_string(),
            db_id: (id % 11 % 8).to_string(),
            scores: BTreeMap::from([(metric.into(), Some(score))]),
            ..verdict(Outcome::Executed, None)
        };
        let close = |interval: Option<Interval>, low: f64, high: f64, tolerance: f64| {
            let interval = interval.unwrap();
            assert!((interval.low - low).abs() <= tolerance, "{interval:?}");
            assert!((interval.high - high).abs() <= tolerance, "{interval:?}");
        };
        let thirds: Vec<_> = (0..200)
            .map(|id| row(id, "bird_ex", f64::from(u8::from(id.is_multiple_of(3)))))
            .collect();
        let summary = Summary::new(&thirds, "bird_ex");
        assert_eq!(summary.interval, Some(wilson(67, 200)));
        close(
            summary.by_database,
            0.328_767_123_287_671_2,
            0.342_465_753_424_657_5,
            0.002,
        );
        let shares: Vec<_> = (0..200)
            .map(|id| row(id, "graded", (id % 10) as f64 / 9.0))
            .collect();
        let summary = Summary::of(&shares, "graded", true);
        assert_eq!((summary.right, summary.wrong), (20, 180));
        assert!((summary.accuracy.unwrap() - 0.5).abs() < 1e-12);
        close(
            summary.interval,
            0.455_555_555_555_555_5,
            0.544_444_444_444_444_4,
            0.005,
        );
    }
}
