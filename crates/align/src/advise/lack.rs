//! Which of the target's templates no training set has.

use std::collections::{BTreeMap, BTreeSet};

use harness_sql::Template;
use serde::{Deserialize, Serialize};

use crate::workload::Workload;

/// Queries that are shown for a template.
const EXAMPLES: usize = 2;

/// A template of the target that no training set has.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lack {
    /// The template.
    pub template: String,
    /// Queries of the target that have it.
    pub count: usize,
    /// Ids of the first of them.
    pub examples: Vec<String>,
}

/// The first `most` templates of `target` that none of `train` has, and the share of the target's queries with a
/// template that have one of them. Frequent templates come first, equally frequent ones in their own order.
pub(crate) fn lacking(train: &[Workload], target: &Workload, most: usize) -> (Vec<Lack>, f64) {
    let known: BTreeSet<&Template> = train
        .iter()
        .flat_map(|set| set.templates().distinct())
        .collect();
    let mut missing: BTreeMap<&Template, Vec<&str>> = BTreeMap::new();
    for (query, template) in target.queries().iter().zip(target.templates().by_query()) {
        if let Some(template) = template
            && !known.contains(template)
        {
            missing.entry(template).or_default().push(&query.id);
        }
    }
    let count: usize = missing.values().map(Vec::len).sum();
    let share = count as f64 / target.templates().n_templates().max(1) as f64;
    let mut lacks: Vec<Lack> = missing
        .into_iter()
        .map(|(template, ids)| Lack {
            template: template.to_string(),
            count: ids.len(),
            examples: ids.iter().take(EXAMPLES).map(ToString::to_string).collect(),
        })
        .collect();
    lacks.sort_by_key(|lack| std::cmp::Reverse(lack.count));
    lacks.truncate(most);
    (lacks, share)
}
