//! A trained adapter packed for prediction; it is applied beside the frozen weights, never merged.

use harness_kernel::{Packed, Precision};

use crate::error::ModelError;
use crate::lora::{Adapter, Projection};

/// The low-rank matrices of all layers, packed.
#[derive(Debug)]
pub struct AdapterWeights {
    /// One entry a layer, indexed by [`Projection`].
    layers: Vec<[Option<Pair>; 7]>,
}

/// What is added to a projection: `scale · (x · Aᵀ) · Bᵀ`.
#[derive(Debug)]
pub(super) struct Pair {
    pub(super) scale: f32,
    pub(super) a: Packed,
    pub(super) b: Packed,
}

impl AdapterWeights {
    /// Packs an adapter for a model of `layers` layers.
    ///
    /// # Errors
    /// If a matrix can't be read.
    pub fn new(adapter: &Adapter, layers: usize) -> Result<Self, ModelError> {
        let mut packed = Vec::with_capacity(layers);
        for layer in 0..layers {
            let mut pairs = [const { None }; 7];
            for projection in Projection::ALL {
                let Some(pair) = adapter.pair(layer, projection) else {
                    continue;
                };
                let ((rank, inputs), (outputs, _)) = (pair.a.dims2()?, pair.b.dims2()?);
                let a: Vec<f32> = pair.a.flatten_all()?.to_vec1()?;
                let b: Vec<f32> = pair.b.flatten_all()?.to_vec1()?;
                pairs[projection as usize] = Some(Pair {
                    scale: pair.scale,
                    a: Packed::rows(&a, rank, inputs, Precision::F32).split(),
                    b: Packed::rows(&b, outputs, rank, Precision::F32).split(),
                });
            }
            packed.push(pairs);
        }
        Ok(Self { layers: packed })
    }

    /// The matrices of a projection, where it is adapted.
    pub(super) fn pair(&self, layer: usize, projection: Projection) -> Option<&Pair> {
        self.layers[layer][projection as usize].as_ref()
    }
}
