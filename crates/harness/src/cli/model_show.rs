//! Arguments of `model show` and `model check`.

use clap::Args;

/// Which model, and the work that memory is stated for.
#[derive(Debug, Args)]
pub struct ModelShowArgs {
    /// A part of `configs/model`, a YAML file like those, or a file or folder with a model.
    #[arg(value_name = "MODEL")]
    pub model: String,
    /// Tokens of a sequence, prompt and answer; the model's context if that is shorter.
    #[arg(long, value_name = "TOKENS", default_value_t = 1024)]
    pub length: usize,
    /// Sequences that are worked on together; in training those of a micro-batch.
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub batch: usize,
    /// Rank of a LoRA adapter of all seven projections.
    #[arg(long, value_name = "R", default_value_t = 16)]
    pub rank: usize,
    /// Print JSON.
    #[arg(long)]
    pub json: bool,
}

/// Which model.
#[derive(Debug, Args)]
pub struct ModelCheckArgs {
    /// A part of `configs/model`, a YAML file like those, or a file or folder with a model.
    #[arg(value_name = "MODEL")]
    pub model: String,
    /// Print JSON.
    #[arg(long)]
    pub json: bool,
}
