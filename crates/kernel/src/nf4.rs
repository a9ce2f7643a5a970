//! Weights in four bits: the 16 values of `NormalFloat4` times the largest magnitude of a block of 64 (Dettmers et al. 2023,
//! `QLoRA`, appendix E). With its scale in `f32` a weight takes 4.5 bits.

use rayon::prelude::*;

#[cfg(target_arch = "x86_64")]
use crate::cpu::{self, Instructions};
use crate::stored::Stored;

/// Weights that share a scale: values in a row of the matrix.
const BLOCK: usize = 64;
/// Values that share 16 bytes: value `i` is in the lower half of byte `i`, value `i + 16` in the upper one.
const GROUP: usize = 32;

/// The values: quantiles of the normal distribution, 0 among them, scaled to [−1, 1].
const VALUES: [f32; 16] = [
    -1.0,
    -0.696_192_8,
    -0.525_073_05,
    -0.394_917_5,
    -0.284_441_38,
    -0.184_773_43,
    -0.091_050_036,
    0.0,
    0.079_580_3,
    0.160_930_2,
    0.246_112_3,
    0.337_915_24,
    0.440_709_83,
    0.562_617,
    0.722_956_84,
    1.0,
];

/// A matrix `[outputs, inputs]` in four bits a value.
#[derive(Debug, Clone)]
pub struct Nf4 {
    outputs: usize,
    inputs: usize,
    /// `[outputs][inputs / 32][16]`, `inputs` rounded up.
    codes: Vec<u8>,
    /// `[outputs][inputs / 64]`, `inputs` rounded up.
    scales: Vec<f32>,
}

impl Nf4 {
    /// Rounds a matrix that `read` hands over in stretches, on several threads: it gets the first row and room for one row.
    ///
    /// # Errors
    /// One of those of `read`, not always the same.
    pub fn read_rows<E: Send>(
        outputs: usize,
        inputs: usize,
        read: impl Fn(usize, &mut [f32]) -> Result<(), E> + Sync,
    ) -> Result<Self, E> {
        let bytes = inputs.div_ceil(GROUP) * GROUP / 2;
        let mut codes = vec![0; outputs * bytes];
        let mut scales = vec![0.0; outputs * inputs.div_ceil(BLOCK)];
        codes
            .par_chunks_mut(bytes.max(1))
            .zip(scales.par_chunks_mut(inputs.div_ceil(BLOCK).max(1)))
            .enumerate()
            .try_for_each_init(
                || vec![0f32; inputs],
                |row, (index, (codes, scales))| {
                    read(index, row)?;
                    for ((block, scale), codes) in row
                        .chunks(BLOCK)
                        .zip(scales)
                        .zip(codes.chunks_mut(BLOCK / 2))
                    {
                        *scale = encode(block, codes);
                    }
                    Ok(())
                },
            )?;
        Ok(Self {
            outputs,
            inputs,
            codes,
            scales,
        })
    }
}

/// Writes the nearest values' numbers and returns the scale.
fn encode(block: &[f32], codes: &mut [u8]) -> f32 {
    let top = block.iter().fold(0f32, |top, value| top.max(value.abs()));
    let inverse = if top > 0.0 { 1.0 / top } else { 0.0 };
    for (group, codes) in block.chunks(GROUP).zip(codes.chunks_mut(GROUP / 2)) {
        for (place, value) in group.iter().enumerate() {
            let code = nearest(value * inverse);
            codes[place % 16] |= code << (place / 16 * 4);
        }
    }
    top
}

/// The number of the nearest value, the lower of two.
fn nearest(x: f32) -> u8 {
    let above = VALUES
        .windows(2)
        .filter(|pair| x > f32::midpoint(pair[0], pair[1]));
    above.count() as u8
}

impl Stored for Nf4 {
    fn outputs(&self) -> usize {
        self.outputs
    }

    fn inputs(&self) -> usize {
        self.inputs
    }

    fn bytes(&self) -> usize {
        self.codes.len() + 4 * self.scales.len()
    }

    fn block(&self) -> usize {
        GROUP
    }

    fn read(&self, row: usize, first: usize, out: &mut [f32]) {
        let codes = &self.codes[row * self.inputs.div_ceil(GROUP) * 16..][first / GROUP * 16..];
        let scales = &self.scales[row * self.inputs.div_ceil(BLOCK)..];
        for (group, out) in out.chunks_mut(GROUP).enumerate() {
            let scale = scales[(first + group * GROUP) / BLOCK];
            let Some(codes) = codes[group * 16..].first_chunk() else {
                return;
            };
            if let Some(out) = out.first_chunk_mut() {
                decode(codes, scale, out);
            } else {
                let mut whole = [0f32; GROUP];
                decode(codes, scale, &mut whole);
                out.copy_from_slice(&whole[..out.len()]);
            }
        }
    }
}

fn decode(codes: &[u8; 16], scale: f32, out: &mut [f32; GROUP]) {
    #[cfg(target_arch = "x86_64")]
    if cpu::has(Instructions::Avx512) {
        // SAFETY: the feature is among those that `cpu` looks for; the arrays have the lengths that are read and written.
        unsafe { decode_avx512(codes, scale, out) };
        return;
    }
    decode_plain(codes, scale, out);
}

fn decode_plain(codes: &[u8; 16], scale: f32, out: &mut [f32; GROUP]) {
    for (place, code) in codes.iter().enumerate() {
        out[place] = VALUES[usize::from(code & 15)] * scale;
        out[place + 16] = VALUES[usize::from(code >> 4)] * scale;
    }
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f")]
unsafe fn decode_avx512(codes: &[u8; 16], scale: f32, out: &mut [f32; GROUP]) {
    use std::arch::x86_64::{
        _mm_loadu_si128, _mm512_and_si512, _mm512_cvtepu8_epi32, _mm512_loadu_ps, _mm512_mul_ps,
        _mm512_permutexvar_ps, _mm512_set1_epi32, _mm512_set1_ps, _mm512_srli_epi32,
        _mm512_storeu_ps,
    };
    // SAFETY: 16 bytes, 16 values and twice 16 places are what the arrays hold.
    unsafe {
        let table = _mm512_loadu_ps(VALUES.as_ptr());
        let scale = _mm512_set1_ps(scale);
        let both = _mm512_cvtepu8_epi32(_mm_loadu_si128(codes.as_ptr().cast()));
        let low = _mm512_and_si512(both, _mm512_set1_epi32(15));
        let high = _mm512_srli_epi32::<4>(both);
        for (half, index) in [low, high].into_iter().enumerate() {
            let values = _mm512_mul_ps(_mm512_permutexvar_ps(index, table), scale);
            _mm512_storeu_ps(out.as_mut_ptr().add(16 * half), values);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matrix(outputs: usize, inputs: usize) -> (Vec<f32>, Nf4) {
        let values: Vec<f32> = (0..outputs * inputs)
            .map(|i| (i as f32 * 0.37).sin() * 0.1)
            .collect();
        let made = Nf4::read_rows(outputs, inputs, |row, out| {
            out.copy_from_slice(&values[row * inputs..][..inputs]);
            Ok::<(), ()>(())
        });
        (values, made.unwrap())
    }

    #[test]
    fn every_value_becomes_the_nearest_of_its_block() {
        for (outputs, inputs) in [(3, 64), (2, 200), (1, 33), (4, 7)] {
            let (values, made) = matrix(outputs, inputs);
            for row in 0..outputs {
                let values = &values[row * inputs..][..inputs];
                let mut read = vec![0f32; inputs];
                made.read(row, 0, &mut read);
                for (block, read) in values.chunks(BLOCK).zip(read.chunks(BLOCK)) {
                    let top = block.iter().fold(0f32, |top, x| top.max(x.abs()));
                    for (x, found) in block.iter().zip(read) {
                        let best = VALUES
                            .iter()
                            .map(|v| (v * top - x).abs())
                            .fold(1.0, f32::min);
                        assert!((found - x).abs() <= best + 1e-7, "{found} for {x}");
                    }
                }
                for first in (0..inputs).step_by(GROUP) {
                    let mut part = vec![0f32; (inputs - first).min(40)];
                    made.read(row, first, &mut part);
                    assert_eq!(part, read[first..][..part.len()]);
                }
            }
        }
    }

    #[test]
    fn zeros_stay_and_it_is_small() {
        let made = Nf4::read_rows(5, 128, |_, _| Ok::<(), ()>(())).unwrap();
        let mut read = vec![1f32; 128];
        made.read(4, 0, &mut read);
        assert_eq!(read, [0.0; 128]);
        assert_eq!(made.bytes() * 8, 5 * 128 * 9 / 2);
    }

    #[test]
    fn decoders_agree() {
        let codes: [u8; 16] = std::array::from_fn(|i| (i * 17 + 3) as u8);
        let (mut a, mut b) = ([0f32; GROUP], [0f32; GROUP]);
        decode(&codes, 0.3, &mut a);
        decode_plain(&codes, 0.3, &mut b);
        assert!(
            a.iter().zip(&b).all(|(a, b)| a.to_bits() == b.to_bits()),
            "{a:?} {b:?}"
        );
    }
}
