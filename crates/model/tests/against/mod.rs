//! What the hand-written passes are held against: the plain form of the same model in `f64`, and a batch to do it on.
#![allow(
    dead_code,
    reason = "each test file is a program of its own and uses a part"
)]

use std::collections::BTreeMap;

use candle_core::{DType, Device, Tensor, Var};
use harness_model::graph::GraphModel;
use harness_model::weights::Tensors;
use harness_model::{Adapter, ModelConfig, ModelError, Sequences};

use crate::tiny::{Tiny, tokens};

impl Tensors for Tiny {
    fn config(&self) -> &ModelConfig {
        self.decoder.config()
    }

    fn tensor(&self, name: &str, shape: &[usize]) -> Result<Vec<f32>, ModelError> {
        let tensor = &self.tensors[name];
        assert_eq!(tensor.dims(), shape, "{name}");
        Ok(tensor.flatten_all()?.to_vec1()?)
    }
}

/// The plain form of a model in `f64`, with an adapter of its own.
pub struct Plain {
    pub model: GraphModel,
    pub adapter: Option<Adapter>,
    /// What is trained, by name.
    pub vars: BTreeMap<String, Var>,
}

impl Plain {
    /// Of frozen weights with an adapter.
    pub fn adapted(tensors: &dyn Tensors, adapter: &Adapter) -> Self {
        let adapter = adapter.to_dtype(DType::F64).unwrap();
        Self {
            model: GraphModel::load(tensors, DType::F64, &Device::Cpu).unwrap(),
            vars: adapter.named_vars().into_iter().collect(),
            adapter: Some(adapter),
        }
    }

    /// Of weights that are all trained.
    pub fn full(tensors: &dyn Tensors) -> Self {
        let model = GraphModel::load_trainable(tensors, DType::F64, &Device::Cpu).unwrap();
        Self {
            vars: model.named_vars().into_iter().collect(),
            model,
            adapter: None,
        }
    }

    /// The summed loss as a tensor that back-propagates.
    pub fn loss(&self, batch: &Sequences<'_>, dropout: Option<u64>) -> Tensor {
        let adapter = self.adapter.as_ref();
        self.model.summed_loss(adapter, batch, dropout).unwrap()
    }

    /// The summed loss, and the gradient of all that is trained.
    pub fn gradients(
        &self,
        batch: &Sequences<'_>,
        dropout: Option<u64>,
    ) -> (f64, BTreeMap<String, Tensor>) {
        let loss = self.loss(batch, dropout);
        let mut store = loss.backward().unwrap();
        let of = |(name, var): (&String, &Var)| {
            let gradient = store.remove(var);
            let gradient = gradient.unwrap_or_else(|| panic!("no gradient for {name}"));
            (name.clone(), gradient)
        };
        let gradients = self.vars.iter().map(of).collect();
        (loss.to_scalar().unwrap(), gradients)
    }
}

/// Two sequences of different length, loss on the later tokens of each.
pub fn batch() -> (Vec<u32>, Vec<usize>, Vec<(usize, u32)>) {
    let ids = tokens(11, 23);
    let starts = vec![0, 9, 23];
    let targets = starts
        .windows(2)
        .flat_map(|ends| (ends[0] + 3..ends[1] - 1).map(|row| (row, ids[row + 1])))
        .collect();
    (ids, starts, targets)
}

/// Euclidean norms of `found − expected` and of `expected`.
pub fn distance(found: &Tensor, expected: &Tensor) -> (f64, f64) {
    let norm = |t: &Tensor| {
        let square = t.sqr().unwrap().sum_all().unwrap();
        square.to_scalar::<f64>().unwrap().sqrt()
    };
    let difference = (found.to_dtype(DType::F64).unwrap() - expected).unwrap();
    (norm(&difference), norm(expected))
}
