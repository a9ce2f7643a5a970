//! What the target's own queries reach against each other: a reference line, not a divisor.
//!
//! One half of the target plays the source and the other the target. Halves that share databases say what another set of
//! questions on the same databases would reach, halves that share none what a set on other databases would. 1 is out of
//! reach for either.

use std::collections::BTreeMap;

use rand::seq::{SliceRandom, index};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use crate::distribution::Space;
use crate::options::{Options, RarefyOptions};
use crate::score::js::js_of_groups;
use crate::score::rarefied::{MeanSd, generator};
use crate::workload::Workload;

/// What one half of the target reaches against the other.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Ceiling {
    /// A(T', T″) of whole halves.
    pub a: MeanSd,
    /// Jensen-Shannon divergence of whole halves, in bits.
    #[serde(default)]
    pub js: MeanSd,
    /// `A_n(T', T″)` with n queries of T', at the n of the rarefied ratio or the size of the half if that is smaller.
    pub a_rarefied: MeanSd,
    /// That n, the mean over the draws.
    pub n: f64,
    /// Queries of the half that plays the target, the mean over the draws.
    pub n_target: f64,
    /// Draws.
    pub draws: usize,
}

/// Ceilings by random halves and by halves without a common database.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Ceilings {
    /// By random halves of the questions; none under 2.
    pub by_question: Option<Ceiling>,
    /// By halves of the databases; none where they are not all known or fewer than 2.
    pub by_database: Option<Ceiling>,
}

/// The ceilings of `target`, with sources of `n` queries for the rarefied ones (none: whole halves).
pub fn ceilings(
    target: &Workload,
    n: Option<usize>,
    options: &Options,
    rarefy: &RarefyOptions,
) -> Ceilings {
    let space = Space::new(&[target.templates()], *options);
    let questions: Vec<Vec<usize>> = (0..target.len()).map(|i| vec![i]).collect();
    let run = |units: &[Vec<usize>], purpose| {
        (units.len() >= 2).then(|| ceiling(&space, units, n, rarefy, purpose))?
    };
    Ceilings {
        by_question: run(&questions, 5),
        by_database: databases(target).and_then(|units| run(&units, 6)),
    }
}

/// The queries of each database; none unless all are known.
pub(crate) fn databases(target: &Workload) -> Option<Vec<Vec<usize>>> {
    let mut units: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    for (place, query) in target.queries().iter().enumerate() {
        units
            .entry(query.db_id.as_deref()?)
            .or_default()
            .push(place);
    }
    Some(units.into_values().collect())
}

fn ceiling(
    space: &Space,
    units: &[Vec<usize>],
    n: Option<usize>,
    rarefy: &RarefyOptions,
    purpose: u64,
) -> Option<Ceiling> {
    let slots = space.slots(0);
    let whole = space.count_groups(units.iter().flatten().filter_map(|&place| slots[place]));
    let draw = |draw: usize| {
        let mut random = generator(rarefy.seed, purpose, draw);
        let mut order: Vec<usize> = (0..units.len()).collect();
        order.shuffle(&mut random);
        // A unit goes to the smaller half, so that few large databases do not make one half of nearly all.
        let (mut source, mut target) = (Vec::new(), Vec::new());
        for unit in order {
            let half = if source.len() <= target.len() {
                &mut source
            } else {
                &mut target
            };
            half.extend(units[unit].iter().filter_map(|&place| slots[place]));
        }
        let of_source = space.count_groups(source.iter().copied());
        let of_target = whole.without(&of_source);
        let against = space.against(&of_target);
        let size = n.unwrap_or(source.len()).min(source.len());
        let part = index::sample(&mut random, source.len(), size);
        let part = space.count_groups(part.into_iter().map(|i| source[i]));
        let apart = js_of_groups(&of_source, &of_target, space.sizes());
        let whole = against.alignment(&of_source);
        let rarefied = against.alignment(&part);
        (whole.is_finite() && rarefied.is_finite()).then_some([
            whole,
            rarefied,
            size as f64,
            target.len() as f64,
            apart,
        ])
    };
    let found: Vec<[f64; 5]> = (0..rarefy.draws).into_par_iter().filter_map(draw).collect();
    let column = |i: usize| MeanSd::of(found.iter().map(|row| row[i]));
    (!found.is_empty()).then(|| Ceiling {
        a: column(0),
        js: column(4),
        a_rarefied: column(1),
        n: column(2).mean,
        n_target: column(3).mean,
        draws: found.len(),
    })
}
