//! `adapter_config.json`.

use std::path::Path;

use serde::{Serialize, Serializer};
use serde_json::{Map, Value};

use super::target::{ByPattern, Layers, Matcher, Modules};
use super::{PeftError, malformed};

/// The settings of a `LoRA` adapter: which modules it changes, and by how much.
///
/// Written with all keys PEFT writes; those not listed here have the only value our layers support.
#[derive(Debug, Clone, PartialEq)]
pub struct PeftConfig {
    /// Name or path of the model the adapter was trained on.
    pub base_model_name_or_path: Option<String>,
    /// Rank of the two matrices, r.
    pub r: usize,
    /// The update is scaled by `lora_alpha / r`.
    pub lora_alpha: f64,
    /// Whether it is scaled by `lora_alpha / √r` instead (rsLoRA, Kalajdzievski 2023).
    pub use_rslora: bool,
    /// Share of inputs dropped in training.
    pub lora_dropout: f64,
    /// The changed modules.
    pub target_modules: Modules,
    /// Modules that are not changed all the same.
    pub exclude_modules: Option<Modules>,
    /// Other ranks, by patterns of module names; the first that matches counts.
    pub rank_pattern: Vec<(String, usize)>,
    /// Other values of alpha, in the same way.
    pub alpha_pattern: Vec<(String, f64)>,
    /// The changed layers; none: all.
    pub layers_to_transform: Option<Vec<usize>>,
    /// What the number of a layer stands behind in the name of a module; none: whatever does.
    pub layers_pattern: Vec<String>,
}

impl PeftConfig {
    /// Settings of one rank and alpha for all modules of these names.
    pub fn plain(r: usize, lora_alpha: f64, target_modules: Vec<String>) -> Self {
        Self {
            base_model_name_or_path: None,
            r,
            lora_alpha,
            use_rslora: false,
            lora_dropout: 0.0,
            target_modules: Modules::List(target_modules),
            exclude_modules: None,
            rank_pattern: Vec::new(),
            alpha_pattern: Vec::new(),
            layers_to_transform: None,
            layers_pattern: Vec::new(),
        }
    }
}

/// Keys that have no effect on what a stored adapter computes: how it was initialised, where it came from,
/// and sizes of methods that have switches of their own.
const INERT: [&str; 15] = [
    "arrow_config",
    "auto_mapping",
    "base_model_class",
    "corda_config",
    "ensure_weight_tying",
    "eva_config",
    "inference_mode",
    "init_lora_weights",
    "loftq_config",
    "lora_ga_config",
    "megatron_core",
    "peft_version",
    "qalora_group_size",
    "revision",
    "runtime_config",
];

impl Serialize for PeftConfig {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let alpha = whole(self.lora_alpha);
        let null = Value::Null;
        let object = || Value::Object(Map::new());
        let ranks = self
            .rank_pattern
            .iter()
            .map(|(name, r)| (name.clone(), Value::from(*r)));
        let alphas = self
            .alpha_pattern
            .iter()
            .map(|(name, alpha)| (name.clone(), whole(*alpha)));
        let layers = self.layers_to_transform.as_ref();
        let entries: [(&str, Value); 27] = [
            ("alpha_pattern", Value::Object(alphas.collect())),
            ("auto_mapping", null.clone()),
            (
                "base_model_name_or_path",
                self.base_model_name_or_path.clone().into(),
            ),
            ("bias", "none".into()),
            ("corda_config", null.clone()),
            ("eva_config", null.clone()),
            (
                "exclude_modules",
                self.exclude_modules
                    .as_ref()
                    .map_or(Value::Null, Modules::json),
            ),
            ("fan_in_fan_out", false.into()),
            ("inference_mode", true.into()),
            ("init_lora_weights", true.into()),
            ("layer_replication", null.clone()),
            (
                "layers_pattern",
                if self.layers_pattern.is_empty() {
                    Value::Null
                } else {
                    self.layers_pattern.clone().into()
                },
            ),
            (
                "layers_to_transform",
                layers.map_or(Value::Null, |it| it.clone().into()),
            ),
            ("loftq_config", object()),
            ("lora_alpha", alpha),
            ("lora_bias", false.into()),
            ("lora_dropout", self.lora_dropout.into()),
            ("megatron_config", null.clone()),
            ("modules_to_save", null.clone()),
            ("peft_type", "LORA".into()),
            ("r", self.r.into()),
            ("rank_pattern", Value::Object(ranks.collect())),
            ("revision", null),
            ("target_modules", self.target_modules.json()),
            ("task_type", "CAUSAL_LM".into()),
            ("use_dora", false.into()),
            ("use_rslora", self.use_rslora.into()),
        ];
        serializer.collect_map(entries)
    }
}

impl PeftConfig {
    /// Reads and checks the file.
    pub(super) fn read(file: &Path) -> Result<Self, PeftError> {
        let bytes = std::fs::read(file).map_err(|source| PeftError::Io {
            file: file.to_owned(),
            source,
        })?;
        let json: Map<String, Value> =
            serde_json::from_slice(&bytes).map_err(|e| malformed(file, e.to_string()))?;
        let unsupported = |key: &str, value: &Value, supported| PeftError::Unsupported {
            file: file.to_owned(),
            key: key.to_owned(),
            value: value.to_string(),
            supported,
        };
        let wrong = |key: &str, expected: &str| {
            let found = json.get(key).map_or("absent".to_owned(), Value::to_string);
            malformed(file, format!("key {key} is {found}, expected {expected}"))
        };
        for (key, value) in &json {
            match key.as_str() {
                "peft_type" if value != "LORA" => return Err(unsupported(key, value, "LORA")),
                "task_type" if !value.is_null() && value != "CAUSAL_LM" => {
                    return Err(unsupported(key, value, "CAUSAL_LM"));
                }
                "bias" if value != "none" => return Err(unsupported(key, value, "none")),
                read if READ.contains(&read) => {}
                inert if INERT.contains(&inert) => {}
                _ if is_off(value) => {}
                other => return Err(unsupported(key, value, instead_of(other))),
            }
        }
        let finite = |value: &Value| value.as_f64().filter(|v| v.is_finite());
        let positive = |value: &Value| {
            let number = usize::try_from(value.as_u64()?).ok()?;
            (1..=MAX_RANK).contains(&number).then_some(number)
        };
        let get = |key: &str| json.get(key).filter(|value| !value.is_null());
        let modules = |key: &str| match get(key) {
            None => Ok(None),
            Some(value) if key == "exclude_modules" && is_off(value) => Ok(None),
            Some(value) => Modules::of(value)
                .map(Some)
                .ok_or_else(|| wrong(key, "a list of module names, or a pattern")),
        };
        let target_modules = modules("target_modules")?
            .ok_or_else(|| wrong("target_modules", "a list of module names, or a pattern"))?;
        let number = |key: &str| get(key).and_then(finite);
        let layers_to_transform = match get("layers_to_transform") {
            None => None,
            Some(value) => {
                let index = |v: &Value| v.as_u64().and_then(|n| usize::try_from(n).ok());
                let all = match value {
                    Value::Array(all) => all.iter().map(index).collect(),
                    one => index(one).map(|one| vec![one]),
                };
                let all: Vec<usize> = all.ok_or_else(|| {
                    wrong("layers_to_transform", "a layer's number or a list of them")
                })?;
                Some(all).filter(|all| !all.is_empty())
            }
        };
        let config = Self {
            base_model_name_or_path: get("base_model_name_or_path")
                .and_then(Value::as_str)
                .map(str::to_owned),
            r: get("r")
                .and_then(positive)
                .ok_or_else(|| wrong("r", "a positive integer"))?,
            lora_alpha: number("lora_alpha").ok_or_else(|| wrong("lora_alpha", "a number"))?,
            use_rslora: match json.get("use_rslora") {
                None | Some(Value::Null) => false,
                Some(value) => value
                    .as_bool()
                    .ok_or_else(|| wrong("use_rslora", "true or false"))?,
            },
            lora_dropout: match json.get("lora_dropout") {
                None => 0.0,
                Some(_) => number("lora_dropout")
                    .filter(|p| (0.0..1.0).contains(p))
                    .ok_or_else(|| wrong("lora_dropout", "a number from 0 to below 1"))?,
            },
            target_modules,
            exclude_modules: modules("exclude_modules")?,
            rank_pattern: by_pattern(get("rank_pattern"), positive).ok_or_else(|| {
                wrong(
                    "rank_pattern",
                    "positive integers by patterns of module names",
                )
            })?,
            alpha_pattern: by_pattern(get("alpha_pattern"), finite)
                .ok_or_else(|| wrong("alpha_pattern", "numbers by patterns of module names"))?,
            layers_to_transform,
            layers_pattern: match get("layers_pattern").map(Modules::of) {
                None => Vec::new(),
                Some(Some(Modules::Pattern(one))) => vec![one],
                Some(Some(Modules::List(all))) => all,
                Some(None) => return Err(wrong("layers_pattern", "a name or a list of names")),
            },
        };
        Rules::new(&config, file)?;
        Ok(config)
    }
}

/// Keys whose values are read.
const READ: [&str; 14] = [
    "bias",
    "base_model_name_or_path",
    "r",
    "lora_alpha",
    "use_rslora",
    "lora_dropout",
    "target_modules",
    "exclude_modules",
    "rank_pattern",
    "alpha_pattern",
    "layers_to_transform",
    "layers_pattern",
    "peft_type",
    "task_type",
];
/// Bound on ranks; a file beyond it is damaged.
const MAX_RANK: usize = 1 << 16;

/// What to do instead of a setting that is not supported.
fn instead_of(key: &str) -> &'static str {
    match key {
        "modules_to_save" => {
            "null: whole modules stored beside the matrices are not put into the model; train without them, or merge the \
             adapter with PEFT and use the merged model"
        }
        "trainable_token_indices" => {
            "null: embeddings of single tokens are not put into the model; merge the adapter with PEFT"
        }
        "use_dora" => {
            "false: DoRA scales the whole weight; merge the adapter with PEFT and use the merged model"
        }
        _ => "unset",
    }
}

/// A setting by patterns, in the order of the file.
fn by_pattern<T>(
    value: Option<&Value>,
    read: impl Fn(&Value) -> Option<T>,
) -> Option<Vec<(String, T)>> {
    match value {
        None => Some(Vec::new()),
        Some(value) => {
            let entries = value.as_object()?.iter();
            entries
                .map(|(pattern, value)| Some((pattern.clone(), read(value)?)))
                .collect()
        }
    }
}

/// Python's side declares alpha as a whole number, so one is written where it is one.
fn whole(alpha: f64) -> Value {
    if alpha.fract() == 0.0 && alpha.abs() < 1e15 {
        Value::from(alpha as i64)
    } else {
        Value::from(alpha)
    }
}

/// What the settings say of each module.
#[derive(Debug, Clone)]
pub(crate) struct Rules {
    targets: Matcher,
    excluded: Option<Matcher>,
    layers: Option<Layers>,
    ranks: ByPattern<usize>,
    alphas: ByPattern<f64>,
    r: usize,
    alpha: f64,
    root: bool,
}

impl Rules {
    /// Fails on a pattern that is none; `file` names it.
    pub fn new(config: &PeftConfig, file: &Path) -> Result<Self, PeftError> {
        let excluded = config.exclude_modules.as_ref();
        let layers = config.layers_to_transform.as_ref();
        Ok(Self {
            targets: Matcher::new(&config.target_modules, file, "target_modules")?,
            excluded: excluded
                .map(|it| Matcher::new(it, file, "exclude_modules"))
                .transpose()?,
            layers: layers
                .map(|wanted| Layers::new(wanted, &config.layers_pattern, file))
                .transpose()?,
            ranks: ByPattern::new(&config.rank_pattern, file, "rank_pattern")?,
            alphas: ByPattern::new(&config.alpha_pattern, file, "alpha_pattern")?,
            r: config.r,
            alpha: config.lora_alpha,
            root: config.use_rslora,
        })
    }

    /// Rank and scale of the update of a module, such as `model.layers.0.self_attn.q_proj`; none if it is not changed.
    pub fn of(&self, module: &str) -> Option<(usize, f64)> {
        if self.excluded.as_ref().is_some_and(|it| it.has(module)) || !self.targets.has(module) {
            return None;
        }
        // Layers choose among modules that a list names by their ends; a pattern names them itself.
        let listed = matches!(&self.targets, Matcher::List(names) if !names.iter().any(|name| name == module));
        if listed
            && self
                .layers
                .as_ref()
                .is_some_and(|layers| !layers.has(module))
        {
            return None;
        }
        let rank = self.ranks.find(module).unwrap_or(self.r);
        let alpha = self.alphas.find(module).unwrap_or(self.alpha);
        let below = if self.root {
            (rank as f64).sqrt()
        } else {
            rank as f64
        };
        Some((rank, alpha / below))
    }
}

/// Whether a switch is at rest: null, false, or empty.
fn is_off(value: &Value) -> bool {
    match value {
        Value::Null | Value::Bool(false) => true,
        Value::Array(all) => all.is_empty(),
        Value::Object(all) => all.is_empty(),
        Value::String(text) => text.is_empty(),
        _ => false,
    }
}
