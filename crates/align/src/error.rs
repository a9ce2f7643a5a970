//! What can keep a score from being computed.

use crate::warning::Role;

/// Why there is no score.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum AlignError {
    /// No query of a set has a template.
    #[error(
        "the {set} set has no query template: all of its {queries} queries are left out; check that it holds SQL"
    )]
    NoTemplates {
        /// Which set.
        set: Role,
        /// How many queries it has.
        queries: usize,
    },
    /// The filters leave nothing of a set.
    #[error(
        "the {templates} templates of the {set} set hold no n-gram of length 1 to {l_max}; raise l_max"
    )]
    NoNgrams {
        /// Which set.
        set: Role,
        /// How many templates it has.
        templates: usize,
        /// The longest n-gram asked for.
        l_max: usize,
    },
    /// An option is outside its range.
    #[error("option {field} is {found}, expected {expected}")]
    Option {
        /// Its name.
        field: &'static str,
        /// Its value.
        found: String,
        /// Its range.
        expected: &'static str,
    },
    /// The queries that speak for a target are too few to choose by.
    #[error(
        "the target has {queries} queries with a template, expected at least {least}; write down more of what is \
         asked there, or take another set as target that is like it"
    )]
    SampleTooSmall {
        /// How many there are.
        queries: usize,
        /// How many it takes.
        least: usize,
    },
    /// More examples are asked for than can be chosen.
    #[error(
        "{n} examples can't be chosen: expected 1 to {candidates}, which is what is left of the {pool} examples of the \
         pool without duplicates and the target's own; ask for fewer, add a set, or keep duplicates"
    )]
    TooFewCandidates {
        /// How many were asked for.
        n: usize,
        /// How many can be chosen.
        candidates: usize,
        /// How many the pool has.
        pool: usize,
    },
}
