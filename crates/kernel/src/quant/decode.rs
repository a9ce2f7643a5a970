//! From codes to the bfloat16 values of a step of a panel.

use half::bf16;

use super::layout::{Layout, Line};
use crate::pack::{STEP, WIDTH};

/// Writes the values of a step, `[STEP / 2][WIDTH][2]`.
///
/// # Panics
/// If there are fewer lines than the layout has, or less room.
pub(super) fn step(layout: Layout, lines: &[Line], into: &mut [bf16]) {
    assert!(lines.len() >= layout.lines() && into.len() >= STEP * WIDTH);
    #[cfg(target_arch = "x86_64")]
    if crate::cpu::has(crate::cpu::Instructions::Amx) {
        // SAFETY: whatever has the tile unit has AVX-512 with bfloat16; the lengths were just found.
        unsafe { vectors::step(layout, lines, into) };
        return;
    }
    plain(layout, lines, into);
}

fn plain(layout: Layout, lines: &[Line], into: &mut [bf16]) {
    let mut values = [0f32; STEP];
    for place in 0..WIDTH {
        layout.row(lines, place, &mut values);
        for (input, value) in values.iter().enumerate() {
            into[input / 2 * 2 * WIDTH + 2 * place + input % 2] = bf16::from_f32(*value);
        }
    }
}

#[cfg(target_arch = "x86_64")]
mod vectors {
    use std::arch::x86_64::{
        __m256i, __m512, __m512i, _mm_loadu_si128, _mm256_loadu_si256, _mm512_and_si512,
        _mm512_cvtepi32_ps, _mm512_cvtepu8_epi32, _mm512_cvtne2ps_pbh, _mm512_cvtph_ps,
        _mm512_fmsub_ps, _mm512_load_si512, _mm512_mask_or_epi32, _mm512_or_si512,
        _mm512_permutexvar_ps, _mm512_set_epi32, _mm512_set1_epi32, _mm512_setzero_ps,
        _mm512_slli_epi32, _mm512_srlv_epi32,
    };

    use half::bf16;

    use super::super::Bits;
    use super::super::layout::{Layout, Line, VECTORS};
    use crate::pack::{STEP, WIDTH};

    /// The same number for two neighbouring lanes, eight outputs a vector.
    #[inline]
    #[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512dq")]
    unsafe fn pairs(line: &Line) -> [__m512; 4] {
        let lower = _mm512_set_epi32(7, 7, 6, 6, 5, 5, 4, 4, 3, 3, 2, 2, 1, 1, 0, 0);
        let upper = _mm512_set_epi32(15, 15, 14, 14, 13, 13, 12, 12, 11, 11, 10, 10, 9, 9, 8, 8);
        // SAFETY: a line has room for two loads of 32 bytes.
        unsafe {
            let from: *const __m256i = line.0.as_ptr().cast();
            let first = _mm512_cvtph_ps(_mm256_loadu_si256(from));
            let second = _mm512_cvtph_ps(_mm256_loadu_si256(from.add(1)));
            [
                _mm512_permutexvar_ps(lower, first),
                _mm512_permutexvar_ps(upper, first),
                _mm512_permutexvar_ps(lower, second),
                _mm512_permutexvar_ps(upper, second),
            ]
        }
    }

    /// # Safety
    /// There are as many lines as the layout has, and room for a step.
    #[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512dq,avx512bf16")]
    pub(super) unsafe fn step(layout: Layout, lines: &[Line], into: &mut [bf16]) {
        // SAFETY: the caller's promise.
        unsafe {
            match layout.bits {
                Bits::Four => halves::<4>(layout, lines, into),
                Bits::Five => halves::<5>(layout, lines, into),
                Bits::Six => halves::<6>(layout, lines, into),
                Bits::Eight => halves::<8>(layout, lines, into),
            }
        }
    }

    /// # Safety
    /// As [`step`], and the layout has so many bits.
    #[inline]
    #[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512dq,avx512bf16")]
    unsafe fn halves<const BITS: u32>(layout: Layout, lines: &[Line], into: &mut [bf16]) {
        let (mut scale, mut offset) = ([_mm512_setzero_ps(); 4], [_mm512_setzero_ps(); 4]);
        for half in 0..2 {
            // SAFETY: lines and room are there by the caller's promise.
            unsafe {
                if half == 0 || layout.fine {
                    let line = layout.scale_line(half);
                    scale = pairs(lines.get_unchecked(line));
                    offset = pairs(lines.get_unchecked(line + 1));
                }
                let codes = lines.as_ptr().add(layout.scales() + half * layout.codes());
                let into = into.as_mut_ptr().add(half * STEP / 2 * WIDTH);
                for pair in 0..VECTORS / 2 {
                    let vector = 2 * pair;
                    let octet = vector % 4;
                    let even = _mm512_cvtepi32_ps(code::<BITS>(codes, vector));
                    let odd = _mm512_cvtepi32_ps(code::<BITS>(codes, vector + 1));
                    let even = _mm512_fmsub_ps(scale[octet], even, offset[octet]);
                    let odd = _mm512_fmsub_ps(scale[octet + 1], odd, offset[octet + 1]);
                    let both: __m512i = std::mem::transmute(_mm512_cvtne2ps_pbh(odd, even));
                    into.add(pair * 32).cast::<__m512i>().write_unaligned(both);
                }
            }
        }
    }

    /// # Safety
    /// The codes of half a step are there.
    #[inline]
    #[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512dq")]
    unsafe fn code<const BITS: u32>(codes: *const Line, vector: usize) -> __m512i {
        // SAFETY: the caller's promise.
        unsafe {
            if BITS == 8 {
                let from = codes.cast::<u8>().add(vector * 16);
                return _mm512_cvtepu8_epi32(_mm_loadu_si128(from.cast()));
            }
            let line = _mm512_load_si512(codes.add(vector / 8).cast());
            let shift = _mm512_set1_epi32((vector as u32 % 8 * 4).cast_signed());
            let low = _mm512_and_si512(_mm512_srlv_epi32(line, shift), _mm512_set1_epi32(15));
            match BITS {
                5 => {
                    let mask: *const u16 = codes.add(4).cast();
                    let mask = u16::from_le(mask.add(vector).read());
                    _mm512_mask_or_epi32(low, mask, low, _mm512_set1_epi32(16))
                }
                6 => {
                    let line = _mm512_load_si512(codes.add(4 + vector / 16).cast());
                    let shift = _mm512_set1_epi32((vector as u32 % 16 * 2).cast_signed());
                    let high =
                        _mm512_and_si512(_mm512_srlv_epi32(line, shift), _mm512_set1_epi32(3));
                    _mm512_or_si512(low, _mm512_slli_epi32::<4>(high))
                }
                _ => low,
            }
        }
    }
}
