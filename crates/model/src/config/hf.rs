//! A model's configuration from a folder in Hugging Face layout: `config.json`, and where present
//! `generation_config.json`, `tokenizer_config.json` and `tokenizer.json`.

use std::path::{Path, PathBuf};

use serde_json::Value;

use super::family::{AttentionBias, WindowRule};
use super::{
    Biases, ConfigError, Family, KeyNames, MAX_LAYERS, ModelConfig, RopeScaling, SlidingWindow,
};

impl ModelConfig {
    /// Reads the configuration of the model in `folder`.
    pub fn from_folder(folder: &Path) -> Result<Self, ConfigError> {
        Self::from_file(&folder.join("config.json"))
    }

    /// Reads a `config.json`, and what of the model lies beside it.
    pub fn from_file(config: &Path) -> Result<Self, ConfigError> {
        let keys = Keys::open(config.to_owned())?;
        let optional = |name: &str| {
            let file = config.with_file_name(name);
            file.is_file().then(|| Keys::open(file)).transpose()
        };
        let generation = optional("generation_config.json")?;
        let add_bos = match optional("tokenizer_config.json")? {
            Some(t) => t.flag("add_bos_token")?,
            None => None,
        };
        let add_bos = match add_bos {
            Some(flag) => flag,
            None => optional("tokenizer.json")?.is_some_and(|t| template_begins_special(&t.json)),
        };
        Self::from_json(&keys, generation.as_ref(), add_bos)
    }

    fn from_json(
        keys: &Keys,
        generation: Option<&Keys>,
        add_bos: bool,
    ) -> Result<Self, ConfigError> {
        let name = keys
            .text("model_type")?
            .ok_or_else(|| keys.missing("model_type", "text"))?;
        let family =
            Family::from_name(name).ok_or_else(|| ConfigError::UnsupportedArchitecture {
                file: keys.file.clone(),
                found: name.to_owned(),
                supported: Family::supported(),
            })?;
        let differences = family.differences();
        let stated = |key: &str| Ok::<_, ConfigError>(keys.flag(key)? == Some(true));
        let (qkv, output) = match differences.attention_bias {
            AttentionBias::Never => (false, false),
            AttentionBias::Qkv => (true, false),
            AttentionBias::Stated => (stated("attention_bias")?, stated("attention_bias")?),
        };
        if !differences.mlp_bias && stated("mlp_bias")? {
            return Err(keys.unsupported("mlp_bias", "true"));
        }
        if let Some(value) = keys.get("quantization_config") {
            return Err(keys.unsupported("quantization_config", &value.to_string()));
        }
        if let Some(act) = keys.text("hidden_act")?.filter(|a| *a != "silu") {
            return Err(keys.unsupported("hidden_act", act));
        }
        let hidden = keys.size("hidden_size")?;
        let heads = keys.size("num_attention_heads")?;
        let layers = keys.size("num_hidden_layers")?;
        let context = keys.size("max_position_embeddings")?;
        let mut eos = Vec::new();
        // What generation stops at comes first; config.json may add to it.
        for source in generation.into_iter().chain([keys]) {
            for id in source.tokens("eos_token_id")? {
                if !eos.contains(&id) {
                    eos.push(id);
                }
            }
        }
        let first = |key: &str| -> Result<Option<u32>, ConfigError> {
            for source in [keys].into_iter().chain(generation) {
                if let Some(id) = source.tokens(key)?.first() {
                    return Ok(Some(*id));
                }
            }
            Ok(None)
        };
        let config = Self {
            family,
            vocab_size: keys.size("vocab_size")?,
            hidden,
            intermediate: keys.size("intermediate_size")?,
            layers,
            heads,
            kv_heads: keys.optional_size("num_key_value_heads")?.unwrap_or(heads),
            head_dim: head_dim(keys, hidden, heads)?,
            context,
            rope_theta: rope_theta(keys)?,
            rope_scaling: rope_scaling(keys, context)?,
            window: window(keys, family, layers)?,
            rms_eps: keys.float("rms_norm_eps")?.unwrap_or(1e-6),
            tied: keys.flag("tie_word_embeddings")?.unwrap_or(false),
            biases: Biases {
                qkv,
                output,
                feed_forward: stated("mlp_bias")?,
            },
            qk_norm: differences.qk_norm,
            bos: first("bos_token_id")?,
            eos,
            pad: first("pad_token_id")?,
            add_bos,
        };
        config.check(&KeyNames {
            file: &keys.file,
            key: &str::to_owned,
        })
    }
}

/// Width of a head: stated, or what is left of the residual stream for each.
fn head_dim(keys: &Keys, hidden: usize, heads: usize) -> Result<usize, ConfigError> {
    if let Some(stated) = keys.optional_size("head_dim")? {
        return Ok(stated);
    }
    if heads > 0 && !hidden.is_multiple_of(heads) {
        return Err(ConfigError::Contradiction {
            file: keys.file.clone(),
            key: "hidden_size".into(),
            expected: format!("a multiple of the {heads} attention heads, as there is no head_dim"),
            found: hidden.to_string(),
        });
    }
    Ok(hidden / heads.max(1))
}

/// Where a key of the rotary positions stands: `rope_parameters` (transformers 5), or else `rope_scaling`.
fn rope_keys(keys: &Keys) -> Option<(&'static str, &Value)> {
    ["rope_parameters", "rope_scaling"]
        .into_iter()
        .find_map(|key| Some((key, keys.get(key)?)))
}

/// The rotary base, from `rope_theta` or (transformers 5) `rope_parameters`.
fn rope_theta(keys: &Keys) -> Result<f64, ConfigError> {
    let nested = rope_keys(keys).and_then(|(name, rope)| Some((name, rope.get("rope_theta")?)));
    match nested {
        Some((name, v)) => v
            .as_f64()
            .ok_or_else(|| keys.wrong(&format!("{name}.rope_theta"), "a number", v)),
        None => Ok(keys.float("rope_theta")?.unwrap_or(10_000.0)),
    }
}

/// How the rotary frequencies are scaled; kinds that the decoder does not compute are refused by name.
fn rope_scaling(keys: &Keys, context: usize) -> Result<RopeScaling, ConfigError> {
    let Some((name, rope)) = rope_keys(keys) else {
        return Ok(RopeScaling::None);
    };
    let number = |key: &str| {
        let path = format!("{name}.{key}");
        match rope.get(key).filter(|v| !v.is_null()) {
            Some(v) => match v.as_f64() {
                Some(n) if n > 0.0 && n.is_finite() => Ok(Some(n)),
                _ => Err(keys.wrong(&path, "a positive number", v)),
            },
            None => Ok(None),
        }
    };
    let needed = |key: &str| {
        number(key)?.ok_or_else(|| keys.missing(&format!("{name}.{key}"), "a positive number"))
    };
    let kind = rope.get("rope_type").or_else(|| rope.get("type"));
    match kind.and_then(Value::as_str) {
        Some("default") => Ok(RopeScaling::None),
        Some("linear") => Ok(RopeScaling::Linear {
            factor: needed("factor")?,
        }),
        Some("llama3") => {
            let (low, high) = (needed("low_freq_factor")?, needed("high_freq_factor")?);
            if low >= high {
                return Err(ConfigError::Contradiction {
                    file: keys.file.clone(),
                    key: format!("{name}.high_freq_factor"),
                    expected: format!("more than the low_freq_factor of {low}"),
                    found: high.to_string(),
                });
            }
            Ok(RopeScaling::Llama3 {
                factor: needed("factor")?,
                low_freq_factor: low,
                high_freq_factor: high,
                original_context: number("original_max_position_embeddings")?
                    .map_or(context, |n| n as usize),
            })
        }
        None if name == "rope_parameters" && kind.is_none() => Ok(RopeScaling::None),
        _ => Err(keys.unsupported(name, &rope.to_string())),
    }
}

/// Positions a query of a sliding layer sees where a configuration is silent.
const DEFAULT_WINDOW: usize = 4096;

/// Where attention slides.
fn window(
    keys: &Keys,
    family: Family,
    layers: usize,
) -> Result<Option<SlidingWindow>, ConfigError> {
    let on = keys.flag("use_sliding_window")?;
    let slides = match family.differences().window {
        WindowRule::Never => {
            if on == Some(true) {
                return Err(keys.unsupported("use_sliding_window", "true"));
            }
            false
        }
        WindowRule::Stated => true,
        WindowRule::Upper => on == Some(true),
    };
    // A configuration that does not mention the key means transformers' default, one that says `null` none.
    let stated = keys.optional_size("sliding_window")?;
    let tokens = if keys.json.get("sliding_window").is_none() {
        Some(DEFAULT_WINDOW)
    } else {
        stated
    };
    let Some(tokens) = tokens.filter(|_| slides) else {
        return Ok(None);
    };
    if tokens == 0 {
        return Err(keys.unsupported("sliding_window", "0"));
    }
    let all = 0..layers.min(MAX_LAYERS);
    let layers = match (keys.get("layer_types"), family.differences().window) {
        (Some(Value::Array(types)), _) if types.len() == layers => {
            let mut sliding = Vec::new();
            for (layer, kind) in types.iter().enumerate() {
                match kind.as_str() {
                    Some("sliding_attention") => sliding.push(layer),
                    Some("full_attention") => {}
                    _ => return Err(keys.unsupported("layer_types", &kind.to_string())),
                }
            }
            sliding
        }
        (Some(other), _) => {
            return Err(keys.wrong("layer_types", "a list with one entry a layer", other));
        }
        (None, WindowRule::Upper) => {
            let first = keys.optional_size("max_window_layers")?.unwrap_or(28);
            all.skip(first).collect()
        }
        (None, _) => all.collect(),
    };
    Ok((!layers.is_empty()).then_some(SlidingWindow { tokens, layers }))
}

/// Whether the post-processor of a `tokenizer.json` puts a special token before a single text.
fn template_begins_special(tokenizer: &Value) -> bool {
    let begins = |p: &Value| {
        p.get("single")
            .and_then(|s| s.get(0))
            .is_some_and(|first| first.get("SpecialToken").is_some())
    };
    let Some(processor) = tokenizer.get("post_processor") else {
        return false;
    };
    begins(processor)
        || processor
            .get("processors")
            .and_then(Value::as_array)
            .is_some_and(|all| all.iter().any(begins))
}

/// Typed access to the keys of one JSON file; `null` counts as absent.
struct Keys {
    file: PathBuf,
    json: Value,
}

impl Keys {
    fn open(file: PathBuf) -> Result<Self, ConfigError> {
        let bytes = match std::fs::read(&file) {
            Ok(bytes) => bytes,
            Err(source) => return Err(ConfigError::Io { file, source }),
        };
        match serde_json::from_slice(&bytes) {
            Ok(json) => Ok(Self { file, json }),
            Err(source) => Err(ConfigError::Json { file, source }),
        }
    }

    fn get(&self, key: &str) -> Option<&Value> {
        self.json.get(key).filter(|v| !v.is_null())
    }

    fn missing(&self, key: &str, expected: &'static str) -> ConfigError {
        ConfigError::MissingKey {
            file: self.file.clone(),
            key: key.to_owned(),
            expected,
        }
    }

    fn wrong(&self, key: &str, expected: &'static str, found: &Value) -> ConfigError {
        ConfigError::WrongType {
            file: self.file.clone(),
            key: key.to_owned(),
            expected,
            found: found.to_string(),
        }
    }

    fn unsupported(&self, key: &str, value: &str) -> ConfigError {
        ConfigError::UnsupportedSetting {
            file: self.file.clone(),
            key: key.to_owned(),
            value: value.to_owned(),
        }
    }

    /// The value of `key` read by `read`, or an error that it is not what was `expected`.
    fn typed<'a, T>(
        &'a self,
        key: &str,
        expected: &'static str,
        read: impl Fn(&'a Value) -> Option<T>,
    ) -> Result<Option<T>, ConfigError> {
        self.get(key)
            .map(|v| read(v).ok_or_else(|| self.wrong(key, expected, v)))
            .transpose()
    }

    fn text(&self, key: &str) -> Result<Option<&str>, ConfigError> {
        self.typed(key, "text", Value::as_str)
    }

    fn flag(&self, key: &str) -> Result<Option<bool>, ConfigError> {
        self.typed(key, "true or false", Value::as_bool)
    }

    fn float(&self, key: &str) -> Result<Option<f64>, ConfigError> {
        self.typed(key, "a number", Value::as_f64)
    }

    fn optional_size(&self, key: &str) -> Result<Option<usize>, ConfigError> {
        self.typed(key, "a non-negative integer", |v| {
            usize::try_from(v.as_u64()?).ok()
        })
    }

    fn size(&self, key: &str) -> Result<usize, ConfigError> {
        self.optional_size(key)?
            .ok_or_else(|| self.missing(key, "a non-negative integer"))
    }

    /// One token id or a list of them.
    fn tokens(&self, key: &str) -> Result<Vec<u32>, ConfigError> {
        let id = |v: &Value| u32::try_from(v.as_u64()?).ok();
        let ids = self.typed(key, "a token id or a list of them", |v| match v {
            Value::Array(all) => all.iter().map(id).collect(),
            one => Some(vec![id(one)?]),
        })?;
        Ok(ids.unwrap_or_default())
    }
}
