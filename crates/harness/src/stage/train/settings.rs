//! The `train` part of an experiment as the options of the training loop and of the adapter.

use std::cell::OnceCell;

use anyhow::Result;
use harness_experiment::spec::{self, DevMeasure, Loss, Schedule};
use harness_model::weights::Base;
use harness_model::{Decoder, LoraConfig};
use harness_train::{EarlyStop, Measure, ScheduleKind, Select, TrainConfig};

use crate::context::{convert, get_or_try};
use crate::model::Model;

/// The options of the loop.
pub fn train_config(train: &spec::Train) -> TrainConfig {
    let defaults = TrainConfig::default();
    TrainConfig {
        epochs: train.epochs.unwrap_or(1.0),
        steps: train.steps,
        batch_size: train.batch_size,
        micro_batch_tokens: train.micro_batch_tokens,
        learning_rate: train.learning_rate,
        warmup_ratio: train.warmup_ratio,
        warmup_steps: None,
        schedule: match train.schedule {
            Schedule::Constant => ScheduleKind::Constant,
            Schedule::Linear => ScheduleKind::Linear,
            Schedule::Cosine => ScheduleKind::Cosine,
            Schedule::Wsd => ScheduleKind::Wsd,
        },
        decay_ratio: train.decay_ratio.unwrap_or(defaults.decay_ratio),
        lora_plus_ratio: train.lora.as_ref().map_or(1.0, |lora| lora.plus_ratio),
        length_bucketing: train.length_bucketing,
        weight_decay: train.weight_decay,
        betas: (train.betas[0], train.betas[1]),
        eps: train.eps,
        max_grad_norm: train.max_grad_norm,
        max_length: train.max_length,
        seed: train.seed,
        dev_every: train.dev_every,
        dev_measure: match train.dev_measure {
            DevMeasure::Loss => Measure::Loss,
            DevMeasure::Ex => Measure::Score,
        },
        early_stop: train.early_stop.map(|stop| EarlyStop {
            patience: stop.patience,
            min_delta: stop.min_delta,
        }),
        select: match train.select {
            spec::Select::Last => Select::Last,
            spec::Select::Best => Select::Best,
        },
        checkpoint_every: train.checkpoint_every,
        keep_checkpoints: train.keep_checkpoints,
    }
}

/// How the frozen weights are kept.
pub fn base(train: &spec::Train) -> Base {
    match train.base {
        spec::Base::Plain => Base::Plain,
        spec::Base::Nf4 => Base::Nf4,
        spec::Base::Blocks => Base::Blocks,
    }
}

/// The decoder that an adapter is trained on: that of prediction, or one that keeps its weights in fewer bits.
pub fn frozen<'m>(
    train: &spec::Train,
    model: &'m Model,
    kept: &'m OnceCell<Decoder>,
) -> Result<&'m Decoder> {
    match base(train) {
        Base::Plain => model.decoder(),
        base => get_or_try(kept, || model.frozen(base)),
    }
}

/// The shape of the adapter. How fast its matrices learn is the loop's affair.
pub fn lora_config(lora: &spec::Lora) -> Result<LoraConfig> {
    let shape = spec::Lora {
        plus_ratio: 1.0,
        ..lora.clone()
    };
    convert(&shape)
}

/// The tokens of an example that are read, and those that are learnt.
pub fn with_loss(loss: Loss, prompt: Vec<u32>, completion: Vec<u32>) -> (Vec<u32>, Vec<u32>) {
    match loss {
        Loss::Completion => (prompt, completion),
        Loss::All => (Vec::new(), [prompt, completion].concat()),
    }
}
