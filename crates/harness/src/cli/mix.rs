//! Arguments of `mix`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use harness_align::mix::Objective;

use super::SpecArgs;
use super::align::ScoreArgs;

/// Arguments of `mix`.
#[derive(Debug, Args)]
pub struct MixArgs {
    /// A set to mix: KIND:SPLIT@FOLDER, or a file of queries; may be repeated.
    #[arg(long, value_name = "SET", required = true, num_args = 1..)]
    pub source: Vec<String>,
    /// What to mix for: gold queries, or a sample of them, named in the same way.
    #[arg(long, value_name = "SET")]
    pub target: String,
    /// What a model writes for the target's questions: a mixture that is farther from the target is not recommended.
    #[arg(long, value_name = "FILE")]
    pub predictions: Option<PathBuf>,
    /// What is made small.
    #[arg(long, value_enum, default_value_t = Aim::Js)]
    pub objective: Aim,
    /// Say how many queries of each set make so many.
    #[arg(long, value_name = "N")]
    pub n: Option<usize>,
    /// Halvings of the target by which the gain over the best single set is measured.
    #[arg(long, value_name = "N", default_value_t = 100)]
    pub splits: usize,
    #[command(flatten)]
    pub spec: SpecArgs,
    #[command(flatten, next_help_heading = "Scores")]
    pub scores: ScoreArgs,
    /// Print JSON.
    #[arg(long)]
    pub json: bool,
}

/// The objectives.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub enum Aim {
    /// Jensen-Shannon divergence of mixture and target.
    Js,
    /// D(target, mixture): does the mixture cover the target?
    ReverseKl,
}

impl From<Aim> for Objective {
    fn from(aim: Aim) -> Self {
        match aim {
            Aim::Js => Self::Js,
            Aim::ReverseKl => Self::ReverseKl,
        }
    }
}
