//! What a run tells while it goes on and when it ends, as plain serialisable data. Losses are nats per target token.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::batch::LeftOut;

/// Told to the caller's callback, in the order of things.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Event {
    /// Before the first step.
    Started {
        /// Training examples that are used.
        examples: usize,
        /// Training examples that are not.
        left_out: LeftOut,
        /// Development examples that are used.
        dev_examples: usize,
        /// Development examples that are not.
        dev_left_out: LeftOut,
        /// Optimisation steps of the whole run.
        steps: usize,
        /// Steps already done, 0 unless resumed.
        done: usize,
        /// Number of trainable numbers.
        trainable_parameters: usize,
    },
    /// After each step.
    Step(StepRecord),
    /// After each measurement on the development examples.
    DevLoss(DevLoss),
    /// Before the first step of a resumed run: a checkpoint that cannot be read, so that an older one is used.
    Damaged {
        /// Folder of the checkpoint.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// The run ends before its last step: nothing has got better for as long as was asked.
    EarlyStop {
        /// Steps done.
        step: usize,
        /// The best measurement.
        best: Best,
    },
    /// After a checkpoint is safely on disk.
    Checkpoint {
        /// Steps done.
        step: usize,
        /// Folder of the checkpoint.
        path: PathBuf,
    },
}

/// One optimisation step.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct StepRecord {
    /// The step, counted from 1.
    pub step: usize,
    /// Steps of the whole run.
    pub of: usize,
    /// Mean over the target tokens of the step, before the update.
    pub loss: f64,
    /// Learning rate of the update.
    pub learning_rate: f64,
    /// Global gradient norm before clipping.
    pub grad_norm: f64,
    /// Tokens read in the step.
    pub tokens: usize,
    /// Tokens that carried loss in the step.
    pub target_tokens: usize,
    /// Forward and backward passes of the step.
    pub micro_batches: usize,
}

/// One measurement on the development examples.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct DevLoss {
    /// Steps done before it; 0 is the untrained model.
    pub step: usize,
    /// Mean over all target tokens, without dropout.
    pub loss: f64,
    /// Number of target tokens.
    pub target_tokens: usize,
    /// The caller's score, where that is what is measured.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub score: Option<f64>,
}

/// The best measurement of a run.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Best {
    /// Steps done before it.
    pub step: usize,
    /// The score where there is one, otherwise the development loss.
    pub measure: f64,
}

/// How a run ended.
#[derive(Debug, Clone, PartialEq)]
pub enum Outcome {
    /// All steps are done, or as many as brought anything.
    Finished(Summary),
    /// The stop flag was raised: the step was finished and, where there is a folder for it, a checkpoint written.
    Stopped(Summary),
}

impl Outcome {
    /// The figures of the run, finished or not.
    pub fn summary(&self) -> &Summary {
        match self {
            Self::Finished(summary) | Self::Stopped(summary) => summary,
        }
    }
}

/// The figures of a run, over all its steps, those before a resume included.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Summary {
    /// Optimisation steps done.
    pub steps: usize,
    /// Whether the run ended because nothing got better.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub stopped_early: bool,
    /// The step whose weights are the result, where the best were asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub selected: Option<Best>,
    /// Number of trainable numbers.
    pub trainable_parameters: usize,
    /// Different training examples seen at least once.
    pub examples_used: usize,
    /// Training examples that are not used.
    pub left_out: LeftOut,
    /// Development examples that are not used.
    pub dev_left_out: LeftOut,
    /// Loss of the first step.
    pub first_loss: f64,
    /// Mean loss of the last tenth of the steps done (rounded up).
    pub final_loss: f64,
    /// The development losses in order.
    pub dev: Vec<DevLoss>,
    /// Tokens read.
    pub tokens: u64,
    /// Tokens that carried loss.
    pub target_tokens: u64,
}
