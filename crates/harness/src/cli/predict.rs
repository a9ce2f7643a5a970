//! Arguments of `predict`.

use std::path::PathBuf;

use clap::Args;

use super::StageArgs;

/// Arguments of `predict`.
#[derive(Debug, Args)]
pub struct PredictArgs {
    #[command(flatten)]
    pub stage: StageArgs,
    /// Only this target, into --out.
    #[arg(long, value_name = "NAME", requires = "out")]
    pub target: Option<String>,
    /// Folder of an adapter in PEFT's format; without it the base model answers.
    #[arg(long, value_name = "FOLDER", requires = "out")]
    pub adapter: Option<PathBuf>,
    /// Folder for the predictions of one target; without it they are stages of the experiment, one for each target.
    #[arg(long, value_name = "FOLDER")]
    pub out: Option<PathBuf>,
}
