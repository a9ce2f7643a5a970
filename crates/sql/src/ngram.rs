//! N-grams of templates: which runs of tokens occur, and how often (F1).
//!
//! Counting is exact. A run is named by its place in a trie, not by a hash of its text: the node of a
//! run of l tokens is found from the node of its first l − 1 tokens and its last token, so that each run
//! costs one look-up of a 64-bit key and no two runs can be confused.

use std::collections::{BTreeMap, HashMap};
use std::hash::BuildHasherDefault;

use serde::{Deserialize, Serialize};

use crate::hash::NumberHasher;
use crate::template::Template;

mod table;

pub use table::NgramTable;

/// Which runs are features.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct NgramOptions {
    /// The longest run, in tokens.
    pub l_max: usize,
    /// Drop runs that begin or end with a comma, whose parentheses do not match, or without a word.
    pub filters: bool,
}

impl Default for NgramOptions {
    /// The setting of the paper: runs of up to 15 tokens, filtered.
    fn default() -> Self {
        Self {
            l_max: 15,
            filters: true,
        }
    }
}

/// A run of tokens, numbered in the order in which an [`NgramIndex`] first saw it.
pub type Feature = u32;

/// Numbers the features of the templates it is shown; two templates share a number iff they share the run.
#[derive(Clone, Debug)]
pub struct NgramIndex {
    options: NgramOptions,
    token_ids: HashMap<Box<str>, u32>,
    tokens: Vec<(Box<str>, TokenClass)>,
    /// (node << 32 | token) to the node of the run that is longer by that token; node 0 is the empty run.
    children: HashMap<u64, u32, BuildHasherDefault<NumberHasher>>,
    /// The feature at each node, or `NO_FEATURE` where the filters drop the run.
    feature_at: Vec<Feature>,
    /// Parent node and last token of each node but the first.
    parents: Vec<(u32, u32)>,
    /// The node of each feature.
    nodes: Vec<u32>,
}

/// Marks a node whose run is only the beginning of a feature.
const NO_FEATURE: Feature = Feature::MAX;

/// What the filters see in a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum TokenClass {
    Comma,
    Open,
    Close,
    Word,
    Operator,
}

impl TokenClass {
    fn of(token: &str) -> Self {
        match token.chars().next() {
            Some(',') => Self::Comma,
            Some('(') => Self::Open,
            Some(')') => Self::Close,
            Some(c) if c.is_ascii_uppercase() || c == '_' || !c.is_ascii() => Self::Word,
            _ => Self::Operator,
        }
    }
}

/// What the filters need to know of a run while it grows by one token after another.
#[derive(Clone, Copy, Debug, Default)]
struct Run {
    length: usize,
    depth: usize,
    has_word: bool,
}

/// What a run is with its last token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    /// A feature.
    Feature,
    /// No feature, but a longer one may be.
    Part,
    /// No feature, and no longer one from the same place is: it begins with a comma, or its depth fell below 0.
    Over,
}

impl Run {
    fn push(&mut self, class: TokenClass, filters: bool) -> Step {
        let first = self.length == 0;
        self.length += 1;
        if !filters {
            return Step::Feature;
        }
        match class {
            TokenClass::Comma if first => return Step::Over,
            TokenClass::Close if self.depth == 0 => return Step::Over,
            TokenClass::Open => self.depth += 1,
            TokenClass::Close => self.depth -= 1,
            TokenClass::Word => self.has_word = true,
            TokenClass::Comma | TokenClass::Operator => {}
        }
        if self.has_word && self.depth == 0 && class != TokenClass::Comma {
            Step::Feature
        } else {
            Step::Part
        }
    }
}

impl NgramIndex {
    /// An index that has seen no template.
    pub fn new(options: NgramOptions) -> Self {
        Self {
            options,
            token_ids: HashMap::new(),
            tokens: Vec::new(),
            children: HashMap::default(),
            feature_at: vec![NO_FEATURE],
            parents: vec![(0, 0)],
            nodes: Vec::new(),
        }
    }

    /// Number of features seen so far; they are `0..len()`.
    pub fn len(&self) -> usize {
        self.nodes.len()
    }

    /// Whether no feature was seen yet.
    pub fn is_empty(&self) -> bool {
        self.nodes.is_empty()
    }

    /// The features of one template, ascending, each with its number of occurrences.
    pub fn count(&mut self, template: &Template) -> Vec<(Feature, u32)> {
        let tokens: Vec<u32> = template
            .tokens()
            .iter()
            .map(|token| self.intern(token))
            .collect();
        let mut found = Vec::with_capacity(tokens.len() * 4);
        for start in 0..tokens.len() {
            self.runs_from(&tokens[start..], &mut found);
        }
        found.sort_unstable();
        found
            .chunk_by(|a, b| a == b)
            .map(|run| (run[0], run.len() as u32))
            .collect()
    }

    /// The tokens of a feature with one blank between them.
    pub fn text(&self, feature: Feature) -> Option<String> {
        let mut node = *self.nodes.get(feature as usize)?;
        let mut tokens = Vec::new();
        while node != 0 {
            let (parent, token) = self.parents[node as usize];
            tokens.push(self.tokens[token as usize].0.as_ref());
            node = parent;
        }
        tokens.reverse();
        Some(tokens.join(" "))
    }

    /// Adds the features that begin with the first of `tokens`.
    fn runs_from(&mut self, tokens: &[u32], found: &mut Vec<Feature>) {
        let filters = self.options.filters;
        let mut node = 0;
        let mut run = Run::default();
        for &token in tokens.iter().take(self.options.l_max) {
            let step = run.push(self.tokens[token as usize].1, filters);
            if step == Step::Over {
                return;
            }
            node = self.child(node, token);
            if step == Step::Feature {
                found.push(self.feature(node));
            }
        }
    }

    fn intern(&mut self, token: &str) -> u32 {
        if let Some(&id) = self.token_ids.get(token) {
            return id;
        }
        let class = TokenClass::of(token);
        let id = self.tokens.len() as u32;
        self.tokens.push((token.into(), class));
        self.token_ids.insert(token.into(), id);
        id
    }

    fn child(&mut self, node: u32, token: u32) -> u32 {
        let next = self.feature_at.len() as u32;
        let child = *self
            .children
            .entry(u64::from(node) << 32 | u64::from(token))
            .or_insert(next);
        if child == next {
            self.feature_at.push(NO_FEATURE);
            self.parents.push((node, token));
        }
        child
    }

    fn feature(&mut self, node: u32) -> Feature {
        let slot = &mut self.feature_at[node as usize];
        if *slot == NO_FEATURE {
            *slot = self.nodes.len() as Feature;
            self.nodes.push(node);
        }
        *slot
    }
}

/// The n-grams of some templates as text, each with its number of occurrences: for reports and tests.
pub fn count<'a>(
    templates: impl IntoIterator<Item = &'a Template>,
    options: NgramOptions,
) -> BTreeMap<String, u64> {
    let mut index = NgramIndex::new(options);
    let mut totals: Vec<u64> = Vec::new();
    for template in templates {
        for (feature, n) in index.count(template) {
            let needed = totals.len().max(feature as usize + 1);
            totals.resize(needed, 0);
            totals[feature as usize] += u64::from(n);
        }
    }
    let texts = (0..totals.len() as Feature).filter_map(|feature| index.text(feature));
    texts.zip(totals.iter().copied()).collect()
}

#[cfg(test)]
mod tests {
    use super::{NgramIndex, NgramOptions, count};
    use crate::template::template;

    fn check(sql: &str, l_max: usize, filters: bool, expected: &str) {
        let counts = count([&template(sql).unwrap()], NgramOptions { l_max, filters });
        let shown: Vec<_> = counts
            .iter()
            .map(|(text, n)| format!("{text}:{n}"))
            .collect();
        assert_eq!(shown.join("; "), expected, "{sql}");
    }

    #[test]
    fn filters() {
        check(
            "SELECT COUNT(*) FROM t",
            4,
            true,
            "( * ) FROM:1; COUNT:1; COUNT ( * ):1; FROM:1; SELECT:1; SELECT COUNT:1",
        );
        check("SELECT a, b, c", 9, true, "SELECT:1");
        check(
            "SELECT a, b, c",
            3,
            false,
            ",:2; , ,:1; SELECT:1; SELECT ,:1; SELECT , ,:1",
        );
        check(
            "VALUES (1, max(2))",
            9,
            true,
            "( , MAX ( ) ):1; MAX:1; MAX ( ):1; VALUES:1; VALUES ( , MAX ( ) ):1",
        );
        check(
            "VALUES (1)",
            3,
            false,
            "(:1; ( ):1; ):1; VALUES:1; VALUES (:1; VALUES ( ):1",
        );
        check("SELECT a FROM t", 0, true, "");
    }

    #[test]
    fn numbers_are_shared_between_templates() {
        let mut index = NgramIndex::new(NgramOptions::default());
        let first = index.count(&template("SELECT a FROM t").unwrap());
        let second = index.count(&template("SELECT a FROM t WHERE b = 1 AND c = 2").unwrap());
        assert_eq!(first, [(0, 1), (1, 1), (2, 1)]);
        assert_eq!(second[..3], first);
        let equal = (0..index.len() as u32)
            .find(|f| index.text(*f).unwrap() == "AND =")
            .unwrap();
        assert!(second.contains(&(equal, 1)));
        assert_eq!(index.text(9_999), None);
    }
}
