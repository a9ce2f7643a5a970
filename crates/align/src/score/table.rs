//! The table of all scores: what each is called, which way it goes, and how it is computed.
//!
//! A score is a line here and a function in a file of its own. Those of templates are computed twice, with marks of style
//! and without (`_style_free`). Beside each value stands that of the model's own predictions and an AR-like ratio that is
//! above 1 where the training set is closer to the target than the predictions are.

use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::features::{self, FEATURES};
use super::{js, kl, overlap, question, skew, subtree};
use crate::compare::{count, require_templates};
use crate::distribution::{Counts, Space};
use crate::error::AlignError;
use crate::options::Options;
use crate::warning::Role;
use crate::workload::Workload;

/// Which values mean that two sets are close.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    /// High ones: a likeness.
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
}

/// Why there is no value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Missing {
    /// Not all questions are known.
    NoQuestions,
    /// Predictions answer the target's own questions, so that there is nothing to divide by.
    SameQuestions,
    /// No query of a set can be parsed.
    NothingParsed,
    /// What would be divided by is 0.
    DividedByZero,
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
    /// None where a question is not known.
    questions: Option<Vec<Vec<String>>>,
}

impl Texts {
    fn new(set: &Workload) -> Self {
        let queries = set.queries();
        let sqls: Vec<&str> = queries.iter().map(|query| query.sql.as_str()).collect();
        Self {
            features: features::Sample::new(&sqls),
            subtrees: subtree::Multiset::new(&sqls),
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
/// As [`compare`](crate::compare()).
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
        let of_predictions = match predictions {
            Some(predictions) => Some(of_templates(
                predictions,
                target,
                Role::Predictions,
                options,
            )?),
            None => None,
        };
        for (place, score) in OF_TEMPLATES.iter().enumerate() {
            let name = if style_free {
                format!("{}_style_free", score.name)
            } else {
                score.name.to_owned()
            };
            let own = of_predictions.as_ref().map(|all| all[place]);
            rows.push(ScoreRow::new(
                name,
                score.direction,
                Some(of_source[place]),
                own,
            ));
        }
    }
    let sets: Vec<&Workload> = [Some(source), Some(target), predictions]
        .into_iter()
        .flatten()
        .collect();
    let texts: Vec<Texts> = sets.par_iter().map(|set| Texts::new(set)).collect();
    let (s, t, m) = (&texts[0], &texts[1], texts.get(2));
    let of_trees: Vec<ScoreRow> = OF_TREES
        .par_iter()
        .map(|score| {
            let value = (score.compute)(s, t);
            let own = m.and_then(|m| (score.compute)(m, t));
            let mut row = ScoreRow::new(score.name.to_owned(), score.direction, value, own);
            if value.is_none() || (m.is_some() && own.is_none()) {
                row.missing = Some(Missing::NothingParsed);
            }
            row
        })
        .collect();
    rows.extend(of_trees);
    for (place, name) in FEATURES.iter().enumerate() {
        let of = |set: &Texts| features::wasserstein(&set.features, &t.features, place);
        let row = ScoreRow::new(
            format!("wasserstein_{name}"),
            Distance,
            of(s),
            m.and_then(of),
        );
        rows.push(row);
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
            .map(|(above, below)| above / below);
        Self {
            name,
            direction,
            value,
            of_predictions,
            ratio,
            missing: (parts.is_some() && ratio.is_none()).then_some(Missing::DividedByZero),
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
