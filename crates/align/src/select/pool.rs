//! What is chosen from.

use crate::workload::Workload;

/// One or several sets put together; every example knows its set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pool {
    all: Workload,
    names: Vec<String>,
    /// For each set the place behind its last example.
    ends: Vec<usize>,
}

impl Pool {
    /// Puts sets together, in their order.
    pub fn new(sets: &[Workload]) -> Self {
        let names: Vec<String> = sets.iter().map(|set| set.name().to_owned()).collect();
        let ends = sets.iter().scan(0, |end, set| {
            *end += set.len();
            Some(*end)
        });
        Self {
            ends: ends.collect(),
            all: Workload::new(
                names.join(" + "),
                sets.iter()
                    .flat_map(|set| set.queries().iter().cloned())
                    .collect(),
            ),
            names,
        }
    }

    /// All examples.
    pub fn workload(&self) -> &Workload {
        &self.all
    }

    /// The names of the sets, in their order.
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// The name of the set of the example at `place`.
    pub fn set_of(&self, place: usize) -> &str {
        &self.names[self.number_of(place)]
    }

    /// The number of the set of the example at `place`.
    pub(crate) fn number_of(&self, place: usize) -> usize {
        self.ends.partition_point(|end| *end <= place)
    }

    /// The examples at `places`, which ascend.
    pub(crate) fn subset(&self, places: &[usize]) -> Self {
        Self {
            all: self.all.subset(self.all.name(), places),
            names: self.names.clone(),
            ends: self
                .ends
                .iter()
                .map(|end| places.partition_point(|place| place < end))
                .collect(),
        }
    }
}
