//! What was chosen, what it is worth, and what is still missing.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::held_out::{HeldOut, held_out};
use super::{Pick, Pool, Removed, SelectMethod, SelectOptions, Selection, select};
use crate::compare::compare;
use crate::error::AlignError;
use crate::query_set::QuerySet;
use crate::sum::mean_and_sd;
use crate::warning::Warning;
use crate::workload::Workload;

/// Random selections that the chosen set is compared with.
const DRAWS: u64 = 5;
/// Templates of the target that the card names as missing.
const GAPS: usize = 10;
/// Chosen examples that the card shows.
const SHOWN: usize = 10;

/// The scores of a set against the whole target.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Arm {
    /// Which set.
    pub name: String,
    /// Its queries.
    pub n: usize,
    /// A(S, T).
    pub a_kl: f64,
    /// A(T, S).
    pub a_kl_rev: f64,
    /// Jensen-Shannon divergence, in bits; lower is closer.
    pub js: f64,
    /// Share of the target's queries whose template it has.
    pub ovlp_template: f64,
    /// Share of the target's n-grams that it has.
    pub ovlp_ngram: f64,
    /// Its different templates; a mean for several draws.
    pub templates: f64,
    /// Its databases, as far as they are known; a mean for several draws.
    pub databases: f64,
}

/// Share of the target's queries whose template is there.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Coverage {
    /// In the pool: no selection can cover more.
    pub pool: f64,
    /// In the chosen set.
    pub chosen: f64,
}

/// A template of the target that the chosen set lacks.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Gap {
    /// The template.
    pub template: String,
    /// Queries of the target that have it.
    pub queries: usize,
    /// Whether the pool has it.
    pub in_pool: bool,
    /// One of these queries.
    pub example: String,
}

/// All that a reader should know of a selection.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Card {
    /// The sets chosen from.
    pub pool: Vec<String>,
    /// Examples in them.
    pub pool_size: usize,
    /// Chosen from each set, in the order of the sets.
    pub chosen_of: Vec<usize>,
    /// The target.
    pub target: String,
    /// Its queries.
    pub target_size: usize,
    /// What was asked.
    pub options: SelectOptions,
    /// Examples that could be chosen.
    pub candidates: usize,
    /// Examples that could not.
    pub removed: Removed,
    /// Examples chosen.
    pub n: usize,
    /// The chosen set, random ones of its size (means), and the whole pool, against the target chosen for.
    pub arms: Vec<Arm>,
    /// The same method on one half of the target, judged by the other; none for a target too small to halve.
    pub held_out: Option<HeldOut>,
    /// Templates of the target covered.
    pub coverage: Coverage,
    /// The commonest templates of the target that are not covered.
    pub missing: Vec<Gap>,
    /// The first chosen.
    pub first: Vec<Pick>,
    /// Reasons for care.
    pub warnings: Vec<Warning>,
}

/// The card of a selection that was made of `pool` for `target`.
///
/// Fails as [`select`](fn@select) does.
pub fn card(pool: &Pool, target: &Workload, selection: &Selection) -> Result<Card, AlignError> {
    let options = &selection.options;
    let chosen = selection.workload(pool);
    let mut random = Vec::new();
    for draw in 0..DRAWS {
        let control = SelectOptions {
            method: SelectMethod::Random,
            seed: options.seed.wrapping_add(draw),
            ..options.clone()
        };
        let found = select(pool, target, &control)?;
        random.push(arm("random", &found.workload(pool), target, options)?);
    }
    let mut chosen_of = vec![0; pool.names().len()];
    for pick in &selection.picks {
        chosen_of[pool.number_of(pick.place)] += 1;
    }
    let (own, all) = (
        arm("chosen", &chosen, target, options)?,
        arm("pool", pool.workload(), target, options)?,
    );
    Ok(Card {
        pool: pool.names().to_vec(),
        pool_size: pool.workload().len(),
        chosen_of,
        target: target.name().to_owned(),
        target_size: target.len(),
        options: options.clone(),
        candidates: selection.candidates,
        removed: selection.removed,
        n: selection.picks.len(),
        coverage: Coverage {
            pool: all.ovlp_template,
            chosen: own.ovlp_template,
        },
        arms: vec![own, mean(&random), all],
        held_out: held_out(pool, target, options)?,
        missing: gaps(
            target,
            chosen.templates(),
            pool.workload().templates(),
            GAPS,
        ),
        first: selection.picks.iter().take(SHOWN).cloned().collect(),
        warnings: selection.warnings.clone(),
    })
}

fn arm(
    name: &str,
    set: &Workload,
    target: &Workload,
    options: &SelectOptions,
) -> Result<Arm, AlignError> {
    let found = compare(set.templates(), target.templates(), &options.scores)?;
    let databases: BTreeSet<&str> = set
        .queries()
        .iter()
        .filter_map(|q| q.db_id.as_deref())
        .collect();
    Ok(Arm {
        name: name.to_owned(),
        n: set.len(),
        a_kl: found.a_kl,
        a_kl_rev: found.a_kl_rev,
        js: found.js,
        ovlp_template: found.ovlp_template,
        ovlp_ngram: found.ovlp_ngram,
        templates: set.templates().distinct().len() as f64,
        databases: databases.len() as f64,
    })
}

fn mean(arms: &[Arm]) -> Arm {
    let of = |get: fn(&Arm) -> f64| mean_and_sd(&arms.iter().map(get).collect::<Vec<_>>()).0;
    Arm {
        name: format!("random, mean of {DRAWS}"),
        n: of(|arm| arm.n as f64).round() as usize,
        a_kl: of(|arm| arm.a_kl),
        a_kl_rev: of(|arm| arm.a_kl_rev),
        js: of(|arm| arm.js),
        ovlp_template: of(|arm| arm.ovlp_template),
        ovlp_ngram: of(|arm| arm.ovlp_ngram),
        templates: of(|arm| arm.templates),
        databases: of(|arm| arm.databases),
    }
}

/// The commonest templates of the target that `has` lacks, at most `limit`, each with its first query.
pub(crate) fn gaps(target: &Workload, has: &QuerySet, wider: &QuerySet, limit: usize) -> Vec<Gap> {
    let set = target.templates();
    let mut found: BTreeMap<u32, (usize, &str)> = BTreeMap::new();
    for (slot, query) in set.slots().iter().zip(target.queries()) {
        if let Ok(place) = slot {
            found.entry(*place).or_insert((0, &query.sql)).0 += 1;
        }
    }
    let lacks = |set: &QuerySet, place: u32, of: &QuerySet| {
        set.distinct()
            .binary_search(&of.distinct()[place as usize])
            .is_err()
    };
    let mut gaps: Vec<Gap> = found
        .into_iter()
        .filter(|(place, _)| lacks(has, *place, set))
        .map(|(place, (queries, example))| Gap {
            template: set.distinct()[place as usize].to_string(),
            queries,
            in_pool: !lacks(wider, place, set),
            example: example.to_owned(),
        })
        .collect();
    gaps.sort_by_key(|gap| std::cmp::Reverse(gap.queries));
    gaps.truncate(limit);
    gaps
}
