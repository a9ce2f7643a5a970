//! `harness data`: what there is to train on and to be asked about. One file for each subcommand.

mod check;
#[cfg(feature = "hub")]
mod fetch;
mod probe;
mod show;
mod stats;
mod synth;

use std::path::Path;

use anyhow::Result;
use harness_data::Dataset;
use harness_data::prompt::{PromptOptions, Sources};
use harness_experiment::{Env, Resolved, StageKind, spec};

use super::run;
use crate::cli::{DataCommand, SetArgs};
use crate::context::{Context, convert, load_spec};

/// Does one of the subcommands.
pub fn data(command: DataCommand) -> Result<()> {
    match command {
        DataCommand::Read(arguments) => run::stages(&arguments, StageKind::Data),
        DataCommand::Synth(arguments) => synth::synth(&arguments),
        DataCommand::Check(arguments) => check::check(&arguments),
        DataCommand::Stats(arguments) => stats::stats(&arguments),
        DataCommand::Show(arguments) => show::show(&arguments),
        DataCommand::Probe(arguments) => probe::probe(&arguments),
        #[cfg(feature = "hub")]
        DataCommand::Fetch(arguments) => fetch::fetch(&arguments),
    }
}

/// How prompts are written: as the experiment says, or plainly.
struct Prompting {
    options: PromptOptions,
    context: Option<Context>,
}

impl Prompting {
    fn new(sets: &SetArgs) -> Result<Self> {
        let Some(config) = &sets.config else {
            return Ok(Self {
                options: PromptOptions::default(),
                context: None,
            });
        };
        let spec = load_spec(config, &sets.spec)?;
        Ok(Self {
            options: convert(&spec.prompt)?,
            context: Some(Context::new(spec)),
        })
    }

    /// Where the prompts of a set take what they show; worked examples are the experiment's.
    fn sources<'a>(&'a self, dataset: &'a Dataset) -> Result<Sources<'a>> {
        let shots = match (&self.options.few_shot, &self.context) {
            (Some(few), Some(context)) => Some(context.dataset(&few.from)?),
            _ => None,
        };
        Ok(Sources { dataset, shots })
    }
}

/// A specification with the model of a part of `configs/model`, or else with the experiment's; `None` where neither is
/// given.
fn model_spec(sets: &SetArgs, part: Option<&str>) -> Result<Option<Resolved>> {
    match (&sets.config, part) {
        (Some(config), None) => Ok(Some(load_spec(config, &sets.spec)?)),
        (None, None) => Ok(None),
        (Some(config), Some(part)) => {
            let mut overrides = sets.spec.sets.clone();
            overrides.push(format!("model={part}"));
            let env = Env::default();
            Ok(Some(spec::load(
                config,
                sets.spec.cell.as_deref(),
                &overrides,
                &env,
            )?))
        }
        (None, Some(part)) => {
            // A specification has to have something to do; this one is only asked for its model.
            let text = format!("model: {part}\ntargets: {{any: {{dataset: jsonl, split: any}}}}\n");
            let (path, configs) = (Path::new("MODEL"), Path::new("configs"));
            let env = Env::default();
            let spec = spec::load_text(path, &text, Some(configs), &sets.spec.sets, &env)?;
            Ok(Some(spec))
        }
    }
}
