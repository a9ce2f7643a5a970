//! Everything that is said of a source against a target, with what a reader needs to believe it or not.
//!
//! Scores are always computed; what may be withheld is the verdict ([`Withheld`]).

mod ceiling;
mod withheld;

pub(crate) use ceiling::databases;
pub use ceiling::{Ceiling, Ceilings, ceilings};
use serde::{Deserialize, Serialize};
pub use withheld::Withheld;

use crate::compare::{Comparison, compare};
use crate::error::AlignError;
use crate::options::{Options, RarefyOptions};
use crate::score::rarefied::{RarefiedRatio, rarefied_ratio_of};
use crate::score::ratio::{Ratios, ratios};
use crate::workload::Workload;

/// A source against a target, and where there are predictions, against what a model writes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Assessment {
    /// Name of the source.
    pub source: String,
    /// Name of the target.
    pub target: String,
    /// The source against the target.
    #[serde(flatten)]
    pub comparison: Comparison,
    /// The same without marks of style (R15).
    pub style_free: Comparison,
    /// What the target's own halves reach.
    pub ceilings: Ceilings,
    /// The ratios (F7), under their names.
    #[serde(flatten)]
    pub ratios: Option<Ratios>,
    /// What needs predictions.
    pub of_predictions: Option<OfPredictions>,
}

/// What a model writes for the target's questions, and the source by it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct OfPredictions {
    /// Name of the predictions.
    pub name: String,
    /// The predictions against the target.
    pub comparison: Comparison,
    /// The same without marks of style (R15).
    pub style_free: Comparison,
    /// The alignment ratio without marks of style.
    pub ar_style_free: f64,
    /// The alignment ratio at one sample size, with its intervals and its verdict.
    pub rarefied: RarefiedRatio,
    /// Why there is no verdict; empty if there is one.
    pub withheld: Vec<Withheld>,
}

/// Assesses `source` against `target`.
///
/// # Errors
/// As [`compare`](crate::compare()) and [`rarefied_ratio`](crate::rarefied_ratio).
pub fn assess(
    source: &Workload,
    target: &Workload,
    predictions: Option<&Workload>,
    options: &Options,
    rarefy: &RarefyOptions,
) -> Result<Assessment, AlignError> {
    let free = Options {
        style_free: true,
        ..*options
    };
    let against =
        |set: &Workload, options: &Options| compare(set.templates(), target.templates(), options);
    let (comparison, style_free) =
        rayon::join(|| against(source, options), || against(source, &free));
    let (comparison, style_free) = (comparison?, style_free?);
    let of_predictions = match predictions {
        None => None,
        Some(predictions) => {
            let rarefied = rarefied_ratio_of(source, predictions, target, options, rarefy)?;
            let own_free = against(predictions, &free)?;
            Some(OfPredictions {
                name: predictions.name().to_owned(),
                comparison: against(predictions, options)?,
                ar_style_free: style_free.a_kl / own_free.a_kl,
                style_free: own_free,
                withheld: Withheld::of(&rarefied),
                rarefied,
            })
        }
    };
    let n = of_predictions.as_ref().map(|it| it.rarefied.n);
    Ok(Assessment {
        source: source.name().to_owned(),
        target: target.name().to_owned(),
        ratios: of_predictions
            .as_ref()
            .map(|it| ratios(&comparison, &it.comparison)),
        comparison,
        style_free,
        ceilings: ceilings(target, n, options, rarefy),
        of_predictions,
    })
}

#[cfg(test)]
mod tests;
