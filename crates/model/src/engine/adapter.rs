//! A trained adapter packed for prediction; it is applied beside the frozen weights, never merged.

use harness_kernel::{Init, Packed, Precision, matmul};

use crate::error::ModelError;
use crate::lora::{Adapter, Projection};

/// The low-rank matrices of all layers, packed.
#[derive(Debug)]
pub struct AdapterWeights {
    /// One entry a layer, indexed by [`Projection`].
    layers: Vec<[Option<Pair>; 7]>,
}

#[derive(Debug)]
struct Pair {
    scale: f32,
    a: Packed,
    b: Packed,
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
                    a: Packed::rows(&a, rank, inputs, Precision::F32),
                    b: Packed::rows(&b, outputs, rank, Precision::F32),
                });
            }
            packed.push(pairs);
        }
        Ok(Self { layers: packed })
    }

    /// `out[m, outputs] += scale · (x · Aᵀ) · Bᵀ`, where that layer is adapted.
    pub(crate) fn add(
        &self,
        layer: usize,
        projection: Projection,
        x: &[f32],
        m: usize,
        out: &mut [f32],
    ) {
        let Some(pair) = &self.layers[layer][projection as usize] else {
            return;
        };
        let mut low = vec![0f32; m * pair.a.outputs()];
        matmul(x, m, &pair.a, &mut low, Init::Zero);
        for value in &mut low {
            *value *= pair.scale;
        }
        matmul(&low, m, &pair.b, out, Init::Keep);
    }
}
