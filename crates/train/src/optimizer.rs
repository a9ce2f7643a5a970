//! `AdamW` (Loshchilov and Hutter 2019) with the arithmetic of `torch.optim.AdamW`, and a state that can be saved.
//! It does not know losses, schedules or files, nor how an update runs over memory.

use std::collections::BTreeMap;

use candle_core::{DType, Tensor, Var};
use serde::{Deserialize, Serialize};

use crate::gradients::Gradients;
use crate::tensors::{self, TensorsError};
use crate::update::{Moments, Rule};

/// What stays the same over a run.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct AdamWOptions {
    /// β₁ and β₂, the decay of the two moments, each in [0, 1).
    pub betas: (f64, f64),
    /// ε, added to the root of the second moment.
    pub eps: f64,
    /// λ of the decoupled weight decay. It shrinks tensors of two dimensions or more alone: a vector is a norm's gain
    /// or a bias, where pulling to 0 would change what the layer computes rather than keep it simple.
    pub weight_decay: f64,
}

impl Default for AdamWOptions {
    fn default() -> Self {
        Self {
            betas: (0.9, 0.999),
            eps: 1e-8,
            weight_decay: 0.0,
        }
    }
}

/// Why a step or a restore was refused. The variables and the state are then as they were.
#[derive(Debug, thiserror::Error)]
pub enum OptimizerError {
    /// A variable is of a type in which small updates would be lost.
    #[error(
        "trainable variable {name} is {found:?}; keep trainable variables in F32 or F64, small updates vanish in less"
    )]
    Dtype {
        /// Name of the variable.
        name: String,
        /// Its type.
        found: DType,
    },
    /// A variable has no gradient.
    #[error("variable {name} has no gradient in this step")]
    NoGradient {
        /// Name of the variable.
        name: String,
    },
    /// A gradient has another shape or type than its variable.
    #[error("the gradient of {name} is {found}, expected {expected}")]
    GradientMismatch {
        /// Name of the variable.
        name: String,
        /// Shape and type of the variable.
        expected: String,
        /// Shape and type of the gradient.
        found: String,
    },
    /// The state cannot be written or read.
    #[error(transparent)]
    State(#[from] TensorsError),
    /// The device failed.
    #[error("update of {name}: {source}")]
    Tensor {
        /// Name of the variable.
        name: String,
        /// What the device said.
        source: Box<candle_core::Error>,
    },
}

/// The optimiser over a fixed set of named variables. Moments have the shape and dtype of their variable.
#[derive(Debug)]
pub struct AdamW {
    options: AdamWOptions,
    steps: u64,
    slots: BTreeMap<String, Slot>,
}

#[derive(Debug)]
struct Slot {
    var: Var,
    /// m, the running mean of gradients, and v, that of squared gradients.
    moments: Moments,
    /// The learning rate of this variable over that of the step.
    rate: f64,
}

impl AdamW {
    /// An optimiser at step 0 with zero moments.
    pub fn new(
        vars: &BTreeMap<String, Var>,
        options: AdamWOptions,
    ) -> Result<Self, OptimizerError> {
        let mut slots = BTreeMap::new();
        for (name, var) in vars {
            if !matches!(var.dtype(), DType::F32 | DType::F64) {
                return Err(OptimizerError::Dtype {
                    name: name.clone(),
                    found: var.dtype(),
                });
            }
            // `zeros_like` of a variable is itself a variable; the moments must not be.
            let zeros = || Tensor::zeros(var.shape(), var.dtype(), var.device());
            let moments = zeros().and_then(|first| Moments::of(var, first, zeros()?));
            let slot = Slot {
                var: var.clone(),
                moments: moments.map_err(in_update(name))?,
                rate: 1.0,
            };
            slots.insert(name.clone(), slot);
        }
        Ok(Self {
            options,
            steps: 0,
            slots,
        })
    }

    /// Number of steps taken, t.
    pub fn steps(&self) -> u64 {
        self.steps
    }

    /// Gives each variable a learning rate of its own: that of the step times what `rate` says of the variable's name.
    /// Weight decay, being a share of the learning rate, follows it.
    #[must_use]
    pub fn with_rates(mut self, rate: impl Fn(&str) -> f64) -> Self {
        for (name, slot) in &mut self.slots {
            slot.rate = rate(name);
        }
        self
    }

    /// One update of every variable at learning rate η:
    ///
    /// θ ← θ·(1 − η·λ) where θ has two dimensions or more;  m ← β₁m + (1−β₁)g;  v ← β₂v + (1−β₂)g²;
    /// θ ← θ − η/(1−β₁ᵗ) · m / (√v/√(1−β₂ᵗ) + ε)
    ///
    /// On the CPU this is one pass over θ, m, v and g in place, with the same bytes at any number of threads.
    ///
    /// # Errors
    /// When a variable has no gradient, or one of another shape or dtype. Nothing has changed then.
    pub fn step(
        &mut self,
        learning_rate: f64,
        gradients: &Gradients,
    ) -> Result<(), OptimizerError> {
        for (name, slot) in &self.slots {
            let gradient = gradients
                .get(name)
                .ok_or_else(|| OptimizerError::NoGradient { name: name.clone() })?;
            if gradient.shape() != slot.var.shape() || gradient.dtype() != slot.var.dtype() {
                let said = |t: &Tensor| format!("{:?} {:?}", t.dims(), t.dtype());
                return Err(OptimizerError::GradientMismatch {
                    name: name.clone(),
                    expected: said(&slot.var),
                    found: said(gradient),
                });
            }
        }
        self.steps += 1;
        let AdamWOptions {
            betas,
            eps,
            weight_decay,
        } = self.options;
        let t = self.steps as f64;
        let root_correction = (1.0 - betas.1.powf(t)).sqrt();
        for (name, slot) in &mut self.slots {
            let Some(gradient) = gradients.get(name) else {
                continue;
            };
            let rate = learning_rate * slot.rate;
            let decays = slot.var.rank() >= 2;
            let rule = Rule {
                betas,
                eps,
                decay: if decays {
                    1.0 - rate * weight_decay
                } else {
                    1.0
                },
                size: rate / (1.0 - betas.0.powf(t)),
                root_correction,
            };
            slot.moments
                .update(&slot.var, gradient, &rule)
                .map_err(in_update(name))?;
        }
        Ok(())
    }

    /// The state (t, m and v of each variable) as safetensors bytes: `NAME.m`, `NAME.v`, and t in the header.
    /// Equal states give equal bytes.
    pub fn save(&self) -> Result<Vec<u8>, OptimizerError> {
        Ok(tensors::encode(&self.moments()?, self.steps)?)
    }

    /// Takes over a state written by [`Self::save`] over variables of the same names, shapes and dtypes.
    pub fn restore(&mut self, bytes: &[u8]) -> Result<(), OptimizerError> {
        let (mut moments, steps) = tensors::decode(bytes, &self.moments()?)?;
        let mut restored = BTreeMap::new();
        for (name, slot) in &self.slots {
            if let Some(first) = moments.remove(&format!("{name}.m"))
                && let Some(second) = moments.remove(&format!("{name}.v"))
            {
                let both = Moments::of(&slot.var, first, second).map_err(in_update(name))?;
                restored.insert(name.clone(), both);
            }
        }
        for (name, slot) in &mut self.slots {
            if let Some(both) = restored.remove(name) {
                slot.moments = both;
            }
        }
        self.steps = steps;
        Ok(())
    }

    fn moments(&self) -> Result<BTreeMap<String, Tensor>, OptimizerError> {
        let mut all = BTreeMap::new();
        for (name, slot) in &self.slots {
            let (first, second) = slot.moments.tensors(&slot.var).map_err(in_update(name))?;
            all.insert(format!("{name}.m"), first);
            all.insert(format!("{name}.v"), second);
        }
        Ok(all)
    }
}

fn in_update(name: &str) -> impl FnOnce(candle_core::Error) -> OptimizerError {
    let name = name.to_owned();
    move |source| OptimizerError::Tensor {
        name,
        source: Box::new(source),
    }
}
