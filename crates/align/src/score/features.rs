//! Distances between two sets of queries by what can be counted in them: joins, nesting, aggregates, clauses, length.

use std::collections::BTreeMap;

use harness_sql::Features;
use rayon::prelude::*;

use crate::sum::{mean_and_sd, sum};

/// The features, in the order of a vector.
pub const FEATURES: [&str; 17] = [
    "tokens",
    "tables",
    "joins",
    "selects",
    "depth",
    "set_operations",
    "aggregates",
    "distinct",
    "filters",
    "group_by",
    "having",
    "order_by",
    "limit",
    "cases",
    "casts",
    "ctes",
    "windows",
];

/// Number of features.
const D: usize = FEATURES.len();

fn vector(f: &Features) -> [u32; D] {
    [
        f.tokens,
        f.tables,
        f.joins,
        f.selects,
        f.depth,
        f.set_operations,
        f.aggregates,
        f.distinct,
        f.filters,
        f.group_by,
        f.having,
        f.order_by,
        f.limit,
        f.cases,
        f.casts,
        f.ctes,
        f.windows,
    ]
}

/// The vectors of a set, each with its number of queries.
pub(crate) struct Sample {
    vectors: Vec<([u32; D], f64)>,
    n: f64,
}

impl Sample {
    /// The features of all queries.
    pub(crate) fn new<'a>(queries: impl IntoIterator<Item = &'a Features>) -> Self {
        let mut counts: BTreeMap<[u32; D], f64> = BTreeMap::new();
        for features in queries {
            *counts.entry(vector(features)).or_insert(0.0) += 1.0;
        }
        Self {
            n: sum(counts.values().copied()),
            vectors: counts.into_iter().collect(),
        }
    }

    /// The values of one feature with their numbers of queries, ascending.
    fn column(&self, feature: usize) -> Vec<(f64, f64)> {
        let mut counts: BTreeMap<u32, f64> = BTreeMap::new();
        for (vector, n) in &self.vectors {
            *counts.entry(vector[feature]).or_insert(0.0) += n;
        }
        counts
            .into_iter()
            .map(|(value, n)| (f64::from(value), n / self.n))
            .collect()
    }

    /// Standard deviation of each feature; 1 where it is the same in all queries, so that it can be divided by.
    fn spread(&self) -> [f64; D] {
        std::array::from_fn(|feature| {
            let values: Vec<f64> = self
                .vectors
                .iter()
                .flat_map(|(vector, n)| {
                    std::iter::repeat_n(f64::from(vector[feature]), *n as usize)
                })
                .collect();
            let (_, sd) = mean_and_sd(&values);
            if sd > 0.0 { sd } else { 1.0 }
        })
    }
}

/// Energy distance `2 E‖X − Y‖ − E‖X − X'‖ − E‖Y − Y'‖` (Székely and Rizzo 2013), at least 0, of the vectors in units of
/// the target's standard deviations; none without a parsed query on a side.
pub(crate) fn energy(source: &Sample, target: &Sample) -> Option<f64> {
    if source.vectors.is_empty() || target.vectors.is_empty() {
        return None;
    }
    let spread = target.spread();
    let scaled = |sample: &Sample| -> Vec<([f64; D], f64)> {
        let vectors = sample.vectors.iter();
        vectors
            .map(|(vector, n)| {
                (
                    std::array::from_fn(|i| f64::from(vector[i]) / spread[i]),
                    n / sample.n,
                )
            })
            .collect()
    };
    let (s, t) = (scaled(source), scaled(target));
    Some((2.0 * mean_distance(&s, &t) - mean_distance(&s, &s) - mean_distance(&t, &t)).max(0.0))
}

/// Mean Euclidean distance between draws of two weighted samples.
fn mean_distance(a: &[([f64; D], f64)], b: &[([f64; D], f64)]) -> f64 {
    let rows: Vec<f64> = a
        .par_iter()
        .map(|(x, p)| {
            let distance = |y: &[f64; D]| {
                let squares: f64 = x.iter().zip(y).map(|(x, y)| (x - y).powi(2)).sum();
                squares.sqrt()
            };
            p * sum(b.iter().map(|(y, q)| q * distance(y)))
        })
        .collect();
    sum(rows)
}

/// 1-Wasserstein distance of one feature, in its own units: the area between the two distribution functions.
pub(crate) fn wasserstein(source: &Sample, target: &Sample, feature: usize) -> Option<f64> {
    if source.vectors.is_empty() || target.vectors.is_empty() {
        return None;
    }
    let mut steps: BTreeMap<u64, f64> = BTreeMap::new();
    for (column, sign) in [
        (source.column(feature), 1.0),
        (target.column(feature), -1.0),
    ] {
        for (value, share) in column {
            // Values are whole numbers.
            *steps.entry(value as u64).or_insert(0.0) += sign * share;
        }
    }
    let values: Vec<(u64, f64)> = steps.into_iter().collect();
    let mut between = 0.0;
    let areas = values.windows(2).map(|pair| {
        between += pair[0].1;
        f64::abs(between) * (pair[1].0 - pair[0].0) as f64
    });
    Some(sum(areas))
}

/// The mean of all features' 1-Wasserstein distances in units of the target's standard deviations.
pub(crate) fn mean_wasserstein(source: &Sample, target: &Sample) -> Option<f64> {
    let spread = target.spread();
    let distances: Option<Vec<f64>> = (0..D)
        .map(|feature| Some(wasserstein(source, target, feature)? / spread[feature]))
        .collect();
    Some(sum(distances?) / D as f64)
}
