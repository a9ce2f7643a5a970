//! What the model itself says of a training set and a target before fine-tuning, as rivals of the structural scores.
//!
//! Alignment knows no models: losses, vectors and gradients come as plain numbers. Losses and gradients are of gold queries,
//! so scores that are made of the target's need an annotated sample of it, as the structural scores do; vectors are of
//! questions alone, which a target has before anyone annotates it. There is nothing to divide by as in an alignment ratio,
//! because the model's own predictions answer the target's questions: what stands for it is the model before and after a short
//! probe ([`nll_ratio`](TABLE)), and the distance of two halves of the target (`embed_frechet_ratio`).

pub mod frechet;
pub mod mmd;
mod symmetric;

use serde::{Deserialize, Serialize};

use super::table::{Direction, Missing, ScoreRow};
use crate::error::AlignError;
use crate::sum::sum;

use Direction::{Distance, Likeness};

/// A score of what the model says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct ModelScore {
    /// Its name.
    pub name: &'static str,
    /// Which way it goes.
    pub direction: Direction,
    /// Whether it is made of the target's gold queries.
    pub needs_gold: bool,
    /// What it is, in a sentence.
    pub says: &'static str,
}

/// Every score of what a model says, in the order of the tables.
pub const TABLE: [ModelScore; 9] = [
    ModelScore {
        name: "nll_target",
        direction: Distance,
        needs_gold: true,
        says: "nats a token of the target's gold queries under the base model; it is the same for every training set",
    },
    ModelScore {
        name: "nll_train",
        direction: Distance,
        needs_gold: false,
        says: "nats a token of the training set's queries under the base model",
    },
    ModelScore {
        name: "nll_gap",
        direction: Distance,
        needs_gold: true,
        says: "how far apart nll_target and nll_train are, whichever is higher",
    },
    ModelScore {
        name: "nll_drop",
        direction: Likeness,
        needs_gold: true,
        says: "by how much a few steps on the training set lower nll_target, in nats a token; below 0 they raise it",
    },
    ModelScore {
        name: "nll_ratio",
        direction: Likeness,
        needs_gold: true,
        says: "nll_target before those steps divided by that after them; above 1 the training set helps",
    },
    ModelScore {
        name: "embed_mmd",
        direction: Distance,
        needs_gold: false,
        says: "squared maximum mean discrepancy of the questions' vectors; between halves of the target it is 0 but for chance, \
               so it has no ratio",
    },
    ModelScore {
        name: "embed_frechet",
        direction: Distance,
        needs_gold: false,
        says: "squared Fréchet distance of Gaussians fitted to the questions' vectors; it grows as samples shrink",
    },
    ModelScore {
        name: "embed_frechet_ratio",
        direction: Likeness,
        needs_gold: false,
        says: "that distance of two halves of the target divided by that of the training set and a half, at one sample size; near \
               1 the training set is as near as the target's own questions",
    },
    ModelScore {
        name: "gradient_cosine",
        direction: Likeness,
        needs_gold: true,
        says: "cosine between the gradients of a fresh adapter on both sets; B is 0 before the first step, so only B has one",
    },
];

/// The loss of one gold query behind its prompt.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Loss {
    /// Sum over its tokens of `−ln p`.
    pub nats: f64,
    /// How many they are.
    pub tokens: usize,
}

/// What the base model says of a set.
#[derive(Clone, Copy, Debug)]
pub struct Measured<'a> {
    /// One loss an example.
    pub losses: &'a [Loss],
    /// One vector a question, all of one length.
    pub vectors: &'a [Vec<f32>],
    /// The gradient of the summed loss over the trainable weights, in a fixed order; empty where there is none.
    pub gradient: &'a [f32],
}

/// The scores, in the order of [`TABLE`], and what a reader should know of them.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ModelScores {
    /// One row a score. There are no predictions to compare with, so no ratios beside the values.
    pub rows: Vec<ScoreRow>,
    /// Sentences.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
}

/// The scores of `source` against `target`; `after` are the losses of the target's examples, in the same order, after the
/// probe on the training set. Halves of the target are drawn by `seed`.
///
/// # Errors
/// [`AlignError::Option`] where vectors or gradients differ in length or hold what is no number, or where the examples before and
/// after the probe are not the same.
pub fn model_scores(
    source: Measured<'_>,
    target: Measured<'_>,
    after: &[Loss],
    seed: u64,
) -> Result<ModelScores, AlignError> {
    check(source, target, after)?;
    let (of_target, of_source) = (mean(target.losses), mean(source.losses));
    let of_after = mean(after);
    let both = of_target.zip(of_source);
    let moved = of_target.zip(of_after);
    let mmd = mmd::mmd(source.vectors, target.vectors);
    let frechet = frechet::frechet(source.vectors, target.vectors, seed);
    let mut notes = Vec::new();
    if let Some(mmd) = mmd.as_ref().ok().filter(|mmd| mmd.squared < 0.0) {
        notes.push(format!(
            "embed_mmd: the unbiased estimate is {:.2e}; it is shown as 0, which is as near as this sample can tell",
            mmd.squared
        ));
    }
    if let Ok(frechet) = &frechet {
        notes.push(format!(
            "embed_frechet: over the first {} principal components of both sets' vectors, which hold {:.1} % of their variance",
            frechet.components,
            100.0 * frechet.kept
        ));
    }
    let few = Err(Missing::TooFew);
    let values = [
        of_target.ok_or(Missing::TooFew),
        of_source.ok_or(Missing::TooFew),
        both.map(|(t, s)| (t - s).abs()).ok_or(Missing::TooFew),
        moved
            .map(|(before, after)| before - after)
            .ok_or(Missing::TooFew),
        moved.map_or(few, |(before, after)| divided(before, after)),
        mmd.map(|mmd| mmd.squared.max(0.0)),
        frechet.map(|it| it.squared),
        frechet.and_then(|it| it.ratio.ok_or(Missing::TooFew)),
        cosine(source.gradient, target.gradient),
    ];
    let row = |(score, value): (&ModelScore, Result<f64, Missing>)| ScoreRow {
        missing: value.as_ref().err().copied(),
        ..ScoreRow::new(score.name.to_owned(), score.direction, value.ok(), None)
    };
    Ok(ModelScores {
        rows: TABLE.iter().zip(values).map(row).collect(),
        notes,
    })
}

fn check(source: Measured<'_>, target: Measured<'_>, after: &[Loss]) -> Result<(), AlignError> {
    let fault = |field, found: String, expected| {
        Err(AlignError::Option {
            field,
            found,
            expected,
        })
    };
    let sizes = |losses: &[Loss]| losses.iter().map(|loss| loss.tokens).collect::<Vec<_>>();
    if sizes(target.losses) != sizes(after) {
        let found = format!("{} for {}", after.len(), target.losses.len());
        return fault(
            "after",
            found,
            "losses of the same tokens as before the probe",
        );
    }
    if source.gradient.len() != target.gradient.len() {
        let found = format!("{} and {}", source.gradient.len(), target.gradient.len());
        return fault("gradient", found, "gradients of the same weights");
    }
    let width = target.vectors.first().map_or(0, Vec::len);
    for (field, vectors) in [("source", source.vectors), ("target", target.vectors)] {
        if let Some(odd) = vectors.iter().find(|vector| vector.len() != width) {
            let found = format!("a vector of {} numbers", odd.len());
            return fault(field, found, "vectors as long as the target's first");
        }
    }
    let numbers = [source.vectors, target.vectors]
        .into_iter()
        .flatten()
        .flatten();
    let numbers = numbers.chain(source.gradient).chain(target.gradient);
    let all = [source.losses, target.losses, after].into_iter().flatten();
    if !numbers.copied().all(f32::is_finite) || !all.into_iter().all(|loss| loss.nats.is_finite()) {
        return fault(
            "measures",
            "NaN or an infinity".to_owned(),
            "finite numbers",
        );
    }
    Ok(())
}

/// Nats a token; none without a token.
pub fn mean(losses: &[Loss]) -> Option<f64> {
    let tokens: usize = losses.iter().map(|loss| loss.tokens).sum();
    (tokens > 0).then(|| sum(losses.iter().map(|loss| loss.nats)) / tokens as f64)
}

fn divided(above: f64, below: f64) -> Result<f64, Missing> {
    let ratio = above / below;
    ratio
        .is_finite()
        .then_some(ratio)
        .ok_or(Missing::DividedByZero)
}

/// The cosine of the angle between two vectors.
fn cosine(a: &[f32], b: &[f32]) -> Result<f64, Missing> {
    if a.is_empty() {
        return Err(Missing::TooFew);
    }
    let product =
        |a: &[f32], b: &[f32]| sum(a.iter().zip(b).map(|(a, b)| f64::from(*a) * f64::from(*b)));
    divided(product(a, b), (product(a, a) * product(b, b)).sqrt())
}

#[cfg(test)]
mod tests;
