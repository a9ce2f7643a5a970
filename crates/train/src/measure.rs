//! Measuring on the development examples, and what follows from the measurements: which weights are the best, and
//! whether to go on. All of it is a function of the measurements so far, so a resumed run decides as the whole one.

use std::fmt;

use crate::batch::TrainExample;
use crate::config::{Measure, TrainConfig};
use crate::error::TrainError;
use crate::event::{Best, DevLoss};
use crate::gradients::{ids, mean_loss};
use crate::objective::Objective;

/// What a score may fail with.
pub type ScoreError = Box<dyn std::error::Error + Send + Sync>;

/// The caller's score of the weights as they are, of the step number given: more is better, as a share of right
/// answers. It must not change the weights.
#[derive(Clone, Copy)]
pub struct Score<'a>(pub &'a dyn Fn(usize) -> Result<f64, ScoreError>);

impl fmt::Debug for Score<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Score")
    }
}

/// Measures the weights as they are after `step` steps.
pub(crate) fn measure(
    objective: &dyn Objective,
    development: &[&TrainExample],
    config: &TrainConfig,
    score: Option<Score<'_>>,
    step: usize,
) -> Result<DevLoss, TrainError> {
    let not_finite = |quantity| TrainError::NotFinite {
        quantity,
        step,
        ids: ids(development),
    };
    let (loss, target_tokens) = mean_loss(objective, development, config.micro_batch_tokens)?;
    if !loss.is_finite() {
        return Err(not_finite("the development loss"));
    }
    let score = match config.dev_measure {
        Measure::Loss => None,
        Measure::Score => {
            let Score(of) = score.ok_or(TrainError::NoScore)?;
            let score = of(step).map_err(|source| TrainError::Score { step, source })?;
            if !score.is_finite() {
                return Err(not_finite("the development score"));
            }
            Some(score)
        }
    };
    Ok(DevLoss {
        step,
        loss,
        target_tokens,
        score,
    })
}

/// By how much a measurement is better than another, in the unit of the measure.
fn gain(measured: &DevLoss, over: &DevLoss) -> f64 {
    match (measured.score, over.score) {
        (Some(measured), Some(over)) => measured - over,
        _ => over.loss - measured.loss,
    }
}

/// The best measurement, the first among equals.
pub(crate) fn best(measured: &[DevLoss]) -> Option<Best> {
    let mut best = measured.first()?;
    for one in measured {
        if gain(one, best) > 0.0 {
            best = one;
        }
    }
    Some(Best {
        step: best.step,
        measure: best.score.unwrap_or(best.loss),
    })
}

/// Whether the last `patience` measurements brought no improvement of more than `min_delta`.
pub(crate) fn is_over(config: &TrainConfig, measured: &[DevLoss]) -> bool {
    let (Some(stop), Some(mut best)) = (config.early_stop, measured.first()) else {
        return false;
    };
    let mut idle = 0;
    for one in &measured[1..] {
        if gain(one, best) > stop.min_delta {
            best = one;
            idle = 0;
        } else {
            idle += 1;
        }
    }
    idle >= stop.patience
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::EarlyStop;

    fn losses(losses: &[f64]) -> Vec<DevLoss> {
        let one = |(step, &loss)| DevLoss {
            step,
            loss,
            target_tokens: 1,
            score: None,
        };
        losses.iter().enumerate().map(one).collect()
    }

    fn scores(scores: &[f64]) -> Vec<DevLoss> {
        let mut measured = losses(scores);
        for one in &mut measured {
            // The loss says the opposite, and must not count.
            one.score = Some(one.loss);
        }
        measured
    }

    #[test]
    fn the_best_is_the_first_of_the_best() {
        let step = |measured: &[DevLoss]| best(measured).map(|best| best.step);
        assert_eq!(step(&[]), None);
        assert_eq!(step(&losses(&[3.0, 1.0, 2.0, 1.0])), Some(1));
        assert_eq!(step(&scores(&[3.0, 1.0, 2.0, 3.0])), Some(0));
        assert_eq!(step(&scores(&[0.0, 0.1, 0.3, 0.2])), Some(2));
    }

    #[test]
    fn patience_table() {
        let check = |patience, min_delta, measured: &[DevLoss], expected| {
            let config = TrainConfig {
                early_stop: Some(EarlyStop {
                    patience,
                    min_delta,
                }),
                ..TrainConfig::default()
            };
            assert_eq!(is_over(&config, measured), expected, "{measured:?}");
            assert!(!is_over(&TrainConfig::default(), measured));
        };
        check(2, 0.0, &losses(&[]), false);
        check(2, 0.0, &losses(&[3.0, 2.0, 2.0]), false);
        check(2, 0.0, &losses(&[3.0, 2.0, 2.0, 2.0]), true);
        check(2, 0.0, &losses(&[3.0, 2.0, 2.5, 1.9, 1.9]), false);
        // Small gains add up against the last one that counted.
        check(2, 0.5, &losses(&[3.0, 2.8, 2.6]), true);
        check(2, 0.5, &losses(&[3.0, 2.8, 2.4, 2.3]), false);
        check(1, 0.0, &scores(&[0.5, 0.6, 0.6]), true);
        check(1, 0.0, &scores(&[0.5, 0.6, 0.7]), false);
    }
}
