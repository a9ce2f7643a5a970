//! Numbers as bfloat16: rounded to one, or written exactly as the sum of three.
//!
//! An `f32` has 24 significant bits and a bfloat16 eight, so three hold one: the number rounded, what is left rounded,
//! and what is left then. Products of such parts are exact in `f32`, which lets a unit that multiplies bfloat16 alone compute
//! products of `f32`. Below 2⁻¹¹⁰ the last parts leave the range and bits are lost; NaN stays NaN.

use half::bf16;

#[cfg(target_arch = "x86_64")]
use crate::cpu::{self, Instructions};

/// Rounds to the nearest bfloat16, ties to even, as the bits of an `f32`.
#[inline(always)]
#[allow(clippy::inline_always)] // Has to take on the target features of its callers.
fn rounded(x: f32) -> u32 {
    let bits = x.to_bits();
    let near = bits.wrapping_add(0x7FFF + (bits >> 16 & 1)) & 0xFFFF_0000;
    // Adding would carry some NaN over into numbers.
    if x.is_nan() { 0x7FC0_0000 } else { near }
}

/// The parts of `x`, each as the bits of an `f32`.
#[inline(always)]
#[allow(clippy::inline_always)] // As above.
fn parts<const PARTS: usize>(x: f32) -> [u32; PARTS] {
    let mut rest = x;
    let mut parts = [0; PARTS];
    for (index, part) in parts.iter_mut().enumerate() {
        *part = rounded(rest);
        if index + 1 < PARTS {
            rest -= f32::from_bits(*part);
        }
    }
    parts
}

#[inline(always)]
#[allow(clippy::inline_always)] // As above.
fn half(bits: u32) -> bf16 {
    bf16::from_bits((bits >> 16) as u16)
}

/// Writes one row of a tile: `x`, a multiple of 32 long, goes to places `[steps][PARTS][16][32]` of `tile` that belong to
/// the row at which `tile` begins.
pub(crate) fn split_row<const PARTS: usize>(x: &[f32], tile: &mut [bf16]) {
    #[cfg(target_arch = "x86_64")]
    if cpu::has(Instructions::Avx512) {
        // SAFETY: the features are among those that `cpu` looks for.
        unsafe { split_row_avx512::<PARTS>(x, tile) };
        return;
    }
    split_row_plain::<PARTS>(x, tile);
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f,avx512bw")]
fn split_row_avx512<const PARTS: usize>(x: &[f32], tile: &mut [bf16]) {
    split_row_plain::<PARTS>(x, tile);
}

#[inline(always)]
#[allow(clippy::inline_always)] // As above.
fn split_row_plain<const PARTS: usize>(x: &[f32], tile: &mut [bf16]) {
    for (step, x) in x.chunks_exact(32).enumerate() {
        let mut found = [[0_u32; 32]; PARTS];
        for (i, x) in x.iter().enumerate() {
            let parts = parts::<PARTS>(*x);
            for (found, part) in found.iter_mut().zip(parts) {
                found[i] = part;
            }
        }
        for (index, found) in found.iter().enumerate() {
            let place = &mut tile[(step * PARTS + index) * 512..][..32];
            for (place, bits) in place.iter_mut().zip(found) {
                *place = half(*bits);
            }
        }
    }
}

/// Writes weights of a panel, `[inputs][32]` in `f32`, as `[steps][PARTS][16][32][2]`: inputs beyond the last are zero.
pub(crate) fn split_panel<const PARTS: usize>(panel: &[f32], into: &mut [bf16]) {
    #[cfg(target_arch = "x86_64")]
    if cpu::has(Instructions::Avx512) {
        // SAFETY: the features are among those that `cpu` looks for.
        unsafe { split_panel_avx512::<PARTS>(panel, into) };
        return;
    }
    split_panel_plain::<PARTS>(panel, into);
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f,avx512bw")]
fn split_panel_avx512<const PARTS: usize>(panel: &[f32], into: &mut [bf16]) {
    split_panel_plain::<PARTS>(panel, into);
}

#[inline(always)]
#[allow(clippy::inline_always)] // As above.
fn split_panel_plain<const PARTS: usize>(panel: &[f32], into: &mut [bf16]) {
    const NONE: [f32; 32] = [0.0; 32];
    let inputs = panel.len() / 32;
    let lane = |input: usize| -> &[f32] {
        if input < inputs {
            &panel[input * 32..][..32]
        } else {
            &NONE
        }
    };
    for step in 0..into.len() / (PARTS * 1024) {
        for pair in 0..16 {
            let input = step * 32 + 2 * pair;
            let (first, second) = (lane(input), lane(input + 1));
            let mut found = [[0_u32; 32]; PARTS];
            for i in 0..32 {
                let (low, high) = (parts::<PARTS>(first[i]), parts::<PARTS>(second[i]));
                for (found, (low, high)) in found.iter_mut().zip(low.into_iter().zip(high)) {
                    found[i] = low >> 16 | high;
                }
            }
            for (index, found) in found.iter().enumerate() {
                let place = &mut into[(step * PARTS + index) * 1024 + pair * 64..][..64];
                for (place, bits) in place.chunks_exact_mut(2).zip(found) {
                    place[0] = bf16::from_bits(*bits as u16);
                    place[1] = half(*bits);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn three_parts_are_the_number_and_one_is_the_nearest() {
        let mut state = 1_u32;
        for _ in 0..200_000 {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let x = f32::from_bits(state);
            if !x.is_finite() || x.abs() < 1e-32 || x.abs() > 3e38 {
                continue;
            }
            let [a, b, c] = parts::<3>(x).map(|bits| f64::from(f32::from_bits(bits)));
            assert!((a + b + c - f64::from(x)).abs() == 0.0, "{x}: {a} {b} {c}");
            let [one] = parts::<1>(x);
            assert_eq!(half(one), bf16::from_f32(x), "{x}");
        }
        assert!(f32::from_bits(rounded(f32::from_bits(0x7FFF_FFFF))).is_nan());
        assert!(f32::from_bits(rounded(f32::from_bits(0xFFFF_FFFF))).is_nan());
        assert!(f32::from_bits(rounded(f32::INFINITY)).is_infinite());
    }

    #[test]
    fn places_are_those_of_the_tiles() {
        let x: Vec<f32> = (0..64).map(|i| i as f32 * 1.001).collect();
        let mut tile = vec![bf16::ZERO; 2 * 3 * 512];
        split_row::<3>(&x, &mut tile[7 * 32..]);
        for (k, x) in x.iter().enumerate() {
            let sum: f32 = (0..3)
                .map(|part| tile[((k / 32) * 3 + part) * 512 + 7 * 32 + k % 32].to_f32())
                .sum();
            assert!((sum - x).abs() <= x.abs() * 1e-7);
        }
        let panel: Vec<f32> = (0..35 * 32).map(|i| i as f32 * 1.001 - 300.0).collect();
        let mut into = vec![bf16::ONE; 2 * 3 * 1024];
        split_panel::<3>(&panel, &mut into);
        for k in 0..64 {
            for output in 0..32 {
                let sum: f32 = (0..3)
                    .map(|part| {
                        let place =
                            ((k / 32) * 3 + part) * 1024 + k % 32 / 2 * 64 + output * 2 + k % 2;
                        into[place].to_f32()
                    })
                    .sum();
                let expected = panel.get(k * 32 + output).copied().unwrap_or(0.0);
                assert!(
                    (sum - expected).abs() <= expected.abs() * 1e-7,
                    "{k} {output}"
                );
            }
        }
    }
}
