//! The permutation test: would another assignment of training sets have gone as well with the gains?
//!
//! Were the training set without effect, the gains of one model on one target could be swapped among its
//! training sets; between models or targets they could not, which differ for other reasons. So gains are
//! shuffled within (model, target) only; the seeds of a training set move together, the first in the place
//! of the first, which needs training sets with equally many seeds: those with another number are shuffled
//! among themselves. p is two-sided, twice the smaller tail and at most 1, because the coefficients of the
//! permutations need not lie around 0.

use std::collections::BTreeMap;

use rand::seq::SliceRandom;
use serde::{Deserialize, Serialize};

use super::coefficient::{kendall, pearson, ranks};
use super::options::{CorrelateOptions, NO_NUMBER};
use super::predictor::Predictor;
use super::resample::{Purpose, generator};
use super::sample::Sample;

/// Coefficients of equal rank order may differ by rounding.
const ROUNDING: f64 = 1e-12;

/// How the permutation test was made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Permutation {
    /// Different assignments of training sets, the one that was found among them; beyond 2⁵³ rounded.
    pub arrangements: f64,
    /// Whether all of them were tried. Else as many at random as the options say.
    pub exact: bool,
    /// Why there is no p.
    pub reason: Option<NoTest>,
}

/// Why there is no permutation test.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NoTest {
    /// Fewer than 4 cells.
    TooFewCells,
    /// Every (model, target) has one training set, or all of another number of seeds.
    NothingToShuffle,
    /// The predictor has one value for all training sets of a (model, target): no shuffle changes anything.
    SameForAllTrainSets,
    /// No permutations were asked for.
    NotAsked,
}

/// p of Pearson's, Spearman's and Kendall's coefficient.
pub(super) struct Test {
    pub how: Permutation,
    pub p: [Option<f64>; 3],
}

/// Training sets that may change places: for each the places of its cells, by seed.
type Block = Vec<Vec<usize>>;

pub(super) fn test(predictor: &Predictor<'_>, sample: &Sample, options: &CorrelateOptions) -> Test {
    let blocks = blocks(predictor);
    let arrangements: f64 = blocks.iter().map(|block| factorial(block.len())).product();
    let reason = if sample.len() < NO_NUMBER {
        Some(NoTest::TooFewCells)
    } else if blocks.is_empty() {
        Some(NoTest::NothingToShuffle)
    } else if blocks.iter().all(|block| is_constant(block, &sample.score)) {
        Some(NoTest::SameForAllTrainSets)
    } else if options.permutations == 0 {
        Some(NoTest::NotAsked)
    } else {
        None
    };
    let exact = reason.is_none() && arrangements <= options.permutations as f64;
    let how = Permutation {
        arrangements,
        exact,
        reason,
    };
    let found = coefficients(&Columns::new(sample));
    if reason.is_some() || found == [None; 3] {
        return Test { how, p: [None; 3] };
    }
    let mut tails = Tails::new(found);
    let columns = Columns::new(sample);
    if exact {
        every_order(&blocks, &mut |orders| {
            tails.add(coefficients(&columns.rearranged(&blocks, orders)));
        });
    } else {
        // The order that was found is one of them, so that p is never 0.
        tails.add(found);
        let mut random = generator(options.seed, Purpose::Permutation);
        let mut orders: Vec<Vec<usize>> = blocks.iter().map(|b| (0..b.len()).collect()).collect();
        for _ in 0..options.permutations {
            for order in &mut orders {
                order.shuffle(&mut random);
            }
            tails.add(coefficients(&columns.rearranged(&blocks, &orders)));
        }
    }
    Test { how, p: tails.p() }
}

fn blocks(predictor: &Predictor<'_>) -> Vec<Block> {
    let mut pairs: BTreeMap<(&str, &str), BTreeMap<&str, Vec<usize>>> = BTreeMap::new();
    for (place, (cell, _)) in predictor.cells.iter().enumerate() {
        let pair = pairs.entry((&cell.model, &cell.target)).or_default();
        pair.entry(&cell.train_set).or_default().push(place);
    }
    let mut blocks = Vec::new();
    for sets in pairs.into_values() {
        let mut by_seeds: BTreeMap<usize, Block> = BTreeMap::new();
        for mut places in sets.into_values() {
            places.sort_by_key(|&place| predictor.cells[place].0.seed);
            by_seeds.entry(places.len()).or_default().push(places);
        }
        blocks.extend(by_seeds.into_values().filter(|block| block.len() > 1));
    }
    blocks
}

fn is_constant(block: &Block, scores: &[f64]) -> bool {
    let of = |places: &Vec<usize>| places.iter().map(|&p| scores[p]).collect::<Vec<f64>>();
    block.windows(2).all(|pair| of(&pair[0]) == of(&pair[1]))
}

fn factorial(n: usize) -> f64 {
    (1..=n).map(|k| k as f64).product()
}

/// Scores and gains with their ranks, which a permutation only moves.
#[derive(Clone)]
struct Columns {
    score: Vec<f64>,
    score_rank: Vec<f64>,
    gain: Vec<f64>,
    gain_rank: Vec<f64>,
}

impl Columns {
    fn new(sample: &Sample) -> Self {
        Self {
            score: sample.score.clone(),
            score_rank: ranks(&sample.score),
            gain: sample.gain.clone(),
            gain_rank: ranks(&sample.gain),
        }
    }

    /// The gains moved: training set i of a block gets those of training set `order[i]`.
    fn rearranged(&self, blocks: &[Block], orders: &[Vec<usize>]) -> Self {
        let mut moved = self.clone();
        for (block, order) in blocks.iter().zip(orders) {
            for (to, &from) in order.iter().enumerate() {
                for (&to, &from) in block[to].iter().zip(&block[from]) {
                    moved.gain[to] = self.gain[from];
                    moved.gain_rank[to] = self.gain_rank[from];
                }
            }
        }
        moved
    }
}

fn coefficients(columns: &Columns) -> [Option<f64>; 3] {
    [
        pearson(&columns.score, &columns.gain),
        pearson(&columns.score_rank, &columns.gain_rank),
        kendall(&columns.score, &columns.gain),
    ]
}

/// How many permutations lie on or beyond what was found, below and above.
struct Tails {
    found: [Option<f64>; 3],
    below: [usize; 3],
    above: [usize; 3],
    tried: usize,
}

impl Tails {
    fn new(found: [Option<f64>; 3]) -> Self {
        Self {
            found,
            below: [0; 3],
            above: [0; 3],
            tried: 0,
        }
    }

    fn add(&mut self, permuted: [Option<f64>; 3]) {
        self.tried += 1;
        for (which, pair) in self.found.iter().zip(permuted).enumerate() {
            if let (Some(found), Some(permuted)) = pair {
                self.below[which] += usize::from(permuted <= found + ROUNDING);
                self.above[which] += usize::from(permuted >= found - ROUNDING);
            }
        }
    }

    fn p(&self) -> [Option<f64>; 3] {
        std::array::from_fn(|which| {
            let tail = self.below[which].min(self.above[which]) as f64;
            self.found[which].map(|_| (2.0 * tail / self.tried as f64).min(1.0))
        })
    }
}

/// Calls `with` for every combination of orders of the blocks.
fn every_order(blocks: &[Block], with: &mut impl FnMut(&[Vec<usize>])) {
    let orders: Vec<Vec<Vec<usize>>> = blocks.iter().map(|block| all_orders(block.len())).collect();
    let mut at = vec![0; blocks.len()];
    loop {
        let chosen: Vec<Vec<usize>> = at
            .iter()
            .zip(&orders)
            .map(|(&at, orders)| orders[at].clone())
            .collect();
        with(&chosen);
        // Counts on like a clock whose wheels have as many teeth as a block has orders.
        let Some(wheel) = (0..at.len()).find(|&wheel| at[wheel] + 1 < orders[wheel].len()) else {
            return;
        };
        at[..wheel].fill(0);
        at[wheel] += 1;
    }
}

fn all_orders(n: usize) -> Vec<Vec<usize>> {
    if n == 0 {
        return vec![Vec::new()];
    }
    let mut orders = Vec::new();
    for shorter in all_orders(n - 1) {
        for place in 0..n {
            let mut order = shorter.clone();
            order.insert(place, n - 1);
            orders.push(order);
        }
    }
    orders
}
