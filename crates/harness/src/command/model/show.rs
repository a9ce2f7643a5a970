//! `harness model show`: what a model is, and the memory it needs.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use anyhow::{Context as _, Result, ensure};
use harness_model::chat::ChatTemplate;
use harness_model::memory::{self, Memory, Workload};
use harness_model::tokenizer::Tokenizer;
use harness_model::weights::Base;
use harness_model::weights::Weights;
use harness_model::{ModelConfig, Precision};
use serde::Serialize;

use super::named::files;
use crate::cli::ModelShowArgs;

/// All that is shown.
#[derive(Debug, Serialize)]
struct Shown {
    name: String,
    path: String,
    origin: String,
    licence: Option<String>,
    parameters: Parameters,
    types: Vec<Stored>,
    config: ModelConfig,
    tokenizer: Option<Vocabulary>,
    chat_template: bool,
    memory: Vec<Need>,
    /// What a reader should know.
    notes: Vec<String>,
}

/// Numbers of values.
#[derive(Debug, Serialize)]
struct Parameters {
    total: u64,
    /// Of the embedding; the head has as many again where it is a matrix of its own.
    embedding: u64,
    tied: bool,
    /// Of the adapter that memory is stated for.
    lora: u64,
}

/// Tensors of one number format.
#[derive(Debug, Serialize)]
struct Stored {
    name: String,
    tensors: usize,
    bytes: u64,
}

#[derive(Debug, Serialize)]
struct Vocabulary {
    kind: &'static str,
    tokens: usize,
}

/// The memory of one workload.
#[derive(Debug, Serialize)]
struct Need {
    precision: &'static str,
    length: usize,
    batch: usize,
    rank: usize,
    bytes: Memory,
}

/// Shows a model.
pub fn show(arguments: &ModelShowArgs) -> Result<()> {
    for (name, value) in [
        ("--length", arguments.length),
        ("--batch", arguments.batch),
        ("--rank", arguments.rank),
    ] {
        ensure!(value > 0, "{name}: expected 1 or more, found 0");
    }
    let (name, files) = files(&arguments.model)?;
    let weights = Weights::open(&files.path)?;
    let shown = Shown::new(arguments, name, &weights, files.origin);
    if arguments.json {
        println!("{}", serde_json::to_string_pretty(&shown)?);
    } else {
        print!("{}", shown.text().context("writing text")?);
    }
    Ok(())
}

impl Shown {
    fn new(arguments: &ModelShowArgs, name: String, weights: &Weights, origin: String) -> Self {
        let config = weights.config().clone();
        let mut notes = Vec::new();
        let mut types: BTreeMap<String, (usize, u64)> = BTreeMap::new();
        for (dtype, bytes) in weights
            .names()
            .iter()
            .filter_map(|name| weights.stored(name))
        {
            let entry = types.entry(dtype).or_default();
            entry.0 += 1;
            entry.1 += bytes;
        }
        let mut types: Vec<Stored> = types
            .into_iter()
            .map(|(name, (tensors, bytes))| Stored {
                name,
                tensors,
                bytes,
            })
            .collect();
        types.sort_by(|a, b| b.bytes.cmp(&a.bytes).then_with(|| a.name.cmp(&b.name)));
        let tokenizer = match Tokenizer::open(weights.path()) {
            Ok(tokenizer) => {
                if let Err(error) = tokenizer.check_fits(&config) {
                    notes.push(error.to_string());
                }
                Some(Vocabulary {
                    kind: tokenizer.kind(),
                    tokens: tokenizer.vocab_size(),
                })
            }
            Err(error) => {
                notes.push(format!("no tokenizer: {error}"));
                None
            }
        };
        let length = arguments.length.min(config.context);
        if length < arguments.length {
            notes.push(format!(
                "--length {}: the context ends at {length}, for which memory is stated",
                arguments.length
            ));
        }
        let surplus = weights.surplus();
        if let Some(first) = surplus.first() {
            notes.push(format!(
                "{} tensors have no place in this configuration, {first} the first: see `harness model check`",
                surplus.len()
            ));
        }
        let need = |(name, precision)| Need {
            precision: name,
            length,
            batch: arguments.batch,
            rank: arguments.rank,
            bytes: memory::memory(
                &config,
                &Workload {
                    length,
                    batch: arguments.batch,
                    rank: arguments.rank,
                    precision,
                    base: Base::Plain,
                },
            ),
        };
        Self {
            name,
            path: weights.path().display().to_string(),
            origin,
            licence: weights.licence(),
            parameters: Parameters {
                total: memory::parameters(&config),
                embedding: (config.vocab_size * config.hidden) as u64,
                tied: config.tied,
                lora: memory::lora_parameters(&config, arguments.rank),
            },
            types,
            memory: [("bf16", Precision::Bf16), ("f32", Precision::F32)]
                .map(need)
                .into(),
            chat_template: ChatTemplate::open(weights.path()).is_ok(),
            config,
            tokenizer,
            notes,
        }
    }

    fn text(&self) -> Result<String> {
        let mut out = String::new();
        let config = &self.config;
        writeln!(out, "{}\n", self.name)?;
        let mut line = |name: &str, value: String| writeln!(out, "  {name:<14} {value}");
        line("path", self.path.clone())?;
        line("origin", self.origin.clone())?;
        line("family", config.family.name().to_owned())?;
        line(
            "licence",
            self.licence
                .clone()
                .unwrap_or_else(|| "not stated".to_owned()),
        )?;
        line("parameters", {
            let head = if config.tied {
                "which is the head"
            } else {
                "and the head as many"
            };
            format!(
                "{} ({} of them the embedding, {head})",
                number(self.parameters.total),
                number(self.parameters.embedding)
            )
        })?;
        line(
            "layers",
            format!(
                "{}, hidden {}, feed-forward {}",
                config.layers, config.hidden, config.intermediate
            ),
        )?;
        line(
            "attention",
            format!(
                "{} heads of {}, {} for keys and values{}",
                config.heads,
                config.head_dim,
                config.kv_heads,
                attention_extras(config)
            ),
        )?;
        line("context", format!("{} tokens", config.context))?;
        line(
            "positions",
            format!(
                "rotary, base {}, {}",
                config.rope_theta,
                scaling(&serde_json::to_value(&config.rope_scaling)?)
            ),
        )?;
        line(
            "vocabulary",
            match &self.tokenizer {
                Some(found) => format!(
                    "{} rows, {} tokens, {}",
                    config.vocab_size, found.tokens, found.kind
                ),
                None => format!("{} rows, no tokenizer", config.vocab_size),
            },
        )?;
        line(
            "chat template",
            if self.chat_template { "yes" } else { "no" }.to_owned(),
        )?;
        writeln!(out, "\n  stored as")?;
        for stored in &self.types {
            writeln!(
                out,
                "    {:<6} {:>5} tensors {:>10}",
                stored.name,
                stored.tensors,
                size(stored.bytes)
            )?;
        }
        if let Some(first) = self.memory.first() {
            writeln!(
                out,
                "\n  memory for {} x {} tokens (LoRA of rank {}: {} parameters)",
                first.batch,
                first.length,
                first.rank,
                number(self.parameters.lora)
            )?;
            writeln!(
                out,
                "    {:<10} {:>10} {:>10} {:>10} {:>10}",
                "weights in", "weights", "to answer", "LoRA", "all"
            )?;
        }
        for need in &self.memory {
            writeln!(
                out,
                "    {:<10} {:>10} {:>10} {:>10} {:>10}",
                need.precision,
                size(need.bytes.weights),
                size(need.bytes.inference),
                size(need.bytes.lora),
                size(need.bytes.full)
            )?;
        }
        for note in &self.notes {
            writeln!(out, "\n  note: {note}")?;
        }
        Ok(out)
    }
}

fn attention_extras(config: &ModelConfig) -> String {
    let mut extras = String::new();
    for (has, name) in [
        (config.biases.qkv, ", biases"),
        (config.qk_norm, ", normalised heads"),
    ] {
        if has {
            extras += name;
        }
    }
    if let Some(window) = &config.window {
        let _ = write!(
            extras,
            ", sliding over {} tokens in {} layers",
            window.tokens,
            window.layers.len()
        );
    }
    extras
}

/// How positions are scaled, from the configuration's own form: `linear, factor 4.0`. Lists are left to JSON.
fn scaling(value: &serde_json::Value) -> String {
    let fields = value.as_object().into_iter().flatten();
    let mut parts = Vec::new();
    for (key, value) in fields {
        match (key.as_str(), value.as_str()) {
            ("rope_type", Some("none")) => return "not scaled".to_owned(),
            ("rope_type", Some(kind)) => parts.insert(0, format!("scaled: {kind}")),
            _ if value.is_array() => {}
            _ => parts.push(format!("{key} {value}")),
        }
    }
    parts.join(", ")
}

/// A count with separators.
fn number(n: u64) -> String {
    let digits = n.to_string();
    let mut out = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// Bytes in a unit that a person reads, of powers of 1000.
fn size(bytes: u64) -> String {
    let bytes = bytes as f64;
    if bytes >= 1e9 {
        format!("{:.2} GB", bytes / 1e9)
    } else if bytes >= 1e6 {
        format!("{:.1} MB", bytes / 1e6)
    } else {
        format!("{:.1} kB", bytes / 1e3)
    }
}

#[cfg(test)]
mod tests {
    use super::{number, scaling, size};
    use serde_json::json;

    #[test]
    fn figures_are_short() {
        assert_eq!(
            [7, 1234, 134_515_008].map(number),
            ["7", "1,234", "134,515,008"]
        );
        assert_eq!(
            [999, 2_500_000, 1_230_000_000].map(size),
            ["1.0 kB", "2.5 MB", "1.23 GB"]
        );
        for (value, expected) in [
            (json!({"rope_type": "none"}), "not scaled"),
            (
                json!({"factor": 4.0, "rope_type": "linear"}),
                "scaled: linear, factor 4.0",
            ),
            (
                json!({"factors": [1.0, 8.0], "rope_type": "factors"}),
                "scaled: factors",
            ),
        ] {
            assert_eq!(scaling(&value), expected);
        }
    }
}
