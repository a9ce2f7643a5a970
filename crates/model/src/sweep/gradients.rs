//! Gradients of an adapter, as sums in the making.

use std::collections::BTreeMap;

use crate::error::ModelError;
use crate::lora::{Adapter, Projection, tensor_name};

/// The gradients of all pairs. Sums over micro-batches gather here.
#[derive(Debug, Default)]
pub struct LoraGradients {
    /// One entry a layer, indexed by [`Projection`].
    layers: Vec<[Option<PairGradient>; 7]>,
}

/// The gradients of one pair.
#[derive(Debug)]
pub(super) struct PairGradient {
    pub(super) r: usize,
    scale: f32,
    /// `[r, inputs]`.
    pub(super) a: Vec<f32>,
    /// Of `scale · B`, transposed: `[r, outputs]`.
    pub(super) b: Vec<f32>,
}

impl LoraGradients {
    /// Nothing yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Makes room for the gradients of an adapter of `layers` layers, unless it is there.
    pub(super) fn fit(
        &mut self,
        adapter: Option<&Adapter>,
        layers: usize,
    ) -> Result<(), ModelError> {
        if self.layers.len() == layers {
            return Ok(());
        }
        self.layers.clear();
        for layer in 0..layers {
            let mut pairs = [const { None }; 7];
            for projection in Projection::ALL {
                if let Some(pair) = adapter.and_then(|adapter| adapter.pair(layer, projection)) {
                    let ((r, inputs), (outputs, _)) = (pair.a.dims2()?, pair.b.dims2()?);
                    pairs[projection as usize] = Some(PairGradient {
                        r,
                        scale: pair.scale,
                        a: vec![0.0; r * inputs],
                        b: vec![0.0; r * outputs],
                    });
                }
            }
            self.layers.push(pairs);
        }
        Ok(())
    }

    pub(super) fn get_mut(
        &mut self,
        layer: usize,
        projection: Projection,
    ) -> Option<&mut PairGradient> {
        self.layers[layer][projection as usize].as_mut()
    }

    /// The sums by the tensors' names in PEFT's format, each as long as its tensor, row-major.
    pub fn into_named(self) -> BTreeMap<String, Vec<f32>> {
        let mut named = BTreeMap::new();
        for (layer, pairs) in self.layers.into_iter().enumerate() {
            for (projection, pair) in Projection::ALL.into_iter().zip(pairs) {
                if let Some(pair) = pair {
                    let b = pair.transposed_b();
                    named.insert(tensor_name(layer, projection, "A"), pair.a);
                    named.insert(tensor_name(layer, projection, "B"), b);
                }
            }
        }
        named
    }
}

impl PairGradient {
    /// The gradient of `B`, `[outputs, r]`.
    fn transposed_b(&self) -> Vec<f32> {
        let outputs = self.b.len() / self.r.max(1);
        let mut b = Vec::with_capacity(self.b.len());
        for output in 0..outputs {
            b.extend((0..self.r).map(|rank| self.scale * self.b[rank * outputs + output]));
        }
        b
    }
}
