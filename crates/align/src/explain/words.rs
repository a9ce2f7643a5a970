//! The divergence by word: what all n-grams that hold a token add to it.
//!
//! An n-gram of several tokens counts for each of them, so the sums of different tokens overlap and do not add up; but
//! one habit, such as INNER before JOIN, which is spread over thousands of n-grams, shows as one line.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::{Feature, Texts};
use crate::sum::sum;

/// A token with the n-grams that hold it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct WordRow {
    /// The token.
    pub word: String,
    /// How often it occurs in the source.
    pub n_source: u32,
    /// How often it occurs in the target.
    pub n_target: u32,
    /// Sum of the terms of all n-grams that hold it, in nats.
    pub sum: f64,
    /// That sum by the divergence.
    pub share: f64,
}

/// The `top` tokens by what their n-grams add to a divergence of `d`. Only tokens that are n-grams themselves are
/// listed, which words and no signs are.
pub(super) fn words(
    features: &[Feature],
    term: fn(&Feature) -> f64,
    d: f64,
    texts: &Texts,
    top: usize,
) -> Vec<WordRow> {
    let mut terms: BTreeMap<&str, Vec<f64>> = BTreeMap::new();
    let mut alone: BTreeMap<&str, &Feature> = BTreeMap::new();
    for feature in features {
        let text = &texts.0[feature.number as usize];
        if !text.contains(' ') {
            alone.insert(text, feature);
        }
        let held: BTreeSet<&str> = text.split(' ').collect();
        for token in held {
            terms.entry(token).or_default().push(term(feature));
        }
    }
    let mut rows: Vec<WordRow> = terms
        .into_iter()
        .filter_map(|(token, terms)| {
            let own = alone.get(token)?;
            let sum = sum(terms);
            Some(WordRow {
                word: token.to_owned(),
                n_source: own.n_source,
                n_target: own.n_target,
                sum,
                share: if d > 0.0 { sum / d } else { 0.0 },
            })
        })
        .filter(|row| row.sum > 0.0)
        .collect();
    rows.sort_by(|a, b| b.sum.total_cmp(&a.sum));
    rows.truncate(top);
    rows
}
