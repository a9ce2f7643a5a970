//! The codes of a block, and what they stand for: a value is `scale · code − offset`.

use super::blocks::{BlockType, fifth_bits, half, scale_min};

impl BlockType {
    /// Takes a quantised block apart: a code for each value, a scale and an offset for each 16. Blocks of numbers have none.
    pub fn codes(self, b: &[u8], codes: &mut [u8], scale: &mut [f32], offset: &mut [f32]) {
        match self {
            Self::F32 | Self::F16 | Self::Bf16 => {}
            Self::Q4_0 => {
                nibbles(&b[2..18], codes);
                same(half(b, 0), 8.0 * half(b, 0), scale, offset);
            }
            Self::Q4_1 => {
                nibbles(&b[4..20], codes);
                same(half(b, 0), -half(b, 2), scale, offset);
            }
            Self::Q5_0 => {
                nibbles(&b[6..22], codes);
                fifth(&b[2..6], codes);
                same(half(b, 0), 16.0 * half(b, 0), scale, offset);
            }
            Self::Q5_1 => {
                nibbles(&b[8..24], codes);
                fifth(&b[4..8], codes);
                same(half(b, 0), -half(b, 2), scale, offset);
            }
            Self::Q8_0 => {
                for (code, q) in codes.iter_mut().zip(&b[2..34]) {
                    // From −128 … 127 to 0 … 255.
                    *code = q ^ 0x80;
                }
                same(half(b, 0), 128.0 * half(b, 0), scale, offset);
            }
            Self::Q4K | Self::Q5K => k_codes(self, b, codes, scale, offset),
            Self::Q6K => q6_k(b, codes, scale, offset),
        }
    }
}

fn same(d: f32, m: f32, scale: &mut [f32], offset: &mut [f32]) {
    scale.fill(d);
    offset.fill(m);
}

/// The low halves of the bytes, then the high ones.
fn nibbles(bytes: &[u8], codes: &mut [u8]) {
    let (low, high) = codes.split_at_mut(bytes.len());
    for ((&q, l), h) in bytes.iter().zip(low).zip(high) {
        *l = q & 15;
        *h = q >> 4;
    }
}

fn fifth(bytes: &[u8], codes: &mut [u8]) {
    let (low, high) = fifth_bits(bytes);
    for (code, bit) in codes.iter_mut().zip(low.iter().chain(&high)) {
        *code |= bit;
    }
}

/// Eight groups of 32 with scales and minima of six bits.
fn k_codes(kind: BlockType, b: &[u8], codes: &mut [u8], scale: &mut [f32], offset: &mut [f32]) {
    let (d, dmin) = (half(b, 0), half(b, 2));
    let (scales, rest) = b[4..].split_at(12);
    let (fifth, quants) = if kind == BlockType::Q5K {
        let (fifth, quants) = rest.split_at(32);
        (Some(fifth), quants)
    } else {
        (None, rest)
    };
    for (pair, (bytes, codes)) in quants
        .chunks_exact(32)
        .zip(codes.chunks_exact_mut(64))
        .enumerate()
    {
        nibbles(bytes, codes);
        let Some(fifth) = fifth else { continue };
        for (place, code) in codes.iter_mut().enumerate() {
            *code |= (fifth[place % 32] >> (2 * pair + place / 32) & 1) << 4;
        }
    }
    for (group, (scale, offset)) in scale
        .chunks_exact_mut(2)
        .zip(offset.chunks_exact_mut(2))
        .enumerate()
    {
        let (s, m) = scale_min(group, scales);
        scale.fill(d * s);
        offset.fill(dmin * m);
    }
}

fn q6_k(b: &[u8], codes: &mut [u8], scale: &mut [f32], offset: &mut [f32]) {
    let (low, rest) = b.split_at(128);
    let (high, rest) = rest.split_at(64);
    let (scales, d) = rest.split_at(16);
    let d = half(d, 0);
    for (n, codes) in codes.chunks_exact_mut(128).enumerate() {
        let low = &low[64 * n..64 * (n + 1)];
        let high = &high[32 * n..32 * (n + 1)];
        for l in 0..32 {
            let h = high[l];
            codes[l] = (low[l] & 15) | ((h & 3) << 4);
            codes[32 + l] = (low[l + 32] & 15) | (((h >> 2) & 3) << 4);
            codes[64 + l] = (low[l] >> 4) | (((h >> 4) & 3) << 4);
            codes[96 + l] = (low[l + 32] >> 4) | (((h >> 6) & 3) << 4);
        }
    }
    for ((scale, offset), &s) in scale.iter_mut().zip(offset).zip(scales) {
        *scale = d * f32::from(s.cast_signed());
        *offset = 32.0 * *scale;
    }
}

#[cfg(test)]
mod tests {
    use rand::{Rng, SeedableRng};

    use super::*;

    #[test]
    fn codes_stand_for_the_values_of_the_block() {
        let mut rng = rand_chacha::ChaCha8Rng::seed_from_u64(3);
        for kind in [
            BlockType::Q4_0,
            BlockType::Q4_1,
            BlockType::Q5_0,
            BlockType::Q5_1,
            BlockType::Q8_0,
            BlockType::Q4K,
            BlockType::Q5K,
            BlockType::Q6K,
        ] {
            for _ in 0..50 {
                let mut raw: Vec<u8> = (0..kind.bytes()).map(|_| rng.random()).collect();
                // Scales in half precision, of a size that weights have.
                let halves: &[usize] = match kind {
                    BlockType::Q6K => &[208],
                    BlockType::Q4_0 | BlockType::Q5_0 | BlockType::Q8_0 => &[0],
                    _ => &[0, 2],
                };
                for &at in halves {
                    let value = half::f16::from_f32(rng.random_range(-0.01..0.01));
                    raw[at..at + 2].copy_from_slice(&value.to_le_bytes());
                }
                let n = kind.elements();
                let mut expected = vec![0f32; n];
                kind.decode(&raw, &mut expected);
                let mut codes = vec![0; n];
                let (mut scale, mut offset) = (vec![0f32; n / 16], vec![0f32; n / 16]);
                kind.codes(&raw, &mut codes, &mut scale, &mut offset);
                for (i, expected) in expected.iter().enumerate() {
                    let size = (scale[i / 16] * f32::from(codes[i])).abs() + offset[i / 16].abs();
                    let found = scale[i / 16].mul_add(f32::from(codes[i]), -offset[i / 16]);
                    assert!(
                        (found - expected).abs() <= 3e-7 * size,
                        "{kind:?}[{i}]: {found} for {expected}"
                    );
                }
            }
        }
    }
}
