//! What a reader must know before believing a score.

use serde::{Deserialize, Serialize};

use crate::query_set::QuerySet;

/// Under this many templates a score of a fitting set is visibly too low.
pub const FEW: usize = 500;
/// Under this many templates smoothing rules the score.
pub const TOO_FEW: usize = 200;
/// Above this share of queries left out, a score judges the good part of a set only.
pub const LEFT_OUT: f64 = 0.1;

/// The part a set plays in a score.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// The set that is judged: a training set, or predictions.
    Source,
    /// The set it is judged against.
    Target,
    /// What the model writes for the target's questions.
    Predictions,
}

impl std::fmt::Display for Role {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Source => "source",
            Self::Target => "target",
            Self::Predictions => "prediction",
        })
    }
}

/// A reason for care with a score.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "warning", rename_all = "snake_case")]
pub enum Warning {
    /// Fewer than 500 templates: compare at equal sizes only.
    FewQueries {
        /// Which set.
        set: Role,
        /// How many templates it has.
        n: usize,
    },
    /// Fewer than 200 templates: no verdict may rest on the score.
    TooFewQueries {
        /// Which set.
        set: Role,
        /// How many templates it has.
        n: usize,
    },
    /// More than 10 % of the queries have no template: no verdict may rest on the score.
    ManyLeftOut {
        /// Which set.
        set: Role,
        /// How many queries were left out.
        left_out: usize,
        /// How many queries it has.
        queries: usize,
    },
}

impl Warning {
    /// The set that it is about.
    pub fn set(&self) -> Role {
        match self {
            Self::FewQueries { set, .. }
            | Self::TooFewQueries { set, .. }
            | Self::ManyLeftOut { set, .. } => *set,
        }
    }

    /// Whether a verdict has to be withheld.
    pub fn forbids_verdict(&self) -> bool {
        !matches!(self, Self::FewQueries { .. })
    }

    /// The warnings that one set deserves.
    pub(crate) fn of(set: Role, queries: &QuerySet) -> Vec<Self> {
        let (n, all) = (queries.n_templates(), queries.n_queries());
        let size = match n {
            n if n < TOO_FEW => Some(Self::TooFewQueries { set, n }),
            n if n < FEW => Some(Self::FewQueries { set, n }),
            _ => None,
        };
        let left_out = all - n;
        let many = left_out as f64 > LEFT_OUT * all as f64;
        let share = many.then_some(Self::ManyLeftOut {
            set,
            left_out,
            queries: all,
        });
        size.into_iter().chain(share).collect()
    }
}

impl std::fmt::Display for Warning {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::FewQueries { set, n } => {
                write!(
                    f,
                    "the {set} set has {n} queries; under {FEW}, compare at equal sizes only"
                )
            }
            Self::TooFewQueries { set, n } => {
                write!(
                    f,
                    "the {set} set has {n} queries; under {TOO_FEW}, no verdict may rest on the score"
                )
            }
            Self::ManyLeftOut {
                set,
                left_out,
                queries,
            } => write!(
                f,
                "{left_out} of the {queries} queries of the {set} set have no template; above 10 %, no verdict may \
                 rest on the score"
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Role, Warning};
    use crate::query_set::QuerySet;

    #[test]
    fn limits() {
        let check = |good, bad, expected: &[&str]| {
            let queries =
                std::iter::repeat_n("SELECT 1", good).chain(std::iter::repeat_n("no", bad));
            let found = Warning::of(Role::Source, &QuerySet::new(queries));
            let kinds: Vec<_> = found
                .iter()
                .map(|w| serde_json::to_value(w).unwrap()["warning"].clone())
                .collect();
            assert_eq!(kinds, expected);
        };
        check(500, 0, &[]);
        check(499, 0, &["few_queries"]);
        check(199, 0, &["too_few_queries"]);
        check(900, 100, &[]);
        check(899, 101, &["many_left_out"]);
        check(0, 3, &["too_few_queries", "many_left_out"]);
    }
}
