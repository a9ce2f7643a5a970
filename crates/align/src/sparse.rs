//! The n-grams of each template as a small vector, for what adds templates one at a time.
//!
//! [`Space`](crate::distribution::Space) counts whole sets fast; a method that asks what one more template would change
//! needs the features of that template alone. Letters: f feature, t different template, q query of a set.

use std::collections::BTreeMap;

use harness_sql::{NgramIndex, Template};

use crate::distribution::Counts;
use crate::options::Options;
use crate::query_set::QuerySet;

/// The templates of several sets with their vectors.
///
/// Templates are numbered in sorted order and features as these templates bring them up: the numbers,
/// and with them the order of every sum, depend on which templates there are and on nothing else.
#[derive(Clone, Debug)]
pub(crate) struct Sparse {
    /// The different templates, in the order of their numbers.
    forms: Vec<Template>,
    /// For each template its features with their occurrences.
    vectors: Vec<Vec<(u32, u32)>>,
    n_features: usize,
    /// For each set and each of its queries the number of the template; none where it was left out.
    sets: Vec<Vec<Option<u32>>>,
}

impl Sparse {
    /// The space of `sets`.
    pub fn new(sets: &[&QuerySet], options: Options) -> Self {
        let form = |t: &Template| {
            if options.style_free {
                t.style_free()
            } else {
                t.clone()
            }
        };
        let mut numbers: BTreeMap<Template, u32> = BTreeMap::new();
        for template in sets.iter().flat_map(|set| set.distinct()) {
            numbers.insert(form(template), 0);
        }
        let mut index = NgramIndex::new(options.ngrams());
        let mut vectors = Vec::with_capacity(numbers.len());
        for (template, number) in &mut numbers {
            *number = vectors.len() as u32;
            vectors.push(index.count(template));
        }
        let number_slots = |set: &&QuerySet| {
            let numbers: Vec<u32> = set.distinct().iter().map(|t| numbers[&form(t)]).collect();
            set.slots()
                .iter()
                .map(|slot| slot.ok().map(|place| numbers[place as usize]))
                .collect()
        };
        Self {
            n_features: index.len(),
            sets: sets.iter().map(number_slots).collect(),
            forms: numbers.into_keys().collect(),
            vectors,
        }
    }

    /// The different templates of all sets, in the order of their numbers.
    pub fn forms(&self) -> &[Template] {
        &self.forms
    }

    /// The features of a template with their occurrences.
    pub fn vector(&self, template: u32) -> &[(u32, u32)] {
        &self.vectors[template as usize]
    }

    /// Templates of all queries of a set (q), in their order, with those left out as none.
    pub fn slots(&self, set: usize) -> &[Option<u32>] {
        &self.sets[set]
    }

    /// Templates of the queries of a set that have one, in their order.
    pub fn templates(&self, set: usize) -> Vec<u32> {
        self.sets[set].iter().copied().flatten().collect()
    }

    /// The n-grams of some templates, each as often as it is given.
    pub fn count(&self, templates: impl IntoIterator<Item = u32>) -> Counts {
        let mut times = vec![0_u32; self.vectors.len()];
        for template in templates {
            times[template as usize] += 1;
        }
        let mut counts = Counts {
            n: vec![0; self.n_features],
            total: 0,
        };
        for (vector, times) in self
            .vectors
            .iter()
            .zip(times)
            .filter(|(_, times)| *times > 0)
        {
            for &(feature, occurrences) in vector {
                counts.n[feature as usize] += occurrences * times;
                counts.total += u64::from(occurrences * times);
            }
        }
        counts
    }
}

#[cfg(test)]
mod tests {
    use super::Sparse;
    use crate::options::Options;
    use crate::query_set::QuerySet;

    #[test]
    fn vectors_add_up() {
        let a = QuerySet::new(["SELECT a FROM t", "no", "SELECT a FROM t"]);
        let b = QuerySet::new(["SELECT a FROM t WHERE b"]);
        let sparse = Sparse::new(&[&a, &b], Options::default());
        let of_a = sparse.count(sparse.templates(0));
        assert_eq!(of_a.n, [2, 2, 2, 0, 0, 0]);
        assert_eq!(sparse.slots(0)[1], None);
        assert_eq!(sparse.vector(0).len(), 3);
        assert_eq!(sparse.forms()[1].to_string(), "SELECT FROM WHERE");
    }
}
