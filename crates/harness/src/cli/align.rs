//! Arguments of `align`.

use std::path::PathBuf;

use clap::{ArgGroup, Args, Subcommand};

use super::SpecArgs;

/// Arguments of `align`: two sets of queries, or an experiment; or a subcommand.
#[derive(Debug, Args)]
#[command(
    args_conflicts_with_subcommands = true,
    subcommand_negates_reqs = true,
    group(ArgGroup::new("what").required(true).args(["source", "config"]))
)]
pub struct AlignArgs {
    #[command(subcommand)]
    pub command: Option<AlignCommand>,
    #[command(flatten)]
    pub pair: PairArgs,
    /// Compare what an experiment describes, as stages of it.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["source", "target", "predictions"])]
    pub config: Option<PathBuf>,
    #[command(flatten)]
    pub spec: SpecArgs,
    #[command(flatten, next_help_heading = "Scores")]
    pub scores: ScoreArgs,
    /// Add all rival scores: skewed and style-free forms, counted features, parse trees, questions.
    #[arg(long, help_heading = "Scores")]
    pub all: bool,
    /// Numbers that a model wrote for the sets, of which further scores are made (JSON with `name`, `source`, `target`
    /// and maybe `predictions`, one row an example); may be repeated. Adds all scores.
    #[arg(long, value_name = "FILE", help_heading = "Scores")]
    pub arrays: Vec<PathBuf>,
    /// Queries of each set that the ratio is taken at; by default as many as the smaller has.
    #[arg(
        long,
        value_name = "N",
        help_heading = "Scores",
        requires = "predictions"
    )]
    pub rarefy: Option<usize>,
    /// Draws of so many queries.
    #[arg(long, value_name = "N", help_heading = "Scores", default_value_t = 20)]
    pub draws: usize,
    /// Half-samples behind each interval; 0 for no interval.
    #[arg(
        long,
        value_name = "N",
        help_heading = "Scores",
        default_value_t = 1000
    )]
    pub resamples: usize,
    /// Print JSON.
    #[arg(long)]
    pub json: bool,
}

/// What else can be asked of two sets.
#[derive(Debug, Subcommand)]
pub enum AlignCommand {
    /// Which n-grams and templates carry the divergence, with queries that have them.
    ///
    /// Example: harness align explain --source spider:train@data/spider --target bird:dev@data/bird
    Explain(Box<ExplainArgs>),
}

/// Arguments of `align explain`.
#[derive(Debug, Args)]
pub struct ExplainArgs {
    #[command(flatten)]
    pub pair: PairArgs,
    #[command(flatten)]
    pub spec: SpecArgs,
    #[command(flatten, next_help_heading = "Scores")]
    pub scores: ScoreArgs,
    /// Rows of each list.
    #[arg(long, value_name = "N", default_value_t = 12)]
    pub top: usize,
    /// Print JSON.
    #[arg(long)]
    pub json: bool,
}

/// Two sets of queries, and what a model writes for the second.
#[derive(Debug, Args)]
pub struct PairArgs {
    /// The set that is judged, such as a training set: KIND:SPLIT@FOLDER, or a file of queries (JSON Lines with `sql`,
    /// or one query a line).
    #[arg(long, value_name = "SET", requires = "target")]
    pub source: Option<String>,
    /// The set it is judged against, named in the same way.
    #[arg(long, value_name = "SET", requires = "source")]
    pub target: Option<String>,
    /// What a model writes for the target's questions before fine-tuning, in any format of `harness eval`: adds the
    /// alignment ratios.
    #[arg(long, value_name = "FILE", requires = "source")]
    pub predictions: Option<PathBuf>,
}

/// What determines a score besides the queries. Scores of different settings are not comparable.
#[derive(Debug, Clone, Args)]
pub struct ScoreArgs {
    /// The longest n-gram, in tokens.
    #[arg(long, value_name = "TOKENS", default_value_t = 15)]
    pub l_max: usize,
    /// Pseudo-count of every n-gram, above 0.
    #[arg(long, value_name = "COUNT", default_value_t = 0.5)]
    pub alpha: f64,
    /// Keep n-grams that begin or end with a comma, whose parentheses do not match, or that hold no word.
    #[arg(long)]
    pub no_filters: bool,
    /// Leave INNER, OUTER and ASC out of all templates: they change nothing in the result of a query.
    #[arg(long)]
    pub style_free: bool,
    /// Seed of all that is drawn.
    #[arg(long, value_name = "SEED", default_value_t = 0)]
    pub seed: u64,
}

impl ScoreArgs {
    /// The options of the scores.
    pub fn options(&self) -> harness_align::Options {
        harness_align::Options {
            l_max: self.l_max,
            alpha: self.alpha,
            filters: !self.no_filters,
            style_free: self.style_free,
        }
    }
}
