//! Arguments of `model fetch`.

use clap::Args;

/// Which model.
#[derive(Debug, Args)]
pub struct ModelFetchArgs {
    /// A part of `configs/model`, a YAML file like those, or a file or folder with a model.
    #[arg(value_name = "MODEL")]
    pub model: String,
    /// Print JSON.
    #[arg(long)]
    pub json: bool,
}
