//! The learning-rate range test (Smith 2017): the rate rises from step to step by the same factor while the loss is
//! watched; it falls fastest where a rate is good, and rises where it is too high. It trains the variables it is given,
//! so they are not to be used afterwards. It does not know what a person is shown.

use serde::Serialize;

use crate::batch::{TrainExample, admit};
use crate::clip::clip_global_norm;
use crate::config::{ConfigError, Fault, TrainConfig};
use crate::error::TrainError;
use crate::gradients::{mean_loss, step_gradients, trainable};
use crate::objective::Objective;
use crate::optimizer::AdamW;
use crate::order::{bucketed_step_examples, step_examples};

/// Weight of the past in the smoothed loss. Of a hundred steps it takes in some ten.
const SMOOTHING: f64 = 0.9;

/// The test ends where the smoothed loss is so many times its least.
const DIVERGED: f64 = 4.0;

/// Measurements on the development examples, about.
const MEASURED: usize = 20;

/// Which rates are tried.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct RateRange {
    /// The first rate.
    pub min: f64,
    /// The last rate.
    pub max: f64,
    /// Steps, each at a rate of its own.
    pub steps: usize,
}

impl Default for RateRange {
    fn default() -> Self {
        Self {
            min: 1e-7,
            max: 1.0,
            steps: 100,
        }
    }
}

impl RateRange {
    /// The rate of a step (0-based): `min · (max/min)^(step/(steps−1))`.
    pub fn rate(&self, step: usize) -> f64 {
        let share = step as f64 / (self.steps - 1).max(1) as f64;
        self.min * (self.max / self.min).powf(share)
    }

    fn validate(&self) -> Result<(), ConfigError> {
        let mut faults = Vec::new();
        if !(self.min.is_finite() && self.min > 0.0) {
            faults.push(Fault {
                field: "lr-min",
                found: self.min.to_string(),
                expected: "a finite number above 0",
            });
        }
        if !(self.max.is_finite() && self.max > self.min) {
            faults.push(Fault {
                field: "lr-max",
                found: self.max.to_string(),
                expected: "a finite number above lr-min",
            });
        }
        if self.steps < 10 {
            faults.push(Fault {
                field: "lr-steps",
                found: self.steps.to_string(),
                expected: "10 or more: a slope is taken over several steps",
            });
        }
        if faults.is_empty() {
            Ok(())
        } else {
            Err(ConfigError { faults })
        }
    }
}

/// One step of the test. Losses are nats per target token.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct RatePoint {
    /// Learning rate of the step.
    pub rate: f64,
    /// Loss of the step's examples, before its update.
    pub loss: f64,
    /// Mean of the losses so far, each weighted 0.9 of the one after it.
    pub smoothed: f64,
    /// Loss of the development examples after the update, where it was measured.
    pub dev_loss: Option<f64>,
}

/// What the test found.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct RateTest {
    /// The rates that were asked for.
    pub range: RateRange,
    /// The steps that were taken.
    pub points: Vec<RatePoint>,
    /// The rate at which the smoothed loss was 4 times its least, or the loss was no longer finite; `None` where no rate
    /// was so high.
    pub diverged_at: Option<f64>,
    /// The rate at which the smoothed loss fell fastest, by the logarithm of the rate; `None` where it never fell.
    pub steepest: Option<f64>,
    /// A tenth of `diverged_at`.
    pub tenth_of_divergence: Option<f64>,
    /// The rate at which the development loss was least; `None` where it was not measured.
    pub least_dev_loss: Option<f64>,
}

/// Runs the test. The options are those of the training to come, but for rate, schedule and length.
///
/// # Errors
/// As [`crate::train`], but a loss that is not finite ends the test instead: that is what it looks for.
pub fn find_rate(
    objective: &dyn Objective,
    config: &TrainConfig,
    range: RateRange,
    examples: &[TrainExample],
    development: &[TrainExample],
    on_point: &mut dyn FnMut(&RatePoint),
) -> Result<RateTest, TrainError> {
    config.validate()?;
    range.validate()?;
    let given = examples.len();
    let (examples, left_out) = admit(examples, config.max_length);
    let (development, _) = admit(development, config.max_length);
    if examples.is_empty() {
        return Err(TrainError::NoExamples {
            given,
            too_long: left_out.too_long.len(),
            no_target: left_out.no_target.len(),
            max_length: config.max_length,
        });
    }
    let vars = trainable(objective)?;
    let mut optimizer = AdamW::new(&vars, config.adamw())?.with_rates(|name| config.rate_of(name));
    let lengths: Vec<usize> = examples.iter().map(|example| example.len()).collect();
    let every = (range.steps / MEASURED).max(1);
    let budget = config.micro_batch_tokens;

    let mut points: Vec<RatePoint> = Vec::new();
    let mut sum = 0.0;
    let mut weights = 0.0;
    let mut diverged_at = None;
    for step in 0..range.steps {
        let rate = range.rate(step);
        let chosen = if config.length_bucketing {
            bucketed_step_examples(step, &lengths, config.batch_size, config.seed)
        } else {
            step_examples(step, lengths.len(), config.batch_size, config.seed)
        };
        let batch: Vec<&TrainExample> = chosen.into_iter().map(|index| examples[index]).collect();
        let mut computed = match step_gradients(objective, &vars, &batch, budget, config.seed, step)
        {
            Err(TrainError::NotFinite { .. }) if step > 0 => {
                diverged_at = Some(rate);
                break;
            }
            other => other?,
        };
        let norm = clip_global_norm(&mut computed.gradients, config.max_grad_norm)
            .map_err(of_tensor("the gradient norm"))?;
        sum = SMOOTHING * sum + computed.loss;
        weights = SMOOTHING * weights + 1.0;
        let smoothed = sum / weights;
        let least = points
            .iter()
            .map(|point| point.smoothed)
            .fold(smoothed, f64::min);
        if smoothed > DIVERGED * least || !norm.is_finite() {
            diverged_at = Some(rate);
        } else {
            optimizer.step(rate, &computed.gradients)?;
        }
        let due = (step + 1).is_multiple_of(every) && !development.is_empty();
        let dev_loss = if due {
            let (loss, _) = mean_loss(objective, &development, budget)?;
            Some(loss).filter(|loss| loss.is_finite())
        } else {
            None
        };
        let point = RatePoint {
            rate,
            loss: computed.loss,
            smoothed,
            dev_loss,
        };
        points.push(point);
        on_point(&point);
        if diverged_at.is_some() {
            break;
        }
    }
    let least_dev = points
        .iter()
        .filter_map(|point| Some((point.rate, point.dev_loss?)))
        .min_by(|a, b| a.1.total_cmp(&b.1));
    Ok(RateTest {
        range,
        diverged_at,
        steepest: steepest(&points),
        tenth_of_divergence: diverged_at.map(|rate| rate / 10.0),
        least_dev_loss: least_dev.map(|(rate, _)| rate),
        points,
    })
}

/// The rate of the steepest descent of the smoothed loss. The rates being geometric, the slope by their logarithm is the
/// difference over the same number of points: a sixth of them, for the loss of a step is one of few examples. The first
/// tenth is not looked at: little is in the mean yet, and it goes up and down with each step.
fn steepest(points: &[RatePoint]) -> Option<f64> {
    let reach = (points.len() / 12).max(3);
    let first = reach + points.len() / 10;
    (first..points.len().saturating_sub(reach))
        .map(|at| {
            let fall = points[at - reach].smoothed - points[at + reach].smoothed;
            (points[at].rate, fall)
        })
        .filter(|&(_, fall)| fall > 0.0)
        .max_by(|a, b| a.1.total_cmp(&b.1))
        .map(|(rate, _)| rate)
}

fn of_tensor(during: &'static str) -> impl FnOnce(candle_core::Error) -> TrainError {
    move |source| TrainError::Tensor {
        during,
        source: Box::new(source),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_are_geometric() {
        let range = RateRange {
            min: 1e-4,
            max: 1.0,
            steps: 13,
        };
        for (step, expected) in [(0, 1e-4), (3, 1e-3), (6, 1e-2), (12, 1.0)] {
            assert!((range.rate(step) / expected - 1.0).abs() < 1e-12);
        }
        let wrong = RateRange {
            min: 0.0,
            max: f64::NAN,
            steps: 3,
        };
        assert_eq!(wrong.validate().unwrap_err().faults.len(), 3);
        assert_eq!(RateRange::default().validate(), Ok(()));
    }

    #[test]
    fn the_steepest_descent_is_where_the_curve_says() {
        let point = |smoothed: &f64| RatePoint {
            rate: 0.0,
            loss: *smoothed,
            smoothed: *smoothed,
            dev_loss: None,
        };
        let curve = |losses: &[f64]| {
            let mut points: Vec<RatePoint> = losses.iter().map(point).collect();
            for (index, point) in points.iter_mut().enumerate() {
                point.rate = index as f64;
            }
            steepest(&points)
        };
        let falls = [
            9.0, 9.0, 9.0, 9.0, 8.9, 8.5, 7.0, 5.5, 5.0, 4.9, 4.9, 4.9, 20.0,
        ];
        assert_eq!(curve(&falls), Some(6.0));
        assert_eq!(curve(&[1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0]), None);
        assert_eq!(curve(&[1.0]), None);
        assert_eq!(curve(&[]), None);
    }
}
