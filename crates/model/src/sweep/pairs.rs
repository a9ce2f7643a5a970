//! An adapter's matrices, packed for the products of one micro-batch.

use harness_kernel::{Packed, Precision};

use crate::error::ModelError;
use crate::lora::{Adapter, LoraPair, Projection};
use crate::values::with_values;

/// The packed pairs of all layers.
pub(super) struct Pairs {
    /// One entry a layer, indexed by [`Projection`].
    layers: Vec<[Option<Pair>; 7]>,
    /// Probability that an input of `A` is dropped.
    pub(super) dropout: f32,
}

/// `A` `[r, inputs]` and `scale · B` `[outputs, r]`, for both directions.
pub(super) struct Pair {
    pub(super) a: Packed,
    pub(super) b: Packed,
    /// The same the other way round, where there is a backward pass.
    pub(super) back: Option<Back>,
}

pub(super) struct Back {
    /// From `r` to the inputs.
    pub(super) a: Packed,
    /// From the outputs to `r`.
    pub(super) b: Packed,
}

impl Pairs {
    /// Packs an adapter for a model of `layers` layers.
    pub(super) fn pack(
        adapter: Option<&Adapter>,
        layers: usize,
        backward: bool,
    ) -> Result<Self, ModelError> {
        let mut packed = Vec::with_capacity(layers);
        for layer in 0..layers {
            let mut pairs = [const { None }; 7];
            for projection in Projection::ALL {
                if let Some(pair) = adapter.and_then(|adapter| adapter.pair(layer, projection)) {
                    pairs[projection as usize] = Some(Pair::pack(pair, backward)?);
                }
            }
            packed.push(pairs);
        }
        Ok(Self {
            layers: packed,
            dropout: adapter.map_or(0.0, |adapter| adapter.config().dropout),
        })
    }

    pub(super) fn get(&self, layer: usize, projection: Projection) -> Option<&Pair> {
        self.layers[layer][projection as usize].as_ref()
    }
}

impl Pair {
    fn pack(pair: &LoraPair, backward: bool) -> Result<Self, ModelError> {
        let ((r, inputs), (outputs, _)) = (pair.a.dims2()?, pair.b.dims2()?);
        let scaled: Vec<f32> =
            with_values(&pair.b, |b| b.iter().map(|b| b * pair.scale).collect())?;
        with_values(&pair.a, |a| Self {
            a: Packed::rows(a, r, inputs, Precision::F32),
            b: Packed::rows(&scaled, outputs, r, Precision::F32),
            back: backward.then(|| Back {
                a: Packed::columns(a, r, inputs, Precision::F32),
                b: Packed::columns(&scaled, outputs, r, Precision::F32),
            }),
        })
        .map_err(ModelError::from)
    }
}
