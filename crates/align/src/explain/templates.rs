//! Which templates the source has too much or too little of.

use std::collections::BTreeMap;

use harness_sql::Template;
use serde::{Deserialize, Serialize};

use super::EXAMPLES;
use crate::options::Options;
use crate::workload::Workload;

/// A template that is more frequent in one set than in the other.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TemplateRow {
    /// The template.
    pub template: String,
    /// Queries of the source that have it.
    pub n_source: usize,
    /// Queries of the target that have it.
    pub n_target: usize,
    /// Its share of the source's queries with a template.
    pub p: f64,
    /// Its share of the target's.
    pub q: f64,
    /// Ids of queries that have it, of the set that has more of it.
    pub examples: Vec<String>,
}

#[derive(Default)]
struct Found<'a> {
    source: Vec<&'a str>,
    target: Vec<&'a str>,
}

/// Templates of which `source` has too little, then those of which it has too much: at most `top` of each, by the
/// difference of their shares.
pub fn templates(
    source: &Workload,
    target: &Workload,
    options: &Options,
    top: usize,
) -> (Vec<TemplateRow>, Vec<TemplateRow>) {
    let mut found: BTreeMap<Template, Found<'_>> = BTreeMap::new();
    for (set, is_source) in [(source, true), (target, false)] {
        for (query, template) in set.queries().iter().zip(set.templates().by_query()) {
            let Some(template) = template else { continue };
            let form = if options.style_free {
                template.style_free()
            } else {
                template.clone()
            };
            let ids = found.entry(form).or_default();
            let ids = if is_source {
                &mut ids.source
            } else {
                &mut ids.target
            };
            ids.push(&query.id);
        }
    }
    let total = |set: &Workload| set.templates().n_templates().max(1) as f64;
    let (of_source, of_target) = (total(source), total(target));
    let rows: Vec<TemplateRow> = found
        .into_iter()
        .map(|(template, ids)| {
            let (p, q) = (
                ids.source.len() as f64 / of_source,
                ids.target.len() as f64 / of_target,
            );
            let more = if p > q { &ids.source } else { &ids.target };
            TemplateRow {
                template: template.to_string(),
                n_source: ids.source.len(),
                n_target: ids.target.len(),
                p,
                q,
                examples: more
                    .iter()
                    .take(EXAMPLES)
                    .map(ToString::to_string)
                    .collect(),
            }
        })
        .collect();
    let by = |difference: fn(&TemplateRow) -> f64| {
        let mut rows: Vec<TemplateRow> = rows
            .iter()
            .filter(|row| difference(row) > 0.0)
            .cloned()
            .collect();
        rows.sort_by(|a, b| difference(b).total_cmp(&difference(a)));
        rows.truncate(top);
        rows
    };
    (by(|row| row.q - row.p), by(|row| row.p - row.q))
}
