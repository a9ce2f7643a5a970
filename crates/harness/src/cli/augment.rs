//! Arguments of `augment`.

use std::path::PathBuf;

use clap::Args;

/// Arguments of `augment`.
#[derive(Debug, Args)]
pub struct AugmentArgs {
    /// The training set that is augmented, with databases: KIND:SPLIT@FOLDER, or a file that ends in .jsonl.
    #[arg(long, value_name = "SET")]
    pub source: String,
    /// The set whose templates are wanted: named in the same way, or a file of queries (JSON Lines with `sql`, or one
    /// query a line). Only the structure of its queries is used.
    #[arg(long, value_name = "SET")]
    pub target: String,
    /// Folder for what is made: synthetic.jsonl, card.md, card.json.
    #[arg(long, value_name = "FOLDER")]
    pub out: PathBuf,
    /// Examples to make, at most.
    #[arg(long, value_name = "N", default_value_t = 1000)]
    pub n: usize,
    /// Examples of one template, at most.
    #[arg(long, value_name = "N", default_value_t = 10)]
    pub per_template: usize,
    /// Leave out templates of which less than this share of the target's queries is lacking.
    #[arg(long, value_name = "SHARE", default_value_t = 0.0)]
    pub min_weight: f64,
    /// Seed of all that is drawn.
    #[arg(long, value_name = "SEED", default_value_t = 0)]
    pub seed: u64,
    /// Seconds that a query may take, as a limit on its steps.
    #[arg(long, value_name = "SECONDS", default_value_t = 3.0)]
    pub timeout_seconds: f64,
    /// Root folder of the data, for sets that are named without a folder.
    #[arg(long, env = "HARNESS_DATA", value_name = "FOLDER")]
    pub data: Option<PathBuf>,
    /// Print the card as JSON.
    #[arg(long)]
    pub json: bool,
}
