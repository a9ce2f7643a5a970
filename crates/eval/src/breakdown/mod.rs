//! The verdicts of one file in groups: by level, database, structure of the gold, error class.
//!
//! What the groups are is for the caller to say, row by row; a row may be in several of them. This module counts, puts
//! intervals on the counts and orders the groups. It knows neither examples nor how a level is found.

mod structure;

use std::collections::BTreeMap;

use harness_record::Verdict;
use serde::{Deserialize, Serialize};

pub use structure::structure;

use crate::interval::Interval;
use crate::summary::Summary;

/// The figures of some verdicts by one metric, in groups.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Breakdown {
    /// Name of the metric.
    pub metric: String,
    /// What the groups go by, in a word: `level`, `database` …
    pub by: String,
    /// The groups: levels from easy to hard, all else by name.
    pub groups: Vec<Group>,
    /// Rows that are in no group.
    pub outside: usize,
}

/// The figures of one group.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Group {
    /// Name of the group.
    pub key: String,
    /// Rows that have a score.
    pub n: usize,
    /// Rows without one.
    pub unscored: usize,
    /// Rows scored 1, or more where a metric goes beyond.
    pub right: usize,
    /// Mean score, which is `right / n` unless the metric is graded; `None` where no row has a score.
    pub mean: Option<f64>,
    /// Interval of the mean at 95 % for other questions on these databases, as in [`Summary::interval`].
    pub interval: Option<Interval>,
    /// The same for other databases, as in [`Summary::by_database`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by_database: Option<Interval>,
}

/// Puts verdicts into the groups that `keys` gives for each, and counts by a metric.
pub fn breakdown<'v>(
    verdicts: impl IntoIterator<Item = &'v Verdict>,
    metric: &str,
    by: &str,
    mut keys: impl FnMut(&'v Verdict) -> Vec<String>,
) -> Breakdown {
    let mut groups: BTreeMap<String, Vec<&Verdict>> = BTreeMap::new();
    let mut outside = 0;
    for verdict in verdicts {
        let mut keys = keys(verdict);
        // A row is once in a group, however often it is put there.
        keys.sort_unstable();
        keys.dedup();
        outside += usize::from(keys.is_empty());
        for key in keys {
            groups.entry(key).or_default().push(verdict);
        }
    }
    let mut groups: Vec<Group> = groups
        .into_iter()
        .map(|(key, verdicts)| group(key, &verdicts, metric))
        .collect();
    groups.sort_by_key(|group| level(&group.key));
    Breakdown {
        metric: metric.to_owned(),
        by: by.to_owned(),
        groups,
        outside,
    }
}

fn group(key: String, verdicts: &[&Verdict], metric: &str) -> Group {
    let summary = Summary::new(verdicts.iter().copied(), metric);
    Group {
        key,
        n: summary.n,
        unscored: verdicts.len() - summary.n,
        right: summary.right,
        mean: summary.accuracy,
        interval: summary.interval,
        by_database: summary.by_database,
    }
}

/// Where a level of Spider or BIRD stands between easy and hard; all other names are equal.
fn level(key: &str) -> usize {
    const LEVELS: [&str; 7] = [
        "easy",
        "simple",
        "medium",
        "moderate",
        "hard",
        "challenging",
        "extra",
    ];
    let found = LEVELS.iter().position(|level| *level == key);
    found.unwrap_or(LEVELS.len())
}

#[cfg(test)]
mod tests {
    use harness_record::Outcome;

    use super::*;
    use crate::wilson;

    fn verdict(id: usize, db_id: &str, metric: &str, score: Option<f64>) -> Verdict {
        Verdict {
            id: id.to_string(),
            db_id: db_id.into(),
            outcome: Outcome::Executed,
            scores: BTreeMap::from([(metric.into(), score)]),
            error_class: None,
            unstable: Vec::new(),
            error: None,
        }
    }

    #[test]
    fn groups_have_their_own_figures() {
        let scores = [Some(1.0), Some(0.0), Some(1.0), None, Some(1.0)];
        let verdicts: Vec<Verdict> = scores
            .into_iter()
            .enumerate()
            .map(|(id, score)| verdict(id, ["a", "b"][id % 2], "bag", score))
            .collect();
        let by_database = breakdown(&verdicts, "bag", "database", |row| vec![row.db_id.clone()]);
        let figures = |breakdown: &Breakdown| -> Vec<_> {
            let groups = breakdown.groups.iter();
            groups
                .map(|group| (group.key.clone(), group.n, group.unscored, group.right))
                .collect()
        };
        assert_eq!(
            figures(&by_database),
            [("a".into(), 3, 0, 3), ("b".into(), 1, 1, 0)]
        );
        assert_eq!(by_database.groups[0].interval, Some(wilson(3, 3)));
        assert_eq!(by_database.groups[1].mean, Some(0.0));
        assert_eq!(by_database.outside, 0);

        let levels = [
            &["hard"][..],
            &["easy"],
            &["extra", "easy", "easy"],
            &["else"],
            &[],
        ];
        let by_level = breakdown(&verdicts, "bag", "level", |row| {
            let id: usize = row.id.parse().unwrap();
            levels[id].iter().map(|level| (*level).to_owned()).collect()
        });
        assert_eq!(
            figures(&by_level),
            [
                ("easy".into(), 2, 0, 1),
                ("hard".into(), 1, 0, 1),
                ("extra".into(), 1, 0, 1),
                ("else".into(), 0, 1, 0),
            ]
        );
        assert_eq!(by_level.outside, 1);
        assert!(by_level.groups[0].by_database.is_some());
        assert_eq!(by_level.groups[3].interval, None);

        let json = serde_json::to_string(&by_level).unwrap();
        assert_eq!(serde_json::from_str::<Breakdown>(&json).unwrap(), by_level);
    }

    /// A graded metric has a mean, and an interval of it that is not that of a share.
    #[test]
    fn graded_scores_are_averaged() {
        let verdicts: Vec<Verdict> = [0.25, 0.5, 1.0, 0.75]
            .into_iter()
            .enumerate()
            .map(|(id, score)| verdict(id, "a", "soft_f1", Some(score)))
            .collect();
        let breakdown = breakdown(&verdicts, "soft_f1", "all", |_| vec!["all".into()]);
        let group = &breakdown.groups[0];
        assert_eq!((group.n, group.right, group.mean), (4, 1, Some(0.625)));
        let interval = group.interval.unwrap();
        assert!(0.25 <= interval.low && interval.low < 0.625);
        assert!(0.625 < interval.high && interval.high <= 1.0);
        assert_eq!(group.by_database, None);
    }
}
