//! Arguments of `select` and `mix`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use harness_align::select::{Constraints, SelectMethod};

use super::SpecArgs;
use super::align::ScoreArgs;

/// Arguments of `select`.
#[derive(Debug, Args)]
pub struct SelectArgs {
    /// A set to choose from: KIND:SPLIT@FOLDER, or a file of queries; may be repeated.
    #[arg(long, value_name = "SET", required = true, num_args = 1..)]
    pub pool: Vec<String>,
    /// What to choose for: gold queries, or a sample of at least 50 of them, named in the same way.
    #[arg(long, value_name = "SET")]
    pub target: String,
    /// Examples to choose.
    #[arg(long, value_name = "N", default_value_t = 1_000)]
    pub n: usize,
    /// How to choose.
    #[arg(long, value_enum, default_value_t = Method::Greedy)]
    pub method: Method,
    /// Folder for the identifiers (selected.jsonl) and the card (card.md, card.json).
    #[arg(long, value_name = "FOLDER")]
    pub out: Option<PathBuf>,
    #[command(flatten, next_help_heading = "Constraints")]
    pub limits: Limits,
    #[command(flatten)]
    pub spec: SpecArgs,
    #[command(flatten, next_help_heading = "Scores")]
    pub scores: ScoreArgs,
    /// Print JSON.
    #[arg(long)]
    pub json: bool,
}

/// What the chosen set must keep to.
#[derive(Debug, Clone, Args)]
pub struct Limits {
    /// Most examples of one database.
    #[arg(long, value_name = "N")]
    pub per_database: Option<usize>,
    /// Fewest databases.
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub databases: usize,
    /// Give every database its share of the pool.
    #[arg(long)]
    pub proportional: bool,
    /// Most examples of one template.
    #[arg(long, value_name = "N")]
    pub per_template: Option<usize>,
    /// Fewest different templates.
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub templates: usize,
    /// Keep examples that repeat another's query or question.
    #[arg(long)]
    pub keep_duplicates: bool,
    /// Keep examples with a query or question of the target.
    #[arg(long)]
    pub keep_leaks: bool,
}

impl Limits {
    /// As the library takes them.
    pub fn constraints(&self) -> Constraints {
        Constraints {
            per_database: self.per_database,
            databases: self.databases,
            proportional: self.proportional,
            per_template: self.per_template,
            templates: self.templates,
        }
    }
}

/// The methods.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub enum Method {
    /// Cover the target, example by example.
    Greedy,
    /// Importance resampling on hashed n-grams (DSIR).
    Importance,
    /// Control: nearest by question.
    Nearest,
    /// Control: at random.
    Random,
    /// Control: least likely under the target.
    LeastAligned,
}

impl From<Method> for SelectMethod {
    fn from(method: Method) -> Self {
        match method {
            Method::Greedy => Self::Greedy,
            Method::Importance => Self::Importance,
            Method::Nearest => Self::Nearest,
            Method::Random => Self::Random,
            Method::LeastAligned => Self::LeastAligned,
        }
    }
}
