//! Quantised weights in the order in which products read them: what prediction with the blocks of a GGUF file computes with.
//!
//! A weight is `scale · code − offset`, with a code of 4, 5, 6 or 8 bits, and scale and offset shared by 16 or 32 inputs. There are two
//! kinds of products. Of many rows (prompts) the weights are made as bfloat16, a stretch of a panel at a time, for the tile unit (`decode`).
//! Of few rows (tokens that are being generated), where reading the weights is what takes time, the rows are rounded to bytes and
//! multiplied with the codes as they are (`bytes`, `dot`).

mod bytes;
mod decode;
mod dot;
mod layout;
mod product;
#[cfg(target_arch = "x86_64")]
mod vectors;

use half::bf16;
use rayon::prelude::*;

use crate::pack::{STEP, WIDTH};
use crate::stored::Stored;
pub(crate) use bytes::ByteRow;
use layout::{Layout, Line};
pub(crate) use product::{Job, run};

/// Inputs that share a scale at least.
pub const GROUP: usize = 16;

/// Bits of a code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names say it")]
pub enum Bits {
    Four,
    Five,
    Six,
    Eight,
}

/// How the codes of a matrix are meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CodeForm {
    /// How wide they are.
    pub bits: Bits,
    /// Whether each 16 inputs have a scale and an offset of their own; else each 32 have.
    pub fine: bool,
    /// The code that stands for zero: then there are no offsets.
    pub zero: Option<u8>,
}

/// Room for a row: the weight of input `i` is `scale[i / 16] · codes[i] − offset[i / 16]`, or `scale[i / 16] · (codes[i] − zero)`.
#[derive(Debug)]
pub struct QuantRow<'a> {
    /// A code an input.
    pub codes: &'a mut [u8],
    /// A scale for 16 inputs.
    pub scale: &'a mut [f32],
    /// An offset for 16 inputs.
    pub offset: &'a mut [f32],
}

/// A quantised matrix `[n, k]`; `k` is a multiple of 32.
#[derive(Debug)]
pub struct Quant {
    n: usize,
    k: usize,
    layout: Layout,
    /// `[n / WIDTH][k / STEP]` steps.
    lines: Vec<Line>,
}

impl Quant {
    /// A matrix whose rows `read` writes, on several threads and in no fixed order. Where not `fine`, pairs of groups have the same scale
    /// and offset. Scales and offsets are rounded to half precision; nothing is made of a matrix that has one beyond its range.
    ///
    /// # Errors
    /// One of those of `read`, not always the same.
    ///
    /// # Panics
    /// If `k` is no multiple of 32.
    pub fn read_rows<E: Send>(
        (n, k): (usize, usize),
        CodeForm { bits, fine, zero }: CodeForm,
        read: impl Fn(usize, QuantRow<'_>) -> Result<(), E> + Sync,
    ) -> Result<Option<Self>, E> {
        assert!(
            k.is_multiple_of(STEP),
            "{k} inputs, not a multiple of {STEP}"
        );
        let layout = Layout { bits, fine, zero };
        let panel = k / STEP * layout.lines();
        let mut lines = vec![Line::ZERO; n.div_ceil(WIDTH) * panel];
        let fits = lines
            .par_chunks_mut(panel.max(1))
            .enumerate()
            .map_init(
                || (vec![0; k], vec![0f32; k / GROUP], vec![0f32; k / GROUP]),
                |(codes, scale, offset), (index, lines)| {
                    let mut fits = true;
                    for place in 0..WIDTH.min(n - index * WIDTH) {
                        let row = QuantRow {
                            codes,
                            scale,
                            offset,
                        };
                        read(index * WIDTH + place, row)?;
                        fits &= layout.store(lines, place, codes, scale, offset);
                    }
                    Ok(fits)
                },
            )
            .try_reduce(|| true, |a, b| Ok(a && b))?;
        Ok(fits.then_some(Self {
            n,
            k,
            layout,
            lines,
        }))
    }

    /// Bytes that a matrix `[n, k]` of such codes takes.
    pub fn bytes_of((n, k): (usize, usize), CodeForm { bits, fine, zero }: CodeForm) -> usize {
        let layout = Layout { bits, fine, zero };
        n.div_ceil(WIDTH) * k.div_ceil(STEP) * layout.lines() * size_of::<Line>()
    }

    /// The lines of a step of a panel.
    fn step(&self, panel: usize, step: usize) -> &[Line] {
        let lines = self.layout.lines();
        &self.lines[(panel * (self.k / STEP) + step) * lines..][..lines]
    }
}

impl Stored for Quant {
    fn outputs(&self) -> usize {
        self.n
    }

    fn inputs(&self) -> usize {
        self.k
    }

    fn bytes(&self) -> usize {
        size_of_val(&self.lines[..])
    }

    fn block(&self) -> usize {
        STEP
    }

    fn read(&self, row: usize, first: usize, out: &mut [f32]) {
        let (panel, place) = (row / WIDTH, row % WIDTH);
        let mut values = [0f32; STEP];
        for (index, out) in out.chunks_mut(STEP).enumerate() {
            let lines = self.step(panel, first / STEP + index);
            self.layout.row(lines, place, &mut values);
            out.copy_from_slice(&values[..out.len()]);
        }
    }

    fn codes(&self) -> Option<&Quant> {
        Some(self)
    }

    fn bf16_panel(&self, panel: usize, steps: std::ops::Range<usize>, into: &mut [bf16]) -> bool {
        for (step, into) in steps.zip(into.chunks_exact_mut(STEP * WIDTH)) {
            decode::step(self.layout, self.step(panel, step), into);
        }
        true
    }
}

#[cfg(test)]
mod testing {
    use half::f16;

    use super::*;
    use crate::paths::random;

    pub(super) const FORMS: [(Bits, u8); 4] = [
        (Bits::Four, 15),
        (Bits::Five, 31),
        (Bits::Six, 63),
        (Bits::Eight, 255),
    ];

    /// Codes, scales and offsets of a matrix.
    fn parts(n: usize, k: usize, most: u8, fine: bool) -> (Vec<u8>, Vec<f32>, Vec<f32>) {
        let codes = random(1, n * k)
            .iter()
            .map(|x| ((x + 1.0) / 2.0 * f32::from(most)).round() as u8)
            .collect();
        let groups = |seed, scale: f32| -> Vec<f32> {
            let mut values: Vec<f32> = random(seed, n * k / GROUP)
                .iter()
                .map(|x| x * scale)
                .collect();
            if !fine {
                for pair in values.chunks_exact_mut(2) {
                    pair[1] = pair[0];
                }
            }
            values
        };
        (codes, groups(2, 0.01), groups(3, 0.1))
    }

    /// A matrix, and its values before they are rounded to bfloat16.
    pub(super) fn made(
        (n, k): (usize, usize),
        bits: Bits,
        most: u8,
        fine: bool,
        zero: Option<u8>,
    ) -> (Quant, Vec<f32>) {
        let (codes, scales, offsets) = parts(n, k, most, fine);
        let groups = k / GROUP;
        let quant = Quant::read_rows((n, k), CodeForm { bits, fine, zero }, |row, into| {
            into.codes.copy_from_slice(&codes[row * k..][..k]);
            into.scale
                .copy_from_slice(&scales[row * groups..][..groups]);
            into.offset
                .copy_from_slice(&offsets[row * groups..][..groups]);
            Ok::<(), ()>(())
        });
        let half = |x: f32| f16::from_f32(x).to_f32();
        let values = (0..n * k)
            .map(|i| {
                let group = i / GROUP;
                let scale = half(scales[group]);
                let offset =
                    zero.map_or_else(|| half(offsets[group]), |zero| scale * f32::from(zero));
                scale.mul_add(f32::from(codes[i]), -offset)
            })
            .collect();
        (quant.unwrap().unwrap(), values)
    }
}

#[cfg(test)]
mod tests {
    use super::testing::{FORMS, made};
    use super::*;
    use crate::cpu::Instructions;
    use crate::cpu::testing::{here, up_to};

    #[test]
    fn rows_and_panels_are_the_values() {
        for (n, k) in [(1, 32), (32, 64), (70, 96)] {
            for (bits, most) in FORMS {
                for (fine, zero) in [
                    (false, None),
                    (true, None),
                    (false, Some(8)),
                    (true, Some(most)),
                ] {
                    let (quant, exact) = made((n, k), bits, most, fine, zero);
                    let values: Vec<f32> = exact
                        .iter()
                        .map(|value| bf16::from_f32(*value).to_f32())
                        .collect();
                    let mut row = vec![0f32; k];
                    for (index, values) in values.chunks_exact(k).enumerate() {
                        quant.read(index, 0, &mut row);
                        assert_eq!(row, values, "{bits:?} {fine} row {index}");
                    }
                    for level in here() {
                        let mut panel = vec![bf16::ZERO; k * WIDTH];
                        for first in (0..n).step_by(WIDTH) {
                            let steps = 0..k / STEP;
                            assert!(up_to(level, || quant.bf16_panel(
                                first / WIDTH,
                                steps.clone(),
                                &mut panel
                            )));
                            for output in first..n.min(first + WIDTH) {
                                for input in 0..k {
                                    let at =
                                        input / 2 * 2 * WIDTH + (output - first) * 2 + input % 2;
                                    assert_eq!(
                                        panel[at].to_f32().to_bits(),
                                        values[output * k + input].to_bits(),
                                        "{bits:?} {level} [{output}, {input}]"
                                    );
                                }
                            }
                        }
                    }
                }
            }
        }
        assert!(here().contains(&Instructions::Portable));
    }

    #[test]
    fn what_half_precision_does_not_hold_is_refused() {
        let form = CodeForm {
            bits: Bits::Four,
            fine: false,
            zero: None,
        };
        for scale in [1e6, f32::NAN, 1e-12] {
            let made = Quant::read_rows((2, 32), form, |_, into| {
                into.scale.fill(scale);
                into.offset.fill(0.0);
                into.codes.fill(1);
                Ok::<(), ()>(())
            });
            assert!(made.unwrap().is_none(), "{scale}");
        }
    }
}
