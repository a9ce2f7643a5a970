//! Does a selection serve queries of the target that it has not seen?
//!
//! The target is split into halves, by database where there are two or more, else by query. The method chooses for one
//! half, and what it chose is compared with the other, beside a random set of the same size.

use rand::Rng as _;
use rand::seq::SliceRandom as _;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::candidates::candidates;
use super::{LEAST_SAMPLE, Pool, SelectMethod, SelectOptions, select};
use crate::assess::databases;
use crate::distribution::{Counts, Space};
use crate::error::AlignError;
use crate::interval::Interval;
use crate::score::js::js;
use crate::score::kl::kl;
use crate::score::overlap;
use crate::score::rarefied::generator;
use crate::sparse::Sparse;
use crate::sum::mean_and_sd;
use crate::workload::Workload;

/// Splits of the target.
const SPLITS: usize = 4;
/// Resamples of the unseen half, for each split.
const RESAMPLES: usize = 100;

/// Mean scores against halves of the target that were not seen.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct HeldOutArm {
    /// A(S, T).
    pub a_kl: f64,
    /// A(T, S).
    pub a_kl_rev: f64,
    /// Jensen-Shannon divergence, in bits.
    pub js: f64,
    /// Share of the unseen queries whose template it has.
    pub ovlp_template: f64,
}

/// What a method reaches on unseen halves of the target.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct HeldOut {
    /// Whether the halves share no database.
    pub by_database: bool,
    /// Splits into halves.
    pub splits: usize,
    /// The method.
    pub chosen: HeldOutArm,
    /// Random sets of the same size.
    pub random: HeldOutArm,
    /// How much lower JS is than that of the random sets: 95 % over splits and resamples of the unseen queries.
    pub js_gain: Option<Interval>,
    /// How much higher A(T, S) is.
    pub a_rev_gain: Option<Interval>,
}

/// Splits, chooses and compares; none where a half would be too small a sample.
pub(super) fn held_out(
    pool: &Pool,
    target: &Workload,
    options: &SelectOptions,
) -> Result<Option<HeldOut>, AlignError> {
    // What repeats a query of either half must not be chosen for the one and help with the other.
    let space = Sparse::new(
        &[pool.workload().templates(), target.templates()],
        options.scores,
    );
    let (kept, _) = candidates(pool, target, &space, options);
    let kept: Vec<usize> = (0..kept.len()).map(|c| kept.place(c)).collect();
    let pool = pool.subset(&kept);
    let units = databases(target).filter(|units| units.len() >= 2);
    let by_database = units.is_some();
    let units = units.unwrap_or_else(|| (0..target.len()).map(|i| vec![i]).collect());
    let (mut rows, mut js_gain, mut rev_gain) = (Vec::new(), Vec::new(), Vec::new());
    for split in 0..SPLITS {
        let [seen, unseen] =
            halves(&units, options.seed, split).map(|places| target.subset(target.name(), &places));
        if seen
            .templates()
            .n_templates()
            .min(unseen.templates().n_templates())
            < LEAST_SAMPLE
        {
            return Ok(None);
        }
        let choose = |method| {
            let options = SelectOptions {
                method,
                seed: options.seed.wrapping_add(split as u64),
                ..options.clone()
            };
            Ok::<_, AlignError>(select(&pool, &seen, &options)?.workload(&pool))
        };
        let (chosen, random) = (choose(options.method)?, choose(SelectMethod::Random)?);
        let judge = Judge::new(&chosen, &random, &unseen, options);
        rows.push(judge.scores());
        for [js, rev] in judge.gains(options.seed, split) {
            js_gain.push(js);
            rev_gain.push(rev);
        }
    }
    let mean = |arm: usize| {
        let of = |get: fn(&HeldOutArm) -> f64| {
            mean_and_sd(&rows.iter().map(|row| get(&row[arm])).collect::<Vec<_>>()).0
        };
        HeldOutArm {
            a_kl: of(|arm| arm.a_kl),
            a_kl_rev: of(|arm| arm.a_kl_rev),
            js: of(|arm| arm.js),
            ovlp_template: of(|arm| arm.ovlp_template),
        }
    };
    Ok(Some(HeldOut {
        by_database,
        splits: SPLITS,
        chosen: mean(0),
        random: mean(1),
        js_gain: Interval::percentile(js_gain, 0.95),
        a_rev_gain: Interval::percentile(rev_gain, 0.95),
    }))
}

/// Two halves of about one number of queries.
fn halves(units: &[Vec<usize>], seed: u64, split: usize) -> [Vec<usize>; 2] {
    let mut order: Vec<&Vec<usize>> = units.iter().collect();
    order.shuffle(&mut generator(seed, 22, split));
    let (mut seen, mut unseen) = (Vec::new(), Vec::new());
    for unit in order {
        let half = if seen.len() <= unseen.len() {
            &mut seen
        } else {
            &mut unseen
        };
        half.extend(unit);
    }
    seen.sort_unstable();
    unseen.sort_unstable();
    [seen, unseen]
}

/// Two sets, chosen and random, before the unseen half.
struct Judge {
    space: Space,
    arms: [Counts; 2],
    alpha: f64,
}

impl Judge {
    fn new(
        chosen: &Workload,
        random: &Workload,
        unseen: &Workload,
        options: &SelectOptions,
    ) -> Self {
        let sets = [chosen, random, unseen].map(Workload::templates);
        let space = Space::new(&sets, options.scores);
        Self {
            arms: [0, 1].map(|set| space.count(space.templates(set))),
            space,
            alpha: options.scores.alpha,
        }
    }

    fn scores(&self) -> [HeldOutArm; 2] {
        let templates = self.space.templates(2);
        let unseen = self.space.count(templates.iter().copied());
        [0, 1].map(|arm| HeldOutArm {
            a_kl: kl(&self.arms[arm], &unseen, self.alpha).a,
            a_kl_rev: kl(&unseen, &self.arms[arm], self.alpha).a,
            js: js(&self.arms[arm], &unseen),
            ovlp_template: overlap::templates(&self.space.templates(arm), &templates),
        })
    }

    /// JS and A(T, S) of resamples: how much better the chosen set does than the random one.
    fn gains(&self, seed: u64, split: usize) -> Vec<[f64; 2]> {
        let templates = self.space.templates(2);
        let gain = |resample| {
            let mut random = generator(seed, 23 + split as u64, resample);
            let unseen = self.space.count(
                (0..templates.len()).map(|_| templates[random.random_range(0..templates.len())]),
            );
            let js = self.arms.each_ref().map(|arm| js(arm, &unseen));
            let rev = self
                .arms
                .each_ref()
                .map(|arm| kl(&unseen, arm, self.alpha).a);
            [js[1] - js[0], rev[0] - rev[1]]
        };
        (0..RESAMPLES)
            .into_par_iter()
            .map(gain)
            .filter(|gain| gain.iter().all(|x| x.is_finite()))
            .collect()
    }
}
