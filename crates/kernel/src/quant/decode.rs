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
        __m512i, _mm512_and_si512, _mm512_cvtepi32_ps, _mm512_cvtne2ps_pbh, _mm512_fmsub_ps,
        _mm512_loadu_si512, _mm512_permutexvar_epi16, _mm512_set1_epi32, _mm512_setzero_ps,
        _mm512_srli_epi32,
    };

    use half::bf16;

    use super::super::Bits;
    use super::super::layout::{Layout, Line};
    use super::super::vectors::{codes, offsets, scales};
    use crate::pack::{STEP, WIDTH};

    /// # Safety
    /// There are as many lines as the layout has, and room for a step.
    #[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512dq,avx512bf16")]
    pub(super) unsafe fn step(layout: Layout, lines: &[Line], into: &mut [bf16]) {
        // SAFETY: the caller's promise.
        unsafe {
            match layout.bits {
                Bits::Four => all::<4>(layout, lines, into),
                Bits::Five => all::<5>(layout, lines, into),
                Bits::Six => all::<6>(layout, lines, into),
                Bits::Eight => all::<8>(layout, lines, into),
            }
        }
    }

    /// # Safety
    /// As [`step`], and the layout has so many bits.
    #[inline]
    #[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512dq,avx512bf16")]
    unsafe fn all<const BITS: u32>(layout: Layout, lines: &[Line], into: &mut [bf16]) {
        // The sixteen first of a vector beside the sixteen last.
        let places: [u16; 32] = std::array::from_fn(|at| (at / 2 + at % 2 * 16) as u16);
        let byte = _mm512_set1_epi32(255);
        let (mut scale, mut offset) = ([_mm512_setzero_ps(); 2], [_mm512_setzero_ps(); 2]);
        // SAFETY: lines and room are there by the caller's promise.
        unsafe {
            let places = _mm512_loadu_si512(places.as_ptr().cast());
            let from = lines.as_ptr().add(layout.scales());
            for quad in 0..STEP / 4 {
                if quad == 0 || layout.fine && quad == STEP / 8 {
                    let line = layout.scale_line(quad / (STEP / 8));
                    scale = scales(lines.get_unchecked(line));
                    offset = offsets(layout, lines, line, scale);
                }
                for half in 0..2 {
                    let quads = codes::<BITS>(from, 2 * quad + half);
                    // Two inputs at a time.
                    let number = |x: __m512i| {
                        let code = _mm512_cvtepi32_ps(_mm512_and_si512(x, byte));
                        _mm512_fmsub_ps(scale[half], code, offset[half])
                    };
                    let pairs = [
                        [number(quads), number(_mm512_srli_epi32::<8>(quads))],
                        [
                            number(_mm512_srli_epi32::<16>(quads)),
                            number(_mm512_srli_epi32::<24>(quads)),
                        ],
                    ];
                    for (pair, [even, odd]) in pairs.into_iter().enumerate() {
                        let both: __m512i = std::mem::transmute(_mm512_cvtne2ps_pbh(odd, even));
                        let both = _mm512_permutexvar_epi16(places, both);
                        let place = (2 * quad + pair) * 2 * WIDTH + half * WIDTH;
                        into.as_mut_ptr()
                            .add(place)
                            .cast::<__m512i>()
                            .write_unaligned(both);
                    }
                }
            }
        }
    }
}
