//! Which templates a target has and a source lacks.

use std::collections::BTreeMap;

use harness_sql::{Template, template};

/// A template that the source should have more of.
#[derive(Clone, Debug, PartialEq)]
pub struct Wanted {
    /// The template.
    pub template: Template,
    /// Its share of the target's templates.
    pub share_of_target: f64,
    /// Its share of the source's templates.
    pub share_of_source: f64,
    /// The places of the target's queries that have it.
    pub queries: Vec<usize>,
}

impl Wanted {
    /// What the source lacks of it, as a share of the target.
    pub fn lack(&self) -> f64 {
        self.share_of_target - self.share_of_source
    }
}

/// The templates that have less than half of the target's share in the source, what is lacking most first. Those that
/// lack less than `least` are left out. Queries without a template do not count.
pub fn wanted<'q>(
    source: impl IntoIterator<Item = &'q str>,
    target: impl IntoIterator<Item = &'q str>,
    least: f64,
) -> Vec<Wanted> {
    let mut of_source: BTreeMap<Template, usize> = BTreeMap::new();
    for found in source.into_iter().filter_map(|sql| template(sql).ok()) {
        *of_source.entry(found).or_insert(0) += 1;
    }
    let n_source: usize = of_source.values().sum();
    let mut of_target: BTreeMap<Template, Vec<usize>> = BTreeMap::new();
    for (place, sql) in target.into_iter().enumerate() {
        if let Ok(found) = template(sql) {
            of_target.entry(found).or_default().push(place);
        }
    }
    let n_target: usize = of_target.values().map(Vec::len).sum();
    let share = |count: usize, of: usize| {
        if of == 0 {
            0.0
        } else {
            count as f64 / of as f64
        }
    };
    let mut wanted: Vec<Wanted> = of_target
        .into_iter()
        .map(|(template, queries)| Wanted {
            share_of_target: share(queries.len(), n_target),
            share_of_source: share(of_source.get(&template).copied().unwrap_or(0), n_source),
            template,
            queries,
        })
        .filter(|it| 2.0 * it.share_of_source < it.share_of_target && it.lack() >= least)
        .collect();
    // The sort is stable: templates that lack the same stay in their own order.
    wanted.sort_by(|a, b| b.lack().total_cmp(&a.lack()));
    wanted
}

#[cfg(test)]
mod tests {
    use super::wanted;

    #[test]
    fn what_lacks_most_comes_first() {
        let source = [
            "SELECT a FROM t",
            "SELECT a FROM t",
            "SELECT b FROM u",
            "no",
        ];
        let target = [
            "SELECT x FROM y",
            "SELECT count(*) FROM y",
            "SELECT x FROM y LIMIT 1",
            "nothing",
            "SELECT x FROM z LIMIT 7",
        ];
        let found = wanted(source, target, 0.0);
        let told: Vec<_> = found
            .iter()
            .map(|it| {
                (
                    it.template.to_string(),
                    it.share_of_target,
                    it.queries.clone(),
                )
            })
            .collect();
        assert_eq!(
            told,
            [
                ("SELECT FROM LIMIT".to_owned(), 0.5, vec![2, 4]),
                ("SELECT COUNT ( * ) FROM".to_owned(), 0.25, vec![1]),
            ]
        );
        assert_eq!(wanted(source, target, 0.3).len(), 1);
        assert_eq!(wanted([], target, 0.0).len(), 3);
    }
}
