//! `harness align`: two sets of queries, or the stages of an experiment.

mod sets;

use anyhow::Result;
use harness_experiment::StageKind;

use super::run;
use crate::cli::{AlignArgs, StageArgs};

pub fn align(arguments: AlignArgs) -> Result<()> {
    match arguments.config {
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
