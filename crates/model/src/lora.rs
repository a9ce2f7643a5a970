//! Low-rank adaptation (Hu et al. 2021): `y = x · Wᵀ + s · (x · Aᵀ) · Bᵀ` with W frozen. The scale `s` is `α/r`, or
//! `α/√r` where it is stabilised for large ranks (rsLoRA, Kalajdzievski 2023).

use std::fmt;
use std::path::Path;

use candle_core::{DType, Device, Tensor, Var};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};

use crate::config::ModelConfig;
use crate::error::ModelError;
use crate::peft::{AdapterFile, NamedTensor, PeftConfig, Rules};

/// The linear layers of a decoder layer, by their names in checkpoints.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Projection {
    /// Queries.
    QProj,
    /// Keys.
    KProj,
    /// Values.
    VProj,
    /// Attention output.
    OProj,
    /// Gate of the feed-forward part.
    GateProj,
    /// Up projection of the feed-forward part.
    UpProj,
    /// Down projection of the feed-forward part.
    DownProj,
}

impl Projection {
    /// All, in the order of a forward pass.
    pub const ALL: [Self; 7] = [
        Self::QProj,
        Self::KProj,
        Self::VProj,
        Self::OProj,
        Self::GateProj,
        Self::UpProj,
        Self::DownProj,
    ];

    /// Name in checkpoints: `q_proj`, …
    pub fn name(self) -> &'static str {
        match self {
            Self::QProj => "q_proj",
            Self::KProj => "k_proj",
            Self::VProj => "v_proj",
            Self::OProj => "o_proj",
            Self::GateProj => "gate_proj",
            Self::UpProj => "up_proj",
            Self::DownProj => "down_proj",
        }
    }

    /// Path inside a layer: `self_attn.q_proj`, `mlp.gate_proj`, …
    pub fn path(self) -> String {
        let block = match self {
            Self::QProj | Self::KProj | Self::VProj | Self::OProj => "self_attn",
            Self::GateProj | Self::UpProj | Self::DownProj => "mlp",
        };
        format!("{block}.{}", self.name())
    }

    /// `(outputs, inputs)` in a model of this configuration.
    pub fn shape(self, config: &ModelConfig) -> (usize, usize) {
        let attention = config.heads * config.head_dim;
        let kv = config.kv_heads * config.head_dim;
        match self {
            Self::QProj => (attention, config.hidden),
            Self::KProj | Self::VProj => (kv, config.hidden),
            Self::OProj => (config.hidden, attention),
            Self::GateProj | Self::UpProj => (config.intermediate, config.hidden),
            Self::DownProj => (config.hidden, config.intermediate),
        }
    }

    /// Whether it has a bias in a model of this configuration.
    pub fn biased(self, config: &ModelConfig) -> bool {
        match self {
            Self::QProj | Self::KProj | Self::VProj => config.biases.qkv,
            Self::OProj => config.biases.output,
            Self::GateProj | Self::UpProj | Self::DownProj => config.biases.feed_forward,
        }
    }
}

impl fmt::Display for Projection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// What is adapted and how much.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LoraConfig {
    /// Rank `r` of the update.
    pub rank: usize,
    /// Numerator `α` of the scale.
    pub alpha: f64,
    /// Probability that an input of `A` is dropped in training.
    pub dropout: f32,
    /// Layers that get an update.
    pub targets: Vec<Projection>,
    /// Whether the scale is `α/√r` (rsLoRA) instead of `α/r`.
    #[serde(default)]
    pub rank_stabilized: bool,
}

impl LoraConfig {
    /// What the update is scaled by: `α/r`, or `α/√r` where it is stabilised.
    pub fn scale(&self) -> f64 {
        let rank = self.rank as f64;
        self.alpha
            / if self.rank_stabilized {
                rank.sqrt()
            } else {
                rank
            }
    }

    fn check(&self) -> Result<(), ModelError> {
        let fault = |setting, problem: &str| {
            Err(ModelError::Setting {
                setting,
                problem: problem.to_owned(),
            })
        };
        if self.rank == 0 {
            return fault("lora.rank", "has to be at least 1");
        }
        if !(self.alpha.is_finite() && self.alpha > 0.0) {
            return fault("lora.alpha", "has to be a positive number");
        }
        if !(0.0..1.0).contains(&self.dropout) {
            return fault("lora.dropout", "has to be at least 0 and below 1");
        }
        if self.targets.is_empty() {
            return fault("lora.targets", "names no layer; try [q_proj, v_proj]");
        }
        Ok(())
    }
}

/// The two trainable matrices of one layer: `a` is `[r, inputs]`, `b` is `[outputs, r]`.
#[derive(Debug, Clone)]
pub struct LoraPair {
    /// Down projection `A`.
    pub a: Var,
    /// Up projection `B`.
    pub b: Var,
    /// What the update is scaled by: α/r, or α/√r.
    pub scale: f32,
    exact_scale: f64,
}

impl LoraPair {
    /// [`Self::scale`] before it was rounded.
    pub fn exact_scale(&self) -> f64 {
        self.exact_scale
    }
}

/// The matrices of one layer as arrays, row-major.
struct Values {
    rank: usize,
    scale: f64,
    a: Vec<f32>,
    b: Vec<f32>,
}

/// A trainable adapter for all layers of a decoder.
#[derive(Debug, Clone)]
pub struct Adapter {
    config: LoraConfig,
    /// The settings of the file it comes from, whose patterns `config` has no words for.
    settings: Option<PeftConfig>,
    /// One entry a layer, indexed by [`Projection`].
    layers: Vec<[Option<LoraPair>; 7]>,
}

impl Adapter {
    /// A fresh adapter that changes nothing yet: `A` uniform in `±1/√inputs` (as PEFT's default), `B` zero.
    ///
    /// # Errors
    /// For a configuration without rank or targets.
    pub fn new(model: &ModelConfig, config: LoraConfig, seed: u64) -> Result<Self, ModelError> {
        config.check()?;
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let (rank, scale) = (config.rank, config.scale());
        let targets = config.targets.clone();
        Self::build(model, config, |_, projection| {
            if !targets.contains(&projection) {
                return Ok(None);
            }
            let (outputs, inputs) = projection.shape(model);
            let bound = 1.0 / (inputs as f32).sqrt();
            let a = (0..rank * inputs)
                .map(|_| rng.random_range(-bound..bound))
                .collect();
            Ok(Some(Values {
                rank,
                scale,
                a,
                b: vec![0.0; outputs * rank],
            }))
        })
    }

    /// From arrays, layer by layer in [`Projection::ALL`] order.
    fn build(
        model: &ModelConfig,
        config: LoraConfig,
        mut values: impl FnMut(usize, Projection) -> Result<Option<Values>, ModelError>,
    ) -> Result<Self, ModelError> {
        let mut layers = Vec::with_capacity(model.layers);
        for layer in 0..model.layers {
            let mut pairs = [const { None }; 7];
            for projection in Projection::ALL {
                if let Some(found) = values(layer, projection)? {
                    let (outputs, inputs) = projection.shape(model);
                    let var = |data: Vec<f32>, shape: (usize, usize)| {
                        Var::from_tensor(&Tensor::from_vec(data, shape, &Device::Cpu)?)
                    };
                    pairs[projection as usize] = Some(LoraPair {
                        a: var(found.a, (found.rank, inputs))?,
                        b: var(found.b, (outputs, found.rank))?,
                        scale: found.scale as f32,
                        exact_scale: found.scale,
                    });
                }
            }
            layers.push(pairs);
        }
        Ok(Self {
            config,
            settings: None,
            layers,
        })
    }

    /// What is adapted and how much.
    pub fn config(&self) -> &LoraConfig {
        &self.config
    }

    /// The pair of one layer, if that layer is adapted.
    pub fn pair(&self, layer: usize, projection: Projection) -> Option<&LoraPair> {
        self.layers[layer][projection as usize].as_ref()
    }

    /// All trainable matrices with their names in PEFT's format, in a fixed order.
    pub fn named_vars(&self) -> Vec<(String, Var)> {
        let mut vars = Vec::new();
        for (layer, pairs) in self.layers.iter().enumerate() {
            for projection in Projection::ALL {
                if let Some(pair) = &pairs[projection as usize] {
                    vars.push((tensor_name(layer, projection, "A"), pair.a.clone()));
                    vars.push((tensor_name(layer, projection, "B"), pair.b.clone()));
                }
            }
        }
        vars
    }

    /// Number of trainable values.
    pub fn parameters(&self) -> usize {
        self.named_vars()
            .iter()
            .map(|(_, var)| var.elem_count())
            .sum()
    }

    /// A copy with matrices of another type. Those of [`Self::new`] and [`Self::from_file`] are `F32`, which the hand-written
    /// pass wants; a [`GraphModel`](crate::graph::GraphModel) wants its own.
    ///
    /// # Errors
    /// If the type can't be made.
    pub fn to_dtype(&self, dtype: DType) -> Result<Self, ModelError> {
        let mut copy = self.clone();
        for pair in copy.layers.iter_mut().flatten().flatten() {
            for var in [&mut pair.a, &mut pair.b] {
                *var = Var::from_tensor(&var.as_detached_tensor().to_dtype(dtype)?)?;
            }
        }
        Ok(copy)
    }

    /// The adapter as PEFT's two files have it, in `F32`.
    ///
    /// # Errors
    /// If a matrix can't be read back.
    pub fn to_file(&self, base_model: &str) -> Result<AdapterFile, ModelError> {
        let mut tensors = Vec::new();
        for (name, var) in self.named_vars() {
            tensors.push(NamedTensor {
                name,
                shape: var.dims().to_vec(),
                data: var.flatten_all()?.to_dtype(DType::F32)?.to_vec1()?,
            });
        }
        let targets = self.config.targets.iter();
        let targets = targets.map(|target| target.name().to_owned()).collect();
        let own = || PeftConfig {
            lora_dropout: f64::from(self.config.dropout),
            use_rslora: self.config.rank_stabilized,
            ..PeftConfig::plain(self.config.rank, self.config.alpha, targets)
        };
        let settings = self.settings.clone().unwrap_or_else(own);
        Ok(AdapterFile {
            config: PeftConfig {
                base_model_name_or_path: Some(base_model.to_owned()),
                ..settings
            },
            tensors,
        })
    }

    /// From PEFT's two files, for a base model of this configuration.
    ///
    /// # Errors
    /// If a tensor is missing, superfluous or has another shape than the base model asks for.
    pub fn from_file(model: &ModelConfig, file: &AdapterFile) -> Result<Self, ModelError> {
        let rules = Rules::new(&file.config, Path::new("adapter_config.json"))?;
        let changed = |layer: usize, projection: Projection| {
            rules.of(&format!("model.layers.{layer}.{}", projection.path()))
        };
        let somewhere = |projection: &Projection| {
            (0..model.layers).any(|layer| changed(layer, *projection).is_some())
        };
        let targets: Vec<Projection> = Projection::ALL.into_iter().filter(somewhere).collect();
        if targets.is_empty() {
            return Err(ModelError::Setting {
                setting: "target_modules",
                problem: "name no linear layer of this base model".to_owned(),
            });
        }
        let config = LoraConfig {
            rank: file.config.r,
            alpha: file.config.lora_alpha,
            dropout: file.config.lora_dropout as f32,
            targets,
            rank_stabilized: file.config.use_rslora,
        };
        config.check()?;
        let mut used = 0;
        let mut adapter = Self::build(model, config, |layer, projection| {
            let Some((rank, scale)) = changed(layer, projection) else {
                return Ok(None);
            };
            let (outputs, inputs) = projection.shape(model);
            let mut find = |side, expected: [usize; 2]| {
                let name = tensor_name(layer, projection, side);
                let Some(tensor) = file.tensors.iter().find(|tensor| tensor.name == name) else {
                    return Err(ModelError::AdapterTensor {
                        name,
                        problem: "missing",
                    });
                };
                if tensor.shape != expected {
                    return Err(ModelError::AdapterShape {
                        name,
                        expected: expected.to_vec(),
                        found: tensor.shape.clone(),
                    });
                }
                used += 1;
                Ok(tensor.data.clone())
            };
            Ok(Some(Values {
                rank,
                scale,
                a: find("A", [rank, inputs])?,
                b: find("B", [outputs, rank])?,
            }))
        })?;
        adapter.settings = Some(file.config.clone());
        if used < file.tensors.len() {
            let known: Vec<String> = adapter
                .named_vars()
                .into_iter()
                .map(|(name, _)| name)
                .collect();
            if let Some(tensor) = file
                .tensors
                .iter()
                .find(|tensor| !known.contains(&tensor.name))
            {
                return Err(ModelError::AdapterTensor {
                    name: tensor.name.clone(),
                    problem: "belongs to no layer of this base model",
                });
            }
        }
        Ok(adapter)
    }
}

pub(crate) fn tensor_name(layer: usize, projection: Projection, side: &str) -> String {
    format!(
        "base_model.model.model.layers.{layer}.{}.lora_{side}.weight",
        projection.path()
    )
}
