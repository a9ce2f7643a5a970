//! Trying learning rates on a training set: the model is trained as an experiment says, at rates that rise, and thrown
//! away.

use std::cell::OnceCell;

use anyhow::{Context as _, Result};
use harness_experiment::spec::Method;
use harness_model::{Adapter, FullModel};
use harness_train::{
    EarlyStop, FullObjective, LoraObjective, Measure, Objective, RateRange, RateTest, Select,
    TrainConfig, find_rate,
};

use super::{prepare, settings, watch};
use crate::context::Context;
use crate::progress::Progress;

/// Examples held out where the experiment holds none out: a tenth of the set, and no more than this.
const HELD_OUT: usize = 32;

/// Runs the range test on the training set `name`; what it found, and the number of examples that were held out for it.
pub fn find_lr(context: &Context, name: &str, range: RateRange) -> Result<(RateTest, usize)> {
    let spec = &context.spec.train;
    let all = context.dataset(name)?.examples.len();
    let held_out = match spec.dev_examples {
        0 => (all / 10).min(HELD_OUT),
        asked => asked,
    };
    let prepared = prepare::prepare(context, name, held_out)?;
    let model = context.model()?;
    // What decides when to end and what to keep has no part in this.
    let config = TrainConfig {
        early_stop: None::<EarlyStop>,
        select: Select::Last,
        dev_measure: Measure::Loss,
        ..settings::train_config(spec)
    };
    watch::tell_memory(
        spec,
        context.spec.generate.precision,
        model.weights.config(),
        prepared.longest(config.max_length),
    );
    let test = |objective: &dyn Objective| -> Result<RateTest> {
        let mut progress = Progress::new(format!("rates for {name}"), "steps", range.steps, 0);
        let mut step = 0;
        let on_point = &mut |point: &harness_train::RatePoint| {
            step += 1;
            progress.set(
                step,
                &format!("lr {:.1e}, loss {:.4}", point.rate, point.smoothed),
            );
        };
        let (examples, development) = (&prepared.examples, &prepared.development);
        Ok(find_rate(
            objective,
            &config,
            range,
            examples,
            development,
            on_point,
        )?)
    };
    let found = match spec.method {
        Method::Lora => {
            let shape = spec.lora.as_ref().context("there is no `train.lora`")?;
            let lora = settings::lora_config(shape)?;
            let adapter = Adapter::new(model.weights.config(), lora, spec.seed)?;
            let kept = OnceCell::new();
            let decoder = settings::frozen(spec, model, &kept)?;
            test(&LoraObjective::new(decoder, &adapter, spec.recompute))?
        }
        Method::Full => {
            let trained = FullModel::load(&model.weights)?;
            test(&FullObjective { model: &trained })?
        }
    };
    Ok((found, prepared.development.len()))
}
