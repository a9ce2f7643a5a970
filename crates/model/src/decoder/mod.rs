//! The decoder of the Llama-like families: frozen weights, ready for prediction and for training.
//!
//! Pre-norm layers of grouped-query attention with rotary positions and a gated feed-forward part; the families
//! differ in configuration (biases, norms of heads, scaled positions, sliding attention, tied embeddings), not in code.
//! Dimension letters: `m` tokens laid end to end, `hidden` = heads · d for most models.

mod sequences;

use std::sync::Arc;

use harness_kernel::{Packed, Precision, Rope};
use rayon::prelude::*;

use crate::config::ModelConfig;
use crate::error::ModelError;
use crate::linear::Linear;
use crate::lora::Projection;
use crate::weights::{Base, Tensors, Weights};

pub use sequences::Sequences;
pub(crate) use sequences::attention_shapes;

/// Frozen weights of one model.
#[derive(Debug)]
pub struct Decoder {
    pub(crate) config: ModelConfig,
    /// The embedding `[vocabulary, hidden]`; also the output head where the two are tied.
    pub(crate) embedding: Arc<Linear>,
    pub(crate) head: Arc<Linear>,
    pub(crate) layers: Vec<Layer>,
    pub(crate) norm: Arc<Vec<f32>>,
    pub(crate) rope: Arc<Rope>,
    precision: Precision,
}

/// Frozen weights of one layer.
#[derive(Debug)]
pub(crate) struct Layer {
    pub(crate) input_norm: Arc<Vec<f32>>,
    pub(crate) post_attention_norm: Arc<Vec<f32>>,
    /// Norms of the heads of queries and keys, `[head_dim]`, in families that have them.
    pub(crate) qk_norm: Option<QkNorm>,
    /// Indexed by [`Projection`].
    projections: [Arc<Linear>; 7],
}

/// Norms of the heads of queries and keys, each `[head_dim]`.
#[derive(Debug)]
pub(crate) struct QkNorm {
    pub(crate) q: Arc<Vec<f32>>,
    pub(crate) k: Arc<Vec<f32>>,
}

impl Layer {
    pub(crate) fn projection(&self, projection: Projection) -> &Arc<Linear> {
        &self.projections[projection as usize]
    }
}

/// Positions the rotary tables are made for at most: far more than a prompt of ours, far less than the
/// 128 k that some configurations allow.
pub(crate) const MAX_POSITIONS: usize = 16_384;

impl Decoder {
    /// Reads and packs all weights. `progress` is called with the number of layers done.
    ///
    /// # Errors
    /// If a tensor is missing, has another shape than the configuration says, or can't be read.
    pub fn load(
        weights: &Weights,
        precision: Precision,
        progress: &mut dyn FnMut(usize, usize),
    ) -> Result<Self, ModelError> {
        Self::load_base(weights, precision, Base::Plain, progress)
    }

    /// [`Self::load`] with the projections kept as `base` says, to train an adapter in little memory.
    ///
    /// # Errors
    /// As [`Self::load`].
    pub fn load_base(
        weights: &Weights,
        precision: Precision,
        base: Base,
        progress: &mut dyn FnMut(usize, usize),
    ) -> Result<Self, ModelError> {
        weights.refuse_surplus()?;
        Self::build(weights, precision, base, progress)
    }

    /// [`Self::load`] from tensors that need not lie in a file.
    ///
    /// # Errors
    /// As [`Self::load`].
    pub fn load_tensors(
        weights: &dyn Tensors,
        precision: Precision,
        progress: &mut dyn FnMut(usize, usize),
    ) -> Result<Self, ModelError> {
        Self::build(weights, precision, Base::Plain, progress)
    }

    /// [`Self::load_base`] from tensors that need not lie in a file.
    ///
    /// # Errors
    /// As [`Self::load`].
    pub fn build(
        weights: &dyn Tensors,
        precision: Precision,
        base: Base,
        progress: &mut dyn FnMut(usize, usize),
    ) -> Result<Self, ModelError> {
        let config = weights.config().clone();
        let (vocabulary, hidden) = (config.vocab_size, config.hidden);
        let matrix = |name: &str, outputs: usize, inputs: usize| {
            let matrix = if base == Base::Codes {
                weights.frozen(name, outputs, inputs, precision, base)?
            } else {
                weights.matrix(name, outputs, inputs, precision)?
            };
            Ok::<_, ModelError>(Arc::new(Linear::packed_with(matrix, None)))
        };
        let vector =
            |name: &str, len: usize| Ok::<_, ModelError>(Arc::new(weights.tensor(name, &[len])?));
        let embedding = matrix("model.embed_tokens.weight", vocabulary, hidden)?;
        let head = if config.tied {
            Arc::clone(&embedding)
        } else {
            matrix("lm_head.weight", vocabulary, hidden)?
        };
        let mut layers = Vec::with_capacity(config.layers);
        for index in 0..config.layers {
            let name = |part: &str| format!("model.layers.{index}.{part}");
            let read: Vec<Result<Arc<Linear>, ModelError>> = Projection::ALL
                .par_iter()
                .map(|projection| {
                    let (outputs, inputs) = projection.shape(&config);
                    let path = name(&projection.path());
                    let bias = projection
                        .biased(&config)
                        .then(|| weights.tensor(&format!("{path}.bias"), &[outputs]))
                        .transpose()?;
                    let name = format!("{path}.weight");
                    let matrix = weights.frozen(&name, outputs, inputs, precision, base)?;
                    Ok(Arc::new(Linear::packed_with(matrix, bias)))
                })
                .collect();
            // Of several errors the first in order is told.
            let projections = read.into_iter().collect::<Result<Vec<_>, _>>()?;
            let Ok(projections) = projections.try_into() else {
                unreachable!("one for each of Projection::ALL")
            };
            let head_norm = |part: &str| vector(&name(part), config.head_dim);
            let qk_norm = if config.qk_norm {
                Some(QkNorm {
                    q: head_norm("self_attn.q_norm.weight")?,
                    k: head_norm("self_attn.k_norm.weight")?,
                })
            } else {
                None
            };
            layers.push(Layer {
                qk_norm,
                input_norm: vector(&name("input_layernorm.weight"), hidden)?,
                post_attention_norm: vector(&name("post_attention_layernorm.weight"), hidden)?,
                projections,
            });
            progress(index + 1, config.layers);
        }
        let norm = vector("model.norm.weight", hidden)?;
        let positions = config.context.min(MAX_POSITIONS);
        let rope = Arc::new(Rope::new(&config.rope_frequencies(), positions));
        Ok(Self {
            config,
            embedding,
            head,
            layers,
            norm,
            rope,
            precision,
        })
    }

    /// The model's configuration.
    pub fn config(&self) -> &ModelConfig {
        &self.config
    }

    /// What the weights were loaded in: products of training are computed in it too.
    pub fn precision(&self) -> Precision {
        self.precision
    }

    /// Positions a sequence may have.
    pub fn context(&self) -> usize {
        self.rope.positions()
    }

    /// The matrices of all products.
    pub(crate) fn weights(&self) -> impl Iterator<Item = &Packed> {
        let layers = self.layers.iter().flat_map(|layer| &layer.projections);
        layers
            .chain(std::iter::once(&self.head))
            .map(|linear| linear.packed())
    }

    /// Memory of the weights as they are packed now, in bytes.
    pub fn bytes(&self) -> usize {
        let head = if self.config.tied {
            0
        } else {
            self.head.bytes()
        };
        let layers: usize = self
            .layers
            .iter()
            .flat_map(|layer| &layer.projections)
            .map(|linear| linear.bytes())
            .sum();
        self.embedding.bytes() + head + layers
    }

    /// Writes the embeddings of tokens, `[tokens, hidden]`.
    pub(crate) fn embed(&self, tokens: &[u32], rows: &mut [f32]) -> Result<(), ModelError> {
        let hidden = self.config.hidden;
        let table = self.embedding.packed();
        for (&id, row) in tokens.iter().zip(rows.chunks_exact_mut(hidden)) {
            if id as usize >= table.outputs() {
                return Err(ModelError::TokenOutOfRange {
                    id,
                    vocabulary: table.outputs(),
                });
            }
            table.copy_row(id as usize, row);
        }
        Ok(())
    }
}
