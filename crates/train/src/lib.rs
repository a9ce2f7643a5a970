//! Supervised fine-tuning of anything that can give the loss of a packed batch.
//!
//! The crate turns tokenised examples into micro-batches with a loss mask, and runs one loop over them:
//! forward and backward, clip, `AdamW`, log, checkpoint. It does not know SQL, data sets, tokenizers, decoder
//! families or which weights are trained: the caller hands in an [`Objective`]. It prints nothing and reads no
//! clock: what happens is told through [`Event`]s.
//!
//! The way of the data: [`TrainExample`] → [`batch::admit`] → [`order::step_examples`] → [`batch::micro_batches`]
//! → [`PackedBatch`] → [`gradients::step_gradients`] → [`clip::clip_global_norm`] → [`AdamW::step`].

#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used))]

pub mod batch;
mod checkpoint;
pub mod clip;
mod config;
mod error;
mod event;
mod find_rate;
mod full;
pub mod gradients;
mod graph;
mod log;
mod lora;
mod measure;
mod objective;
mod optimizer;
pub mod order;
mod preview;
mod random;
mod resume;
mod schedule;
mod slices;
mod tensors;
mod trainer;
mod update;

pub use batch::{LeftOut, PackedBatch, TrainExample};
pub use checkpoint::{CheckpointError, latest as latest_checkpoint};
pub use config::{ConfigError, EarlyStop, Fault, Measure, Select, TrainConfig};
pub use error::TrainError;
pub use event::{Best, DevLoss, Event, Outcome, StepRecord, Summary};
pub use find_rate::{RatePoint, RateRange, RateTest, find_rate};
pub use full::FullObjective;
pub use graph::GraphObjective;
pub use log::{LogError, StepLog};
pub use lora::LoraObjective;
pub use measure::{Score, ScoreError};
pub use objective::{Differentiable, DropoutKey, Objective};
pub use optimizer::{AdamW, AdamWOptions, OptimizerError};
pub use preview::{Preview, preview};
pub use schedule::{Schedule, ScheduleKind};
pub use tensors::TensorsError;
pub use trainer::{Run, train};
