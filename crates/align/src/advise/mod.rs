//! Should a model be fine-tuned for a target, on what, and what is there to expect?
//!
//! Every training set is read by the same rules ([`Reading`]): its alignment ratio at one sample size with the interval,
//! the ratio of the reverse score, and whether style alone decides. Sets that are closer to the target than what the
//! model writes are ranked by Jensen-Shannon divergence, which unlike A(S, T) does not fall for a set of one template.
//! How many points to expect is a question to earlier runs alone ([`Expectation`]): no score says it by itself.

mod candidate;
mod expect;
mod lack;

pub use candidate::{Candidate, Caution, Reading};
pub use expect::{Expectation, LEAST_CELLS, LeftOut, expect};
pub use lack::Lack;
pub(crate) use lack::lacking;

use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use crate::cell::Cell;
use crate::compare::{Comparison, compare};
use crate::error::AlignError;
use crate::options::{Options, RarefyOptions};
use crate::score::rarefied::rarefied_ratio_of;
use crate::workload::Workload;

/// Templates that are listed as missing.
const LACKS: usize = 12;

/// The score by which a gain is expected.
pub const EXPECTED_BY: &str = "ar_rarefied";

/// What to do, and why.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Advice {
    /// The model.
    pub model: String,
    /// The target.
    pub target: String,
    /// Its questions that the model was asked.
    pub n_target: usize,
    /// What the model writes, against the target.
    pub predictions: Comparison,
    /// The short answer.
    pub answer: Answer,
    /// All training sets, the best first.
    pub candidates: Vec<Candidate>,
    /// Templates of the target that no training set has, the most frequent first.
    pub lacking: Vec<Lack>,
    /// Share of the target's queries whose template no training set has.
    pub lacking_share: f64,
}

/// Fine-tune, or not?
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "answer", rename_all = "snake_case")]
pub enum Answer {
    /// Fine-tune on this set.
    FineTune {
        /// Its name.
        on: String,
    },
    /// Every set is further from the target than what the model writes already.
    DoNot,
    /// No set is shown to be closer, and not all are shown to be further.
    CannotTell,
}

/// Looks at each of `train` as a training set for a model that wrote `predictions` for the questions of `target`.
///
/// `history` holds cells of earlier runs, and may be empty; the very cell that is asked about is left out of it. Fails where a set has no template, and as
/// [`rarefied_ratio`](crate::rarefied_ratio) does.
pub fn advise(
    model: &str,
    train: &[Workload],
    target: &Workload,
    predictions: &Workload,
    history: &[Cell],
    options: &Options,
    rarefy: &RarefyOptions,
) -> Result<Advice, AlignError> {
    let free = Options {
        style_free: true,
        ..*options
    };
    let of_predictions = compare(predictions.templates(), target.templates(), options)?;
    let predictions_free = compare(predictions.templates(), target.templates(), &free)?;
    // A cell must not be told by itself.
    let others = |train: &str| -> Vec<Cell> {
        let itself = |cell: &&Cell| {
            (
                cell.model.as_str(),
                cell.train_set.as_str(),
                cell.target.as_str(),
            ) != (model, train, target.name())
        };
        history.iter().filter(itself).cloned().collect()
    };
    let look = |set: &Workload| -> Result<Candidate, AlignError> {
        let (s, t) = (set.templates(), target.templates());
        let comparison = compare(s, t, options)?;
        let style_free = compare(s, t, &free)?;
        let ratio = rarefied_ratio_of(set, predictions, target, options, rarefy)?;
        let plain = comparison.a_kl_rev / of_predictions.a_kl_rev;
        let ratio_rev = match (ratio.a_rev_source, ratio.a_rev_predictions) {
            (Some(s), Some(m)) => s.mean / m.mean,
            _ => plain,
        };
        Ok(Candidate {
            name: set.name().to_owned(),
            reading: candidate::read(&ratio, ratio_rev),
            cautions: candidate::cautions(
                &comparison,
                ratio.ar,
                ratio_rev,
                style_free.a_kl / predictions_free.a_kl,
            ),
            expectation: expect(&others(set.name()), EXPECTED_BY, ratio.ar),
            comparison,
            style_free,
            ratio,
            ratio_rev,
        })
    };
    let mut candidates: Vec<Candidate> = train.par_iter().map(look).collect::<Result<_, _>>()?;
    candidates.sort_by(|a, b| {
        a.reading
            .cmp(&b.reading)
            .then(a.comparison.js.total_cmp(&b.comparison.js))
    });
    let (missing, lacking_share) = lacking(train, target, LACKS);
    Ok(Advice {
        model: model.to_owned(),
        target: target.name().to_owned(),
        n_target: target.len(),
        answer: answer(&candidates),
        predictions: of_predictions,
        candidates,
        lacking: missing,
        lacking_share,
    })
}

fn answer(ranked: &[Candidate]) -> Answer {
    match ranked.first() {
        Some(best) if best.reading == Reading::Closer => Answer::FineTune {
            on: best.name.clone(),
        },
        Some(best) if best.reading == Reading::Further => Answer::DoNot,
        _ => Answer::CannotTell,
    }
}

#[cfg(test)]
mod tests;
