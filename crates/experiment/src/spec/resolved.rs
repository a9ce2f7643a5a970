//! What the program runs with: every value present and checked.
//!
//! A resolved specification serialises to the same keys that a user writes, so what `config show` prints is
//! itself a specification, and gives the same resolved one.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::Serialize;
use serde_json::Value;

use super::names::{
    Base, DatasetKind, DevMeasure, LeakRule, Loss, Method, Metric, Precision, Projection, Schedule,
    Select,
};
use super::prompt::Prompt;

/// A whole experiment.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Resolved {
    /// Name of the experiment.
    pub name: String,
    /// Seed of everything random that has no seed of its own.
    pub seed: u64,
    /// Data root of each kind of data set.
    pub data: BTreeMap<DatasetKind, PathBuf>,
    /// Data that is made up; it lies below the data roots.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub synth: Option<Synth>,
    /// Folder of the results.
    pub out: PathBuf,
    /// The model.
    pub model: Model,
    /// How a question becomes a prompt.
    pub prompt: Prompt,
    /// Training sets by name. May be empty: then only the base model is scored.
    pub train_sets: BTreeMap<String, Set>,
    /// Targets by name. May be empty: then there is only training.
    pub targets: BTreeMap<String, Set>,
    /// Lists of defects whose examples are left out.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub defects: Vec<PathBuf>,
    /// What to do about leaks between a training set and a target.
    #[serde(skip_serializing_if = "LeakRule::is_default")]
    pub leaks: LeakRule,
    /// Fine-tuning.
    pub train: Train,
    /// How answers are generated.
    pub generate: Generate,
    /// How answers are scored.
    pub eval: Eval,
    /// How alignment is measured.
    pub align: Align,
}

/// Made-up corpora in the layouts of the real ones.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Synth {
    /// Folder that holds them.
    pub out: PathBuf,
    /// Seed of the generator.
    pub seed: u64,
    /// Training examples of each corpus.
    pub train: usize,
    /// Target questions of each corpus.
    pub target: usize,
}

/// A model and where its weights come from.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Model {
    /// Name of the model in tables.
    pub name: String,
    /// Where the weights come from; the model crate gives it a type.
    pub source: Value,
}

/// A part of a data set.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Set {
    /// Which layout of files.
    pub dataset: DatasetKind,
    /// Which split.
    pub split: String,
    /// Folder (or file) of this set where it is not the data root's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub root: Option<PathBuf>,
    /// Only questions about these databases.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub databases: Option<Vec<String>>,
    /// Only the examples whose identifiers this file lists.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ids: Option<PathBuf>,
    /// At most this many questions.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit: Option<usize>,
    /// Seed of the draw.
    pub seed: u64,
    /// Whether questions whose database file is absent are left out.
    pub require_database: bool,
}

/// Training: fine-tuning with `LoRA`, or of all weights.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Train {
    /// Which weights are trained.
    pub method: Method,
    /// Which tokens carry loss.
    pub loss: Loss,
    /// The adapter; `Some` exactly where the method is `lora`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lora: Option<Lora>,
    /// Highest learning rate.
    pub learning_rate: f64,
    /// Passes over the training set; `None` exactly where `steps` is given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub epochs: Option<f64>,
    /// Optimisation steps; `None` exactly where `epochs` is given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub steps: Option<usize>,
    /// Examples of one optimisation step.
    pub batch_size: usize,
    /// Tokens that go through the model at once.
    pub micro_batch_tokens: usize,
    /// Share of the steps in which the rate rises from 0.
    pub warmup_ratio: f64,
    /// How the rate runs afterwards.
    pub schedule: Schedule,
    /// Share of the steps over which the rate falls at the end; `Some` exactly with `schedule: wsd`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub decay_ratio: Option<f64>,
    /// Whether a step takes examples of like length.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub length_bucketing: bool,
    /// How the frozen weights of the layers are kept.
    #[serde(skip_serializing_if = "is_default")]
    pub base: Base,
    /// Whether activations are computed again.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub recompute: bool,
    /// Decoupled weight decay.
    pub weight_decay: f64,
    /// Decay rates of the two moments of `AdamW`.
    pub betas: [f64; 2],
    /// The denominator's offset in `AdamW`.
    pub eps: f64,
    /// Global norm that gradients are clipped to.
    pub max_grad_norm: f64,
    /// Longest example in tokens.
    pub max_length: usize,
    /// Seed of data order, adapter and dropout.
    pub seed: u64,
    /// Examples held out of the training set for the development loss.
    pub dev_examples: usize,
    /// Steps between two development losses; 0 means only at the end.
    pub dev_every: usize,
    /// What is measured on the held-out examples.
    #[serde(skip_serializing_if = "is_default")]
    pub dev_measure: DevMeasure,
    /// When training ends before its last step.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub early_stop: Option<EarlyStop>,
    /// Which weights are kept.
    #[serde(skip_serializing_if = "is_default")]
    pub select: Select,
    /// Steps between two checkpoints; 0 means none.
    pub checkpoint_every: usize,
    /// How many of the newest checkpoints are kept while training.
    #[serde(skip_serializing_if = "is_one")]
    pub keep_checkpoints: usize,
}

/// When training ends before its last step.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct EarlyStop {
    /// Measurements in a row that bring nothing.
    pub patience: usize,
    /// By how much the measure has to get better to count.
    pub min_delta: f64,
}

// Keys came later than the first published results; left out where they are as if they were not there, they leave the
// parameters of those as they were.

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

fn is_one<T: From<u8> + PartialEq>(value: &T) -> bool {
    *value == T::from(1)
}

/// The adapter's shape.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Lora {
    /// Rank.
    pub rank: usize,
    /// The adapter's output is scaled by alpha / rank.
    pub alpha: f64,
    /// Share of the adapter's inputs that are dropped while training.
    pub dropout: f64,
    /// Layers that carry an adapter.
    pub targets: Vec<Projection>,
    /// Whether the scale is alpha / √rank.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub rank_stabilized: bool,
    /// Learning rate of the matrices `B` over that of the matrices `A`.
    #[serde(skip_serializing_if = "is_one")]
    pub plus_ratio: f64,
}

/// How answers are generated.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Generate {
    /// Prompts that are answered at once.
    pub batch_size: usize,
    /// Memory for keys and values in MiB; `None` means what the machine has left.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cache_mib: Option<usize>,
    /// Longest answer.
    pub max_new_tokens: MaxNewTokens,
    /// Number format of the weights.
    pub precision: Precision,
    /// How the weights are kept.
    #[serde(skip_serializing_if = "is_default")]
    pub base: Base,
    /// How tokens are drawn; `None` takes the likeliest.
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    pub draw: Option<Draw>,
}

/// How the tokens of answers are drawn. Written beside the other keys of `generate`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Draw {
    /// The logits are divided by it; above 0.
    pub temperature: f64,
    /// How many of the likeliest tokens a draw is from; `None` means all.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub top_k: Option<usize>,
    /// Probability that the tokens a draw is from have to reach, the likeliest first.
    #[serde(skip_serializing_if = "is_one")]
    pub top_p: f64,
    /// How often each question is answered.
    #[serde(skip_serializing_if = "is_one")]
    pub samples: usize,
    /// Seed of the draws.
    pub seed: u64,
}

/// The longest answer in tokens, the end token counted.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(untagged)]
pub enum MaxNewTokens {
    /// So many.
    Count(usize),
    /// By what is trained on, never by a target.
    Rule {
        /// How many times the longest answer in the experiment's training sets, rounded up.
        times_longest_trained: f64,
    },
}

impl Generate {
    /// The bound of memory for keys and values that the user has set, in bytes.
    pub fn cache_bytes(&self) -> Option<u64> {
        self.cache_mib
            .map(|mib| (mib as u64).saturating_mul(1 << 20))
    }

    /// How often each question is answered.
    pub fn samples(&self) -> usize {
        self.draw.map_or(1, |draw| draw.samples)
    }
}

/// How answers are scored.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Eval {
    /// Metrics to compute.
    pub metrics: Vec<Metric>,
    /// The metric that the tables show for each kind of data set.
    pub metric_of: BTreeMap<DatasetKind, Metric>,
    /// Worker processes; `None` means one for each core.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub workers: Option<usize>,
    /// Seconds after which a query is stopped.
    pub timeout_seconds: f64,
    /// Draws of the bootstrap behind intervals.
    pub bootstrap_draws: usize,
}

/// How alignment is measured.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Align {
    /// Longest n-gram.
    pub l_max: usize,
    /// Pseudo-count of every feature.
    pub alpha: f64,
    /// Whether the three kinds of uninformative n-grams are dropped.
    pub filters: bool,
    /// Whether templates are compared without the marks of a writer's style.
    pub style_free: bool,
    /// What the model is asked about the sets; `None` means nothing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub model_scores: Option<ModelScores>,
}

/// Scores of what the model says before fine-tuning.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct ModelScores {
    /// The layer whose hidden states stand for a question; `None` means the middle one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub embedding_layer: Option<usize>,
    /// Examples of each set that are measured at most.
    pub sample: usize,
    /// Steps of the probe on each training set.
    pub probe_steps: usize,
}

impl Train {
    /// The same training as a probe of `steps` steps: at the full rate from the first step on, on all examples, and nothing
    /// measured in between.
    #[must_use]
    pub fn probe(&self, steps: usize) -> Self {
        Self {
            epochs: None,
            steps: Some(steps),
            warmup_ratio: 0.0,
            schedule: Schedule::Constant,
            decay_ratio: None,
            dev_examples: 0,
            dev_every: 0,
            dev_measure: DevMeasure::default(),
            early_stop: None,
            select: Select::default(),
            checkpoint_every: 0,
            keep_checkpoints: 1,
            ..self.clone()
        }
    }
}

impl Resolved {
    /// The folder (or file) that a set is read from.
    pub fn root_of(&self, set: &Set) -> PathBuf {
        match (&set.root, self.data.get(&set.dataset)) {
            (Some(root), _) | (None, Some(root)) => root.clone(),
            (None, None) => PathBuf::from(set.dataset.as_str()),
        }
    }

    /// A training set or target by its name.
    pub fn set(&self, name: &str) -> Option<&Set> {
        self.train_sets.get(name).or_else(|| self.targets.get(name))
    }

    /// Everything, as JSON.
    pub fn to_json(&self) -> Value {
        // Every field serialises, so there is nothing that could fail.
        let mut value = serde_json::to_value(self).unwrap_or_default();
        if let (Some(_), Value::Object(map)) = (&self.synth, &mut value) {
            // The data roots follow from `synth`, and a specification may not give both.
            map.shift_remove("data");
        }
        value
    }

    /// Everything, as YAML that reads back to the same specification.
    pub fn to_yaml(&self) -> String {
        serde_saphyr::to_string(&self.to_json()).unwrap_or_default()
    }

    /// Everything but where things lie on this machine: without the data roots and the results' folder, and
    /// with [`portable`] paths. This is what manifests keep.
    pub fn to_portable_json(&self) -> Value {
        let mut value = self.to_json();
        if let Value::Object(map) = &mut value {
            map.shift_remove("data");
            map.shift_remove("out");
            if let Some(Value::Object(synth)) = map.get_mut("synth") {
                synth.shift_remove("out");
            }
        }
        portable(&value)
    }
}

/// The same value with only the file name left of every text that is an absolute path: results are shared,
/// and what a file holds is told by its digest.
pub fn portable(value: &Value) -> Value {
    match value {
        Value::String(text) if Path::new(text).is_absolute() => Path::new(text)
            .file_name()
            .map(|name| name.to_string_lossy().into_owned())
            .unwrap_or_default()
            .into(),
        Value::Array(items) => items.iter().map(portable).collect(),
        Value::Object(map) => Value::Object(
            map.iter()
                .map(|(key, value)| (key.clone(), portable(value)))
                .collect(),
        ),
        other => other.clone(),
    }
}
