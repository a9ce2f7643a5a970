//! What a training run is asked to do, and the check of it. It does not know models or data.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::optimizer::AdamWOptions;
use crate::order::steps_per_epoch;
use crate::schedule::{Schedule, ScheduleKind};

/// The options of the training loop. A key that is left out has the value of [`TrainConfig::default`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TrainConfig {
    /// Passes over the examples; a fraction ends within a pass. Not used where `steps` is given.
    pub epochs: f64,
    /// Optimisation steps, in place of `epochs`.
    pub steps: Option<usize>,
    /// Examples per optimisation step. The last step of an epoch takes what is left.
    pub batch_size: usize,
    /// Tokens that go through the model at once, at most; it bounds memory and does not change the result
    /// (beyond rounding and dropout). An example that is longer goes alone.
    pub micro_batch_tokens: usize,
    /// Learning rate at the end of the warm-up.
    pub learning_rate: f64,
    /// Share of the steps over which the learning rate rises, rounded up to whole steps. Not used where
    /// `warmup_steps` is given.
    pub warmup_ratio: f64,
    /// Steps over which the learning rate rises, in place of `warmup_ratio`.
    pub warmup_steps: Option<usize>,
    /// Shape of the learning rate after the warm-up: `constant`, `linear`, `cosine` or `wsd`.
    pub schedule: ScheduleKind,
    /// Share of the steps, at the end, over which the rate of `wsd` falls, rounded up to whole steps.
    pub decay_ratio: f64,
    /// `LoRA+` (Hayou et al. 2024): the learning rate of the variables whose names end in `lora_B.weight` over that of the
    /// others; 1 is plain `LoRA`. `B` starts at 0 and has the width of the layer on its other side, so with one rate for both
    /// matrices `A` sets how large that can be and `B` learns too slowly; the authors advise 16 with a smaller rate.
    pub lora_plus_ratio: f64,
    /// Whether a step takes examples of like length: see [`crate::order::bucketed_order`].
    pub length_bucketing: bool,
    /// Decoupled weight decay λ: each step shrinks the weights by the factor 1 − rate·λ.
    pub weight_decay: f64,
    /// Decay of the first and second moment of `AdamW`.
    pub betas: (f64, f64),
    /// Term that keeps `AdamW`'s denominator away from 0.
    pub eps: f64,
    /// Global gradient norm above which gradients are scaled down; 0 measures without clipping.
    pub max_grad_norm: f64,
    /// Tokens of prompt and completion above which an example is left out (and reported), never cut.
    pub max_length: usize,
    /// Seed of the data order and of dropout.
    pub seed: u64,
    /// Steps between measurements of the development loss, which is also taken before the first step and after
    /// the last; 0 never measures.
    pub dev_every: usize,
    /// What is measured on the development examples to tell better weights from worse.
    pub dev_measure: Measure,
    /// When to end before the last step because nothing gets better; `None` never does.
    pub early_stop: Option<EarlyStop>,
    /// Which weights are the result.
    pub select: Select,
    /// Steps between checkpoints; 0 writes one only at the end and when stopped.
    pub checkpoint_every: usize,
    /// How many of the newest checkpoints are kept; the best by the development measure stays beside them.
    pub keep_checkpoints: usize,
}

impl Default for TrainConfig {
    fn default() -> Self {
        let AdamWOptions {
            betas,
            eps,
            weight_decay,
        } = AdamWOptions::default();
        Self {
            epochs: 1.0,
            steps: None,
            batch_size: 8,
            micro_batch_tokens: 2048,
            learning_rate: 2e-4,
            warmup_ratio: 0.03,
            warmup_steps: None,
            schedule: ScheduleKind::Cosine,
            decay_ratio: 0.1,
            lora_plus_ratio: 1.0,
            length_bucketing: false,
            weight_decay,
            betas,
            eps,
            max_grad_norm: 1.0,
            max_length: 2048,
            seed: 0,
            dev_every: 0,
            dev_measure: Measure::Loss,
            early_stop: None,
            select: Select::Last,
            checkpoint_every: 0,
            keep_checkpoints: 1,
        }
    }
}

/// What is measured on the development examples.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Measure {
    /// Mean loss per target token: less is better.
    Loss,
    /// What the caller's score says, [`crate::Run::score`]: more is better. The loss is measured beside it.
    Score,
}

/// Ending a run whose development measure gets no better.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EarlyStop {
    /// Measurements in a row without an improvement after which the run ends.
    pub patience: usize,
    /// By how much the measure has to change for the better to count as one.
    pub min_delta: f64,
}

/// Which weights are the result of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Select {
    /// Those after the last step.
    Last,
    /// Those of the best development measure, the first among equals. They may be those before the first step.
    Best,
}

/// One value that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// Name of the option.
    pub field: &'static str,
    /// Its value.
    pub found: String,
    /// What would be accepted.
    pub expected: &'static str,
}

/// Every fault of a configuration at once.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct ConfigError {
    /// The faults in the order of the fields, at least one.
    pub faults: Vec<Fault>,
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the training options cannot be used:")?;
        for fault in &self.faults {
            write!(
                f,
                "\n  {} is {}, expected {}",
                fault.field, fault.found, fault.expected
            )?;
        }
        Ok(())
    }
}

impl TrainConfig {
    /// Checks every option.
    ///
    /// # Errors
    /// With all faults at once.
    pub fn validate(&self) -> Result<(), ConfigError> {
        let mut faults = Vec::new();
        let mut check = |holds: bool, field, found: &dyn fmt::Debug, expected| {
            if !holds {
                let found = format!("{found:?}");
                faults.push(Fault {
                    field,
                    found,
                    expected,
                });
            }
        };
        let positive = |x: f64| x.is_finite() && x > 0.0;
        let not_negative = |x: f64| x.is_finite() && x >= 0.0;
        let decay = |x: f64| (0.0..1.0).contains(&x);
        let above_zero = "a finite number above 0";
        let zero_or_more = "a finite number, 0 or more";
        let count = "a whole number, 1 or more";
        check(
            self.steps.is_some() || positive(self.epochs),
            "epochs",
            &self.epochs,
            above_zero,
        );
        check(self.steps != Some(0), "steps", &0, count);
        check(self.batch_size > 0, "batch_size", &self.batch_size, count);
        check(
            self.micro_batch_tokens > 0,
            "micro_batch_tokens",
            &self.micro_batch_tokens,
            count,
        );
        check(
            positive(self.learning_rate),
            "learning_rate",
            &self.learning_rate,
            above_zero,
        );
        check(
            (0.0..=1.0).contains(&self.warmup_ratio),
            "warmup_ratio",
            &self.warmup_ratio,
            "a share from 0 to 1",
        );
        check(
            not_negative(self.weight_decay),
            "weight_decay",
            &self.weight_decay,
            zero_or_more,
        );
        check(
            decay(self.betas.0) && decay(self.betas.1),
            "betas",
            &self.betas,
            "two numbers from 0 to below 1",
        );
        check(positive(self.eps), "eps", &self.eps, above_zero);
        check(
            not_negative(self.max_grad_norm),
            "max_grad_norm",
            &self.max_grad_norm,
            zero_or_more,
        );
        check(
            (0.0..=1.0).contains(&self.decay_ratio),
            "decay_ratio",
            &self.decay_ratio,
            "a share from 0 to 1",
        );
        check(
            positive(self.lora_plus_ratio),
            "lora_plus_ratio",
            &self.lora_plus_ratio,
            above_zero,
        );
        if let Some(EarlyStop {
            patience,
            min_delta,
        }) = self.early_stop
        {
            check(patience > 0, "early_stop.patience", &patience, count);
            check(
                not_negative(min_delta),
                "early_stop.min_delta",
                &min_delta,
                zero_or_more,
            );
        }
        check(
            self.dev_every > 0 || (self.early_stop.is_none() && self.select == Select::Last),
            "dev_every",
            &self.dev_every,
            "1 or more: early_stop and select: best go by what is measured",
        );
        check(
            self.keep_checkpoints > 0,
            "keep_checkpoints",
            &self.keep_checkpoints,
            count,
        );
        check(
            self.max_length > 1,
            "max_length",
            &self.max_length,
            "a whole number, 2 or more: a token is predicted from the one before it",
        );
        if faults.is_empty() {
            Ok(())
        } else {
            Err(ConfigError { faults })
        }
    }

    /// Optimisation steps over `examples` examples: `steps`, or the epochs rounded up to whole steps, at least 1.
    pub fn total_steps(&self, examples: usize) -> usize {
        self.steps.unwrap_or_else(|| {
            let per_epoch = steps_per_epoch(examples, self.batch_size) as f64;
            ((self.epochs * per_epoch).ceil() as usize).max(1)
        })
    }

    /// The learning-rate schedule over `total_steps` steps. A warm-up longer than the run is cut to the run.
    pub fn schedule(&self, total_steps: usize) -> Schedule {
        let by_ratio = (self.warmup_ratio * total_steps as f64).ceil() as usize;
        Schedule {
            kind: self.schedule,
            peak: self.learning_rate,
            warmup_steps: self.warmup_steps.unwrap_or(by_ratio).min(total_steps),
            decay_steps: (self.decay_ratio * total_steps as f64).ceil() as usize,
            total_steps,
        }
    }

    /// The learning rate of a variable over that of the step, by its name.
    pub fn rate_of(&self, name: &str) -> f64 {
        if name.ends_with("lora_B.weight") {
            self.lora_plus_ratio
        } else {
            1.0
        }
    }

    /// The optimiser's share of the options.
    pub fn adamw(&self) -> AdamWOptions {
        AdamWOptions {
            betas: self.betas,
            eps: self.eps,
            weight_decay: self.weight_decay,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn defaults_are_valid_and_survive_writing() {
        let config = TrainConfig::default();
        assert_eq!(config.validate(), Ok(()));
        let text = serde_json::to_string(&config).unwrap();
        assert_eq!(serde_json::from_str::<TrainConfig>(&text).unwrap(), config);
        assert_eq!(serde_json::from_str::<TrainConfig>("{}").unwrap(), config);
    }

    #[test]
    fn unknown_keys_are_refused() {
        let error = serde_json::from_str::<TrainConfig>(r#"{"learning_rat": 1}"#).unwrap_err();
        assert!(error.to_string().contains("learning_rat"), "{error}");
    }

    #[test]
    fn all_faults_are_told_at_once() {
        let config = TrainConfig {
            epochs: f64::NAN,
            batch_size: 0,
            learning_rate: -1.0,
            betas: (0.9, 1.0),
            max_length: 1,
            ..TrainConfig::default()
        };
        let error = config.validate().unwrap_err();
        let fields: Vec<&str> = error.faults.iter().map(|fault| fault.field).collect();
        assert_eq!(
            fields,
            [
                "epochs",
                "batch_size",
                "learning_rate",
                "betas",
                "max_length"
            ]
        );
        assert!(
            error
                .to_string()
                .contains("betas is (0.9, 1.0), expected two numbers")
        );
    }

    #[test]
    fn steps_and_warm_up() {
        let config = |epochs, steps| TrainConfig {
            epochs,
            steps,
            batch_size: 4,
            ..TrainConfig::default()
        };
        assert_eq!(config(1.0, None).total_steps(10), 3);
        assert_eq!(config(1.5, None).total_steps(10), 5);
        assert_eq!(config(0.01, None).total_steps(10), 1);
        assert_eq!(config(2.0, Some(7)).total_steps(10), 7);
        assert_eq!(config(1.0, None).schedule(100).warmup_steps, 3);
        let long = TrainConfig {
            warmup_steps: Some(9),
            ..config(1.0, None)
        };
        assert_eq!(long.schedule(5).warmup_steps, 5);
    }
}
