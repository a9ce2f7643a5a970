//! `harness model`: the files of models. One file for each subcommand.

mod export;
mod fetch;
mod named;

use anyhow::Result;

use crate::cli::ModelCommand;

/// Does one of the subcommands.
pub fn model(command: ModelCommand) -> Result<()> {
    match command {
        ModelCommand::Fetch(arguments) => fetch::fetch(&arguments),
        ModelCommand::Merge(arguments) => export::merge(&arguments),
        ModelCommand::Export(arguments) => export::export(&arguments),
    }
}
