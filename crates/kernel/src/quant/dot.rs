//! Products of rows in bytes with codes.
//!
//! Of each group of inputs the products are summed in integers, exactly; that sum, less what the offsets take, is scaled and added to
//! what there is in rising order of the inputs. All paths do the same operations on the same numbers, so they agree to the bit, and a
//! row's result depends on that row alone.

use super::bytes::ByteRow;
use super::layout::{Layout, Line};
use super::{GROUP, Quant};
use crate::pack::{STEP, WIDTH};
use crate::simd::dispatched;

impl Quant {
    /// `out[rows][WIDTH] += rows · panelᵀ`.
    ///
    /// # Panics
    /// If a row has other inputs than the matrix, or there is less room.
    pub(crate) fn dot(&self, panel: usize, rows: &[ByteRow], out: &mut [f32]) {
        let steps = self.k / STEP;
        let lines = self.layout.lines();
        let panel = &self.lines[panel * steps * lines..][..steps * lines];
        for row in rows {
            assert_eq!(row.scales.len(), steps, "inputs");
            assert_eq!(row.bytes.len(), steps * STEP / 4, "inputs");
            assert_eq!(row.sums.len(), steps * STEP / GROUP, "inputs");
        }
        assert!(out.len() >= rows.len() * WIDTH, "room");
        #[cfg(target_arch = "x86_64")]
        if crate::cpu::has(crate::cpu::Instructions::Vnni) {
            // SAFETY: the instructions are there; lengths were just found.
            unsafe { vectors::panel(self.layout, panel, rows, out) };
            return;
        }
        plain(self.layout, panel, rows, out);
    }
}

dispatched! {
    /// The same for any machine.
    fn plain(layout: Layout, panel: &[Line], rows: &[ByteRow], out: &mut [f32]) {
        let groups = if layout.fine { 2 } else { 1 };
        let mut codes = [0u8; STEP * WIDTH];
        for (step, lines) in panel.chunks_exact(layout.lines()).enumerate() {
            layout.unpack(lines, &mut codes);
            for group in 0..groups {
                let (mut scale, mut offset) = ([0f32; WIDTH], [0f32; WIDTH]);
                for (place, (scale, offset)) in scale.iter_mut().zip(&mut offset).enumerate() {
                    (*scale, *offset) = layout.scale_of(lines, group, place);
                }
                let quads = group * QUADS / groups..(group + 1) * QUADS / groups;
                for (row, out) in rows.iter().zip(out.chunks_exact_mut(WIDTH)) {
                    let mut dots = [0i32; WIDTH];
                    for quad in quads.clone() {
                        let bytes = row.bytes[step * QUADS + quad].to_le_bytes();
                        let [a, b, c, d] = bytes.map(|byte| i32::from(byte.cast_signed()));
                        let codes = &codes[quad * 4 * WIDTH..][..4 * WIDTH];
                        for (dot, code) in dots.iter_mut().zip(codes.chunks_exact(4)) {
                            *dot += i32::from(code[0]) * a
                                + i32::from(code[1]) * b
                                + i32::from(code[2]) * c
                                + i32::from(code[3]) * d;
                        }
                    }
                    let sum = row.sum(step, layout.fine, group);
                    let factor = row.scales[step];
                    for (place, out) in out.iter_mut().enumerate() {
                        let part = scale[place] * dots[place] as f32 - offset[place] * sum;
                        *out += factor * part;
                    }
                }
            }
        }
    }
}

/// Groups of four inputs in a step.
const QUADS: usize = STEP / 4;

#[cfg(target_arch = "x86_64")]
mod vectors {
    use std::arch::x86_64::{
        _mm512_add_ps, _mm512_cvtepi32_ps, _mm512_dpbusd_epi32, _mm512_loadu_ps, _mm512_mul_ps,
        _mm512_set1_epi32, _mm512_set1_ps, _mm512_setzero_ps, _mm512_setzero_si512,
        _mm512_storeu_ps, _mm512_sub_ps,
    };

    use super::super::Bits;
    use super::super::bytes::ByteRow;
    use super::super::layout::{Layout, Line};
    use super::super::vectors::{codes, offsets, scales};
    use super::QUADS;
    use crate::pack::WIDTH;

    /// Rows at a time: their sums stay in registers.
    const ROWS: usize = 4;

    /// # Safety
    /// The processor has the features; rows and panel have the same steps, and there is room for the rows.
    #[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512dq,avx512vnni")]
    pub(super) unsafe fn panel(layout: Layout, panel: &[Line], rows: &[ByteRow], out: &mut [f32]) {
        // SAFETY: the caller's promise.
        unsafe {
            match layout.bits {
                Bits::Four => all::<4>(layout, panel, rows, out),
                Bits::Five => all::<5>(layout, panel, rows, out),
                Bits::Six => all::<6>(layout, panel, rows, out),
                Bits::Eight => all::<8>(layout, panel, rows, out),
            }
        }
    }

    #[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512dq,avx512vnni")]
    unsafe fn all<const BITS: u32>(
        layout: Layout,
        panel: &[Line],
        rows: &[ByteRow],
        out: &mut [f32],
    ) {
        for (rows, out) in rows.chunks(ROWS).zip(out.chunks_mut(ROWS * WIDTH)) {
            // SAFETY: the caller's promise.
            unsafe {
                match (rows.len(), layout.fine) {
                    (1, false) => some::<BITS, 1, false>(layout, panel, rows, out),
                    (2, false) => some::<BITS, 2, false>(layout, panel, rows, out),
                    (3, false) => some::<BITS, 3, false>(layout, panel, rows, out),
                    (_, false) => some::<BITS, 4, false>(layout, panel, rows, out),
                    (1, true) => some::<BITS, 1, true>(layout, panel, rows, out),
                    (2, true) => some::<BITS, 2, true>(layout, panel, rows, out),
                    (3, true) => some::<BITS, 3, true>(layout, panel, rows, out),
                    (_, true) => some::<BITS, 4, true>(layout, panel, rows, out),
                }
            }
        }
    }

    #[inline]
    #[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512dq,avx512vnni")]
    unsafe fn some<const BITS: u32, const R: usize, const FINE: bool>(
        layout: Layout,
        panel: &[Line],
        rows: &[ByteRow],
        out: &mut [f32],
    ) {
        let groups = if FINE { 2 } else { 1 };
        // SAFETY: the caller's promise.
        unsafe {
            let mut totals = [[_mm512_setzero_ps(); 2]; R];
            for (row, totals) in totals.iter_mut().enumerate() {
                for (half, total) in totals.iter_mut().enumerate() {
                    *total = _mm512_loadu_ps(out.as_ptr().add(row * WIDTH + 16 * half));
                }
            }
            for step in 0..panel.len() / layout.lines() {
                let lines = panel.get_unchecked(step * layout.lines()..);
                let from = lines.as_ptr().add(layout.scales());
                for group in 0..groups {
                    let line = layout.scale_line(group);
                    let scale = scales(lines.get_unchecked(line));
                    let offset = offsets(layout, lines, line, scale);
                    let mut dots = [[_mm512_setzero_si512(); 2]; R];
                    for quad in group * QUADS / groups..(group + 1) * QUADS / groups {
                        let first = codes::<BITS>(from, 2 * quad);
                        let second = codes::<BITS>(from, 2 * quad + 1);
                        for (row, dots) in rows.iter().zip(&mut dots) {
                            let quad = *row.bytes.get_unchecked(step * QUADS + quad);
                            let bytes = _mm512_set1_epi32(quad.cast_signed());
                            dots[0] = _mm512_dpbusd_epi32(dots[0], first, bytes);
                            dots[1] = _mm512_dpbusd_epi32(dots[1], second, bytes);
                        }
                    }
                    for ((row, dots), totals) in rows.iter().zip(dots).zip(&mut totals) {
                        let sum = row.sum(step, FINE, group);
                        let sum = _mm512_set1_ps(sum);
                        let factor = _mm512_set1_ps(*row.scales.get_unchecked(step));
                        for half in 0..2 {
                            let taken = _mm512_mul_ps(offset[half], sum);
                            let dot = _mm512_cvtepi32_ps(dots[half]);
                            // Not fused: other machines would have to be slow to do the same.
                            let part = _mm512_sub_ps(_mm512_mul_ps(scale[half], dot), taken);
                            totals[half] = _mm512_add_ps(totals[half], _mm512_mul_ps(factor, part));
                        }
                    }
                }
            }
            for (row, totals) in totals.iter().enumerate() {
                for (half, total) in totals.iter().enumerate() {
                    _mm512_storeu_ps(out.as_mut_ptr().add(row * WIDTH + 16 * half), *total);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{FORMS, made};
    use super::*;
    use crate::cpu::testing::{here, up_to};
    use crate::paths::{bits, random};

    #[test]
    fn products_are_those_of_the_numbers_and_the_same_on_all_paths() {
        let (n, k) = (70, 96);
        for (form, most) in FORMS {
            for fine in [false, true] {
                for zero in [None, Some(most / 2 + 1)] {
                    let (quant, exact) = made((n, k), form, most, fine, zero);
                    for m in [1, 2, 3, 4, 7] {
                        let mut rows = vec![ByteRow::default(); m];
                        let x = random(5, m * k);
                        for (row, x) in rows.iter_mut().zip(x.chunks_exact(k)) {
                            row.take(x);
                        }
                        for panel in 0..n.div_ceil(WIDTH) {
                            let run = |rows: &[ByteRow]| {
                                let mut out = vec![0.5; rows.len() * WIDTH];
                                quant.dot(panel, rows, &mut out);
                                out
                            };
                            let found = run(&rows);
                            for level in here() {
                                assert_eq!(
                                    bits(&up_to(level, || run(&rows))),
                                    bits(&found),
                                    "{form:?} {level}"
                                );
                            }
                            for (index, row) in rows.iter().enumerate() {
                                let alone = run(std::slice::from_ref(row));
                                assert_eq!(bits(&alone), bits(&found[index * WIDTH..][..WIDTH]));
                                for place in 0..WIDTH.min(n - panel * WIDTH) {
                                    let weights = &exact[(panel * WIDTH + place) * k..][..k];
                                    let (mut sum, mut size) = (0.5, 0.0);
                                    for step in 0..k / STEP {
                                        let bytes = row.step(step);
                                        for (byte, weight) in
                                            bytes.iter().zip(&weights[step * STEP..])
                                        {
                                            let term = f64::from(row.scales[step])
                                                * f64::from(*byte)
                                                * f64::from(*weight);
                                            sum += term;
                                            size += term.abs();
                                        }
                                    }
                                    let found = f64::from(alone[place]);
                                    // The offsets' part is taken away from a larger sum.
                                    assert!(
                                        (found - sum).abs() <= 1e-5 * (size + 1.0),
                                        "{form:?} {fine} {zero:?}: {found} for {sum}"
                                    );
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}
