//! The gain between two sets of verdicts on the same rows.

use std::collections::BTreeMap;

use harness_record::Verdict;
use serde::{Deserialize, Serialize};

use super::bootstrap::mean_of_groups;
use super::{Interval, mcnemar_exact};

/// How to draw for the intervals of a gain.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct PairedOptions {
    /// Bootstrap samples.
    pub draws: usize,
    /// Share of the samples between the ends of an interval.
    pub confidence: f64,
    /// Seed of the samples.
    pub seed: u64,
}

impl Default for PairedOptions {
    fn default() -> Self {
        Self {
            draws: 10_000,
            confidence: 0.95,
            seed: 0,
        }
    }
}

/// Before and after, row by row.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Paired {
    /// Name of the metric.
    pub metric: String,
    /// Rows that have a score on both sides.
    pub n: usize,
    /// Rows without a score on one side or both.
    pub unscored: usize,
    /// Mean score before; 0 if there are no rows.
    pub before: f64,
    /// Mean score after.
    pub after: f64,
    /// `after - before`.
    pub gain: f64,
    /// Percentile bootstrap of the gain over questions: what other questions on these databases would give.
    pub by_question: Option<Interval>,
    /// The same with whole databases drawn: what other databases would give. `None` below two databases.
    pub by_database: Option<Interval>,
    /// Rows whose score rose.
    pub fixed: usize,
    /// Rows whose score fell.
    pub broken: usize,
    /// Exact McNemar p-value of `fixed` against `broken`.
    pub mcnemar_p: f64,
}

/// Why two sets of verdicts can't be paired.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PairError {
    /// An id stands twice on one side.
    #[error("the verdicts {side} have the id `{id}` more than once")]
    Repeated {
        /// `before` or `after`.
        side: &'static str,
        /// The id.
        id: String,
    },
    /// An id stands on one side only.
    #[error(
        "the verdicts {side} have no row `{id}`, the others have: both must be of the same examples"
    )]
    Missing {
        /// `before` or `after`.
        side: &'static str,
        /// The id.
        id: String,
    },
}

/// Pairs two sets of verdicts by id and compares them by a metric. The order of rows does not matter.
pub fn paired(
    before: &[Verdict],
    after: &[Verdict],
    metric: &str,
    options: &PairedOptions,
) -> Result<Paired, PairError> {
    let before = by_id(before, "before")?;
    let after = by_id(after, "after")?;
    for (side, here, there) in [("before", &before, &after), ("after", &after, &before)] {
        if let Some(id) = there.keys().find(|id| !here.contains_key(*id)) {
            let id = (*id).to_owned();
            return Err(PairError::Missing { side, id });
        }
    }
    let mut differences = Vec::new();
    let mut databases: BTreeMap<&str, (f64, usize)> = BTreeMap::new();
    let (mut sum_before, mut sum_after) = (0.0, 0.0);
    let (mut fixed, mut broken) = (0, 0);
    for (old, new) in before.values().zip(after.values()) {
        let score = |verdict: &Verdict| verdict.scores.get(metric).copied().flatten();
        let (Some(old_score), Some(new_score)) = (score(old), score(new)) else {
            continue;
        };
        sum_before += old_score;
        sum_after += new_score;
        fixed += usize::from(new_score > old_score);
        broken += usize::from(new_score < old_score);
        differences.push((new_score - old_score, 1));
        let database = databases.entry(&old.db_id).or_default();
        database.0 += new_score - old_score;
        database.1 += 1;
    }
    let n = differences.len();
    let mean = |sum: f64| if n == 0 { 0.0 } else { sum / n as f64 };
    let databases: Vec<_> = databases.into_values().collect();
    let interval = |groups: &[(f64, usize)]| {
        mean_of_groups(groups, options.draws, options.confidence, options.seed)
    };
    Ok(Paired {
        metric: metric.to_owned(),
        n,
        unscored: before.len() - n,
        before: mean(sum_before),
        after: mean(sum_after),
        gain: mean(sum_after - sum_before),
        by_question: interval(&differences),
        by_database: interval(&databases),
        fixed,
        broken,
        mcnemar_p: mcnemar_exact(fixed, broken),
    })
}

fn by_id<'a>(
    verdicts: &'a [Verdict],
    side: &'static str,
) -> Result<BTreeMap<&'a str, &'a Verdict>, PairError> {
    let mut map = BTreeMap::new();
    for verdict in verdicts {
        if map.insert(verdict.id.as_str(), verdict).is_some() {
            let id = verdict.id.clone();
            return Err(PairError::Repeated { side, id });
        }
    }
    Ok(map)
}

#[cfg(test)]
mod tests {
    use harness_record::Outcome;

    use super::*;

    fn verdict(id: usize, db: usize, right: bool) -> Verdict {
        Verdict {
            id: format!("q{id}"),
            db_id: format!("d{db}"),
            outcome: Outcome::Executed,
            scores: BTreeMap::from([("m".into(), Some(f64::from(u8::from(right))))]),
            error_class: None,
            unstable: Vec::new(),
            error: None,
        }
    }

    /// The data of the reference script: 200 questions on 8 databases of unequal size.
    fn example() -> (Vec<Verdict>, Vec<Verdict>) {
        let every = |step: usize, id: usize| id.is_multiple_of(step);
        let right_before = |id| every(3, id);
        let right_after = |id| (every(3, id) && !every(7, id)) || (every(5, id) && id % 8 < 5);
        let side = |right: &dyn Fn(usize) -> bool| {
            (0..200)
                .map(|id| verdict(id, id % 11 % 8, right(id)))
                .collect()
        };
        (side(&right_before), side(&right_after))
    }

    #[track_caller]
    fn close(interval: Option<Interval>, low: f64, high: f64, tolerance: f64) {
        let interval = interval.unwrap();
        assert!((interval.low - low).abs() <= tolerance, "{interval:?}");
        assert!((interval.high - high).abs() <= tolerance, "{interval:?}");
    }

    /// Expected figures from `scripts/reference/eval_intervals.py`. The reference intervals are of a million draws; ours of
    /// 100,000 may differ by the steps of the mean, 1/200.
    #[test]
    fn agrees_with_scipy() {
        let (before, after) = example();
        let options = PairedOptions {
            draws: 100_000,
            ..PairedOptions::default()
        };
        let paired = paired(&before, &after, "m", &options).unwrap();
        assert_eq!((paired.n, paired.fixed, paired.broken), (200, 17, 8));
        for (figure, expected) in [
            (paired.before, 0.335),
            (paired.after, 0.38),
            (paired.gain, 0.045),
            (paired.mcnemar_p, 0.107_752_144_336_700_44),
        ] {
            assert!((figure - expected).abs() < 1e-12, "{figure} {expected}");
        }
        close(paired.by_question, -0.005, 0.095, 0.005);
        close(paired.by_database, 0.006_172_839_506_172_839, 0.08, 0.002);
    }

    #[test]
    fn the_same_seed_gives_the_same_interval() {
        let (before, mut after) = example();
        let options = PairedOptions::default();
        let first = paired(&before, &after, "m", &options).unwrap();
        after.reverse();
        assert_eq!(paired(&before, &after, "m", &options).unwrap(), first);
        let other = PairedOptions {
            seed: 1,
            draws: 500,
            ..options
        };
        assert_ne!(
            paired(&before, &after, "m", &other).unwrap().by_database,
            first.by_database
        );
    }

    #[test]
    fn rows_must_be_the_same() {
        let (before, mut after) = example();
        let options = PairedOptions {
            draws: 10,
            ..PairedOptions::default()
        };
        after[5].scores.insert("m".into(), None);
        assert_eq!(paired(&before, &after, "m", &options).unwrap().unscored, 1);
        let q9 = after.remove(9);
        let missing = PairError::Missing {
            side: "after",
            id: "q9".into(),
        };
        assert_eq!(paired(&before, &after, "m", &options), Err(missing));
        after.extend([q9.clone(), q9]);
        let repeated = PairError::Repeated {
            side: "after",
            id: "q9".into(),
        };
        assert_eq!(paired(&before, &after, "m", &options), Err(repeated));
        assert_eq!(paired(&[], &[], "m", &options).unwrap().by_question, None);
    }
}
