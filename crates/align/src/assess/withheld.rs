//! Why no verdict is given.

use serde::{Deserialize, Serialize};

use crate::score::rarefied::{RarefiedRatio, Verdict};
use crate::warning::{LEFT_OUT, Role, TOO_FEW, Warning};

/// A reason for which nothing is claimed. The scores stand beside it all the same.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "reason", rename_all = "snake_case")]
pub enum Withheld {
    /// Fewer than 200 queries.
    TooFewQueries {
        /// Which set.
        set: Role,
        /// How many it has.
        n: usize,
    },
    /// More than 10 % of the queries have no template.
    ManyLeftOut {
        /// Which set.
        set: Role,
        /// The share that was left out.
        share: f64,
    },
    /// The interval for other questions contains 1, or there is none.
    OpenByQuestion,
    /// The interval for other databases contains 1.
    OpenByDatabase,
}

impl Withheld {
    /// All reasons that a ratio gives; none where it has a verdict.
    pub fn of(ratio: &RarefiedRatio) -> Vec<Self> {
        if matches!(ratio.verdict, Verdict::Above | Verdict::Below) {
            return Vec::new();
        }
        let mut reasons: Vec<Self> = ratio
            .warnings
            .iter()
            .filter_map(|warning| match *warning {
                Warning::TooFewQueries { set, n } => Some(Self::TooFewQueries { set, n }),
                Warning::ManyLeftOut {
                    set,
                    left_out,
                    queries,
                } => Some(Self::ManyLeftOut {
                    set,
                    share: left_out as f64 / queries as f64,
                }),
                Warning::FewQueries { .. } => None,
            })
            .collect();
        if ratio.interval.is_none_or(|it| it.contains(1.0)) {
            reasons.push(Self::OpenByQuestion);
        }
        let by_database = ratio.interval_by_database;
        if by_database.is_some_and(|it| it.contains(1.0)) {
            reasons.push(Self::OpenByDatabase);
        }
        reasons
    }
}

impl std::fmt::Display for Withheld {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::TooFewQueries { set, n } => write!(
                f,
                "the {set} set has {n} queries with a template, and {TOO_FEW} are needed"
            ),
            Self::ManyLeftOut { set, share } => write!(
                f,
                "{:.1} % of the {set} set has no template, and {:.0} % may",
                100.0 * share,
                100.0 * LEFT_OUT
            ),
            Self::OpenByQuestion => {
                f.write_str("for other questions the ratio may lie on either side of 1")
            }
            Self::OpenByDatabase => {
                f.write_str("for other databases the ratio may lie on either side of 1")
            }
        }
    }
}
