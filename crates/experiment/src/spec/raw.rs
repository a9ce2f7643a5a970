//! What a user writes. Every key may be left out; a key that is not here is a fault.
//!
//! The documentation of an option is the comment on its field. What the program runs with is
//! [`Resolved`](super::Resolved).

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;

use serde::Deserialize;
use serde::de::value::{MapAccessDeserializer, SeqAccessDeserializer};
use serde::de::{Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Unexpected, Visitor};

use super::names::{
    Base, DatasetKind, DevMeasure, LeakRule, Loss, Method, Metric, Precision, Projection, Schedule,
    Select,
};
use super::prompt::RawPrompt;

/// A whole experiment.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawSpec {
    /// Name of the experiment; by default the file's name without `.yaml`.
    pub name: Option<String>,
    /// Keys with lists of values: an experiment for each combination; `include` adds combinations, `exclude` leaves some out. Default one
    /// experiment.
    // Taken out of the tree before this is read.
    #[allow(dead_code, reason = "its name is one of the keys that are known")]
    pub matrix: Option<IgnoredAny>,
    /// Seed of everything random that has no seed of its own; default 17.
    pub seed: Option<u64>,
    /// Data root, a folder with a subfolder for each kind of data set, or one root for each kind.
    /// Relative to the working directory; default `../shared/data`.
    pub data: Option<RawData>,
    /// Data that is made up rather than read; where this is given, `data` is not.
    pub synth: Option<RawSynth>,
    /// Folder of the results; default `results/NAME`.
    pub out: Option<PathBuf>,
    /// The model: the name of a part in `configs/model`, or written out here. Required.
    pub model: Option<RawModel>,
    /// How a question becomes a prompt.
    pub prompt: Option<RawPrompt>,
    /// Training sets by name: each the name of a part in `configs/data`, or written out here.
    pub train_sets: Option<BTreeMap<String, RawSet>>,
    /// Targets by name: each the name of a part in `configs/data`, or written out here.
    pub targets: Option<BTreeMap<String, RawSet>>,
    /// Lists of defects, as `harness data check --out` writes them: one file or several. Examples whose gold fails,
    /// times out or names what the schema lacks are neither trained on nor scored, and counted; default none.
    pub defects: Option<RawFiles>,
    /// What to do where a training set and a target share a database, a question or a query, nearly or in full:
    /// `report` it, or `deny` the experiment; default `report`.
    pub leaks: Option<LeakRule>,
    /// Fine-tuning: the name of a part in `configs/train`, or written out here.
    pub train: Option<RawTrain>,
    /// How answers are generated.
    pub generate: Option<RawGenerate>,
    /// How answers are scored: the name of a part in `configs/eval`, or written out here.
    pub eval: Option<RawEval>,
    /// How alignment is measured: the name of a part in `configs/align`, or written out here.
    pub align: Option<RawAlign>,
}

/// One data root for all kinds, or one for each.
#[derive(Debug)]
pub(super) enum RawData {
    /// The folder that holds a folder for each kind.
    Root(PathBuf),
    /// The folder of each kind.
    Roots(BTreeMap<DatasetKind, PathBuf>),
}

impl<'de> Deserialize<'de> for RawData {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Either;

        // serde's own "untagged" would lose the place of a fault.
        impl<'de> Visitor<'de> for Either {
            type Value = RawData;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a folder, or a mapping from kind of data set to folder")
            }

            fn visit_str<E: Error>(self, path: &str) -> Result<RawData, E> {
                Ok(RawData::Root(path.into()))
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<RawData, A::Error> {
                BTreeMap::deserialize(MapAccessDeserializer::new(map)).map(RawData::Roots)
            }
        }

        deserializer.deserialize_any(Either)
    }
}

/// One file or several.
#[derive(Debug)]
pub(super) struct RawFiles(pub Vec<PathBuf>);

impl<'de> Deserialize<'de> for RawFiles {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Either;

        impl<'de> Visitor<'de> for Either {
            type Value = RawFiles;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a file, or a list of files")
            }

            fn visit_str<E: Error>(self, path: &str) -> Result<RawFiles, E> {
                Ok(RawFiles(vec![path.into()]))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, list: A) -> Result<RawFiles, A::Error> {
                Vec::deserialize(SeqAccessDeserializer::new(list)).map(RawFiles)
            }
        }

        deserializer.deserialize_any(Either)
    }
}

/// Made-up corpora in the layouts of the real ones: see `harness data synth`.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawSynth {
    /// Folder to generate into, which is then the data root; it is filled by the first run. Default `data/synth`.
    pub out: Option<PathBuf>,
    /// Seed of the generator; default 17. The experiment's own seed does not change the data.
    pub seed: Option<u64>,
    /// Training examples of each corpus; default 1200.
    pub train: Option<usize>,
    /// Target questions of each corpus; default 240.
    pub target: Option<usize>,
}

/// A model and where its weights come from.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawModel {
    /// Name of the model in tables; by default the part's name.
    pub name: Option<String>,
    /// Where the weights come from, in the order to try; the model crate says what may stand here. Required.
    pub source: Option<serde_json::Value>,
}

/// A part of a data set.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawSet {
    /// Which layout of files. Required.
    pub dataset: Option<DatasetKind>,
    /// Which split. Required.
    pub split: Option<String>,
    /// Folder (or file) of this set where it is not the data root's.
    pub root: Option<PathBuf>,
    /// Only questions about these databases; default all.
    pub databases: Option<Vec<String>>,
    /// Only the examples whose identifiers this file lists, such as the `selected.jsonl` of `harness select`; default
    /// all.
    pub ids: Option<PathBuf>,
    /// At most this many questions, drawn at random with the seed; default all.
    pub limit: Option<usize>,
    /// Seed of the draw; default the experiment's.
    pub seed: Option<u64>,
    /// Whether questions whose database file is absent are left out; default false.
    pub require_database: Option<bool>,
}

/// Training: fine-tuning with `LoRA`, or of all weights.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawTrain {
    /// Which weights are trained; default `lora`.
    pub method: Option<Method>,
    /// Which tokens carry loss; default `completion`.
    pub loss: Option<Loss>,
    /// The adapter; only where the method is `lora`.
    pub lora: Option<RawLora>,
    /// Highest learning rate; default 2e-4.
    pub learning_rate: Option<f64>,
    /// Passes over the training set, fractions allowed; default 1. Not together with `steps`.
    pub epochs: Option<f64>,
    /// Optimisation steps. Not together with `epochs`.
    pub steps: Option<usize>,
    /// Examples of one optimisation step; default 8.
    pub batch_size: Option<usize>,
    /// Tokens that go through the model at once, a matter of memory; default 2048.
    pub micro_batch_tokens: Option<usize>,
    /// Share of the steps in which the rate rises from 0; default 0.05.
    pub warmup_ratio: Option<f64>,
    /// How the rate runs afterwards: `cosine`, `linear`, `constant` or `wsd` (warm-up, stable, decay); default `cosine`.
    pub schedule: Option<Schedule>,
    /// Share of the steps, at the end, over which the rate falls; only with `schedule: wsd`; default 0.1.
    pub decay_ratio: Option<f64>,
    /// Whether a step takes examples of like length, which evens out the time and the memory of the steps; default false.
    pub length_bucketing: Option<bool>,
    /// How the frozen weights are kept while an adapter is trained: `plain`, `nf4` (4.5 bits a weight) or `blocks` (those of
    /// a GGUF file); default `plain`. Answers come from the weights as they are in every case.
    pub base: Option<Base>,
    /// Whether a layer's activations are computed again when its gradients need them, which takes a third more time and
    /// much less memory, and changes no bit of the result; default false.
    pub recompute: Option<bool>,
    /// Decoupled weight decay; default 0.
    pub weight_decay: Option<f64>,
    /// Decay rates of the two moments of `AdamW`; default `[0.9, 0.999]`.
    pub betas: Option<[f64; 2]>,
    /// The denominator's offset in `AdamW`; default 1e-8.
    pub eps: Option<f64>,
    /// Global norm that gradients are clipped to; default 1.
    pub max_grad_norm: Option<f64>,
    /// Longest example in tokens; longer ones are left out and counted; default 1024.
    pub max_length: Option<usize>,
    /// Seed of data order, adapter and dropout; default the experiment's.
    pub seed: Option<u64>,
    /// Examples held out of the training set for the development loss; default 0.
    pub dev_examples: Option<usize>,
    /// Steps between two development losses; default 0, which means only at the end.
    pub dev_every: Option<usize>,
    /// What is measured on them: `loss`, or `ex`, for which the questions are answered and the answers executed; default
    /// `loss`.
    pub dev_measure: Option<DevMeasure>,
    /// When to end early, going by that measure; default never.
    pub early_stop: Option<RawEarlyStop>,
    /// Which weights are kept: the `last`, or the `best` by that measure; default `last`.
    pub select: Option<Select>,
    /// Steps between two checkpoints; default 16; 0 means none.
    pub checkpoint_every: Option<usize>,
    /// How many of the newest checkpoints are kept while training, beside the best; default 1.
    pub keep_checkpoints: Option<usize>,
}

/// When training ends before its last step.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawEarlyStop {
    /// Measurements in a row that bring nothing; required.
    pub patience: Option<usize>,
    /// By how much the measure has to get better to count; default 0.
    pub min_delta: Option<f64>,
}

/// The adapter's shape.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawLora {
    /// Rank; default 8.
    pub rank: Option<usize>,
    /// The adapter's output is scaled by alpha / rank; default twice the rank.
    pub alpha: Option<f64>,
    /// Share of the adapter's inputs that are dropped while training; default 0.
    pub dropout: Option<f64>,
    /// Layers that carry an adapter; default all seven projections.
    pub targets: Option<Vec<Projection>>,
    /// Whether the scale is alpha / √rank (rsLoRA); default false.
    pub rank_stabilized: Option<bool>,
    /// `LoRA+`: learning rate of the matrices `B` over that of the matrices `A`; default 1, which is plain `LoRA`; its
    /// authors advise 16.
    pub plus_ratio: Option<f64>,
}

/// How answers are generated.
#[derive(Debug, Default, Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawGenerate {
    /// Prompts that are answered at once; default 8.
    pub batch_size: Option<usize>,
    /// Memory for keys and values in MiB; prompts wait where it is not enough; no answer depends on it; default what the machine has left.
    pub cache_mib: Option<usize>,
    /// Longest answer in tokens, or `{times_longest_trained: X}`: X times the longest answer in the training sets; default
    /// 160.
    pub max_new_tokens: Option<RawMaxNewTokens>,
    /// Number format of the weights; default `f32`.
    pub precision: Option<Precision>,
    /// How the weights are kept while answers are generated: `plain` or `blocks`, those of the model's GGUF file: the least memory and the fastest,
    /// with activations in bfloat16 and bytes; default `plain`.
    pub base: Option<Base>,
    /// 0 takes the likeliest token, above 0 tokens are drawn, with 1 from the model's own distribution; default 0.
    pub temperature: Option<f64>,
    /// How many of the likeliest tokens a draw is from; only with a temperature; default all.
    pub top_k: Option<usize>,
    /// Probability that the tokens a draw is from have to reach, the likeliest first; only with a temperature; default 1.
    pub top_p: Option<f64>,
    /// How often each question is answered; the answers are executed, and of those whose results most agree on the
    /// likeliest is taken; only with a temperature; default 1.
    pub samples: Option<usize>,
    /// Seed of the draws; only with a temperature; default the experiment's.
    pub seed: Option<u64>,
}

/// A number of tokens, or the rule for one.
#[derive(Debug, Clone, Copy)]
pub(super) enum RawMaxNewTokens {
    /// So many.
    Count(usize),
    /// So many times the longest answer that is trained on.
    Rule(RawLongest),
}

/// The rule for the longest answer.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawLongest {
    /// How many times the tokens of the longest answer in the experiment's training sets, its end token counted. Required.
    pub times_longest_trained: f64,
}

impl<'de> Deserialize<'de> for RawMaxNewTokens {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Either;

        impl<'de> Visitor<'de> for Either {
            type Value = RawMaxNewTokens;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a whole number of tokens, or `times_longest_trained` with a number")
            }

            fn visit_i64<E: Error>(self, count: i64) -> Result<RawMaxNewTokens, E> {
                match u64::try_from(count) {
                    Ok(count) => self.visit_u64(count),
                    Err(_) => Err(E::invalid_type(Unexpected::Signed(count), &self)),
                }
            }

            fn visit_u64<E: Error>(self, count: u64) -> Result<RawMaxNewTokens, E> {
                usize::try_from(count)
                    .map(RawMaxNewTokens::Count)
                    .map_err(E::custom)
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<RawMaxNewTokens, A::Error> {
                RawLongest::deserialize(MapAccessDeserializer::new(map)).map(RawMaxNewTokens::Rule)
            }
        }

        deserializer.deserialize_any(Either)
    }
}

/// How answers are scored.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawEval {
    /// Metrics to compute; default `bird_ex` and `spider_exec`.
    pub metrics: Option<Vec<Metric>>,
    /// The metric that the tables show for each kind of data set; default its authors' own.
    pub metric_of: Option<BTreeMap<DatasetKind, Metric>>,
    /// Worker processes; default one for each core.
    pub workers: Option<usize>,
    /// Seconds after which a query is stopped; default 60.
    pub timeout_seconds: Option<f64>,
    /// Draws of the bootstrap behind intervals; default 10000.
    pub bootstrap_draws: Option<usize>,
}

/// How alignment is measured.
#[derive(Debug, Default, Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawAlign {
    /// Longest n-gram; default 15.
    pub l_max: Option<usize>,
    /// Pseudo-count of every feature; default 0.5.
    pub alpha: Option<f64>,
    /// Whether n-grams without a keyword, with a comma at an end, or with unmatched parentheses are dropped;
    /// default true.
    pub filters: Option<bool>,
    /// Whether templates are compared without the marks of a writer's style; default false.
    pub style_free: Option<bool>,
    /// What the model itself says of training sets and targets, as scores beside the structural ones; `{}` asks for it
    /// with every default. Default: it is not asked.
    pub model_scores: Option<RawModelScores>,
}

/// Scores of what the model says before fine-tuning.
#[derive(Debug, Default, Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawModelScores {
    /// The layer whose hidden states stand for a question: 0 is the embeddings; default the middle one.
    pub embedding_layer: Option<usize>,
    /// Examples of each set that are measured at most, drawn by the experiment's seed; default 200.
    pub sample: Option<usize>,
    /// Steps of the probe on each training set, at the full learning rate; default 20.
    pub probe_steps: Option<usize>,
}
