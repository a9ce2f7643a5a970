//! What a chosen set must keep to, whatever the method.

use serde::{Deserialize, Serialize};

use super::candidates::Candidates;

/// Limits and floors of a chosen set.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Constraints {
    /// Most examples of one database.
    pub per_database: Option<usize>,
    /// Fewest databases.
    pub databases: usize,
    /// Give every database its share of the pool.
    pub proportional: bool,
    /// Most examples of one template.
    pub per_template: Option<usize>,
    /// Fewest different templates.
    pub templates: usize,
}

/// Keeps the count while a set is chosen.
///
/// Examples of an unknown database are under no limit of databases and count for none.
pub(super) struct Quota<'a> {
    candidates: &'a Candidates,
    constraints: Constraints,
    left: usize,
    /// Chosen of each database, and the most of it.
    of_database: Vec<usize>,
    most: Vec<usize>,
    of_template: Vec<usize>,
    databases: usize,
    templates: usize,
}

impl<'a> Quota<'a> {
    /// Nothing is chosen yet of n examples; templates are numbered below `templates`.
    pub fn new(
        candidates: &'a Candidates,
        templates: usize,
        n: usize,
        constraints: Constraints,
    ) -> Self {
        let mut most = vec![constraints.per_database.unwrap_or(n); candidates.databases()];
        if constraints.proportional {
            for (most, share) in most.iter_mut().zip(shares(candidates, n)) {
                *most = share.min(*most);
            }
        }
        Self {
            candidates,
            constraints,
            left: n,
            of_database: vec![0; most.len()],
            most,
            of_template: vec![0; templates],
            databases: 0,
            templates: 0,
        }
    }

    /// Examples that are still to be chosen.
    pub fn left(&self) -> usize {
        self.left
    }

    /// Whether a candidate may be the next.
    pub fn allows(&self, candidate: usize) -> bool {
        let template = self.of_template[self.candidates.template(candidate) as usize];
        let database = self.candidates.database(candidate);
        let (limits, floors) = (&self.constraints, self.left);
        // Once as many places are left as a floor still lacks, each of them must raise it.
        let lacks_templates = limits.templates.saturating_sub(self.templates) >= floors;
        let lacks_databases = limits.databases.saturating_sub(self.databases) >= floors;
        let new_database = database.is_some_and(|d| self.of_database[d] == 0);
        self.left > 0
            && limits.per_template.is_none_or(|most| template < most)
            && database.is_none_or(|d| self.of_database[d] < self.most[d])
            && (!lacks_templates || template == 0)
            && (!lacks_databases || new_database)
    }

    /// How many of a candidate's database are chosen.
    pub fn of_database(&self, candidate: usize) -> usize {
        self.candidates
            .database(candidate)
            .map_or(0, |d| self.of_database[d])
    }

    /// Counts a candidate as chosen.
    pub fn take(&mut self, candidate: usize) {
        self.left = self.left.saturating_sub(1);
        let template = &mut self.of_template[self.candidates.template(candidate) as usize];
        *template += 1;
        self.templates += usize::from(*template == 1);
        if let Some(d) = self.candidates.database(candidate) {
            self.of_database[d] += 1;
            self.databases += usize::from(self.of_database[d] == 1);
        }
    }
}

/// Splits n over the databases in proportion to their candidates, by largest remainder.
fn shares(candidates: &Candidates, n: usize) -> Vec<usize> {
    let mut sizes = vec![0_usize; candidates.databases()];
    for database in (0..candidates.len()).filter_map(|c| candidates.database(c)) {
        sizes[database] += 1;
    }
    let all: usize = sizes.iter().sum::<usize>().max(1);
    let mut shares: Vec<usize> = sizes.iter().map(|size| n * size / all).collect();
    let rest = n.min(all) - shares.iter().sum::<usize>().min(n.min(all));
    let mut order: Vec<usize> = (0..sizes.len()).collect();
    order.sort_by_key(|&d| (std::cmp::Reverse(n * sizes[d] % all), d));
    for &d in order.iter().take(rest) {
        shares[d] += 1;
    }
    shares
}
