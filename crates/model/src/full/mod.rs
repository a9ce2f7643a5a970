//! A decoder of the Llama family or Qwen2 all of whose weights are trained.
//!
//! The weights are `f32` variables under their names in Hugging Face checkpoints. It computes what
//! [`Decoder`](crate::Decoder) computes from the same weights; it does not generate: a trained model is saved and
//! opened like any other.

mod init;
mod layer;
mod loss;
mod save;
mod sweep;

pub(crate) use save::config_json;

use std::collections::BTreeMap;
use std::sync::Arc;

use candle_core::{Device, Tensor, Var};
use harness_kernel::Rope;

use crate::config::ModelConfig;
use crate::decoder::MAX_POSITIONS;
use crate::error::ModelError;
use crate::lora::Projection;
use crate::weights::Weights;

/// The embedding, which is the output head too where the two are tied.
const EMBEDDING: &str = "model.embed_tokens.weight";
/// The output head of a model whose head is not the embedding.
const HEAD: &str = "lm_head.weight";
/// The last normalisation.
const NORM: &str = "model.norm.weight";
/// Norms of the heads, within a layer.
const Q_NORM: &str = "self_attn.q_norm.weight";
const K_NORM: &str = "self_attn.k_norm.weight";

/// A model whose every weight is trained.
#[derive(Debug)]
pub struct FullModel {
    config: ModelConfig,
    /// Exactly the names of [`parameters`].
    vars: BTreeMap<String, Var>,
    rope: Arc<Rope>,
}

impl FullModel {
    /// From the weights of a checkpoint.
    ///
    /// # Errors
    /// If a tensor is missing, has another shape than the configuration says, or can't be read.
    pub fn load(weights: &Weights) -> Result<Self, ModelError> {
        Self::build(weights.config().clone(), |parameter| {
            Ok(weights.tensor(&parameter.name, &parameter.shape)?)
        })
    }

    fn build(
        config: ModelConfig,
        mut values: impl FnMut(&Parameter) -> Result<Vec<f32>, ModelError>,
    ) -> Result<Self, ModelError> {
        let mut vars = BTreeMap::new();
        for parameter in parameters(&config) {
            let data = values(&parameter)?;
            let values = Tensor::from_vec(data, parameter.shape, &Device::Cpu)?;
            vars.insert(parameter.name, Var::from_tensor(&values)?);
        }
        let positions = config.context.min(MAX_POSITIONS);
        let rope = Arc::new(Rope::new(&config.rope_frequencies(), positions));
        Ok(Self { config, vars, rope })
    }

    /// The model's configuration.
    pub fn config(&self) -> &ModelConfig {
        &self.config
    }

    /// All weights under their names in checkpoints, sorted.
    pub fn named_vars(&self) -> Vec<(String, Var)> {
        self.vars
            .iter()
            .map(|(name, var)| (name.clone(), var.clone()))
            .collect()
    }

    /// Number of trained values. A head that is tied to the embedding counts once.
    pub fn parameters(&self) -> usize {
        self.vars.values().map(|var| var.elem_count()).sum()
    }

    /// A weight by its name, which has to be one of [`parameters`].
    fn weight(&self, name: &str) -> &Tensor {
        self.vars[name].as_tensor()
    }
}

/// What a weight is, as far as its first values depend on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Role {
    /// A matrix.
    Matrix,
    /// A matrix whose result is added to the residual stream.
    Residual,
    /// The factors of a normalisation.
    Norm,
    /// What is added to a projection.
    Bias,
}

/// A weight of a model.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Parameter {
    name: String,
    /// Outermost dimension first: `[outputs, inputs]` for a matrix.
    shape: Vec<usize>,
    role: Role,
}

/// Name of a tensor of layer `index`.
fn of_layer(index: usize, part: &str) -> String {
    format!("model.layers.{index}.{part}")
}

/// Names and shapes of all weights of a model of this configuration, by layer.
pub(crate) fn shapes(config: &ModelConfig) -> impl Iterator<Item = (String, Vec<usize>)> {
    let all = parameters(config).into_iter();
    all.map(|parameter| (parameter.name, parameter.shape))
}

/// All weights of a model of this configuration, in the order in which a model that starts from nothing draws them.
fn parameters(config: &ModelConfig) -> Vec<Parameter> {
    let mut all = Vec::new();
    let mut add = |name: String, shape: Vec<usize>, role| all.push(Parameter { name, shape, role });
    let table = vec![config.vocab_size, config.hidden];
    add(EMBEDDING.to_owned(), table.clone(), Role::Matrix);
    for index in 0..config.layers {
        for norm in ["input_layernorm", "post_attention_layernorm"] {
            let name = of_layer(index, &format!("{norm}.weight"));
            add(name, vec![config.hidden], Role::Norm);
        }
        if config.qk_norm {
            for norm in [Q_NORM, K_NORM] {
                add(of_layer(index, norm), vec![config.head_dim], Role::Norm);
            }
        }
        for projection in Projection::ALL {
            let (outputs, inputs) = projection.shape(config);
            let path = of_layer(index, &projection.path());
            let role = match projection {
                Projection::OProj | Projection::DownProj => Role::Residual,
                _ => Role::Matrix,
            };
            add(format!("{path}.weight"), vec![outputs, inputs], role);
            if projection.biased(config) {
                add(format!("{path}.bias"), vec![outputs], Role::Bias);
            }
        }
    }
    add(NORM.to_owned(), vec![config.hidden], Role::Norm);
    if !config.tied {
        add(HEAD.to_owned(), table, Role::Matrix);
    }
    all
}
