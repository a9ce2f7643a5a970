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
}
