//! Which n-grams and templates carry the divergence: what the source lacks, and what it has too much of.
//!
//! D(S, T) = Σ P ln(P/Q) has one term an n-gram. A term is positive where the source has too much of it and negative
//! where it has too little; what the source lacks is told by the terms of the other direction, D(T, S) = Σ Q ln(Q/P).
//! Terms add up to the divergence, so that a share of it can be laid to an n-gram.
//!
//! One habit is spread over many n-grams, so words are summed up too. A long run drags its parts along: the parts of `INNER JOIN ON =` are up and down with it. Of runs that contain one
//! another only the one with the largest term is listed; the others' terms are still in the sum.

mod templates;
mod words;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
pub use templates::{TemplateRow, templates};
pub use words::WordRow;

use crate::compare::{count, require_templates};
use crate::distribution::Space;
use crate::error::AlignError;
use crate::options::Options;
use crate::score::kl::kl;
use crate::warning::Role;
use crate::workload::Workload;

/// Queries that are named for a row.
pub(crate) const EXAMPLES: usize = 3;

/// What carries the divergence of a source from a target.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Explanation {
    /// Name of the source.
    pub source: String,
    /// Name of the target.
    pub target: String,
    /// D(S, T) in nats.
    pub d_kl: f64,
    /// D(T, S) in nats.
    pub d_kl_rev: f64,
    /// Words of which the source has too much, by what their n-grams add to D(S, T).
    pub words_too_much: Vec<WordRow>,
    /// Words that the source lacks or has too little of, by what their n-grams add to D(T, S).
    pub words_too_little: Vec<WordRow>,
    /// N-grams of which the source has too much, by their term in D(S, T).
    pub too_much: Vec<NgramRow>,
    /// N-grams that the source lacks or has too little of, by their term in D(T, S).
    pub too_little: Vec<NgramRow>,
    /// The most frequent templates of the target that the source lacks or has too little of.
    pub templates_too_little: Vec<TemplateRow>,
    /// The most frequent templates of the source of which it has too much.
    pub templates_too_much: Vec<TemplateRow>,
}

/// An n-gram.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct NgramRow {
    /// Its tokens.
    pub ngram: String,
    /// How often it occurs in the source.
    pub n_source: u32,
    /// How often it occurs in the target.
    pub n_target: u32,
    /// Its share of all n-grams of the source.
    pub p: f64,
    /// Its share of all n-grams of the target.
    pub q: f64,
    /// Its term in the divergence, in nats.
    pub term: f64,
    /// The term by the divergence. Terms of both signs add up to 1, so single ones may be above it.
    pub share: f64,
    /// Ids of queries that have it, of the set that has more of it.
    pub examples: Vec<String>,
}

/// Explains the divergence of `source` from `target` by its `top` largest terms of each kind.
///
/// # Errors
/// As [`compare`](crate::compare()).
pub fn explain(
    source: &Workload,
    target: &Workload,
    options: &Options,
    top: usize,
) -> Result<Explanation, AlignError> {
    let Terms {
        space,
        features,
        n_source,
        n_target,
        d_kl,
        d_kl_rev,
    } = Terms::new(source, target, options)?;
    let texts = Texts::new(&space);
    let rows = |term: fn(&Feature) -> f64, d: f64, of: &Workload| -> Vec<NgramRow> {
        let chosen = readable(&features, term, &texts, top);
        let examples = examples(of, &chosen, &texts, *options);
        chosen
            .into_iter()
            .zip(examples)
            .map(|(it, examples)| NgramRow {
                ngram: texts.0[it.number as usize].clone(),
                n_source: it.n_source,
                n_target: it.n_target,
                p: f64::from(it.n_source) / n_source as f64,
                q: f64::from(it.n_target) / n_target as f64,
                term: term(it),
                share: if d > 0.0 { term(it) / d } else { 0.0 },
                examples,
            })
            .collect()
    };
    let (templates_too_little, templates_too_much) = templates(source, target, options, top);
    Ok(Explanation {
        source: source.name().to_owned(),
        target: target.name().to_owned(),
        d_kl,
        d_kl_rev,
        words_too_much: words::words(&features, |it| it.forward, d_kl, &texts, top),
        words_too_little: words::words(&features, |it| it.reverse, d_kl_rev, &texts, top),
        too_much: rows(|it| it.forward, d_kl, source),
        too_little: rows(|it| it.reverse, d_kl_rev, target),
        templates_too_little,
        templates_too_much,
    })
}

/// Every n-gram of either set with its terms.
struct Terms {
    space: Space,
    features: Vec<Feature>,
    n_source: u64,
    n_target: u64,
    d_kl: f64,
    d_kl_rev: f64,
}

impl Terms {
    fn new(source: &Workload, target: &Workload, options: &Options) -> Result<Self, AlignError> {
        options.check()?;
        require_templates(Role::Source, source.templates())?;
        require_templates(Role::Target, target.templates())?;
        let space = Space::new(&[source.templates(), target.templates()], *options);
        let s = count(&space, Role::Source, &space.templates(0), *options)?;
        let t = count(&space, Role::Target, &space.templates(1), *options)?;
        let (forward, reverse) = (kl(&s, &t, options.alpha), kl(&t, &s, options.alpha));
        let v = s.n.len() as f64;
        let smooth = |n: u32, total: u64| {
            (f64::from(n) + options.alpha) / (total as f64 + options.alpha * v)
        };
        let features: Vec<Feature> = (s.n.iter().zip(&t.n).enumerate())
            .map(|(feature, (&n_source, &n_target))| {
                let (p, q) = (smooth(n_source, s.total), smooth(n_target, t.total));
                Feature {
                    number: feature as u32,
                    n_source,
                    n_target,
                    forward: p * (p / q).ln(),
                    reverse: q * (q / p).ln(),
                }
            })
            .collect();
        Ok(Self {
            space,
            features,
            n_source: s.total,
            n_target: t.total,
            d_kl: forward.d,
            d_kl_rev: reverse.d,
        })
    }
}

/// The sums of all terms in both directions.
#[cfg(test)]
fn terms(
    source: &Workload,
    target: &Workload,
    options: &Options,
) -> Result<(f64, f64), AlignError> {
    let features = Terms::new(source, target, options)?.features;
    let sum = |term: fn(&Feature) -> f64| crate::sum::sum(features.iter().map(term));
    Ok((sum(|it| it.forward), sum(|it| it.reverse)))
}

/// An n-gram with its terms in both directions.
#[derive(Clone, Copy, Debug)]
struct Feature {
    number: u32,
    n_source: u32,
    n_target: u32,
    forward: f64,
    reverse: f64,
}

/// The text of each feature of a space.
struct Texts(Vec<String>);

impl Texts {
    fn new(space: &Space) -> Self {
        Self((0..).map_while(|feature| space.text(feature)).collect())
    }
}

/// The `top` features with the largest positive terms, without those that contain a listed one or are part of one.
fn readable<'a>(
    features: &'a [Feature],
    term: fn(&Feature) -> f64,
    texts: &Texts,
    top: usize,
) -> Vec<&'a Feature> {
    let mut order: Vec<&Feature> = features.iter().filter(|it| term(it) > 0.0).collect();
    order.sort_by(|a, b| term(b).total_cmp(&term(a)).then(a.number.cmp(&b.number)));
    let mut chosen: Vec<&Feature> = Vec::new();
    for it in order {
        if chosen.len() == top {
            break;
        }
        let text = &texts.0[it.number as usize];
        let nested = chosen.iter().any(|other| {
            let other = &texts.0[other.number as usize];
            contains(text, other) || contains(other, text)
        });
        if !nested {
            chosen.push(it);
        }
    }
    chosen
}

/// Whether the tokens of `part` stand in `whole` one after another.
fn contains(whole: &str, part: &str) -> bool {
    let mut from = 0;
    while let Some(at) = whole[from..].find(part) {
        let (start, end) = (from + at, from + at + part.len());
        let before = start == 0 || whole.as_bytes()[start - 1] == b' ';
        let after = end == whole.len() || whole.as_bytes()[end] == b' ';
        if before && after {
            return true;
        }
        // The next token; what matched begins with a whole character.
        from = start + part.chars().next().map_or(1, char::len_utf8);
    }
    false
}

/// For each of `chosen` the first queries of `of` whose template has it.
fn examples(
    of: &Workload,
    chosen: &[&Feature],
    texts: &Texts,
    options: Options,
) -> Vec<Vec<String>> {
    let mut found: Vec<Vec<String>> = vec![Vec::new(); chosen.len()];
    let mut printed: BTreeMap<&harness_sql::Template, String> = BTreeMap::new();
    for (query, template) in of.queries().iter().zip(of.templates().by_query()) {
        let Some(template) = template else { continue };
        let text = printed.entry(template).or_insert_with(|| {
            if options.style_free {
                template.style_free().to_string()
            } else {
                template.to_string()
            }
        });
        let mut open = false;
        for (row, it) in found.iter_mut().zip(chosen) {
            if row.len() < EXAMPLES {
                open = true;
                if contains(text, &texts.0[it.number as usize]) {
                    row.push(query.id.clone());
                }
            }
        }
        if !open {
            break;
        }
    }
    found
}

#[cfg(test)]
mod tests;
