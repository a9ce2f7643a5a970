//! Resamples of cells, and the intervals they give.
//!
//! Cells of one model, or of one target, have the base model's mistakes and the target's questions in
//! common: they are no independent draws. The pigeonhole bootstrap (Owen, "The pigeonhole bootstrap",
//! Annals of Applied Statistics 1, 2007; Owen and Eckles, "Bootstrapping data arrays of arbitrary order",
//! same journal 6, 2012) draws models and targets independently, each with replacement, and takes a cell
//! as often as its model was drawn times as often as its target was. No bootstrap is exact for crossed
//! factors (`McCullagh` 2000); this one errs to the wide side.

use rand::Rng;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;
use serde::{Deserialize, Serialize};

use super::options::{CorrelateOptions, NO_CONCLUSION, NO_NUMBER};
use super::sample::{Sample, count};
use crate::interval::Interval;

/// What a purpose draws its random numbers from, so that one does not disturb another.
pub(super) enum Purpose {
    Clusters = 0,
    Permutation = 1,
    Cells = 2,
}

pub(super) fn generator(seed: u64, purpose: Purpose) -> ChaCha8Rng {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    random.set_stream(purpose as u64);
    random
}

/// What is drawn as one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Clusters {
    /// Models and targets, independently of each other.
    ModelsAndTargets,
    /// Targets, because there is one model.
    Targets,
    /// Models, because there is one target.
    Models,
    /// Single cells, because there is one model and one target.
    #[default]
    Cells,
}

/// A statistic with its interval.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Estimate {
    /// Its value.
    pub value: Option<f64>,
    /// Why there is no value.
    pub reason: Option<NoValue>,
    /// Percentile bootstrap interval.
    pub interval: Option<Interval>,
    /// Why there is a value without an interval.
    pub no_interval: Option<NoInterval>,
    /// Resamples without a value.
    pub degenerate: usize,
}

/// Why there is no value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NoValue {
    /// Fewer than 4 cells.
    TooFewCells,
    /// The predictor is the same in all cells, or in all that are compared.
    ConstantScore,
    /// The gain is the same in all cells, or in all that are compared.
    ConstantGain,
    /// There are only gains, or only losses.
    OneSign,
    /// There is only one group, or none with two cells.
    OneGroup,
    /// What is held constant leaves nothing: it goes up and down with the predictor or the gain.
    NothingLeft,
}

/// Why there is no interval.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NoInterval {
    /// Fewer than 8 cells: resamples are mostly the same cells again, and look far surer than they are.
    TooFewCells,
    /// Most resamples have no value: their cells are alike.
    Degenerate,
    /// No resamples were asked for.
    NotAsked,
}

/// Resamples of the cells of one predictor: predictors that the same cells have see the same ones, so that
/// their differences are paired.
pub(super) struct Draws {
    pub clusters: Clusters,
    level: f64,
    /// Places of cells, one list a resample.
    places: Vec<Vec<u32>>,
}

impl Draws {
    /// Resamples of models and targets, or of what there is more than one of.
    pub fn clustered(sample: &Sample, options: &CorrelateOptions) -> Self {
        let clusters = match (count(&sample.model) > 1, count(&sample.target) > 1) {
            (true, true) => Clusters::ModelsAndTargets,
            (false, true) => Clusters::Targets,
            (true, false) => Clusters::Models,
            (false, false) => return Self::of_cells(sample, options, Purpose::Clusters),
        };
        let mut random = generator(options.seed, Purpose::Clusters);
        let mut times = |labels: &[usize], drawn: bool| -> Vec<u32> {
            let n = labels.iter().max().map_or(0, |last| last + 1);
            let mut times = vec![u32::from(!drawn); n];
            for _ in 0..if drawn { n } else { 0 } {
                times[random.random_range(0..n)] += 1;
            }
            times
        };
        let places = (0..options.resamples)
            .map(|_| {
                let models = times(&sample.model, clusters != Clusters::Targets);
                let targets = times(&sample.target, clusters != Clusters::Models);
                (0..sample.len())
                    .flat_map(|cell| {
                        let times = models[sample.model[cell]] * targets[sample.target[cell]];
                        std::iter::repeat_n(cell as u32, times as usize)
                    })
                    .collect()
            })
            .collect();
        Self {
            clusters,
            level: options.level,
            places,
        }
    }

    /// Resamples of single cells.
    pub fn plain(sample: &Sample, options: &CorrelateOptions) -> Self {
        Self::of_cells(sample, options, Purpose::Cells)
    }

    fn of_cells(sample: &Sample, options: &CorrelateOptions, purpose: Purpose) -> Self {
        let mut random = generator(options.seed, purpose);
        let n = sample.len() as u32;
        let places = (0..if n == 0 { 0 } else { options.resamples })
            .map(|_| (0..n).map(|_| random.random_range(0..n)).collect())
            .collect();
        Self {
            clusters: Clusters::Cells,
            level: options.level,
            places,
        }
    }

    /// The statistic in each resample.
    pub fn values(
        &self,
        sample: &Sample,
        statistic: impl Fn(&Sample) -> Option<f64>,
    ) -> Vec<Option<f64>> {
        self.places
            .iter()
            .map(|places| statistic(&sample.take(places)))
            .collect()
    }

    /// A statistic of the sample with its interval; `absent` tells why there is no value.
    pub fn estimate(
        &self,
        sample: &Sample,
        absent: NoValue,
        statistic: impl Fn(&Sample) -> Option<f64>,
    ) -> Estimate {
        let [estimate] = self.estimates(sample, absent, |s| [statistic(s)]);
        estimate
    }

    /// Statistics that are best computed together.
    pub fn estimates<const N: usize>(
        &self,
        sample: &Sample,
        absent: NoValue,
        statistics: impl Fn(&Sample) -> [Option<f64>; N],
    ) -> [Estimate; N] {
        let found = statistics(sample);
        let mut resampled: [Vec<Option<f64>>; N] = std::array::from_fn(|_| Vec::new());
        // Where there is no interval, nothing needs to be resampled.
        if sample.len() >= NO_CONCLUSION && found.iter().any(Option::is_some) {
            for places in &self.places {
                let values = statistics(&sample.take(places));
                for (all, value) in resampled.iter_mut().zip(values) {
                    all.push(value);
                }
            }
        }
        std::array::from_fn(|which| {
            let resampled = std::mem::take(&mut resampled[which]);
            self.estimate_of(sample.len(), found[which], absent, resampled)
        })
    }

    /// The estimate that a value over `n` cells and its values in the resamples make.
    pub fn estimate_of(
        &self,
        n: usize,
        value: Option<f64>,
        absent: NoValue,
        resampled: Vec<Option<f64>>,
    ) -> Estimate {
        let none = Estimate::default();
        match value {
            _ if n < NO_NUMBER => Estimate {
                reason: Some(NoValue::TooFewCells),
                ..none
            },
            None => Estimate {
                reason: Some(absent),
                ..none
            },
            Some(_) if n < NO_CONCLUSION => Estimate {
                value,
                no_interval: Some(NoInterval::TooFewCells),
                ..none
            },
            Some(value) => self.around(value, resampled),
        }
    }

    /// `value` with the interval of what it is in the resamples.
    fn around(&self, value: f64, resampled: Vec<Option<f64>>) -> Estimate {
        let all = resampled.len();
        let values: Vec<f64> = resampled.into_iter().flatten().collect();
        let degenerate = all - values.len();
        let no_interval = match values.len() {
            _ if all == 0 => Some(NoInterval::NotAsked),
            with if with == 0 || with < degenerate => Some(NoInterval::Degenerate),
            _ => None,
        };
        Estimate {
            value: Some(value),
            reason: None,
            interval: if no_interval.is_none() {
                Interval::percentile(values, self.level)
            } else {
                None
            },
            no_interval,
            degenerate,
        }
    }
}
