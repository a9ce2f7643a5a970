//! Which examples of a pool may be chosen: those with a template, once each, and none of the target's own.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::{POOL, Pool, SelectOptions};
use crate::sparse::Sparse;
use crate::workload::Workload;

/// Examples of a pool that were not to be chosen, by the reason found first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Removed {
    /// Without a template.
    pub no_template: usize,
    /// With the normalised query or question of one of the target's: it would be trained on what it is tested on.
    pub leaks: usize,
    /// With the template and the normalised query or question of an earlier one.
    pub duplicates: usize,
}

/// The examples that may be chosen, in the order of the pool.
pub(super) struct Candidates {
    /// Place in the pool, template, database.
    rows: Vec<(usize, u32, Option<usize>)>,
    databases: usize,
}

impl Candidates {
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    pub fn place(&self, candidate: usize) -> usize {
        self.rows[candidate].0
    }

    pub fn template(&self, candidate: usize) -> u32 {
        self.rows[candidate].1
    }

    /// The number of its database; the same name in two sets is two databases.
    pub fn database(&self, candidate: usize) -> Option<usize> {
        self.rows[candidate].2
    }

    /// How many databases there are.
    pub fn databases(&self) -> usize {
        self.databases
    }
}

pub(super) fn candidates(
    pool: &Pool,
    target: &Workload,
    space: &Sparse,
    options: &SelectOptions,
) -> (Candidates, Removed) {
    let asked: BTreeSet<String> = target
        .queries()
        .iter()
        .flat_map(|query| {
            [
                Some(compact(&query.sql)),
                query.question.as_deref().and_then(words),
            ]
        })
        .flatten()
        .collect();
    let mut removed = Removed::default();
    let mut rows = Vec::new();
    let mut seen = BTreeSet::new();
    let mut databases = BTreeMap::new();
    for (place, query) in pool.workload().queries().iter().enumerate() {
        let Some(template) = space.slots(POOL)[place] else {
            removed.no_template += 1;
            continue;
        };
        let texts: Vec<String> = [
            Some(compact(&query.sql)),
            query.question.as_deref().and_then(words),
        ]
        .into_iter()
        .flatten()
        .collect();
        if !options.keep_leaks && texts.iter().any(|text| asked.contains(text)) {
            removed.leaks += 1;
            continue;
        }
        let known = texts
            .into_iter()
            .filter(|text| !seen.insert((template, text.clone())))
            .count();
        if !options.keep_duplicates && known > 0 {
            removed.duplicates += 1;
            continue;
        }
        let database = query.db_id.as_deref().map(|name| {
            let next = databases.len();
            *databases
                .entry((pool.number_of(place), name))
                .or_insert(next)
        });
        rows.push((place, template, database));
    }
    let databases = databases.len();
    (Candidates { rows, databases }, removed)
}

/// A query without what changes nothing: case, kind of quotes, white space but between two words, a last semicolon.
fn compact(sql: &str) -> String {
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    let mut text = String::with_capacity(sql.len());
    for part in sql.trim_end_matches([';', ' ', '\n']).split_whitespace() {
        let joins_words = text.ends_with(is_word) && part.starts_with(is_word);
        if joins_words {
            text.push(' ');
        }
        let lower = part.chars().flat_map(char::to_lowercase);
        text.extend(lower.map(|c| if matches!(c, '"' | '`') { '\'' } else { c }));
    }
    text
}

/// The words of a question, without case and punctuation; none if it has none. The mark in front keeps it apart from
/// any query.
fn words(question: &str) -> Option<String> {
    let words: Vec<String> = question
        .split(|c: char| !c.is_alphanumeric())
        .filter(|word| !word.is_empty())
        .map(str::to_lowercase)
        .collect();
    (!words.is_empty()).then(|| format!("? {}", words.join(" ")))
}

#[cfg(test)]
mod tests {
    use super::{compact, words};

    #[test]
    fn what_changes_nothing_is_left_out() {
        let plain = compact("select count(*) from t where a = 'x'");
        assert_eq!(
            compact("SELECT  COUNT ( * )\nFROM t WHERE a=\"x\" ; "),
            plain
        );
        assert_ne!(compact("select a b from t"), compact("select ab from t"));
        assert_eq!(words("How many? Two!").unwrap(), "? how many two");
        assert_eq!(words("?!"), None);
    }
}
