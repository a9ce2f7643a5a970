//! The command line as the user types it.
#![allow(
    clippy::doc_markdown,
    reason = "these comments are the help, which a terminal shows as it stands"
)]

mod advise;
mod align;
mod augment;
mod correlate;
mod data;
mod eval;
mod mix;
mod model;
mod model_export;
mod model_fetch;
mod model_show;
mod predict;
mod select;

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

pub use advise::AdviseArgs;
pub use align::{AlignArgs, AlignCommand, ExplainArgs, PairArgs};
pub use augment::AugmentArgs;
pub use correlate::CorrelateArgs;
#[cfg(feature = "hub")]
pub use data::FetchArgs;
pub use data::{CheckArgs, ProbeArgs, SetArgs, ShowArgs, StatsArgs};
pub use eval::{DiffArgs, EvalArgs, EvalCommand, ExamplesArgs, JudgeArgs};
pub use mix::MixArgs;
pub use model::ModelCommand;
pub use model_export::{FileType, FolderType, ModelExportArgs, ModelMergeArgs};
pub use model_fetch::ModelFetchArgs;
pub use model_show::{ModelCheckArgs, ModelShowArgs};
pub use predict::PredictArgs;
pub use select::SelectArgs;

/// Will fine-tuning this model on that data raise its text-to-SQL accuracy, and did it?
///
/// One YAML file describes an experiment: a model, training sets, targets. `harness run` does all of it; every
/// stage can also be run alone. Results are kept with what made them, and a stage that is done is not done again.
#[derive(Debug, Parser)]
#[command(
    name = "harness",
    version,
    propagate_version = true,
    max_term_width = 100
)]
pub struct Cli {
    #[command(subcommand)]
    pub command: Command,
    /// Say more (-v), or much more (-vv), on standard error.
    #[arg(short, long, action = clap::ArgAction::Count, global = true)]
    pub verbose: u8,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Do a whole experiment: data, predictions, scores, alignment, training, correlation, report.
    ///
    /// Example: harness run configs/experiment/first-light.yaml
    Run(RunArgs),
    /// List the stages of an experiment and what is done of them.
    ///
    /// Example: harness plan configs/experiment/first-light.yaml
    Plan(PlanArgs),
    /// Are results what they say? Files against manifests, manifests against the experiment, scores against predictions.
    ///
    /// Data, scores, alignment and correlations are computed again from questions and predictions and have to give the same
    /// files; what takes a model is held to its digests. Exits with 1 if anything is otherwise.
    ///
    /// Example: harness verify --config configs/experiment/first-light.yaml
    Verify(VerifyArgs),
    /// List what an experiment's folders hold that it does not ask for any more, and delete it with --delete.
    ///
    /// Stages that are not planned, results made from something else, attempts that will not go on. What is wanted stays, and so does an
    /// attempt that can go on.
    ///
    /// Example: harness gc --config configs/experiment/first-light.yaml
    Gc(GcArgs),
    /// What is the first thing in which two results differ? Data, prompts, decoding, weights, training, code.
    ///
    /// Example: harness diff results/quickstart/seed-1 results/quickstart/seed-2
    Diff(RunDiffArgs),
    /// Check or show configuration.
    ///
    /// Example: harness config check configs/experiment/*.yaml
    #[command(subcommand)]
    Config(ConfigCommand),
    /// Look at data sets.
    ///
    /// Example: harness data read --config configs/experiment/first-light.yaml
    #[command(subcommand)]
    Data(DataCommand),
    /// Look at models and their files.
    ///
    /// Example: harness model show smollm2-135m-instruct
    #[command(subcommand)]
    Model(ModelCommand),
    /// Let a model answer the questions of a target.
    ///
    /// What was answered before the command was ended is kept: the same command goes on from there. Ctrl-C ends it after
    /// the running step.
    ///
    /// One target, with the base model or with an adapter:
    ///
    ///   harness predict --config experiment.yaml --target spider-dev --adapter adapters/spider --out answers/spider
    ///
    /// All targets, with the base model, as stages of the experiment:
    ///
    ///   harness predict --config configs/experiment/first-light.yaml
    #[command(verbatim_doc_comment)]
    Predict(PredictArgs),
    /// Is the SQL right? Execute predictions on their databases and score them; or predict first.
    ///
    /// Predicted SQL runs in processes of its own, read-only and within limits, and whatever is
    /// not a single reading query is refused. Every accuracy comes with its number of rows and
    /// with intervals.
    ///
    /// A released file of predictions:
    ///
    ///   harness eval predict_dev.json --dataset bird --root data/bird --split dev --verdicts base.jsonl
    ///
    /// One of lines, in the order of the examples:
    ///
    ///   harness eval predicted_sql.txt --dataset spider --root data/spider --split dev
    ///
    /// Single pairs of gold and predicted queries:
    ///
    ///   harness eval --pairs pairs.jsonl --root data --policy spider_exec,bird_ex
    ///
    /// What changed between two:
    ///
    ///   harness eval diff base.jsonl trained.jsonl
    ///
    /// Predict and score in one go, with the base model or with an adapter:
    ///
    ///   harness eval --config experiment.yaml --adapter adapters/spider --out scores/spider
    #[command(verbatim_doc_comment)]
    Eval(Box<EvalArgs>),
    /// Fine-tune or not, on what, what to expect, how sure: one page.
    ///
    /// The model is asked the target's questions, unless what it writes is given; nothing is trained. An experiment says
    /// which prompt suits the model:
    ///
    ///   harness advise --config configs/quickstart.yaml --target spider-dev
    ///
    /// With predictions that are there already, and the cells of earlier runs to say how many points to expect:
    ///
    ///   harness advise --model gpt-x --train mine.jsonl --target bird:dev@data/bird \
    ///     --predictions predict_dev.json --history cells.json
    #[command(verbatim_doc_comment)]
    Advise(Box<AdviseArgs>),
    /// Compare the structure of two sets of queries, and of predictions with the same target.
    ///
    /// A training set and a target:
    ///
    ///   harness align --source spider:train@data/spider --target bird:dev@data/bird
    ///
    /// With what a model writes for the target before fine-tuning:
    ///
    ///   harness align --source mine.jsonl --target bird:dev@data/bird --predictions predict_dev.json --json
    ///
    /// Which n-grams and templates tell two sets apart:
    ///
    ///   harness align explain --source spider:train@data/spider --target bird:dev@data/bird
    ///
    /// What an experiment describes:
    ///
    ///   harness align --config configs/experiment/first-light.yaml
    #[command(verbatim_doc_comment)]
    Align(Box<AlignArgs>),
    /// What does the model itself say of training sets and targets? Losses, vectors of questions, gradients, and a probe
    /// of a few steps: scores beside the structural ones.
    ///
    /// The experiment says how, under `align: {model_scores: {…}}`:
    ///
    ///   harness measure --config configs/quickstart.yaml --set align.model_scores.sample=100
    #[command(verbatim_doc_comment)]
    Measure(StageArgs),
    /// Make training examples for the templates that a target has and a training set lacks, on the databases of the
    /// training set: queries that run, each with a question composed from it, all marked synthetic.
    ///
    /// Example: harness augment --source spider:train@data/spider --target bird:dev@data/bird --out data/augmented
    Augment(AugmentArgs),
    /// Choose examples of a pool for a target, and say what and why.
    ///
    /// The target is a set of gold queries, or a sample of at least 50:
    ///
    ///   harness select --pool spider:train@data/spider --pool bird:train@data/bird --target mine.jsonl --n 1000 --out chosen
    ///
    /// A control arm of the same size:
    ///
    ///   harness select --pool spider:train@data/spider --target bird:dev@data/bird --method random --out random
    #[command(verbatim_doc_comment)]
    Select(Box<SelectArgs>),
    /// Weigh several sets for a target: the mixture that is nearest to it, or that none aligns.
    ///
    /// Example: harness mix --source spider:train@data/spider bird:train@data/bird --target mine.jsonl --n 5000
    Mix(Box<MixArgs>),
    /// Fine-tune on one training set: leaves adapter, log and manifest in a folder.
    ///
    /// With --find-lr it tries learning rates instead. Ctrl-C ends it after the running step;
    /// the same command then goes on.
    ///
    /// Examples:
    ///   harness train --config my.yaml --train-set spider-train --out adapters/spider
    ///   harness train --config my.yaml --train-set spider-train --out rates --find-lr
    #[command(verbatim_doc_comment)]
    Train(TrainArgs),
    /// Make a tokenizer.
    ///
    /// Example: harness tokenizer train --config configs/experiment/pretrain.yaml --vocab-size 2048 --out data/builtin
    #[command(subcommand)]
    Tokenizer(TokenizerCommand),
    /// Which score tells the gain of fine-tuning: correlations, controls, calibration, over the cells of an experiment
    /// or of files.
    ///
    /// Example: harness correlate --cells results/quickstart/seed-1/correlate/all/cells.json --score ar_rarefied
    Correlate(CorrelateArgs),
    /// Write the tables, the page and the figures of an experiment.
    ///
    /// Example: harness report --config configs/experiment/first-light.yaml
    Report(StageArgs),
    /// Show the page of an experiment's report in the browser, from a server on this machine; Ctrl-C ends it.
    ///
    /// Example: harness serve results/first-light
    #[cfg(feature = "serve")]
    Serve(ServeArgs),
    /// Turn queries into templates: JSON Lines {"sql"} on standard input, {"template"} or {"error"} a line out.
    ///
    /// Example: echo '{"sql":"SELECT a FROM t"}' | harness template
    Template,
    /// Runs queries for an evaluation; started by the program itself.
    #[command(hide = true)]
    ExecWorker,
}

/// Which experiment.
#[derive(Debug, Clone, Default, Args)]
pub struct SpecArgs {
    /// Override a key of the experiment, such as `train.learning_rate=1e-4`; may be repeated.
    #[arg(long = "set", value_name = "KEY=VALUE")]
    pub sets: Vec<String>,
    /// One cell of an experiment with a matrix, by its name; `harness config show FILE` lists them.
    #[arg(long, value_name = "NAME")]
    pub cell: Option<String>,
    /// Root folder of the data, over the experiment's own.
    #[arg(long, env = "HARNESS_DATA", value_name = "FOLDER")]
    pub data: Option<PathBuf>,
}

/// Arguments of `run`.
#[derive(Debug, Args)]
pub struct RunArgs {
    /// The experiment.
    pub experiment: PathBuf,
    #[command(flatten)]
    pub spec: SpecArgs,
    /// Print the result as JSON instead of tables.
    #[arg(long)]
    pub json: bool,
}

/// Arguments of `plan`.
#[derive(Debug, Args)]
pub struct PlanArgs {
    /// The experiment.
    pub experiment: PathBuf,
    #[command(flatten)]
    pub spec: SpecArgs,
    /// Print JSON.
    #[arg(long)]
    pub json: bool,
}

/// Arguments of `verify`.
#[derive(Debug, Args)]
pub struct VerifyArgs {
    /// The experiment; its `out` is where the results are.
    #[arg(long, value_name = "FILE")]
    pub config: PathBuf,
    #[command(flatten)]
    pub spec: SpecArgs,
    /// Compute nothing again: compare digests only.
    #[arg(long)]
    pub digests: bool,
    /// Print JSON.
    #[arg(long)]
    pub json: bool,
}

/// Arguments of `gc`.
#[derive(Debug, Args)]
pub struct GcArgs {
    /// The experiment.
    #[arg(long, value_name = "FILE")]
    pub config: PathBuf,
    #[command(flatten)]
    pub spec: SpecArgs,
    /// Delete what is listed.
    #[arg(long)]
    pub delete: bool,
    /// Print JSON.
    #[arg(long)]
    pub json: bool,
}

/// Arguments of `diff`.
#[derive(Debug, Args)]
pub struct RunDiffArgs {
    /// A folder of results.
    #[arg(value_name = "RUN")]
    pub first: PathBuf,
    /// Another one.
    #[arg(value_name = "RUN")]
    pub second: PathBuf,
    /// Print JSON.
    #[arg(long)]
    pub json: bool,
}

/// Commands on data.
#[derive(Debug, Subcommand)]
pub enum DataCommand {
    /// Read the data sets of an experiment and say what was left out.
    ///
    /// Example: harness data read --config configs/experiment/first-light.yaml
    Read(StageArgs),
    /// Run or compile the gold query of every example, and list what is wrong.
    ///
    /// Example: harness data check spider:dev@../shared/data/spider --out defects.jsonl
    Check(CheckArgs),
    /// Count: sizes, lengths, structure of the queries, tokens of the prompts.
    ///
    /// Example: harness data stats spider:dev@../shared/data/spider --model smollm2-135m-instruct
    Stats(StatsArgs),
    /// Show examples with their schema and the prompt that a model sees.
    ///
    /// Example: harness data show spider:dev@../shared/data/spider --id spider-dev-17
    Show(ShowArgs),
    /// Let a model complete golds from their first half: does it know the data by heart?
    ///
    /// Example: harness data probe spider:dev@../shared/data/spider --model smollm2-135m-instruct
    Probe(ProbeArgs),
    /// Fetch a data set as its authors release it: spider, bird-dev, bird-train, gretel.
    ///
    /// Example: harness data fetch bird-dev --out data/bird
    #[cfg(feature = "hub")]
    Fetch(FetchArgs),
    /// Make up corpora in the layouts of BIRD, Spider and Gretel, with databases and questions.
    ///
    /// Example: harness data synth --out data/synth
    Synth(SynthArgs),
}

/// Arguments of `data synth`.
#[derive(Debug, Args)]
pub struct SynthArgs {
    /// Folder to generate into; what an earlier run left there is replaced.
    #[arg(long, value_name = "FOLDER")]
    pub out: PathBuf,
    /// The corpora: bird, spider, gretel, pretrain.
    #[arg(
        long,
        value_name = "NAME",
        value_delimiter = ',',
        default_value = "bird,spider,gretel"
    )]
    pub corpus: Vec<String>,
    /// Seed of everything that is drawn.
    #[arg(long, default_value_t = 17)]
    pub seed: u64,
    /// Training examples of each corpus; default 1200, of pretrain 150000.
    #[arg(long, value_name = "N")]
    pub train: Option<usize>,
    /// Target questions of each corpus; default 240, of pretrain 1000.
    #[arg(long, value_name = "N")]
    pub target: Option<usize>,
    /// Databases of the training examples; the target has as many for each question as by default.
    #[arg(long, value_name = "N")]
    pub databases: Option<usize>,
    /// Most rows of a table; the least is a fifth of it.
    #[arg(long, value_name = "N")]
    pub rows: Option<u64>,
    /// Generate even if the folder already holds exactly this.
    #[arg(long)]
    pub force: bool,
    /// Print the report as JSON.
    #[arg(long)]
    pub json: bool,
}

/// Commands on tokenizers.
#[derive(Debug, Subcommand)]
pub enum TokenizerCommand {
    /// Learn a vocabulary (byte-level BPE) from prompts and answers of a training set: leaves a tokenizer in a folder.
    Train(TokenizerTrainArgs),
}

/// Arguments of `tokenizer train`.
#[derive(Debug, Args)]
pub struct TokenizerTrainArgs {
    /// The experiment, for its training sets and its prompt.
    #[arg(long, value_name = "FILE")]
    pub config: PathBuf,
    #[command(flatten)]
    pub spec: SpecArgs,
    /// Which of the experiment's training sets; may be left out where there is one.
    #[arg(long, value_name = "NAME")]
    pub train_set: Option<String>,
    /// Largest number of tokens, with every byte and two special tokens among them.
    #[arg(long, value_name = "COUNT")]
    pub vocab_size: usize,
    /// Folder for the files.
    #[arg(long, value_name = "FOLDER")]
    pub out: PathBuf,
}

/// Commands on configuration.
#[derive(Debug, Subcommand)]
pub enum ConfigCommand {
    /// Check experiments; all faults of all files are listed.
    Check {
        /// The experiments.
        #[arg(required = true)]
        files: Vec<PathBuf>,
        #[command(flatten)]
        spec: SpecArgs,
    },
    /// Print an experiment with everything filled in.
    Show {
        /// The experiment.
        file: PathBuf,
        #[command(flatten)]
        spec: SpecArgs,
        /// Print JSON instead of YAML.
        #[arg(long)]
        json: bool,
    },
}

/// Arguments of a command that runs the stages of one kind.
#[derive(Debug, Args)]
pub struct StageArgs {
    /// The experiment.
    #[arg(long, value_name = "FILE")]
    pub config: PathBuf,
    #[command(flatten)]
    pub spec: SpecArgs,
    /// Print the result as JSON.
    #[arg(long)]
    pub json: bool,
}

/// Arguments of `serve`.
#[cfg(feature = "serve")]
#[derive(Debug, Args)]
pub struct ServeArgs {
    /// Folder of an experiment's results, or of its report.
    pub folder: PathBuf,
    /// Address and port; port 0 takes a free one. Whoever reaches the address can read the report.
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8000")]
    pub addr: std::net::SocketAddr,
}

/// Arguments of `train`.
#[derive(Debug, Args)]
pub struct TrainArgs {
    #[command(flatten)]
    pub stage: StageArgs,
    /// Which of the experiment's training sets; may be left out where there is one.
    #[arg(long, value_name = "NAME")]
    pub train_set: Option<String>,
    /// Folder for adapter, log and manifest; with `--find-lr`, for the curve.
    #[arg(long, value_name = "FOLDER")]
    pub out: PathBuf,
    /// Train nothing; try learning rates that rise from step to step, and say which are good.
    #[arg(long)]
    pub find_lr: bool,
    /// The first rate that is tried.
    #[arg(
        long,
        value_name = "RATE",
        default_value_t = 1e-7,
        requires = "find_lr"
    )]
    pub lr_min: f64,
    /// The last rate that is tried, if the loss does not explode before.
    #[arg(long, value_name = "RATE", default_value_t = 1.0, requires = "find_lr")]
    pub lr_max: f64,
    /// Steps of training, each at a rate of its own.
    #[arg(
        long,
        value_name = "COUNT",
        default_value_t = 100,
        requires = "find_lr"
    )]
    pub lr_steps: usize,
}
