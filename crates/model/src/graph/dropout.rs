//! Which inputs of `A` are dropped. The streams are those of the hand-written pass, so that both drop the same values.

use candle_core::{DType, Device, Result, Tensor};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::lora::Projection;

/// Zero where a value is dropped and `1/(1 − p)` elsewhere, `[rows, inputs]`, for a projection of a layer of the micro-batch
/// whose stream is `seed`.
pub(super) fn mask(
    probability: f32,
    seed: u64,
    (layer, projection): (usize, Projection),
    shape: (usize, usize),
    dtype: DType,
    device: &Device,
) -> Result<Tensor> {
    // Every layer and projection of a micro-batch draws from a stream of its own.
    let seed = seed
        .wrapping_mul(0x9E37_79B9_7F4A_7C15)
        .wrapping_add((layer * 7 + projection as usize) as u64);
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let keep = 1.0 / (1.0 - f64::from(probability));
    let values: Vec<f64> = (0..shape.0 * shape.1)
        .map(|_| {
            if rng.random::<f32>() < probability {
                0.0
            } else {
                keep
            }
        })
        .collect();
    Tensor::from_vec(values, shape, &Device::Cpu)?
        .to_dtype(dtype)?
        .to_device(device)
}
