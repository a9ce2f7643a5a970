//! The block formats of GGUF tensors, decoded to `f32`.
//!
//! A block holds a fixed number of values with common scales; the formats and their order of bytes are
//! those of ggml's `ggml-common.h` and `ggml-quants.c`. The tests compare each with candle's decoder.

use half::{bf16, f16};

/// Number of values in a block of the `K` formats.
const QK_K: usize = 256;

/// How the values of a tensor are stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names are those of the format")]
pub enum BlockType {
    F32,
    F16,
    Bf16,
    Q4_0,
    Q4_1,
    Q5_0,
    Q5_1,
    Q8_0,
    Q4K,
    Q5K,
    Q6K,
}

impl BlockType {
    /// The supported types, for error messages.
    pub const SUPPORTED: &'static str =
        "F32, F16, BF16, Q4_0, Q4_1, Q5_0, Q5_1, Q8_0, Q4_K, Q5_K, Q6_K";

    /// The name of the type in ggml.
    pub fn name(self) -> &'static str {
        match self {
            Self::F32 => "F32",
            Self::F16 => "F16",
            Self::Bf16 => "BF16",
            Self::Q4_0 => "Q4_0",
            Self::Q4_1 => "Q4_1",
            Self::Q5_0 => "Q5_0",
            Self::Q5_1 => "Q5_1",
            Self::Q8_0 => "Q8_0",
            Self::Q4K => "Q4_K",
            Self::Q5K => "Q5_K",
            Self::Q6K => "Q6_K",
        }
    }

    /// The type with this number in the file.
    pub fn from_code(code: u32) -> Option<Self> {
        Some(match code {
            0 => Self::F32,
            1 => Self::F16,
            2 => Self::Q4_0,
            3 => Self::Q4_1,
            6 => Self::Q5_0,
            7 => Self::Q5_1,
            8 => Self::Q8_0,
            12 => Self::Q4K,
            13 => Self::Q5K,
            14 => Self::Q6K,
            30 => Self::Bf16,
            _ => return None,
        })
    }

    /// Values in one block.
    pub fn elements(self) -> usize {
        match self {
            Self::F32 | Self::F16 | Self::Bf16 => 1,
            Self::Q4_0 | Self::Q4_1 | Self::Q5_0 | Self::Q5_1 | Self::Q8_0 => 32,
            Self::Q4K | Self::Q5K | Self::Q6K => QK_K,
        }
    }

    /// Bytes of one block.
    pub fn bytes(self) -> usize {
        match self {
            Self::F32 => 4,
            Self::F16 | Self::Bf16 => 2,
            Self::Q4_0 => 18,
            Self::Q4_1 => 20,
            Self::Q5_0 => 22,
            Self::Q5_1 => 24,
            Self::Q8_0 => 34,
            Self::Q4K => 144,
            Self::Q5K => 176,
            Self::Q6K => 210,
        }
    }

    /// Decodes the blocks of `raw` into `out`; both cover the same whole blocks.
    pub fn decode(self, raw: &[u8], out: &mut [f32]) {
        let one: fn(&[u8], &mut [f32]) = match self {
            Self::F32 => |b, y| y[0] = f32::from_le_bytes([b[0], b[1], b[2], b[3]]),
            Self::F16 => |b, y| y[0] = half(b, 0),
            Self::Bf16 => |b, y| y[0] = bf16::from_le_bytes([b[0], b[1]]).to_f32(),
            Self::Q4_0 => q4_0,
            Self::Q4_1 => q4_1,
            Self::Q5_0 => q5_0,
            Self::Q5_1 => q5_1,
            Self::Q8_0 => q8_0,
            Self::Q4K => q4_k,
            Self::Q5K => q5_k,
            Self::Q6K => q6_k,
        };
        let blocks = raw.chunks_exact(self.bytes());
        for (block, values) in blocks.zip(out.chunks_exact_mut(self.elements())) {
            one(block, values);
        }
    }
}

/// The 16-bit float at byte `at`.
pub(super) fn half(b: &[u8], at: usize) -> f32 {
    f16::from_le_bytes([b[at], b[at + 1]]).to_f32()
}

/// scale d, 16 bytes of nibbles: x = d (q - 8)
fn q4_0(b: &[u8], y: &mut [f32]) {
    let d = half(b, 0);
    let (low, high) = y.split_at_mut(16);
    for ((&q, l), h) in b[2..].iter().zip(low).zip(high) {
        *l = (f32::from(q & 0x0f) - 8.0) * d;
        *h = (f32::from(q >> 4) - 8.0) * d;
    }
}

/// scale d, minimum m, 16 bytes of nibbles: x = d q + m
fn q4_1(b: &[u8], y: &mut [f32]) {
    let (d, m) = (half(b, 0), half(b, 2));
    let (low, high) = y.split_at_mut(16);
    for ((&q, l), h) in b[4..].iter().zip(low).zip(high) {
        *l = f32::from(q & 0x0f) * d + m;
        *h = f32::from(q >> 4) * d + m;
    }
}

/// scale d, 32 fifth bits, 16 bytes of nibbles: x = d (q - 16)
fn q5_0(b: &[u8], y: &mut [f32]) {
    let d = half(b, 0);
    let (fifth_low, fifth_high) = fifth_bits(&b[2..6]);
    let (low, high) = y.split_at_mut(16);
    for (j, &q) in b[6..22].iter().enumerate() {
        low[j] = (f32::from((q & 0x0f) | fifth_low[j]) - 16.0) * d;
        high[j] = (f32::from((q >> 4) | fifth_high[j]) - 16.0) * d;
    }
}

/// scale d, minimum m, 32 fifth bits, 16 bytes of nibbles: x = d q + m
fn q5_1(b: &[u8], y: &mut [f32]) {
    let (d, m) = (half(b, 0), half(b, 2));
    let (fifth_low, fifth_high) = fifth_bits(&b[4..8]);
    let (low, high) = y.split_at_mut(16);
    for (j, &q) in b[8..24].iter().enumerate() {
        low[j] = f32::from((q & 0x0f) | fifth_low[j]) * d + m;
        high[j] = f32::from((q >> 4) | fifth_high[j]) * d + m;
    }
}

/// The fifth bits of 32 values, each moved to its place in the value: of the first 16, and of the others.
pub(super) fn fifth_bits(b: &[u8]) -> ([u8; 16], [u8; 16]) {
    let (mut low, mut high) = ([0; 16], [0; 16]);
    for (bits, byte) in low
        .as_chunks_mut::<8>()
        .0
        .iter_mut()
        .chain(high.as_chunks_mut::<8>().0)
        .zip(b)
    {
        *bits = FIFTH[*byte as usize];
    }
    (low, high)
}

/// Of each byte its eight bits, each as bit 4 of a byte of its own.
const FIFTH: [[u8; 8]; 256] = {
    let mut table = [[0; 8]; 256];
    let mut byte = 0;
    while byte < 256 {
        let mut bit = 0;
        while bit < 8 {
            table[byte][bit] = ((byte >> bit & 1) << 4) as u8;
            bit += 1;
        }
        byte += 1;
    }
    table
};

/// scale d, 32 signed bytes: x = d q
fn q8_0(b: &[u8], y: &mut [f32]) {
    let d = half(b, 0);
    for (&q, v) in b[2..].iter().zip(y) {
        *v = f32::from(q.cast_signed()) * d;
    }
}

/// Scale and minimum number `j` of the eight packed as 6-bit values into 12 bytes.
pub(super) fn scale_min(j: usize, s: &[u8]) -> (f32, f32) {
    let (scale, min) = if j < 4 {
        (s[j] & 63, s[j + 4] & 63)
    } else {
        (
            (s[j + 4] & 0x0f) | ((s[j - 4] >> 6) << 4),
            (s[j + 4] >> 4) | ((s[j] >> 6) << 4),
        )
    };
    (f32::from(scale), f32::from(min))
}

/// d, dmin, 12 bytes of scales, 128 bytes of nibbles: x = d s q - dmin m, in eight groups of 32
fn q4_k(b: &[u8], y: &mut [f32]) {
    let (d, dmin) = (half(b, 0), half(b, 2));
    let (scales, quants) = b[4..].split_at(12);
    for (pair, (q, y)) in quants
        .chunks_exact(32)
        .zip(y.chunks_exact_mut(64))
        .enumerate()
    {
        let (s1, m1) = scale_min(2 * pair, scales);
        let (s2, m2) = scale_min(2 * pair + 1, scales);
        let (d1, m1, d2, m2) = (d * s1, dmin * m1, d * s2, dmin * m2);
        let (low, high) = y.split_at_mut(32);
        for ((&q, l), h) in q.iter().zip(low).zip(high) {
            *l = d1 * f32::from(q & 0x0f) - m1;
            *h = d2 * f32::from(q >> 4) - m2;
        }
    }
}

/// As `q4_k`, with 32 bytes of fifth bits between scales and nibbles.
fn q5_k(b: &[u8], y: &mut [f32]) {
    let (d, dmin) = (half(b, 0), half(b, 2));
    let (scales, rest) = b[4..].split_at(12);
    let (fifth, quants) = rest.split_at(32);
    for (pair, (q, y)) in quants
        .chunks_exact(32)
        .zip(y.chunks_exact_mut(64))
        .enumerate()
    {
        let (s1, m1) = scale_min(2 * pair, scales);
        let (s2, m2) = scale_min(2 * pair + 1, scales);
        let (d1, m1, d2, m2) = (d * s1, dmin * m1, d * s2, dmin * m2);
        let (low, high) = y.split_at_mut(32);
        for (((&q, &f), l), h) in q.iter().zip(fifth).zip(low).zip(high) {
            let f = f >> (2 * pair);
            *l = d1 * f32::from((q & 0x0f) | ((f & 1) << 4)) - m1;
            *h = d2 * f32::from((q >> 4) | ((f & 2) << 3)) - m2;
        }
    }
}

/// 128 bytes of low nibbles, 64 bytes of high bit pairs, 16 signed scales, d: x = d s (q - 32)
fn q6_k(b: &[u8], y: &mut [f32]) {
    let (low, rest) = b.split_at(128);
    let (high, rest) = rest.split_at(64);
    let (scales, d) = rest.split_at(16);
    let d = half(d, 0);
    for (n, y) in y.chunks_exact_mut(128).enumerate() {
        let low = &low[64 * n..64 * (n + 1)];
        let high = &high[32 * n..32 * (n + 1)];
        let scales = &scales[8 * n..8 * (n + 1)];
        for l in 0..32 {
            let h = high[l];
            let quants = [
                (low[l] & 0x0f) | ((h & 3) << 4),
                (low[l + 32] & 0x0f) | (((h >> 2) & 3) << 4),
                (low[l] >> 4) | (((h >> 4) & 3) << 4),
                (low[l + 32] >> 4) | (((h >> 6) & 3) << 4),
            ];
            for (g, q) in quants.into_iter().enumerate() {
                let s = d * f32::from(scales[2 * g + l / 16].cast_signed());
                y[32 * g + l] = s * (f32::from(q) - 32.0);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use candle_core::quantized::{GgmlDType, QTensor};
    use candle_core::{Device, Tensor};
    use rand::{Rng, SeedableRng};

    use super::*;

    /// Quantises random values with candle and compares both decoders, value by value.
    #[test]
    fn every_block_type_decodes_as_candle_does() {
        let mut rng = rand_chacha::ChaCha8Rng::seed_from_u64(7);
        let values: Vec<f32> = (0..4 * QK_K)
            .map(|_| rng.random_range(-3.0f32..3.0))
            .collect();
        let tensor = Tensor::from_vec(values, (4, QK_K), &Device::Cpu).unwrap();
        for (ours, theirs) in [
            (BlockType::F32, GgmlDType::F32),
            (BlockType::F16, GgmlDType::F16),
            (BlockType::Bf16, GgmlDType::BF16),
            (BlockType::Q4_0, GgmlDType::Q4_0),
            (BlockType::Q4_1, GgmlDType::Q4_1),
            (BlockType::Q5_0, GgmlDType::Q5_0),
            (BlockType::Q5_1, GgmlDType::Q5_1),
            (BlockType::Q8_0, GgmlDType::Q8_0),
            (BlockType::Q4K, GgmlDType::Q4K),
            (BlockType::Q5K, GgmlDType::Q5K),
            (BlockType::Q6K, GgmlDType::Q6K),
        ] {
            assert_eq!(
                (ours.elements(), ours.bytes()),
                (theirs.block_size(), theirs.type_size())
            );
            let quantised = QTensor::quantize(&tensor, theirs).unwrap();
            let raw = quantised.data().unwrap();
            let expected: Vec<f32> = quantised
                .dequantize(&Device::Cpu)
                .unwrap()
                .flatten_all()
                .unwrap()
                .to_vec1()
                .unwrap();
            let mut found = vec![0.0; expected.len()];
            ours.decode(&raw, &mut found);
            for (i, (f, e)) in found.iter().zip(&expected).enumerate() {
                // The order of the multiplications may differ in the last bit.
                assert!(
                    (f - e).abs() <= 1e-6 * e.abs(),
                    "{ours:?}[{i}]: {f} and {e}"
                );
            }
        }
    }
}
