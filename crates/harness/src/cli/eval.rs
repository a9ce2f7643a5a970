//! Arguments of `eval`.

use std::path::PathBuf;

use clap::builder::PossibleValuesParser;
use clap::{ArgGroup, Args, Subcommand};
use harness_data::DatasetKind;
use harness_data::predictions::PredictionFormat;

use super::SpecArgs;

/// Arguments of `eval`: one of a file of predictions, a file of pairs, an experiment; or a subcommand.
#[derive(Debug, Args)]
#[command(
    args_conflicts_with_subcommands = true,
    subcommand_negates_reqs = true,
    group(ArgGroup::new("what").required(true).args(["predictions", "pairs", "config"]))
)]
pub struct EvalArgs {
    #[command(subcommand)]
    pub command: Option<EvalCommand>,
    /// File of predictions: BIRD's JSON, Spider's lines, CSV, or JSON Lines with `id` and `sql`.
    #[arg(value_name = "PREDICTIONS", requires_all = ["dataset", "split"])]
    pub predictions: Option<PathBuf>,
    /// Evaluate a file of JSON Lines with `name`, `db`, `gold` and `pred` instead; databases are looked for below --root
    /// as spider/database/DB/DB.sqlite, bird/dev_databases/DB/DB.sqlite and database/DB/DB.sqlite.
    #[arg(long, value_name = "FILE", requires = "root", conflicts_with_all = ["dataset", "split", "format", "by_position"])]
    pub pairs: Option<PathBuf>,
    /// Predict and score what an experiment describes.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["dataset", "root", "split", "format", "by_position"])]
    pub config: Option<PathBuf>,
    #[command(flatten)]
    pub spec: SpecArgs,
    /// Print one JSON document instead of tables.
    #[arg(long)]
    pub json: bool,
    #[command(flatten, next_help_heading = "Of predictions")]
    pub examples: ExamplesArgs,
    #[command(flatten, next_help_heading = "Of predictions and pairs")]
    pub judge: JudgeArgs,
    #[command(flatten, next_help_heading = "Of an experiment")]
    pub trained: TrainedArgs,
}

/// Which examples the predictions are for.
#[derive(Debug, Args)]
pub struct ExamplesArgs {
    /// Layout of the data set.
    #[arg(long, value_name = "KIND", value_parser = PossibleValuesParser::new(DatasetKind::ALL.map(DatasetKind::name)))]
    pub dataset: Option<String>,
    /// Folder of the data set as released, or of all databases with --pairs; for a data set by default the folder of its
    /// name below --data.
    #[arg(long, value_name = "DIR")]
    pub root: Option<PathBuf>,
    /// Split of the data set, such as dev; one that does not exist is told with those that do.
    #[arg(long, value_name = "NAME")]
    pub split: Option<String>,
    /// How the predictions are written; told by the file itself if left out. `plain` is one query a line in which a
    /// blank line is an empty prediction; in `spider` it is none.
    #[arg(long, value_name = "FORMAT", value_parser = PossibleValuesParser::new(PredictionFormat::ALL.map(PredictionFormat::name)))]
    pub format: Option<String>,
    /// Pair predictions and examples by their order, as the official scripts do, and not by id. Their number is
    /// checked, and so is the order wherever ids tell it. Needed for tables without ids, and for BIRD's mini-dev, whose
    /// keys are row numbers; files of lines are always read so.
    #[arg(long)]
    pub by_position: bool,
}

/// How to judge.
#[derive(Debug, Args)]
pub struct JudgeArgs {
    /// When is a prediction right: policies separated by commas; the first is the main one. By default those that are
    /// usual for the data set. An unknown one is told with those that exist.
    #[arg(
        long,
        value_name = "NAMES",
        value_delimiter = ',',
        conflicts_with = "config"
    )]
    pub policy: Vec<String>,
    /// Put `1` for `value` in every prediction before Spider's policies look at it, as the official script does (its
    /// function does not).
    #[arg(long, conflicts_with = "config")]
    pub as_script: bool,
    /// Write a row for each prediction (JSON Lines): id, db_id, each policy, outcome, ms, error_class, and what `eval
    /// diff` shows. An earlier file is replaced when the new one is whole.
    #[arg(long, value_name = "FILE", conflicts_with = "config")]
    pub verdicts: Option<PathBuf>,
    /// Worker processes; one for each core by default. Does not change a verdict.
    #[arg(long, value_name = "N", conflicts_with = "config", value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub workers: Option<u16>,
    /// What a query may take, as a budget of steps that stands for so many seconds: the same query gets the same verdict
    /// on a loaded machine.
    #[arg(
        long,
        value_name = "SECONDS",
        default_value_t = 30.0,
        conflicts_with = "config",
        value_parser = seconds
    )]
    pub timeout_seconds: f64,
    /// Folder for results of queries, so that the next evaluation of the same queries on the same databases runs none
    /// of them; by default `outcomes` in HARNESS_CACHE.
    #[arg(long, value_name = "FOLDER", conflicts_with = "config")]
    pub cache: Option<PathBuf>,
    /// Run every query, and keep nothing.
    #[arg(long, conflicts_with_all = ["config", "cache"])]
    pub no_cache: bool,
    /// Do not run gold queries in another order of rows to see whether they agree with themselves. No score changes, and
    /// a run without a cache takes about two thirds of the time.
    #[arg(long, conflicts_with = "config")]
    pub no_gold_check: bool,
    /// How often each right prediction and its gold run for policies of time (ves, r_ves), one pair at a time.
    #[arg(long, value_name = "N", default_value_t = 100, conflicts_with = "config", value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub repeats: u32,
}

/// What only the evaluation of an experiment takes.
#[derive(Debug, Args)]
pub struct TrainedArgs {
    /// Folder of an adapter in PEFT's format; without it the base model is scored.
    #[arg(long, value_name = "FOLDER", requires = "config", conflicts_with_all = ["predictions", "pairs"])]
    pub adapter: Option<PathBuf>,
    /// Only this target.
    #[arg(long, value_name = "NAME", requires = "config", conflicts_with_all = ["predictions", "pairs"])]
    pub target: Option<String>,
    /// Folder for predictions and verdicts; the experiment's own unless there is an adapter.
    #[arg(long, value_name = "FOLDER", requires = "config", conflicts_with_all = ["predictions", "pairs"])]
    pub out: Option<PathBuf>,
}

/// Commands on verdicts.
#[derive(Debug, Subcommand)]
pub enum EvalCommand {
    /// Compare two files of verdicts on the same examples: which rows changed, and is the gain more than chance?
    ///
    /// Example: harness eval diff base.jsonl trained.jsonl --policy spider_exec
    Diff(DiffArgs),
}

/// Arguments of `eval diff`.
#[derive(Debug, Args)]
pub struct DiffArgs {
    /// Verdicts before, as `eval --verdicts` or an experiment wrote them.
    #[arg(value_name = "A")]
    pub before: PathBuf,
    /// Verdicts after.
    #[arg(value_name = "B")]
    pub after: PathBuf,
    /// Compare by these policies only, separated by commas; by default all that both files have.
    #[arg(long, value_name = "NAMES", value_delimiter = ',')]
    pub policy: Vec<String>,
    /// List all rows that changed, not only the first.
    #[arg(long)]
    pub all: bool,
    /// Print one JSON document, with all rows that changed.
    #[arg(long)]
    pub json: bool,
}

fn seconds(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(seconds) if seconds > 0.0 && seconds <= 86_400.0 => Ok(seconds),
        _ => Err("expected a number of seconds above 0, at most a day".to_owned()),
    }
}
