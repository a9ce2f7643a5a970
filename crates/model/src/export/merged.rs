//! A base model with an adapter in its weights: W + s · B A, by tensor, as it is asked for.

use rayon::prelude::*;

use crate::config::ModelConfig;
use crate::error::ModelError;
use crate::lora::{Adapter, Projection};
use crate::weights::{Tensors, Weights};

/// The weights of `base` with those of `adapter` added. Only the tensor that is asked for is in memory.
#[derive(Debug, Clone, Copy)]
pub struct Merged<'a> {
    base: &'a Weights,
    adapter: Option<&'a Adapter>,
}

impl<'a> Merged<'a> {
    /// Without an adapter these are the weights of `base`.
    pub fn new(base: &'a Weights, adapter: Option<&'a Adapter>) -> Self {
        Self { base, adapter }
    }
}

impl Tensors for Merged<'_> {
    fn config(&self) -> &ModelConfig {
        self.base.config()
    }

    fn tensor(&self, name: &str, shape: &[usize]) -> Result<Vec<f32>, ModelError> {
        let mut values = self.base.tensor(name, shape)?;
        let adapted = self.adapter.and_then(|adapter| {
            let (layer, projection) = projection_of(name)?;
            adapter.pair(layer, projection)
        });
        let Some(pair) = adapted else {
            return Ok(values);
        };
        let a: Vec<f32> = pair.a.flatten_all()?.to_vec1()?;
        let b: Vec<f32> = pair.b.flatten_all()?.to_vec1()?;
        let inputs = shape.last().copied().unwrap_or(1).max(1);
        let rank = a.len() / inputs;
        values
            .par_chunks_mut(inputs)
            .enumerate()
            .for_each(|(output, row)| {
                let mut update = vec![0f32; inputs];
                for (r, factor) in b[output * rank..][..rank].iter().enumerate() {
                    for (u, a) in update.iter_mut().zip(&a[r * inputs..][..inputs]) {
                        *u += factor * a;
                    }
                }
                for (w, u) in row.iter_mut().zip(update) {
                    *w += pair.scale * u;
                }
            });
        Ok(values)
    }
}

/// Layer and projection of the weight of this name.
fn projection_of(name: &str) -> Option<(usize, Projection)> {
    let rest = name.strip_prefix("model.layers.")?;
    let (layer, rest) = rest.split_once('.')?;
    let path = rest.strip_suffix(".weight")?;
    let projection = Projection::ALL.into_iter().find(|it| it.path() == path)?;
    Some((layer.parse().ok()?, projection))
}

#[cfg(test)]
mod tests {
    use super::projection_of;
    use crate::lora::Projection;

    #[test]
    fn names_of_adapted_weights() {
        let found = projection_of("model.layers.12.mlp.up_proj.weight");
        assert_eq!(found, Some((12, Projection::UpProj)));
        for other in [
            "model.layers.1.self_attn.q_proj.bias",
            "model.norm.weight",
            "lm_head.weight",
        ] {
            assert_eq!(projection_of(other), None, "{other}");
        }
    }
}
