//! What the base model says of a set: the loss of its gold queries, vectors of its questions, the gradient of an adapter.
//!
//! `nll.jsonl` has the losses, `embeddings.jsonl` the vectors, and `gradient.f32` the gradient as little-endian numbers. It is
//! one sample of examples that all three are of.

mod gradient;
mod sample;
mod scores;

use std::path::Path;

use anyhow::{Result, ensure};
use harness_model::Engine;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::Left;
use crate::context::Context;
use crate::files::{write, write_lines};
use crate::model::Model;
use crate::progress::Progress;

pub use sample::{LossRow, Sample, losses};
pub use scores::scores;

/// The files in a stage's folder.
pub const LOSSES: &str = "nll.jsonl";
const VECTORS: &str = "embeddings.jsonl";
const GRADIENT: &str = "gradient.f32";

/// A question as a vector.
#[derive(Debug, Serialize, Deserialize)]
struct VectorRow {
    id: String,
    vector: Vec<f32>,
}

pub fn run(context: &Context, name: &str, folder: &Path) -> Result<Left> {
    let asked = sample::asked(context)?;
    let sample = Sample::draw(context, name)?;
    let model = context.model()?;
    let layers = model.weights.config().layers;
    let layer = asked.embedding_layer.unwrap_or(layers / 2);
    ensure!(
        layer <= layers,
        "align.model_scores.embedding_layer is {layer}; the model has layers 0 (the embeddings) to {layers}"
    );
    let engine = Engine::new(model.decoder()?, None);
    let losses = losses(&engine, &sample, &format!("losses of {name}"))?;
    let vectors = vectors(model, &engine, &sample, layer, name)?;
    let gradient = gradient::gradient(context, model, &sample, name)?;

    write_lines(&folder.join(LOSSES), &losses)?;
    write_lines(&folder.join(VECTORS), &vectors)?;
    let bytes: Vec<u8> = gradient
        .values
        .iter()
        .flat_map(|it| it.to_le_bytes())
        .collect();
    write(&folder.join(GRADIENT), &bytes)?;
    let (tokens, right) = losses.iter().fold((0, 0), |(tokens, right), row| {
        (tokens + row.tokens, right + row.right)
    });
    let nats: f64 = losses.iter().map(|row| row.nats).sum();
    eprintln!(
        "  {} examples, {:.3} nats a token, {} vectors of layer {layer}, a gradient of {} examples",
        losses.len(),
        nats / tokens as f64,
        vectors.len(),
        gradient.examples
    );
    Ok(Left {
        // Vectors and gradients are large, and the former tell something of the questions.
        external: vec![VECTORS, GRADIENT],
        notes: json!({
            "examples": losses.len(),
            "too_long": sample.too_long,
            "tokens": tokens,
            "right_tokens": right,
            "nats_per_token": nats / tokens as f64,
            "vectors": vectors.len(),
            "layer": layer,
            "gradient_examples": gradient.examples,
            "gradient_numbers": gradient.values.len(),
        }),
    })
}

/// The vectors of the sample's questions; one that has no token, or too many, has none.
fn vectors(
    model: &Model,
    engine: &Engine<'_>,
    sample: &Sample<'_>,
    layer: usize,
    name: &str,
) -> Result<Vec<VectorRow>> {
    let config = model.weights.config();
    let context = model.decoder()?.context();
    let (mut ids, mut texts) = (Vec::new(), Vec::new());
    for example in &sample.examples {
        let tokens = model
            .tokenizer
            .encode_plain(&example.question, config.add_bos)?;
        if !tokens.is_empty() && tokens.len() <= context {
            ids.push(example.id.clone());
            texts.push(tokens);
        }
    }
    let mut progress = Progress::new(format!("vectors of {name}"), "questions", texts.len(), 0);
    let vectors = engine.embed(&texts, layer, &mut |done| progress.set(done, ""))?;
    let rows = ids.into_iter().zip(vectors);
    Ok(rows.map(|(id, vector)| VectorRow { id, vector }).collect())
}
