//! Arguments of the commands on models.

use clap::Subcommand;

use super::ModelFetchArgs;

/// Commands on models.
#[derive(Debug, Subcommand)]
pub enum ModelCommand {
    /// Fetch the files of a model, and say where they are and what they hold; what is there already is not fetched again.
    ///
    /// A part of configs/model, a YAML file like those, or a file or folder on this machine:
    ///
    ///   harness model fetch smollm2-135m-instruct
    #[command(verbatim_doc_comment)]
    Fetch(ModelFetchArgs),
}
