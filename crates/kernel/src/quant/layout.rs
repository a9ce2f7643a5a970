//! Where the codes of a step of a panel are.
//!
//! A step is 32 inputs of [`WIDTH`] outputs. A product reads it as rows of pairs of inputs, `[16][WIDTH][2]`, which are vectors of 16 lanes:
//! 8 outputs, two inputs each, so that four vectors are a row. Lines are laid out so that one load, a shift and a mask give
//! such a vector.

use half::{bf16, f16};

use super::{Bits, GROUP};
use crate::pack::{STEP, WIDTH};

/// A line of the cache.
#[derive(Debug, Clone, Copy)]
#[repr(C, align(64))]
pub(super) struct Line(pub(super) [u8; 64]);

impl Line {
    pub(super) const ZERO: Self = Self([0; 64]);
}

/// Vectors of 16 lanes in half a step.
pub(super) const VECTORS: usize = GROUP * WIDTH / 16;

/// How a step is laid out: a line of scales and one of offsets, in half precision, for each group of inputs; then the codes of each half.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Layout {
    pub(super) bits: Bits,
    /// Whether each half has scales of its own.
    pub(super) fine: bool,
}

impl Layout {
    /// Lines of scales and offsets.
    pub(super) fn scales(self) -> usize {
        if self.fine { 4 } else { 2 }
    }

    /// Lines of the codes of half a step.
    pub(super) fn codes(self) -> usize {
        match self.bits {
            Bits::Four => 4,
            Bits::Five => 5,
            Bits::Six => 6,
            Bits::Eight => 8,
        }
    }

    /// Lines of a step.
    pub(super) fn lines(self) -> usize {
        self.scales() + 2 * self.codes()
    }

    /// Where the scales of a half are; those of its offsets follow.
    pub(super) fn scale_line(self, half: usize) -> usize {
        if self.fine { 2 * half } else { 0 }
    }

    /// Stores a row of the matrix as output `place` of the panel `lines`. Says whether half precision holds scales and offsets.
    pub(super) fn store(
        self,
        lines: &mut [Line],
        place: usize,
        codes: &[u8],
        scale: &[f32],
        offset: &[f32],
    ) -> bool {
        let mut fits = true;
        for (step, lines) in lines.chunks_exact_mut(self.lines()).enumerate() {
            for half in 0..2 {
                let group = 2 * step + half;
                let line = self.scale_line(half);
                for (line, value) in [(line, scale[group]), (line + 1, offset[group])] {
                    let rounded = f16::from_f32(value);
                    let kept = rounded.to_f32();
                    fits &= kept.is_finite() && (kept == 0.0) == (value == 0.0);
                    lines[line].0[2 * place..][..2].copy_from_slice(&rounded.to_le_bytes());
                }
                let first = self.scales() + half * self.codes();
                let lines = &mut lines[first..][..self.codes()];
                for (input, &code) in codes[group * GROUP..][..GROUP].iter().enumerate() {
                    self.put(lines, input, place, code);
                }
            }
        }
        fits
    }

    /// Stores the code of an input of half a step.
    fn put(self, lines: &mut [Line], input: usize, place: usize, code: u8) {
        let (vector, lane) = position(input, place);
        if self.bits == Bits::Eight {
            lines[vector / 4].0[vector % 4 * 16 + lane] = code;
            return;
        }
        let nibble = vector % 8;
        lines[vector / 8].0[4 * lane + nibble / 2] |= (code & 15) << (4 * (nibble % 2));
        match self.bits {
            Bits::Five => {
                let bit = vector * 16 + lane;
                lines[4].0[bit / 8] |= (code >> 4 & 1) << (bit % 8);
            }
            Bits::Six => {
                let pair = vector % 16;
                lines[4 + vector / 16].0[4 * lane + pair / 4] |=
                    (code >> 4 & 3) << (2 * (pair % 4));
            }
            Bits::Four | Bits::Eight => {}
        }
    }

    /// The code of an input of half a step.
    fn get(self, lines: &[Line], input: usize, place: usize) -> u8 {
        let (vector, lane) = position(input, place);
        if self.bits == Bits::Eight {
            return lines[vector / 4].0[vector % 4 * 16 + lane];
        }
        let nibble = vector % 8;
        let low = lines[vector / 8].0[4 * lane + nibble / 2] >> (4 * (nibble % 2)) & 15;
        let high = match self.bits {
            Bits::Five => {
                let bit = vector * 16 + lane;
                lines[4].0[bit / 8] >> (bit % 8) & 1
            }
            Bits::Six => {
                let pair = vector % 16;
                lines[4 + vector / 16].0[4 * lane + pair / 4] >> (2 * (pair % 4)) & 3
            }
            Bits::Four | Bits::Eight => 0,
        };
        low | high << 4
    }

    /// The values of output `place` in a step.
    pub(super) fn row(self, lines: &[Line], place: usize, into: &mut [f32; STEP]) {
        for (half, into) in into.chunks_exact_mut(GROUP).enumerate() {
            let line = self.scale_line(half);
            let read = |line: usize| {
                let bytes = &lines[line].0[2 * place..];
                f16::from_le_bytes([bytes[0], bytes[1]]).to_f32()
            };
            let (scale, offset) = (read(line), read(line + 1));
            let codes = &lines[self.scales() + half * self.codes()..][..self.codes()];
            for (input, value) in into.iter_mut().enumerate() {
                let code = f32::from(self.get(codes, input, place));
                *value = bf16::from_f32(scale.mul_add(code, -offset)).to_f32();
            }
        }
    }
}

/// Vector and lane of an input of half a step and an output of a panel.
fn position(input: usize, place: usize) -> (usize, usize) {
    (input / 2 * 4 + place / 8, place % 8 * 2 + input % 2)
}
