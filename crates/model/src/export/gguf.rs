//! A model as one GGUF file: metadata, vocabulary, chat template, tensors.

use std::path::Path;

use super::rounded::{encoded, stored_as};
use super::{ExportError, Merged, Progress, Source, vocabulary};
use crate::config::{Family, ModelConfig, RopeScaling};
use crate::full::shapes;
use crate::weights::Tensors as _;
use crate::weights::gguf::{
    BlockType, Entry, ROPE_FACTORS, Value, gguf_name, row_order, write as write_file,
};

pub(super) fn write(
    source: &Source<'_>,
    file: &Path,
    block: BlockType,
    progress: &mut Progress<'_>,
) -> Result<(), ExportError> {
    let config = source.weights.config();
    check(config)?;
    let mut metadata = metadata(source, block);
    metadata.extend(vocabulary::metadata(source)?);
    let merged = Merged::new(source.weights, source.adapter);
    let mut tensors = Vec::new();
    let mut names = Vec::new();
    for (name, shape) in shapes(config) {
        let gguf = gguf_name(&name).ok_or_else(|| unsayable(format!("the tensor {name}")))?;
        tensors.push(Entry {
            name: gguf,
            block: stored_as(block, &shape),
            shape,
        });
        names.push(name);
    }
    let factors = rope_factors(config);
    if let Some(factors) = &factors {
        tensors.push(Entry {
            name: ROPE_FACTORS.to_owned(),
            shape: vec![factors.len()],
            block: BlockType::F32,
        });
    }
    let entries = tensors.clone();
    write_file(file, &metadata, &tensors, &mut |place| {
        progress("writing tensors", place + 1, entries.len());
        let entry = &entries[place];
        let Some(name) = names.get(place) else {
            return encoded(entry.block, factors.as_deref().unwrap_or_default());
        };
        let values = merged.tensor(name, &entry.shape)?;
        encoded(
            entry.block,
            &in_file_order(config, name, &entry.shape, values),
        )
    })?;
    Ok(())
}

/// Rows as the file has them, from those of the Hugging Face layout.
fn in_file_order(config: &ModelConfig, name: &str, shape: &[usize], values: Vec<f32>) -> Vec<f32> {
    let rows = shape.first().copied().unwrap_or(0);
    let Some(place) = row_order(config, name, rows) else {
        return values;
    };
    let width = values.len() / rows.max(1);
    let mut out = vec![0.0; values.len()];
    for (r, row) in values.chunks_exact(width.max(1)).enumerate() {
        out[place(r) * width..][..width].copy_from_slice(row);
    }
    out
}

fn unsayable(what: String) -> ExportError {
    ExportError::Unsayable {
        format: "GGUF",
        what,
    }
}

/// What the format, or its readers, can't tell.
fn check(config: &ModelConfig) -> Result<(), ExportError> {
    let Some(window) = &config.window else {
        return Ok(());
    };
    // A window is one number for all layers; that it is meant for those from some layer on has no key.
    if config.family != Family::Mistral || window.layers.len() != config.layers {
        return Err(unsayable("attention that slides in some layers".to_owned()));
    }
    Ok(())
}

/// What the frequencies are divided by, where that is not one number.
fn rope_factors(config: &ModelConfig) -> Option<Vec<f32>> {
    match &config.rope_scaling {
        RopeScaling::None | RopeScaling::Linear { .. } => None,
        scaling => Some(scaling.factors(config.head_dim, config.rope_theta)),
    }
}

/// The keys that are not the vocabulary's.
fn metadata(source: &Source<'_>, block: BlockType) -> Vec<(String, Value)> {
    let config = source.weights.config();
    let arch = config.family.differences().gguf;
    let size = |n: usize| Value::Unsigned(n as u64);
    let file_type = match block {
        BlockType::F32 => 0,
        BlockType::Q8_0 => 7,
        BlockType::Bf16 => 32,
        _ => 1,
    };
    let mut all = vec![
        (
            "general.architecture".to_owned(),
            Value::Text(arch.to_owned()),
        ),
        (
            "general.name".to_owned(),
            Value::Text(source.name.to_owned()),
        ),
        ("general.file_type".to_owned(), Value::Unsigned(file_type)),
        (
            "general.quantization_version".to_owned(),
            Value::Unsigned(2),
        ),
    ];
    let mut add = |key: &str, value| all.push((format!("{arch}.{key}"), value));
    add("context_length", size(config.context));
    add("embedding_length", size(config.hidden));
    add("block_count", size(config.layers));
    add("feed_forward_length", size(config.intermediate));
    add("attention.head_count", size(config.heads));
    add("attention.head_count_kv", size(config.kv_heads));
    add("attention.key_length", size(config.head_dim));
    add("attention.value_length", size(config.head_dim));
    add(
        "attention.layer_norm_rms_epsilon",
        Value::F32(config.rms_eps as f32),
    );
    add("rope.dimension_count", size(config.head_dim));
    add("rope.freq_base", Value::F32(config.rope_theta as f32));
    add("vocab_size", size(config.vocab_size));
    if let RopeScaling::Linear { factor } = config.rope_scaling {
        add("rope.scaling.type", Value::Text("linear".to_owned()));
        add("rope.scaling.factor", Value::F32(factor as f32));
    }
    if let Some(window) = &config.window {
        add("attention.sliding_window", size(window.tokens));
    }
    all
}
