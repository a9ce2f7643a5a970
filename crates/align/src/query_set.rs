//! A set of queries as their templates.

use std::collections::{BTreeMap, BTreeSet};

use harness_sql::{Excluded, Template};
use rayon::prelude::*;

use crate::tally::Tally;

/// Queries that one thread reads at a time.
const PART: usize = 1 << 11;

/// The templates of a set of queries, and how many queries have none.
///
/// The order of the queries is kept: question i of a target and answer i of a model belong together.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct QuerySet {
    /// The different templates, sorted.
    distinct: Vec<Template>,
    /// For each query its template's place in `distinct`, or why it was left out.
    slots: Vec<Result<u32, Excluded>>,
    excluded: BTreeMap<Excluded, usize>,
}

impl QuerySet {
    /// Reads each string as one query.
    pub fn new<S: AsRef<str>>(queries: impl IntoIterator<Item = S>) -> Self {
        let mut tally = Tally::default();
        for sql in queries {
            tally.add(sql.as_ref());
        }
        tally.finish()
    }

    /// Reads the text of each of `queries`, on all threads; [`Self::new`] of the same texts is the same set.
    pub fn of<T: Sync>(queries: &[T], sql: impl Fn(&T) -> &str + Sync) -> Self {
        let read = |part: &[T]| {
            let mut tally = Tally::default();
            for query in part {
                tally.add(sql(query));
            }
            tally
        };
        let parts: Vec<Tally> = queries.par_chunks(PART).map(read).collect();
        let mut all = Tally::default();
        for part in parts {
            all.append(part);
        }
        all.finish()
    }

    /// Takes templates that were made before, or the reasons why there are none.
    pub fn from_templates(templates: impl IntoIterator<Item = Result<Template, Excluded>>) -> Self {
        let mut numbers: BTreeMap<Template, u32> = BTreeMap::new();
        let mut slots = Vec::new();
        for found in templates {
            let next = numbers.len() as u32;
            slots.push(found.map(|template| *numbers.entry(template).or_insert(next)));
        }
        // From the number of first sight to the place in the sorted list.
        let mut places = vec![0; numbers.len()];
        for (place, seen) in numbers.values().enumerate() {
            places[*seen as usize] = place as u32;
        }
        Self::renumbered(numbers.into_keys().collect(), slots, &places)
    }

    /// The set of `slots`, whose numbers become those in `places`.
    pub(crate) fn renumbered(
        distinct: Vec<Template>,
        mut slots: Vec<Result<u32, Excluded>>,
        places: &[u32],
    ) -> Self {
        let mut excluded = BTreeMap::new();
        for slot in &mut slots {
            match slot {
                Ok(number) => *number = places[*number as usize],
                Err(reason) => *excluded.entry(*reason).or_insert(0) += 1,
            }
        }
        Self {
            distinct,
            slots,
            excluded,
        }
    }

    /// The queries at `places`, in that order and as often as each is named.
    pub(crate) fn subset(&self, places: &[usize]) -> Self {
        let slots: Vec<_> = places.iter().map(|&i| self.slots[i]).collect();
        let used: BTreeSet<u32> = slots.iter().flatten().copied().collect();
        let numbers: BTreeMap<u32, u32> = used.iter().copied().zip(0..).collect();
        let mut excluded = BTreeMap::new();
        for reason in slots.iter().filter_map(|slot| slot.err()) {
            *excluded.entry(reason).or_insert(0) += 1;
        }
        Self {
            distinct: used
                .iter()
                .map(|&place| self.distinct[place as usize].clone())
                .collect(),
            slots: slots
                .into_iter()
                .map(|slot| slot.map(|place| numbers[&place]))
                .collect(),
            excluded,
        }
    }

    /// Number of queries, those left out included.
    pub fn n_queries(&self) -> usize {
        self.slots.len()
    }

    /// Number of queries that have a template.
    pub fn n_templates(&self) -> usize {
        self.slots.iter().flatten().count()
    }

    /// The template of each query that has one, in the order of the queries.
    pub fn templates(&self) -> impl Iterator<Item = &Template> {
        self.slots
            .iter()
            .flatten()
            .map(|&place| &self.distinct[place as usize])
    }

    /// The template of each query, none where it was left out.
    pub fn by_query(&self) -> impl Iterator<Item = Option<&Template>> {
        self.slots
            .iter()
            .map(|slot| slot.ok().map(|place| &self.distinct[place as usize]))
    }

    /// The different templates, sorted.
    pub fn distinct(&self) -> &[Template] {
        &self.distinct
    }

    /// How many queries were left out, for each reason that occurred.
    pub fn excluded(&self) -> &BTreeMap<Excluded, usize> {
        &self.excluded
    }

    /// For each query its template's place in [`Self::distinct`], or why it has none.
    pub(crate) fn slots(&self) -> &[Result<u32, Excluded>] {
        &self.slots
    }
}

#[cfg(test)]
mod tests {
    use super::QuerySet;
    use harness_sql::Excluded;

    #[test]
    fn counts_and_order() {
        let set = QuerySet::new([
            "VALUES (1)",
            "no",
            "SELECT a FROM t",
            "select b from u",
            "",
            "SELECT 'a",
        ]);
        assert_eq!(
            (set.n_queries(), set.n_templates(), set.distinct().len()),
            (6, 3, 2)
        );
        let texts: Vec<_> = set.templates().map(ToString::to_string).collect();
        assert_eq!(texts, ["VALUES ( )", "SELECT FROM", "SELECT FROM"]);
        assert_eq!(set.excluded()[&Excluded::Empty], 2);
        assert_eq!(set.excluded()[&Excluded::Unterminated], 1);
        assert_eq!(set.slots()[2], Ok(0));
    }

    #[test]
    fn all_ways_lead_to_one_set() {
        let queries: Vec<String> = (0..5_000)
            .map(|i| match i % 7 {
                0 => "no".to_owned(),
                1 => "SELECT 'a".to_owned(),
                kind => format!(
                    "SELECT f{}(a) FROM t{}",
                    i % 50,
                    " WHERE b".repeat(kind % 3)
                ),
            })
            .collect();
        let set = QuerySet::new(&queries);
        assert!(set.distinct().is_sorted() && set.distinct().len() > 100);
        assert_eq!(QuerySet::of(&queries, String::as_str), set);
        let templates = queries.iter().map(|sql| harness_sql::template(sql));
        assert_eq!(QuerySet::from_templates(templates), set);
    }
}
