//! `adapter_config.json`.

use std::path::Path;

use serde::{Serialize, Serializer};
use serde_json::{Map, Value};

use super::{PeftError, malformed};

/// The settings of a `LoRA` adapter: scale `lora_alpha / r`, and which modules it changes.
///
/// Written with all keys PEFT writes; those not listed here have the only value our layers support.
#[derive(Debug, Clone, PartialEq)]
pub struct PeftConfig {
    /// Name or path of the model the adapter was trained on.
    pub base_model_name_or_path: Option<String>,
    /// Rank of the two matrices.
    pub r: usize,
    /// The update is scaled by `lora_alpha / r`.
    pub lora_alpha: f64,
    /// Share of inputs dropped in training.
    pub lora_dropout: f64,
    /// Last part of the names of the changed modules, such as `q_proj`.
    pub target_modules: Vec<String>,
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
        // Python's side declares alpha as a whole number, so one is written where it is one.
        let alpha = if self.lora_alpha.fract() == 0.0 && self.lora_alpha.abs() < 1e15 {
            Value::from(self.lora_alpha as i64)
        } else {
            Value::from(self.lora_alpha)
        };
        let null = Value::Null;
        let object = || Value::Object(Map::new());
        let entries: [(&str, Value); 27] = [
            ("alpha_pattern", object()),
            ("auto_mapping", null.clone()),
            (
                "base_model_name_or_path",
                self.base_model_name_or_path.clone().into(),
            ),
            ("bias", "none".into()),
            ("corda_config", null.clone()),
            ("eva_config", null.clone()),
            ("exclude_modules", null.clone()),
            ("fan_in_fan_out", false.into()),
            ("inference_mode", true.into()),
            ("init_lora_weights", true.into()),
            ("layer_replication", null.clone()),
            ("layers_pattern", null.clone()),
            ("layers_to_transform", null.clone()),
            ("loftq_config", object()),
            ("lora_alpha", alpha),
            ("lora_bias", false.into()),
            ("lora_dropout", self.lora_dropout.into()),
            ("megatron_config", null.clone()),
            ("modules_to_save", null.clone()),
            ("peft_type", "LORA".into()),
            ("r", self.r.into()),
            ("rank_pattern", object()),
            ("revision", null),
            ("target_modules", self.target_modules.clone().into()),
            ("task_type", "CAUSAL_LM".into()),
            ("use_dora", false.into()),
            ("use_rslora", false.into()),
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
                "base_model_name_or_path"
                | "r"
                | "lora_alpha"
                | "lora_dropout"
                | "target_modules"
                | "peft_type"
                | "task_type"
                | "bias" => {}
                inert if INERT.contains(&inert) => {}
                _ if is_off(value) => {}
                _ => return Err(unsupported(key, value, "unset")),
            }
        }
        let number = |key: &str| {
            json.get(key)
                .and_then(Value::as_f64)
                .filter(|v| v.is_finite())
        };
        let r = json
            .get("r")
            .and_then(Value::as_u64)
            .and_then(|r| usize::try_from(r).ok())
            .filter(|r| (1..=1 << 16).contains(r))
            .ok_or_else(|| wrong("r", "a positive integer"))?;
        let target_modules = match json.get("target_modules") {
            Some(Value::Array(all)) => all.iter().map(|m| m.as_str().map(str::to_owned)).collect(),
            Some(text @ Value::String(_)) => {
                return Err(unsupported(
                    "target_modules",
                    text,
                    "a list of module names",
                ));
            }
            _ => None,
        };
        let mut target_modules: Vec<String> =
            target_modules.ok_or_else(|| wrong("target_modules", "a list of module names"))?;
        // PEFT keeps them as a set and writes them in any order.
        target_modules.sort();
        Ok(Self {
            base_model_name_or_path: json
                .get("base_model_name_or_path")
                .and_then(Value::as_str)
                .map(str::to_owned),
            r,
            lora_alpha: number("lora_alpha").ok_or_else(|| wrong("lora_alpha", "a number"))?,
            lora_dropout: match json.get("lora_dropout") {
                None => 0.0,
                Some(_) => number("lora_dropout")
                    .filter(|p| (0.0..1.0).contains(p))
                    .ok_or_else(|| wrong("lora_dropout", "a number from 0 to below 1"))?,
            },
            target_modules,
        })
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
