//! `harness align`: two sets of queries, what tells them apart, or the stages of an experiment.

mod explain;
mod scores;
mod sets;

use anyhow::Result;
use harness_experiment::StageKind;

use super::run;
use crate::cli::{AlignArgs, AlignCommand, StageArgs};

pub fn align(mut arguments: AlignArgs) -> Result<()> {
    if let Some(AlignCommand::Explain(arguments)) = &arguments.command {
        return explain::explain(arguments);
    }
    match arguments.config.take() {
        Some(config) => run::stages(
            &StageArgs {
                config,
                spec: arguments.spec,
                json: arguments.json,
            },
            StageKind::Align,
        ),
        None => sets::sets(&arguments),
    }
}
