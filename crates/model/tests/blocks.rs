//! Every block format of GGUF on random blocks and extreme scales, against two others: a decoder written here value by
//! value from the definition of the format, and candle's.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]
#![allow(clippy::float_cmp, reason = "both sides round to the same bits")]

use std::borrow::Cow;

use candle_core::Device;
use candle_core::quantized::{GgmlDType, QStorage, QTensor};
use half::{bf16, f16};
use harness_model::weights::gguf::BlockType;
use rand::{Rng, RngCore, SeedableRng};
use rand_chacha::ChaCha8Rng;

const TYPES: [(BlockType, GgmlDType); 11] = [
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
];

/// Bit `at` of a stretch of bytes, the lowest of the first byte being bit 0.
fn bit(bytes: &[u8], at: usize) -> u32 {
    u32::from(bytes[at / 8] >> (at % 8) & 1)
}

/// `count` bits from bit `at` on.
fn bits(bytes: &[u8], at: usize, count: usize) -> u32 {
    (0..count).map(|i| bit(bytes, at + i) << i).sum()
}

fn half(bytes: &[u8], at: usize) -> f64 {
    f16::from_bits(bits(bytes, 8 * at, 16) as u16).to_f64()
}

/// Value `i` of a block, in double precision, by the definition of its format: a sum of `scale · number` and an offset.
/// The two terms are returned, for the exact value may be a small difference of large ones.
fn value(kind: BlockType, b: &[u8], i: usize) -> (f64, f64) {
    // Formats of 32 values: value i < 16 is the low half of byte i, value i >= 16 the high half of byte i - 16.
    let nibble = |at: usize| bits(&b[at + i % 16..], 4 * (i / 16), 4);
    // Formats of 256 values with 8 pairs of scale and minimum, of 6 bits each, of which groups 4 to 7 are split.
    let scale_and_minimum = |group: usize| {
        let s = &b[4..16];
        if group < 4 {
            (bits(&s[group..], 0, 6), bits(&s[group + 4..], 0, 6))
        } else {
            let low = &s[group + 4..];
            (
                bits(low, 0, 4) + 16 * bits(&s[group - 4..], 6, 2),
                bits(low, 4, 4) + 16 * bits(&s[group..], 6, 2),
            )
        }
    };
    match kind {
        BlockType::F32 => (f64::from(f32::from_bits(bits(b, 0, 32))), 0.0),
        BlockType::F16 => (half(b, 0), 0.0),
        BlockType::Bf16 => (bf16::from_bits(bits(b, 0, 16) as u16).to_f64(), 0.0),
        BlockType::Q4_0 => (half(b, 0) * (f64::from(nibble(2)) - 8.0), 0.0),
        BlockType::Q4_1 => (half(b, 0) * f64::from(nibble(4)), half(b, 2)),
        BlockType::Q5_0 => {
            let number = nibble(6) + 16 * bit(&b[2..], i);
            (half(b, 0) * (f64::from(number) - 16.0), 0.0)
        }
        BlockType::Q5_1 => {
            let number = nibble(8) + 16 * bit(&b[4..], i);
            (half(b, 0) * f64::from(number), half(b, 2))
        }
        BlockType::Q8_0 => (half(b, 0) * f64::from(b[2 + i].cast_signed()), 0.0),
        BlockType::Q4K | BlockType::Q5K => {
            // Groups of 32; two groups share 32 bytes, one in the low halves and one in the high.
            let group = i / 32;
            let quants = if kind == BlockType::Q4K { 16 } else { 48 };
            let mut number = bits(&b[quants + 32 * (group / 2) + i % 32..], 4 * (group % 2), 4);
            if kind == BlockType::Q5K {
                number += 16 * bit(&b[16 + i % 32..], group);
            }
            let (scale, minimum) = scale_and_minimum(group);
            (
                half(b, 0) * f64::from(scale) * f64::from(number),
                -half(b, 2) * f64::from(minimum),
            )
        }
        BlockType::Q6K => {
            // Two halves of 128; in each, four groups of 32 share 64 bytes of low and 32 bytes of high bits.
            let (part, within) = (i / 128, i % 128);
            let (group, l) = (within / 32, within % 32);
            let low = bits(&b[64 * part + 32 * (group % 2) + l..], 4 * (group / 2), 4);
            let high = bits(&b[128 + 32 * part + l..], 2 * group, 2);
            let scale = b[192 + i / 16].cast_signed();
            let number = f64::from(low + 16 * high) - 32.0;
            (half(b, 208) * f64::from(scale) * number, 0.0)
        }
    }
}

/// Places of the 16-bit floats of a block.
fn scales(kind: BlockType) -> &'static [usize] {
    match kind {
        BlockType::F32 => &[],
        BlockType::F16 | BlockType::Bf16 | BlockType::Q4_0 | BlockType::Q5_0 | BlockType::Q8_0 => {
            &[0]
        }
        BlockType::Q4_1 | BlockType::Q5_1 | BlockType::Q4K | BlockType::Q5K => &[0, 2],
        BlockType::Q6K => &[208],
    }
}

/// Random blocks whose scales are of any size, among them zero, the smallest and the largest.
fn blocks(kind: BlockType, count: usize, rng: &mut ChaCha8Rng) -> Vec<u8> {
    let mut raw = vec![0; count * kind.bytes()];
    rng.fill_bytes(&mut raw);
    let extreme = [
        f16::MAX,
        f16::MIN,
        f16::MIN_POSITIVE,
        f16::from_bits(1),
        f16::ZERO,
        f16::NEG_ZERO,
        f16::from_bits(0x03ff),
    ];
    for (number, block) in raw.chunks_exact_mut(kind.bytes()).enumerate() {
        for at in scales(kind) {
            let drawn = f16::from_bits(u16::from_le_bytes([block[*at], block[at + 1]]));
            let scale = match extreme.get(number % 16) {
                Some(extreme) if kind != BlockType::Bf16 => *extreme,
                _ if drawn.is_finite() => drawn,
                _ => f16::from_f32(rng.random_range(-1.0..1.0)),
            };
            block[*at..at + 2].copy_from_slice(&scale.to_bits().to_le_bytes());
        }
        let finite = match kind {
            BlockType::F32 => f32::from_le_bytes((&*block).try_into().unwrap()).is_finite(),
            BlockType::Bf16 => bf16::from_le_bytes((&*block).try_into().unwrap()).is_finite(),
            _ => true,
        };
        if !finite {
            block.fill(0);
        }
    }
    raw
}

fn decoded(kind: BlockType, raw: &[u8]) -> Vec<f32> {
    let mut found = vec![f32::NAN; raw.len() / kind.bytes() * kind.elements()];
    kind.decode(raw, &mut found);
    found
}

#[test]
fn values_are_those_of_the_definition() {
    let mut rng = ChaCha8Rng::seed_from_u64(21);
    for (kind, _) in TYPES {
        let raw = blocks(kind, 2_000, &mut rng);
        let found = decoded(kind, &raw);
        for (number, (b, found)) in raw
            .chunks_exact(kind.bytes())
            .zip(found.chunks_exact(kind.elements()))
            .enumerate()
        {
            for (i, found) in found.iter().enumerate() {
                let (product, offset) = value(kind, b, i);
                // Two roundings of the product and one of the sum: each half a unit in the last place of its result.
                let size = product.abs().max(offset.abs());
                let bound = 2.0 * size * f64::from(f32::EPSILON);
                let expected = product + offset;
                assert!(
                    (f64::from(*found) - expected).abs() <= bound,
                    "{kind:?}, block {number}, value {i}: {found} and {expected}"
                );
                if offset == 0.0 && kind.elements() <= 32 {
                    // One rounding at most.
                    assert_eq!(
                        f64::from(*found),
                        f64::from(expected as f32),
                        "{kind:?} {number} {i}"
                    );
                }
            }
        }
    }
}

#[test]
fn values_are_those_of_candle() {
    let mut rng = ChaCha8Rng::seed_from_u64(22);
    for (kind, theirs) in TYPES {
        assert_eq!(
            (kind.elements(), kind.bytes()),
            (theirs.block_size(), theirs.type_size())
        );
        let raw = blocks(kind, 2_000, &mut rng);
        let found = decoded(kind, &raw);
        let storage = QStorage::from_data(Cow::Borrowed(&raw), &Device::Cpu, theirs).unwrap();
        let tensor = QTensor::new(storage, found.len()).unwrap();
        let expected: Vec<f32> = tensor
            .dequantize(&Device::Cpu)
            .unwrap()
            .flatten_all()
            .unwrap()
            .to_vec1()
            .unwrap();
        let mut differing = 0;
        for (i, (f, e)) in found.iter().zip(&expected).enumerate() {
            // The order of the multiplications may differ in the last bit.
            let apart = f.to_bits().abs_diff(e.to_bits());
            assert!(apart <= 1 || f == e, "{kind:?}[{i}]: {f} and {e}");
            differing += usize::from(apart > 0 && f != e);
        }
        let exact = !matches!(kind, BlockType::Q6K);
        assert!(
            !exact || differing == 0,
            "{kind:?}: {differing} values differ"
        );
    }
}
