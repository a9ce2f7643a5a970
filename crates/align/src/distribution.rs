//! How often each n-gram occurs, over one numbering of features for all sets of a comparison.
//!
//! Letters: f feature, t different template, q query of a set.

use harness_sql::{NgramTable, Template};

use crate::options::Options;
use crate::query_set::QuerySet;
use crate::score::against::{Against, Logarithms};

/// Occurrences of each feature in a multiset of templates.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Counts {
    /// n(f), for every feature of the space.
    pub n: Vec<u32>,
    /// N = Σ n(f).
    pub total: u64,
}

/// Occurrences of each group of features in a multiset of templates: features of a group occur equally often always.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct GroupCounts {
    /// n of each of a group's features, for every group of the space.
    pub n: Vec<u32>,
    /// N = Σ n(f) over all features.
    pub total: u64,
}

impl GroupCounts {
    /// What is left without those of a part of the multiset.
    pub fn without(&self, part: &Self) -> Self {
        Self {
            n: self
                .n
                .iter()
                .zip(&part.n)
                .map(|(n, part)| n.saturating_sub(*part))
                .collect(),
            total: self.total.saturating_sub(part.total),
        }
    }
}

/// Numbers the templates and n-grams of several sets, and knows the n-grams of each template, so that counting a
/// resample takes time for its templates' tokens and for the groups of features.
///
/// Templates are numbered as the sets have them, one after another, and features by what they are: their order, and with
/// it that of every sum, depends on which templates there are and on nothing else.
#[derive(Clone, Debug)]
pub(crate) struct Space {
    table: NgramTable,
    /// How many features each group has.
    sizes: Vec<u32>,
    logarithms: Logarithms,
    /// For each set and each of its queries the number of the template; none where it was left out.
    sets: Vec<Vec<Option<u32>>>,
}

impl Space {
    /// The space of `sets`.
    pub fn new(sets: &[&QuerySet], options: Options) -> Self {
        let templates = || sets.iter().flat_map(|set| set.distinct());
        let table = if options.style_free {
            let forms: Vec<Template> = templates().map(Template::style_free).collect();
            NgramTable::new(&forms, options.ngrams())
        } else {
            NgramTable::new(templates(), options.ngrams())
        };
        let mut numbers = table.numbers();
        let mut number_slots = |set: &&QuerySet| {
            let (own, others) = numbers.split_at(set.distinct().len());
            numbers = others;
            let slots = set.slots().iter();
            slots
                .map(|slot| slot.ok().map(|place| own[place as usize]))
                .collect()
        };
        let sets = sets.iter().map(&mut number_slots).collect();
        Self {
            sizes: table.sizes().collect(),
            logarithms: Logarithms::new(options.alpha),
            table,
            sets,
        }
    }

    /// The tokens of a feature with one blank between them.
    pub fn text(&self, feature: u32) -> Option<String> {
        self.table.text(feature)
    }

    /// Templates of all queries of a set (q), in their order, with those left out as none.
    pub fn slots(&self, set: usize) -> &[Option<u32>] {
        &self.sets[set]
    }

    /// Templates of the queries of a set that have one, in their order.
    pub fn templates(&self, set: usize) -> Vec<u32> {
        self.sets[set].iter().copied().flatten().collect()
    }

    /// How many features each group has (g).
    pub fn sizes(&self) -> &[u32] {
        &self.sizes
    }

    /// A target, for many sources.
    pub fn against(&self, target: &GroupCounts) -> Against<'_> {
        Against::new(target, &self.sizes, &self.logarithms)
    }

    /// The n-grams of some templates, each as often as it is given.
    pub fn count(&self, templates: impl IntoIterator<Item = u32>) -> Counts {
        let groups = self.count_groups(templates);
        Counts {
            n: self.table.spread(&groups.n),
            total: groups.total,
        }
    }

    /// [`Self::count`] by groups of features.
    pub fn count_groups(&self, templates: impl IntoIterator<Item = u32>) -> GroupCounts {
        let mut times = vec![0_u32; self.table.n_templates()];
        for template in templates {
            times[template as usize] += 1;
        }
        let n = self.table.count(&times);
        let terms = n.iter().zip(&self.sizes);
        GroupCounts {
            total: terms
                .map(|(n, size)| u64::from(*n) * u64::from(*size))
                .sum(),
            n,
        }
    }
}

/// `term` of two counts. Features that always occur together stand side by side and have the same term, which takes
/// logarithms: it is made once for them.
pub(crate) fn repeating(term: impl Fn(u32, u32) -> f64) -> impl FnMut((&u32, &u32)) -> f64 {
    let mut last = (0, 0, term(0, 0));
    move |(&s, &t)| {
        if (s, t) != (last.0, last.1) {
            last = (s, t, term(s, t));
        }
        last.2
    }
}

#[cfg(test)]
mod tests {
    use super::Space;
    use crate::options::Options;
    use crate::query_set::QuerySet;

    #[test]
    fn shared_features_share_a_place() {
        let a = QuerySet::new(["SELECT a FROM t", "no", "SELECT a FROM t"]);
        let b = QuerySet::new(["SELECT a FROM t WHERE b"]);
        let space = Space::new(&[&a, &b], Options::default());
        let (of_a, of_b) = (
            space.count(space.templates(0)),
            space.count(space.templates(1)),
        );
        // FROM WHERE, FROM, SELECT FROM WHERE, SELECT, SELECT FROM, WHERE.
        assert_eq!(of_a.n, [0, 2, 0, 2, 2, 0]);
        assert_eq!(of_b.n, [1; 6]);
        assert_eq!((of_a.total, of_b.total), (6, 6));
        assert_eq!(space.slots(0)[1], None);
    }

    #[test]
    fn style_free_templates_fall_together() {
        let a = QuerySet::new(["SELECT a FROM t INNER JOIN u"]);
        let b = QuerySet::new(["SELECT a FROM t JOIN u"]);
        let space = Space::new(
            &[&a, &b],
            Options {
                style_free: true,
                ..Options::default()
            },
        );
        assert_eq!(space.templates(0), space.templates(1));
    }
}
