//! Which inputs of `A` are dropped: a random stream for every layer and projection of a micro-batch, and a place in it for
//! every value, so that any row can be had again, in any order.

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::lora::Projection;

/// The dropout of one projection of one micro-batch.
#[derive(Debug, Clone, Copy)]
pub(super) struct Dropout {
    probability: f32,
    seed: u64,
}

impl Dropout {
    /// Of a layer's projection; nothing where nothing is dropped. `seed` names the stream of the micro-batch.
    pub(super) fn new(
        probability: f32,
        seed: Option<u64>,
        layer: usize,
        projection: Projection,
    ) -> Option<Self> {
        let seed = seed.filter(|_| probability > 0.0)?;
        Some(Self {
            probability,
            // Every layer and projection of a micro-batch draws from a stream of its own.
            seed: seed
                .wrapping_mul(0x9E37_79B9_7F4A_7C15)
                .wrapping_add((layer * 7 + projection as usize) as u64),
        })
    }

    /// Multiplies a row's values by 0 where they are dropped, by `1/(1 − p)` elsewhere.
    pub(super) fn apply(self, row: usize, values: &mut [f32]) {
        let mut rng = ChaCha8Rng::seed_from_u64(self.seed);
        rng.set_word_pos(row as u128 * values.len() as u128);
        let keep = 1.0 / (1.0 - self.probability);
        for value in values {
            *value *= if rng.random::<f32>() < self.probability {
                0.0
            } else {
                keep
            };
        }
    }
}
