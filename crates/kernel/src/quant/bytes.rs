//! Activations in bytes, for products with codes.
//!
//! A value is `scale · byte` with a byte from −127 to 127 and a scale for 32 values, their largest in magnitude over 127 (dynamic
//! quantisation, as llama.cpp's `Q8_0` does it).

use super::GROUP;
use crate::pack::STEP;

/// A row `[k]` in bytes, `k` a multiple of 32.
#[derive(Debug, Default, Clone, PartialEq)]
pub(crate) struct ByteRow {
    /// Four inputs a number, the first lowest.
    pub(super) bytes: Vec<u32>,
    /// A scale for 32 values.
    pub(super) scales: Vec<f32>,
    /// The sums of the bytes of each 16.
    pub(super) sums: Vec<f32>,
}

impl ByteRow {
    /// Takes the values of a row. What is no number, or has one beside it among its 32, counts as zero.
    ///
    /// # Panics
    /// If there is no multiple of 32 of them.
    pub(crate) fn take(&mut self, x: &[f32]) {
        assert!(x.len().is_multiple_of(STEP), "{} values", x.len());
        self.bytes.clear();
        self.scales.clear();
        self.sums.clear();
        for x in x.chunks_exact(STEP) {
            let most = x.iter().fold(0f32, |most, x| most.max(x.abs()));
            let inverse = if most > 0.0 { 127.0 / most } else { 0.0 };
            let mut bytes = [0i8; STEP];
            for (byte, x) in bytes.iter_mut().zip(x) {
                // The cast takes what is no number to zero.
                *byte = (x * inverse).round_ties_even() as i8;
            }
            self.scales.push(most / 127.0);
            for group in bytes.chunks_exact(GROUP) {
                let sum: i32 = group.iter().map(|byte| i32::from(*byte)).sum();
                self.sums.push(sum as f32);
            }
            self.bytes.extend(bytes.chunks_exact(4).map(|quad| {
                u32::from_le_bytes(std::array::from_fn(|at| quad[at].cast_unsigned()))
            }));
        }
    }

    /// The sum of the bytes that share weights' scales: of half a step where these are `fine`, of a whole one else.
    #[inline]
    pub(super) fn sum(&self, step: usize, fine: bool, group: usize) -> f32 {
        if fine {
            self.sums[2 * step + group]
        } else {
            self.sums[2 * step] + self.sums[2 * step + 1]
        }
    }

    /// The bytes of a step.
    #[cfg(test)]
    pub(super) fn step(&self, step: usize) -> [i8; STEP] {
        let quads = &self.bytes[step * STEP / 4..][..STEP / 4];
        std::array::from_fn(|at| quads[at / 4].to_le_bytes()[at % 4].cast_signed())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::paths::random;

    proptest! {
        #[test]
        fn bytes_stand_for_the_values(steps in 1usize..8, size in -20i32..20, seed in 0u64..1000) {
            let x: Vec<f32> = random(seed, steps * STEP).iter().map(|x| x * 2f32.powi(size)).collect();
            let mut row = ByteRow::default();
            row.take(&x);
            for (step, x) in x.chunks_exact(STEP).enumerate() {
                let bytes = row.step(step);
                let scale = row.scales[step];
                for (x, byte) in x.iter().zip(bytes) {
                    prop_assert!((x - scale * f32::from(byte)).abs() <= 0.5001 * scale);
                }
                for (half, bytes) in bytes.chunks_exact(GROUP).enumerate() {
                    let sum: i32 = bytes.iter().map(|byte| i32::from(*byte)).sum();
                    prop_assert_eq!(row.sums[2 * step + half].to_bits(), (sum as f32).to_bits());
                }
            }
        }
    }

    #[test]
    fn what_is_no_number_does_no_harm() {
        for odd in [
            f32::NAN,
            f32::INFINITY,
            f32::NEG_INFINITY,
            f32::MIN_POSITIVE / 4.0,
        ] {
            let mut x = vec![0.0; 2 * STEP];
            (x[3], x[40]) = (odd, 2.0);
            let mut row = ByteRow::default();
            row.take(&x);
            assert_eq!(row.step(1)[8], 127);
            assert_eq!(row.step(0)[5], 0);
        }
    }
}
