//! The n-grams of a fixed list of templates, in groups that always occur together.
//!
//! All runs that begin at one place of a template are beginnings of the longest one, so a template is a list of longest
//! runs, one for each of its tokens, and sorting these brings equal beginnings side by side. A feature is then a range of
//! ranks in the sorted list: it occurs as often as the longest runs in its range do. Features with the same range make one
//! group, whatever templates are counted; Spider and BIRD have about a third as many groups as features.
//!
//! Letters: f feature, g group, r rank of a longest run, t template.

use std::collections::HashMap;
use std::hash::{BuildHasher, BuildHasherDefault};

use super::{Feature, NgramOptions, TokenClass};
use crate::hash::NumberHasher;
use crate::template::Template;

mod group;
mod sort;

use group::{Group, groups};
use sort::{LongestRun, longest_runs, sort};

/// Numbers the features of some templates and counts them in any multiset of these templates.
///
/// Features are numbered by what the runs are: the numbers depend on which templates there are, and neither on their order
/// nor on how often each is given.
#[derive(Clone, Debug)]
pub struct NgramTable {
    /// The different tokens, sorted.
    tokens: Vec<Box<str>>,
    /// The places in `tokens` of all different templates, one after another.
    text: Vec<u32>,
    /// Where each different template ends in `text`.
    ends: Vec<usize>,
    /// For each template that was given the number of its like.
    numbers: Vec<u32>,
    /// For each place in `text` the rank of the longest run that begins there, or `NO_RUN`.
    ranks: Vec<u32>,
    n_ranks: usize,
    filters: bool,
    groups: Vec<Group>,
    /// The number of the first feature of each group, and behind them the number of features.
    first: Vec<Feature>,
}

/// Marks a place where no feature begins.
const NO_RUN: u32 = u32::MAX;

impl NgramTable {
    /// The table of `templates`, which may repeat themselves.
    pub fn new<'a>(
        templates: impl IntoIterator<Item = &'a Template>,
        options: NgramOptions,
    ) -> Self {
        let (mut words, mut order) = (
            HashMap::<_, _, BuildHasherDefault<NumberHasher>>::default(),
            Vec::new(),
        );
        let (mut text, mut ends, mut numbers) = (Vec::new(), Vec::new(), Vec::new());
        let mut same = HashMap::<u64, Vec<u32>, BuildHasherDefault<NumberHasher>>::default();
        for template in templates {
            let start = text.len();
            for token in template.tokens() {
                let word: &'a str = token;
                let next = order.len() as u32;
                let number = *words.entry(word).or_insert(next);
                if number == next {
                    order.push(word);
                }
                text.push(number);
            }
            let hash = same.hasher().hash_one(&text[start..]);
            let alike = same.entry(hash).or_default();
            let begin = |number: u32| {
                (number as usize)
                    .checked_sub(1)
                    .map_or(0, |before| ends[before])
            };
            let known = alike
                .iter()
                .copied()
                .find(|&number| text[begin(number)..ends[number as usize]] == text[start..]);
            numbers.push(known.unwrap_or(ends.len() as u32));
            if known.is_some() {
                text.truncate(start);
            } else {
                alike.push(ends.len() as u32);
                ends.push(text.len());
            }
        }
        // From the order of first sight to that of the words.
        let mut sorted: Vec<u32> = (0..order.len() as u32).collect();
        sorted.sort_unstable_by_key(|&number| order[number as usize]);
        let mut places = vec![0; order.len()];
        for (place, &number) in sorted.iter().enumerate() {
            places[number as usize] = place as u32;
        }
        for token in &mut text {
            *token = places[*token as usize];
        }
        let tokens: Vec<Box<str>> = sorted.iter().map(|&n| order[n as usize].into()).collect();
        let classes: Vec<TokenClass> = tokens.iter().map(|token| TokenClass::of(token)).collect();

        let mut runs = longest_runs(&text, &ends, &classes, options);
        sort(&mut runs, &text, tokens.len());
        let mut ranks = vec![NO_RUN; text.len()];
        let mut different: Vec<LongestRun> = Vec::new();
        for run in &runs {
            let known = different
                .last()
                .is_some_and(|last| last.tokens(&text) == run.tokens(&text));
            if !known {
                different.push(*run);
            }
            ranks[run.place()] = different.len() as u32 - 1;
        }
        let groups = groups(&different, &text, &classes, options.filters);
        let mut first = Vec::with_capacity(groups.len() + 1);
        first.push(0);
        for group in &groups {
            first.push(first.last().copied().unwrap_or_default() + group.size);
        }
        Self {
            tokens,
            text,
            ends,
            numbers,
            ranks,
            n_ranks: different.len(),
            filters: options.filters,
            groups,
            first,
        }
    }

    /// For each template that was given its number; templates have one number iff they are the same.
    pub fn numbers(&self) -> &[u32] {
        &self.numbers
    }

    /// How many different templates there are; their numbers are `0..n_templates()`.
    pub fn n_templates(&self) -> usize {
        self.ends.len()
    }

    /// How many features there are; their numbers are `0..n_features()`.
    pub fn n_features(&self) -> usize {
        self.first.last().copied().unwrap_or_default() as usize
    }

    /// How many groups there are.
    pub fn n_groups(&self) -> usize {
        self.groups.len()
    }

    /// How many features each group has (g), at least one.
    pub fn sizes(&self) -> impl ExactSizeIterator<Item = u32> + '_ {
        self.groups.iter().map(|group| group.size)
    }

    /// How often each feature of each group (g) occurs in a multiset of templates, given as a number of times for each
    /// template (t); saturating.
    pub fn count(&self, times: &[u32]) -> Vec<u32> {
        // below[r + 1] is first how often run r occurs, then how often a run up to r does.
        let mut below = vec![0_u64; self.n_ranks + 1];
        let mut start = 0;
        for (&end, &times) in self.ends.iter().zip(times) {
            if times > 0 {
                for &rank in self.ranks[start..end]
                    .iter()
                    .filter(|rank| **rank != NO_RUN)
                {
                    below[rank as usize + 1] += u64::from(times);
                }
            }
            start = end;
        }
        let mut total = 0;
        for count in &mut below {
            total += *count;
            *count = total;
        }
        let of = |group: &Group| below[group.ranks.1 as usize] - below[group.ranks.0 as usize];
        self.groups
            .iter()
            .map(|group| u32::try_from(of(group)).unwrap_or(u32::MAX))
            .collect()
    }

    /// From numbers for groups to numbers for features: that of its group for each.
    pub fn spread(&self, of_groups: &[u32]) -> Vec<u32> {
        let mut of_features = Vec::with_capacity(self.n_features());
        for (number, size) in of_groups.iter().zip(self.sizes()) {
            of_features.extend(std::iter::repeat_n(*number, size as usize));
        }
        of_features
    }

    /// The tokens of a feature with one blank between them.
    pub fn text(&self, feature: Feature) -> Option<String> {
        let group = self
            .first
            .partition_point(|first| *first <= feature)
            .checked_sub(1)?;
        let nth = feature - self.first[group];
        let group = self.groups.get(group)?;
        let class = |token| TokenClass::of(&self.tokens[token as usize]);
        let run = group.feature(nth as usize, &self.text, class, self.filters)?;
        let tokens: Vec<&str> = run
            .iter()
            .map(|token| &*self.tokens[*token as usize])
            .collect();
        Some(tokens.join(" "))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::NgramTable;
    use crate::ngram::{NgramOptions, count};
    use crate::template::{Template, template};

    const QUERIES: &[&str] = &[
        "SELECT a FROM t",
        "SELECT count(*) FROM t WHERE a > (SELECT avg(a) FROM t) ORDER BY a DESC LIMIT 1",
        "SELECT a, b, c FROM t JOIN u ON t.a = u.a WHERE b IN (1, 2, 3)",
        "VALUES (1, max(2))",
        "SELECT a FROM t WHERE f(f(f(a, b), c), d) = 1 OR f(a) = f(b)",
        "(((",
        "SELECT )) , ((",
    ];

    /// Features with their counts, by text, as the table has them.
    fn counts(templates: &[Template], options: NgramOptions) -> BTreeMap<String, u64> {
        let table = NgramTable::new(templates, options);
        let mut times = vec![0; table.n_templates()];
        for number in table.numbers() {
            times[*number as usize] += 1;
        }
        let counts = table.spread(&table.count(&times));
        assert_eq!(counts.len(), table.n_features());
        assert_eq!(table.text(counts.len() as u32), None);
        let texts = (0..counts.len() as u32).map(|f| table.text(f).unwrap());
        let shown: BTreeMap<_, _> = texts.zip(counts.iter().map(|n| u64::from(*n))).collect();
        assert_eq!(shown.len(), counts.len(), "two features have one text");
        shown
    }

    #[test]
    fn the_table_counts_as_the_index_does() {
        let templates: Vec<_> = QUERIES
            .iter()
            .filter_map(|sql| template(sql).ok())
            .collect();
        let repeated: Vec<_> = templates.iter().chain(&templates[1..4]).cloned().collect();
        for l_max in [0, 1, 2, 3, 7, 8, 9, 15, 40, usize::MAX] {
            for filters in [false, true] {
                let options = NgramOptions { l_max, filters };
                assert_eq!(
                    counts(&repeated, options),
                    count(&repeated, options),
                    "{options:?}"
                );
            }
        }
    }

    #[test]
    fn numbers_do_not_depend_on_the_order() {
        let templates: Vec<_> = QUERIES
            .iter()
            .filter_map(|sql| template(sql).ok())
            .collect();
        let texts = |templates: &mut dyn Iterator<Item = &Template>| {
            let table = NgramTable::new(templates, NgramOptions::default());
            (0..table.n_features() as u32)
                .map(|f| table.text(f))
                .collect::<Vec<_>>()
        };
        assert_eq!(
            texts(&mut templates.iter()),
            texts(&mut templates.iter().rev())
        );
    }

    #[test]
    fn more_occurrences_than_can_be_told_are_the_most_that_can() {
        let twice = template("SELECT f(f(1))").unwrap();
        let table = NgramTable::new([&twice], NgramOptions::default());
        let most = table.count(&[u32::MAX]);
        assert!(most.iter().all(|n| *n == u32::MAX));
        assert_eq!(NgramTable::new([], NgramOptions::default()).n_features(), 0);
    }
}
