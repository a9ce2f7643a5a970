//! Where the codes of a step of a panel are.
//!
//! A step is 32 inputs of [`WIDTH`] outputs. Its codes are read as vectors of 64 bytes, four inputs each of 16 outputs, input by input within an
//! output: what an instruction multiplies with bytes of activations. Lines are laid out so that one load, a shift and a mask
//! give such a vector.

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

/// How a step is laid out: a line of scales for each group of inputs, and one of offsets behind it where there are any, in half precision; then the
/// codes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Layout {
    pub(super) bits: Bits,
    /// Whether each half has scales of its own.
    pub(super) fine: bool,
    /// The code that stands for zero; without one there are offsets.
    pub(super) zero: Option<u8>,
}

impl Layout {
    /// Lines of a group's scales and offsets.
    fn group(self) -> usize {
        if self.zero.is_some() { 1 } else { 2 }
    }

    /// Lines of scales and offsets.
    pub(super) fn scales(self) -> usize {
        if self.fine {
            2 * self.group()
        } else {
            self.group()
        }
    }

    /// Lines of the codes of a step.
    fn codes(self) -> usize {
        match self.bits {
            Bits::Four => 8,
            Bits::Five => 10,
            Bits::Six => 12,
            Bits::Eight => 16,
        }
    }

    /// Lines of a step.
    pub(super) fn lines(self) -> usize {
        self.scales() + self.codes()
    }

    /// Where the scales of a half are; those of its offsets follow.
    pub(super) fn scale_line(self, half: usize) -> usize {
        if self.fine { half * self.group() } else { 0 }
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
                let pair = [(line, scale[group]), (line + 1, offset[group])];
                for (line, value) in pair.into_iter().take(self.group()) {
                    let rounded = f16::from_f32(value);
                    let kept = rounded.to_f32();
                    fits &= kept.is_finite() && (kept == 0.0) == (value == 0.0);
                    lines[line].0[2 * place..][..2].copy_from_slice(&rounded.to_le_bytes());
                }
            }
            let lines = &mut lines[self.scales()..];
            for (input, &code) in codes[step * STEP..][..STEP].iter().enumerate() {
                self.put(lines, input, place, code);
            }
        }
        fits
    }

    /// Stores the code of an input of a step.
    fn put(self, lines: &mut [Line], input: usize, place: usize, code: u8) {
        let (vector, byte) = position(input, place);
        if self.bits == Bits::Eight {
            lines[vector].0[byte] = code;
            return;
        }
        lines[vector / 2].0[byte] |= (code & 15) << (4 * (vector % 2));
        match self.bits {
            Bits::Five => {
                let bit = vector % 8 * 64 + byte;
                lines[8 + vector / 8].0[bit / 8] |= (code >> 4 & 1) << (bit % 8);
            }
            Bits::Six => {
                lines[8 + vector / 4].0[byte] |= (code >> 4 & 3) << (2 * (vector % 4));
            }
            Bits::Four | Bits::Eight => {}
        }
    }

    /// The code of an input of a step.
    fn get(self, lines: &[Line], input: usize, place: usize) -> u8 {
        let (vector, byte) = position(input, place);
        if self.bits == Bits::Eight {
            return lines[vector].0[byte];
        }
        let low = lines[vector / 2].0[byte] >> (4 * (vector % 2)) & 15;
        let high = match self.bits {
            Bits::Five => {
                let bit = vector % 8 * 64 + byte;
                lines[8 + vector / 8].0[bit / 8] >> (bit % 8) & 1
            }
            Bits::Six => lines[8 + vector / 4].0[byte] >> (2 * (vector % 4)) & 3,
            Bits::Four | Bits::Eight => 0,
        };
        low | high << 4
    }

    /// All codes of a step, vector by vector.
    #[inline]
    pub(super) fn unpack(self, lines: &[Line], into: &mut [u8; STEP * WIDTH]) {
        let lines = &lines[self.scales()..self.lines()];
        if self.bits == Bits::Eight {
            for (into, line) in into.chunks_exact_mut(64).zip(lines) {
                into.copy_from_slice(&line.0);
            }
            return;
        }
        for (into, line) in into.chunks_exact_mut(128).zip(lines) {
            let (low, high) = into.split_at_mut(64);
            for ((low, high), byte) in low.iter_mut().zip(high).zip(line.0) {
                *low = byte & 15;
                *high = byte >> 4;
            }
        }
        match self.bits {
            Bits::Five => {
                let bits = lines[8..].iter().flat_map(|line| line.0);
                for (into, bits) in into.chunks_exact_mut(8).zip(bits) {
                    for (place, code) in into.iter_mut().enumerate() {
                        *code |= (bits >> place & 1) << 4;
                    }
                }
            }
            Bits::Six => {
                for (into, line) in into.chunks_exact_mut(256).zip(&lines[8..]) {
                    for (vector, into) in into.chunks_exact_mut(64).enumerate() {
                        for (code, byte) in into.iter_mut().zip(line.0) {
                            *code |= (byte >> (2 * vector) & 3) << 4;
                        }
                    }
                }
            }
            Bits::Four | Bits::Eight => {}
        }
    }

    /// The codes of output `place` in a step.
    pub(super) fn codes_of(self, lines: &[Line], place: usize) -> [u8; STEP] {
        let lines = &lines[self.scales()..];
        std::array::from_fn(|input| self.get(lines, input, place))
    }

    /// Scale and offset of output `place` in half a step. Where a code stands for zero it is that code's value.
    pub(super) fn scale_of(self, lines: &[Line], half: usize, place: usize) -> (f32, f32) {
        let line = self.scale_line(half);
        let read = |line: usize| {
            let bytes = &lines[line].0[2 * place..];
            f16::from_le_bytes([bytes[0], bytes[1]]).to_f32()
        };
        let scale = read(line);
        let offset = match self.zero {
            Some(zero) => scale * f32::from(zero),
            None => read(line + 1),
        };
        (scale, offset)
    }

    /// The values of output `place` in a step.
    pub(super) fn row(self, lines: &[Line], place: usize, into: &mut [f32; STEP]) {
        let codes = self.codes_of(lines, place);
        for (half, (into, codes)) in into
            .chunks_exact_mut(GROUP)
            .zip(codes.chunks_exact(GROUP))
            .enumerate()
        {
            let (scale, offset) = self.scale_of(lines, half, place);
            for (value, &code) in into.iter_mut().zip(codes) {
                // The product is exact, so the sum is rounded once as if it were fused.
                *value = bf16::from_f32(scale * f32::from(code) - offset).to_f32();
            }
        }
    }
}

/// Vector and byte of an input of a step and an output of a panel: vector `2 · quad + half` has inputs from `4 · quad` and outputs from
/// `16 · half` on.
fn position(input: usize, place: usize) -> (usize, usize) {
    (input / 4 * 2 + place / 16, place % 16 * 4 + input % 4)
}
