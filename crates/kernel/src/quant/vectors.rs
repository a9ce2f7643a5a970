//! What decoding and products read of a step with AVX-512.

use std::arch::x86_64::{
    __m256i, __m512, __m512i, _mm256_loadu_si256, _mm512_and_si512, _mm512_cvtph_ps,
    _mm512_load_si512, _mm512_mask_sub_epi8, _mm512_mul_ps, _mm512_or_si512, _mm512_set1_epi8,
    _mm512_set1_ps, _mm512_slli_epi16, _mm512_srli_epi16,
};

use super::layout::{Layout, Line};

/// The numbers of a line, those of 16 outputs a vector.
///
/// # Safety
/// The processor has the features.
#[inline]
#[target_feature(enable = "avx512f")]
pub(super) unsafe fn scales(line: &Line) -> [__m512; 2] {
    // SAFETY: a line has room for two loads of 32 bytes.
    unsafe {
        let from: *const __m256i = line.0.as_ptr().cast();
        [
            _mm512_cvtph_ps(_mm256_loadu_si256(from)),
            _mm512_cvtph_ps(_mm256_loadu_si256(from.add(1))),
        ]
    }
}

/// The offsets that belong to the scales of a line.
///
/// # Safety
/// The processor has the features; there are as many lines as the layout has.
#[inline]
#[target_feature(enable = "avx512f")]
pub(super) unsafe fn offsets(
    layout: Layout,
    lines: &[Line],
    line: usize,
    scale: [__m512; 2],
) -> [__m512; 2] {
    match layout.zero {
        Some(zero) => {
            let zero = _mm512_set1_ps(f32::from(zero));
            [_mm512_mul_ps(scale[0], zero), _mm512_mul_ps(scale[1], zero)]
        }
        // SAFETY: offsets follow the scales where no code stands for zero.
        None => unsafe { scales(lines.get_unchecked(line + 1)) },
    }
}

/// A vector of codes: four inputs of 16 outputs.
///
/// # Safety
/// The processor has the features; the codes of a step are there.
#[inline]
#[target_feature(enable = "avx512f,avx512bw")]
pub(super) unsafe fn codes<const BITS: u32>(codes: *const Line, vector: usize) -> __m512i {
    // SAFETY: the caller's promise.
    unsafe {
        let load = |line: usize| _mm512_load_si512(codes.add(line).cast());
        if BITS == 8 {
            return load(vector);
        }
        let line = load(vector / 2);
        let nibbles = match vector % 2 {
            0 => line,
            _ => _mm512_srli_epi16::<4>(line),
        };
        let low = _mm512_and_si512(nibbles, _mm512_set1_epi8(15));
        match BITS {
            5 => {
                let masks: *const u64 = codes.add(8).cast();
                let mask = u64::from_le(masks.add(vector).read());
                // Where the bit is set, 16 more.
                _mm512_mask_sub_epi8(low, mask, low, _mm512_set1_epi8(-16))
            }
            6 => {
                let line = load(8 + vector / 4);
                let bits = _mm512_set1_epi8(0x30);
                let high = match vector % 4 {
                    0 => _mm512_slli_epi16::<4>(line),
                    1 => _mm512_slli_epi16::<2>(line),
                    2 => line,
                    _ => _mm512_srli_epi16::<2>(line),
                };
                _mm512_or_si512(low, _mm512_and_si512(high, bits))
            }
            _ => low,
        }
    }
}
