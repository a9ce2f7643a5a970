//! All scores of one source set against one target set.

use std::collections::BTreeMap;

use harness_sql::Excluded;
use serde::{Deserialize, Serialize};

use crate::distribution::{Counts, Space};
use crate::error::AlignError;
use crate::options::Options;
use crate::query_set::QuerySet;
use crate::score::{js::js, kl::kl, overlap};
use crate::warning::{Role, Warning};

/// The scores of a source S against a target T, with what a reader needs to judge them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Comparison {
    /// KL-alignment A(S, T), in (1/e, 1]; 1 iff both distributions are equal.
    pub a_kl: f64,
    /// The reverse score A(T, S).
    pub a_kl_rev: f64,
    /// D(S, T), in nats.
    pub d_kl: f64,
    /// D(T, S), in nats.
    pub d_kl_rev: f64,
    /// The worst case of D(S, T), in nats.
    pub c: f64,
    /// The worst case of D(T, S), in nats.
    pub c_rev: f64,
    /// Jensen-Shannon divergence, in bits, in \[0, 1\]; lower is closer.
    pub js: f64,
    /// Share of the target's templates that the source has.
    pub ovlp_template: f64,
    /// Share of the target's n-grams that the source has.
    pub ovlp_ngram: f64,
    /// Different n-grams in either set (V).
    pub n_union: usize,
    /// Queries of the source that have a template.
    pub n_source: usize,
    /// Queries of the target that have a template.
    pub n_target: usize,
    /// Queries of the source that were left out, by reason.
    pub excluded_source: BTreeMap<Excluded, usize>,
    /// Queries of the target that were left out, by reason.
    pub excluded_target: BTreeMap<Excluded, usize>,
    /// What it was computed with.
    pub options: Options,
    /// Reasons for care.
    pub warnings: Vec<Warning>,
}

impl Comparison {
    /// The scores by name, as [`Cell::scores`](crate::Cell::scores) takes them.
    pub fn scores(&self) -> BTreeMap<String, f64> {
        let scores = [
            ("a_kl", self.a_kl),
            ("a_kl_rev", self.a_kl_rev),
            ("d_kl", self.d_kl),
            ("d_kl_rev", self.d_kl_rev),
            ("js", self.js),
            ("ovlp_template", self.ovlp_template),
            ("ovlp_ngram", self.ovlp_ngram),
        ];
        scores
            .into_iter()
            .map(|(name, value)| (name.to_owned(), value))
            .collect()
    }
}

/// Compares the queries of `source` with those of `target`.
///
/// Fails if a set has no template or no n-gram, or an option is outside its range.
pub fn compare(
    source: &QuerySet,
    target: &QuerySet,
    options: &Options,
) -> Result<Comparison, AlignError> {
    options.check()?;
    require_templates(Role::Source, source)?;
    require_templates(Role::Target, target)?;
    let space = Space::new(&[source, target], *options);
    let (of_source, of_target) = (space.templates(0), space.templates(1));
    let s = count(&space, Role::Source, &of_source, *options)?;
    let t = count(&space, Role::Target, &of_target, *options)?;
    let (forward, reverse) = (kl(&s, &t, options.alpha), kl(&t, &s, options.alpha));
    let mut warnings = Warning::of(Role::Source, source);
    warnings.extend(Warning::of(Role::Target, target));
    Ok(Comparison {
        a_kl: forward.a,
        a_kl_rev: reverse.a,
        d_kl: forward.d,
        d_kl_rev: reverse.d,
        c: forward.c,
        c_rev: reverse.c,
        js: js(&s, &t),
        ovlp_template: overlap::templates(&of_source, &of_target),
        ovlp_ngram: overlap::ngrams(&s, &t),
        // Every feature of the space occurs in one of its two sets.
        n_union: s.n.len(),
        n_source: of_source.len(),
        n_target: of_target.len(),
        excluded_source: source.excluded().clone(),
        excluded_target: target.excluded().clone(),
        options: *options,
        warnings,
    })
}

pub(crate) fn require_templates(set: Role, queries: &QuerySet) -> Result<(), AlignError> {
    if queries.n_templates() == 0 {
        return Err(AlignError::NoTemplates {
            set,
            queries: queries.n_queries(),
        });
    }
    Ok(())
}

/// The n-grams of a whole set; a set without any is an error.
pub(crate) fn count(
    space: &Space,
    set: Role,
    templates: &[u32],
    options: Options,
) -> Result<Counts, AlignError> {
    let counts = space.count(templates.iter().copied());
    if counts.total == 0 {
        return Err(AlignError::NoNgrams {
            set,
            templates: templates.len(),
            l_max: options.l_max,
        });
    }
    Ok(counts)
}
