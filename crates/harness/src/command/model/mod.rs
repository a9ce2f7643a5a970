//! `harness model`: the files of models. One file for each subcommand.

mod fetch;

use anyhow::Result;

use crate::cli::ModelCommand;

/// Does one of the subcommands.
pub fn model(command: ModelCommand) -> Result<()> {
    match command {
        ModelCommand::Fetch(arguments) => fetch::fetch(&arguments),
    }
}
