//! The training pass in plain differentiable tensor operations, in any float type and on any device.
//!
//! It says what the hand-written passes compute, and they are held against it; in `f64` it is exact enough to be held
//! against PEFT. It is slow: every operation is recorded with its result. It has no kernel of its own and nothing in a pass
//! comes back to main memory, so a device that candle supports can run it.
//!
//! It does not know packed weights, buffers, nor how a step is cut into micro-batches.
//! Dimension letters: `m` tokens laid end to end, `t` of one sequence, `h` query heads, `g` heads of keys and values, `d` width
//! of a head, `n` targets, `v` vocabulary.

mod dropout;
mod pass;
pub mod plain;

use std::collections::BTreeMap;

use candle_core::{DType, Device, Tensor, Var};

use crate::config::ModelConfig;
use crate::decoder::{MAX_POSITIONS, Sequences};
use crate::error::ModelError;
use crate::full;
use crate::lora::Adapter;
use crate::weights::Tensors;

/// A decoder as named tensors.
#[derive(Debug)]
pub struct GraphModel {
    config: ModelConfig,
    dtype: DType,
    device: Device,
    /// All weights under their names in checkpoints.
    weights: BTreeMap<String, Tensor>,
    /// The weights once more where they are trained.
    vars: BTreeMap<String, Var>,
}

impl GraphModel {
    /// With frozen weights, of which `dtype` is the type of all arithmetic.
    ///
    /// # Errors
    /// If a tensor is missing, has another shape than the configuration says, or can't be read, and if `dtype` is no float
    /// type or not one of the device's.
    pub fn load(weights: &dyn Tensors, dtype: DType, device: &Device) -> Result<Self, ModelError> {
        let config = weights.config().clone();
        if !dtype.is_float() {
            return Err(ModelError::Setting {
                setting: "dtype",
                problem: format!("{dtype:?} has no gradient; try F32 or F64"),
            });
        }
        let mut read = BTreeMap::new();
        for (name, shape) in full::shapes(&config) {
            let data = weights.tensor(&name, &shape)?;
            let tensor = Tensor::from_vec(data, shape, device)?.to_dtype(dtype)?;
            read.insert(name, tensor);
        }
        Ok(Self {
            config,
            dtype,
            device: device.clone(),
            weights: read,
            vars: BTreeMap::new(),
        })
    }

    /// [`Self::load`] with weights that are all trained.
    ///
    /// # Errors
    /// As [`Self::load`].
    pub fn load_trainable(
        weights: &dyn Tensors,
        dtype: DType,
        device: &Device,
    ) -> Result<Self, ModelError> {
        let mut model = Self::load(weights, dtype, device)?;
        for (name, weight) in &mut model.weights {
            let var = Var::from_tensor(weight)?;
            *weight = var.as_tensor().clone();
            model.vars.insert(name.clone(), var);
        }
        Ok(model)
    }

    /// The model's configuration.
    pub fn config(&self) -> &ModelConfig {
        &self.config
    }

    /// The type of all arithmetic; adapters have to be of it.
    pub fn dtype(&self) -> DType {
        self.dtype
    }

    /// The trained weights under their names in checkpoints, sorted; none in a model with frozen weights.
    pub fn named_vars(&self) -> Vec<(String, Var)> {
        let vars = self.vars.iter();
        vars.map(|(name, var)| (name.clone(), var.clone()))
            .collect()
    }

    /// Positions a sequence may have.
    pub fn context(&self) -> usize {
        self.config.context.min(MAX_POSITIONS)
    }

    /// `Σ −ln p(target)` in nats over all targets: a scalar that back-propagates to the adapter, and to the weights where they
    /// are trained. `dropout` names the random stream of this micro-batch; `None` switches dropout off.
    ///
    /// # Errors
    /// If a token does not fit the vocabulary, a sequence does not fit the context, a target has no row, or the adapter
    /// does not fit.
    pub fn summed_loss(
        &self,
        adapter: Option<&Adapter>,
        batch: &Sequences<'_>,
        dropout: Option<u64>,
    ) -> Result<Tensor, ModelError> {
        if let Some((name, var)) = adapter.and_then(|adapter| adapter.named_vars().pop())
            && var.dtype() != self.dtype
        {
            return Err(ModelError::Setting {
                setting: "adapter",
                problem: format!(
                    "{name} is {:?} and the model {:?}; convert it with Adapter::to_dtype",
                    var.dtype(),
                    self.dtype
                ),
            });
        }
        let positions = batch.positions(&self.config, self.context())?;
        if batch.targets.is_empty() {
            // A sum of nothing, which depends on nothing.
            return Ok(Tensor::zeros((), self.dtype, &self.device)?);
        }
        Ok(pass::Pass::new(self, adapter, dropout, batch, &positions)?.summed_loss(batch)?)
    }
}
