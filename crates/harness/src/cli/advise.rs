//! Arguments of `advise`.

use std::path::PathBuf;

use clap::Args;

use super::SpecArgs;
use super::align::ScoreArgs;

/// Arguments of `advise`.
#[derive(Debug, Args)]
pub struct AdviseArgs {
    /// The model: a part of `configs/model`, or only its name where --predictions is given.
    #[arg(
        long,
        value_name = "PART",
        required_unless_present = "config",
        conflicts_with = "config"
    )]
    pub model: Option<String>,
    /// Take model, prompt, training sets and target of an experiment.
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// A training set to consider: KIND:SPLIT@FOLDER, a file of queries, or the name of one of the experiment; may be
    /// repeated. All of the experiment by default.
    #[arg(long, value_name = "SET", required_unless_present = "config", num_args = 1..)]
    pub train: Vec<String>,
    /// What the model is to be good at: gold queries, or a sample of them, named in the same way.
    #[arg(long, value_name = "SET", required_unless_present = "config")]
    pub target: Option<String>,
    /// What the model writes for the target's questions, in any format of `harness eval`. Without it the model is asked,
    /// which needs a target with questions and schemas, and a prompt that suits the model (--config, --set prompt.…).
    #[arg(long, value_name = "FILE")]
    pub predictions: Option<PathBuf>,
    /// Ask at most this many of the questions of a target outside an experiment, drawn at random. Under 200 there is no
    /// verdict.
    #[arg(long, value_name = "N", default_value_t = 500)]
    pub questions: usize,
    /// Cells of earlier runs, which say how many points to expect: what `harness correlate` reads; may be repeated.
    #[arg(long, value_name = "FILE", num_args = 1..)]
    pub history: Vec<PathBuf>,
    /// Folder for the page and for the model's answers, which are used again; default `runs/advise/MODEL--TARGET`. The
    /// experiment's own answers stay with its results.
    #[arg(long, value_name = "FOLDER")]
    pub out: Option<PathBuf>,
    #[command(flatten)]
    pub spec: SpecArgs,
    #[command(flatten, next_help_heading = "Scores")]
    pub scores: ScoreArgs,
    /// Print JSON.
    #[arg(long)]
    pub json: bool,
}
