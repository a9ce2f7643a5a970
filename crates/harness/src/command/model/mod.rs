//! `harness model`: the files of models. One file for each subcommand.

mod check;
mod export;
mod fetch;
mod named;
mod show;

use anyhow::Result;

use crate::cli::ModelCommand;

/// Does one of the subcommands.
pub fn model(command: ModelCommand) -> Result<()> {
    match command {
        ModelCommand::Show(arguments) => show::show(&arguments),
        ModelCommand::Check(arguments) => check::check(&arguments),
        ModelCommand::Fetch(arguments) => fetch::fetch(&arguments),
        ModelCommand::Merge(arguments) => export::merge(&arguments),
        ModelCommand::Export(arguments) => export::export(&arguments),
    }
}
