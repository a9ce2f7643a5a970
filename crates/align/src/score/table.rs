//! The table of all scores: what each is called, which way it goes, and how it is computed.
//!
//! A score is a line here and a function in a file of its own. Those of templates are computed twice, with marks of style
//! and without (`_style_free`). Beside each value stands that of the model's own predictions and an AR-like ratio that is
//! above 1 where the training set is closer to the target than the predictions are.

use harness_record::Query;
use harness_sql::Parsed;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::features::{self, FEATURES};
use super::{js, kl, model, overlap, question, skew, subtree};
use crate::compare::{count, require_templates};
use crate::distribution::{Counts, Space};
use crate::error::AlignError;
use crate::options::Options;
use crate::warning::Role;
use crate::workload::Workload;

/// Which values mean that two sets are close.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    /// High ones: a likeness.
    #[default]
    Likeness,
    /// Low ones: a distance.
    Distance,
}

/// A score of a training set against a target.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ScoreRow {
    /// Its name, under which `correlate` knows it; that of its ratio is `NAME_ratio`.
    pub name: String,
    /// Which way it goes.
    pub direction: Direction,
    /// Its value for the training set; none where it can't be computed.
    pub value: Option<f64>,
    /// Its value for the predictions.
    pub of_predictions: Option<f64>,
    /// value / `of_predictions` for a likeness, the reverse for a distance.
    pub ratio: Option<f64>,
    /// Why a value or the ratio is missing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub missing: Option<Missing>,
    /// Queries that the parser refuses, where the score stands on parse trees and there are any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refused: Option<Refused>,
}

/// Queries that a score of parse trees leaves out, because the parser refuses them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refused {
    /// Of the training set.
    pub source: usize,
    /// Of the target.
    pub target: usize,
    /// Of the predictions.
    pub predictions: usize,
}

/// Why there is no value.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, thiserror::Error,
)]
#[serde(rename_all = "snake_case")]
pub enum Missing {
    /// No prediction has a template with an n-gram.
    #[error("no prediction has a template with an n-gram")]
    NoTemplates,
    /// Not all questions are known.
    #[error("not all questions of both sets are known")]
    NoQuestions,
    /// Predictions answer the target's own questions, so that there is nothing to divide by.
    #[error("predictions answer the target's own questions: there is nothing to divide by")]
    SameQuestions,
    /// No query of a set can be parsed.
    #[error("the parser reads no query of a set")]
    NothingParsed,
    /// What would be divided by is 0.
    #[error("what the ratio divides by is 0")]
    DividedByZero,
    /// Too few examples of a set could be measured.
    #[error("too few examples of a set could be measured")]
    TooFew,
    /// The rows of the target lie at one place, so that a kernel has no width.
    #[error("most rows of the target are the same: there is no width to measure by")]
    NoScale,
}

/// What template scores see: two sets over one numbering.
pub(crate) struct Forms<'a> {
    pub(crate) source: &'a Counts,
    pub(crate) target: &'a Counts,
    pub(crate) source_templates: &'a [u32],
    pub(crate) target_templates: &'a [u32],
    pub(crate) alpha: f64,
}

/// A score of templates.
struct OfTemplates {
    name: &'static str,
    direction: Direction,
    compute: fn(&Forms<'_>) -> f64,
}

/// A score of parse trees or questions; the functions get source and target.
struct OfTexts {
    name: &'static str,
    direction: Direction,
    compute: fn(&Texts, &Texts) -> Option<f64>,
}

use Direction::{Distance, Likeness};

/// One line for each score of templates.
const OF_TEMPLATES: &[OfTemplates] = &[
    OfTemplates {
        name: "a_kl",
        direction: Likeness,
        compute: |f| kl::kl(f.source, f.target, f.alpha).a,
    },
    OfTemplates {
        name: "a_kl_rev",
        direction: Likeness,
        compute: |f| kl::kl(f.target, f.source, f.alpha).a,
    },
    OfTemplates {
        name: "a_kl_min",
        direction: Likeness,
        compute: kl::smaller,
    },
    OfTemplates {
        name: "a_skew",
        direction: Likeness,
        compute: |f| skew::skewed(f.source, f.target),
    },
    OfTemplates {
        name: "a_skew_rev",
        direction: Likeness,
        compute: |f| skew::skewed(f.target, f.source),
    },
    OfTemplates {
        name: "js",
        direction: Distance,
        compute: |f| js::js(f.source, f.target),
    },
    OfTemplates {
        name: "ovlp_template",
        direction: Likeness,
        compute: |f| overlap::templates(f.source_templates, f.target_templates),
    },
    OfTemplates {
        name: "ovlp_ngram",
        direction: Likeness,
        compute: |f| overlap::ngrams(f.source, f.target),
    },
    OfTemplates {
        name: "template_jaccard",
        direction: Likeness,
        compute: |f| overlap::jaccard(f.source_templates, f.target_templates),
    },
];

/// One line for each score of parse trees.
const OF_TREES: &[OfTexts] = &[
    OfTexts {
        name: "feature_energy",
        direction: Distance,
        compute: |s, t| features::energy(&s.features, &t.features),
    },
    OfTexts {
        name: "feature_wasserstein",
        direction: Distance,
        compute: |s, t| features::mean_wasserstein(&s.features, &t.features),
    },
    OfTexts {
        name: "subtree_jaccard",
        direction: Likeness,
        compute: |s, t| subtree::jaccard(&s.subtrees, &t.subtrees),
    },
];

/// One line for each score of questions.
const OF_QUESTIONS: &[OfTexts] = &[
    OfTexts {
        name: "question_tfidf",
        direction: Likeness,
        compute: |s, t| question::tfidf(s.questions.as_ref()?, t.questions.as_ref()?),
    },
    OfTexts {
        name: "question_bm25",
        direction: Likeness,
        compute: |s, t| question::bm25(s.questions.as_ref()?, t.questions.as_ref()?),
    },
];

/// What scores of texts see of a set.
struct Texts {
    features: features::Sample,
    subtrees: subtree::Multiset,
    /// Queries that are in neither, because the parser refuses them.
    refused: usize,
    /// None where a question is not known.
    questions: Option<Vec<Vec<String>>>,
}

impl Texts {
    fn new(set: &Workload) -> Self {
        let queries = set.queries();
        let read = |query: &Query| {
            let parsed = Parsed::new(&query.sql)?;
            Some((parsed.features(), parsed.subtrees()))
        };
        let (features, subtrees): (Vec<_>, Vec<_>) = queries.par_iter().filter_map(read).unzip();
        Self {
            refused: queries.len() - features.len(),
            features: features::Sample::new(&features),
            subtrees: subtree::Multiset::new(&subtrees),
            questions: queries
                .iter()
                .map(|query| Some(question::words(query.question.as_ref()?)))
                .collect(),
        }
    }
}

/// Which way the score of this name goes, `NAME_ratio` included: ratios are likenesses all. Names that are not of the
/// table are taken for likenesses, unless they say that they are distances.
pub fn direction(name: &str) -> Direction {
    if name.ends_with("_ratio") {
        return Likeness;
    }
    let plain = name.strip_suffix("_style_free").unwrap_or(name);
    let of_templates = OF_TEMPLATES.iter().map(|it| (it.name, it.direction));
    let of_texts = OF_TREES
        .iter()
        .chain(OF_QUESTIONS)
        .map(|it| (it.name, it.direction));
    let known = of_templates
        .chain(of_texts)
        .chain(model::TABLE.iter().map(|it| (it.name, it.direction)))
        .find(|(known, _)| *known == plain);
    if let Some((_, direction)) = known {
        return direction;
    }
    let distances = [
        "d_kl",
        "wasserstein_",
        "energy",
        "mmd",
        "distance",
        "gap",
        "nll",
    ];
    if distances.iter().any(|part| plain.contains(part)) {
        Distance
    } else {
        Likeness
    }
}

/// All scores of `source` against `target`, those of templates first, in the order of the table. `predictions` are what
/// a model writes for the target's questions.
///
/// # Errors
/// As [`compare`](crate::compare()) of source and target; what the predictions lack is told in their rows.
pub fn score_table(
    source: &Workload,
    target: &Workload,
    predictions: Option<&Workload>,
    options: &Options,
) -> Result<Vec<ScoreRow>, AlignError> {
    options.check()?;
    let mut rows = Vec::new();
    let forms: &[bool] = if options.style_free {
        &[false]
    } else {
        &[false, true]
    };
    for &style_free in forms {
        let options = Options {
            style_free: options.style_free || style_free,
            ..*options
        };
        let of_source = of_templates(source, target, Role::Source, options)?;
        // Predictions without a template are a finding about the model: they cost the ratios, not the table.
        let of_predictions =
            predictions.map(|it| of_templates(it, target, Role::Predictions, options).ok());
        for (place, score) in OF_TEMPLATES.iter().enumerate() {
            let name = if style_free {
                format!("{}_style_free", score.name)
            } else {
                score.name.to_owned()
            };
            let own = of_predictions
                .as_ref()
                .and_then(|all| Some(all.as_ref()?[place]));
            let mut row = ScoreRow::new(name, score.direction, Some(of_source[place]), own);
            if of_predictions.is_some() && own.is_none() {
                row.missing = Some(Missing::NoTemplates);
            }
            rows.push(row);
        }
    }
    let sets: Vec<&Workload> = [Some(source), Some(target), predictions]
        .into_iter()
        .flatten()
        .collect();
    let texts: Vec<Texts> = sets.par_iter().map(|set| Texts::new(set)).collect();
    let (s, t, m) = (&texts[0], &texts[1], texts.get(2));
    let refused = Refused {
        source: s.refused,
        target: t.refused,
        predictions: m.map_or(0, |m| m.refused),
    };
    let of_trees = |name: String, direction, compute: &dyn Fn(&Texts) -> Option<f64>| {
        let (value, own) = (compute(s), m.and_then(compute));
        let mut row = ScoreRow::new(name, direction, value, own);
        if value.is_none() || (m.is_some() && own.is_none()) {
            row.missing = Some(Missing::NothingParsed);
        }
        let any = refused.source + refused.target + refused.predictions > 0;
        row.refused = any.then_some(refused);
        row
    };
    let trees: Vec<ScoreRow> = OF_TREES
        .par_iter()
        .map(|score| {
            let compute = |set: &Texts| (score.compute)(set, t);
            of_trees(score.name.to_owned(), score.direction, &compute)
        })
        .collect();
    rows.extend(trees);
    for (place, name) in FEATURES.iter().enumerate() {
        let compute = |set: &Texts| features::wasserstein(&set.features, &t.features, place);
        rows.push(of_trees(format!("wasserstein_{name}"), Distance, &compute));
    }
    let of_questions: Vec<ScoreRow> = OF_QUESTIONS
        .par_iter()
        .map(|score| {
            let value = (score.compute)(s, t);
            let mut row = ScoreRow::new(score.name.to_owned(), score.direction, value, None);
            row.missing = match value {
                None => Some(Missing::NoQuestions),
                Some(_) => m.map(|_| Missing::SameQuestions),
            };
            row
        })
        .collect();
    rows.extend(of_questions);
    Ok(rows)
}

impl ScoreRow {
    /// A row with its ratio.
    pub(crate) fn new(
        name: String,
        direction: Direction,
        value: Option<f64>,
        of_predictions: Option<f64>,
    ) -> Self {
        let parts = value
            .zip(of_predictions)
            .map(|(own, of_model)| match direction {
                Likeness => (own, of_model),
                Distance => (of_model, own),
            });
        let ratio = parts
            .filter(|(_, below)| *below > 0.0)
            // A tiny divisor leads out of the range of numbers, which JSON could not hold.
            .map(|(above, below)| above / below)
            .filter(|ratio| ratio.is_finite());
        Self {
            name,
            direction,
            value,
            of_predictions,
            ratio,
            missing: (parts.is_some() && ratio.is_none()).then_some(Missing::DividedByZero),
            refused: None,
        }
    }
}

/// The scores of templates, in the order of the table.
fn of_templates(
    source: &Workload,
    target: &Workload,
    role: Role,
    options: Options,
) -> Result<Vec<f64>, AlignError> {
    require_templates(role, source.templates())?;
    require_templates(Role::Target, target.templates())?;
    let space = Space::new(&[source.templates(), target.templates()], options);
    let (source_templates, target_templates) = (space.templates(0), space.templates(1));
    let forms = Forms {
        source: &count(&space, role, &source_templates, options)?,
        target: &count(&space, Role::Target, &target_templates, options)?,
        source_templates: &source_templates,
        target_templates: &target_templates,
        alpha: options.alpha,
    };
    Ok(OF_TEMPLATES
        .iter()
        .map(|score| (score.compute)(&forms))
        .collect())
}

#[cfg(test)]
mod tests;
