//! One training set, looked at for a model and a target.

use serde::{Deserialize, Serialize};

use super::expect::Expectation;
use crate::compare::Comparison;
use crate::score::rarefied::{RarefiedRatio, Verdict};

/// Overlap of templates from which a training set holds most of what the target is made of.
const COVERS: f64 = 0.8;

/// A training set and what its scores say.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Candidate {
    /// Its name.
    pub name: String,
    /// The training set against the target.
    pub comparison: Comparison,
    /// The same without marks of style (R15).
    pub style_free: Comparison,
    /// The alignment ratio at one sample size, with its intervals and its verdict.
    pub ratio: RarefiedRatio,
    /// A(T, S) / A(T, M): above 1 the target is better covered by the training set than by what the model writes.
    pub ratio_rev: f64,
    /// What all of it comes to.
    pub reading: Reading,
    /// Reasons to look twice.
    pub cautions: Vec<Caution>,
    /// What earlier runs say about the gain.
    pub expectation: Expectation,
}

/// What the scores of a training set come to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reading {
    /// Closer to the target than what the model writes, in both directions.
    Closer,
    /// Closer in the one direction, further in the other.
    Mixed,
    /// Not to be told apart from what the model writes.
    Open,
    /// The data allow no verdict.
    Withheld,
    /// Further from the target than what the model writes.
    Further,
}

impl Reading {
    /// In a word or two, for tables.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Closer => "closer",
            Self::Mixed => "closer one way only",
            Self::Open => "no difference shown",
            Self::Withheld => "no verdict",
            Self::Further => "further",
        }
    }
}

/// A case in which the plain score is known to mislead.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Caution {
    /// A(S, T) is high and A(T, S) is not: a part of the target's structure, over and over.
    Narrow,
    /// A(S, T) is low although the training set holds most of the target's templates: what it has besides is held
    /// against it, which a selection would take away.
    Superset,
    /// The verdict hangs on a habit of style that changes no result.
    Style,
}

impl std::fmt::Display for Caution {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Narrow => {
                "it is like a part of the target and lacks the rest: A(T, S) is below that of the model's own queries"
            }
            Self::Superset => {
                "it holds most of the target's templates among much else, which A(S, T) counts against it: choose from \
                 it with `harness select`"
            }
            Self::Style => {
                "without INNER, OUTER and ASC, which change no result, the answer is another: a habit of writing decides"
            }
        })
    }
}

/// What is said of a set, from its ratios in both directions and, of the forward one, without marks of style.
pub(super) fn read(ratio: &RarefiedRatio, ratio_rev: f64) -> Reading {
    match ratio.verdict {
        Verdict::Withheld => Reading::Withheld,
        Verdict::Open => Reading::Open,
        Verdict::Above if ratio_rev > 1.0 => Reading::Closer,
        Verdict::Above => Reading::Mixed,
        Verdict::Below => Reading::Further,
    }
}

/// The cautions that the figures of a set call for.
pub(super) fn cautions(
    comparison: &Comparison,
    ratio: f64,
    ratio_rev: f64,
    ratio_style_free: f64,
) -> Vec<Caution> {
    let mut found = Vec::new();
    if ratio > 1.0 && ratio_rev < 1.0 {
        found.push(Caution::Narrow);
    }
    if ratio < 1.0 && (ratio_rev > 1.0 || comparison.ovlp_template >= COVERS) {
        found.push(Caution::Superset);
    }
    if (ratio > 1.0) != (ratio_style_free > 1.0) {
        found.push(Caution::Style);
    }
    found
}
