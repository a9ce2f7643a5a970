//! A set of queries as their templates.

use std::collections::{BTreeMap, BTreeSet};

use harness_sql::{Excluded, Template, template};

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
        Self::from_templates(queries.into_iter().map(|sql| template(sql.as_ref())))
    }

    /// Takes templates that were made before, or the reasons why there are none.
    pub fn from_templates(templates: impl IntoIterator<Item = Result<Template, Excluded>>) -> Self {
        let mut excluded = BTreeMap::new();
        let mut numbers: BTreeMap<Template, u32> = BTreeMap::new();
        let mut slots = Vec::new();
        for found in templates {
            slots.push(match found {
                Ok(template) => {
                    let next = numbers.len() as u32;
                    Ok(*numbers.entry(template).or_insert(next))
                }
                Err(reason) => {
                    *excluded.entry(reason).or_insert(0) += 1;
                    Err(reason)
                }
            });
        }
        // From the number of first sight to the place in the sorted list.
        let mut places = vec![0; numbers.len()];
        for (place, seen) in numbers.values().enumerate() {
            places[*seen as usize] = place as u32;
        }
        for slot in slots.iter_mut().flatten() {
            *slot = places[*slot as usize];
        }
        Self {
            distinct: numbers.into_keys().collect(),
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
}
