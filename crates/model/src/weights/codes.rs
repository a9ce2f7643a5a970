//! From the blocks of a GGUF file to the codes that products read.

use harness_kernel::{Bits, GROUP, Quant, QuantRow};

use super::gguf::{BlockType, GgufWeights};
use super::{WeightError, check_finite};

/// The codes of a matrix; nothing of one that is not quantised, or whose scales half precision does not hold.
///
/// # Errors
/// If the tensor is not there, is cut off, or holds a value that is no number.
pub(super) fn read(
    file: &GgufWeights,
    name: &str,
    outputs: usize,
    inputs: usize,
) -> Result<Option<Quant>, WeightError> {
    let kind = file.block(name)?;
    let Some((bits, fine)) = form(kind) else {
        return Ok(None);
    };
    let raw = file.raw(name)?;
    let row = inputs / kind.elements() * kind.bytes();
    let shape = (outputs, inputs);
    Quant::read_rows(shape, bits, fine, |index, into| {
        let raw = &raw[index * row..][..row];
        let QuantRow {
            codes,
            scale,
            offset,
        } = into;
        let groups = kind.elements() / GROUP;
        for (((raw, codes), scale), offset) in raw
            .chunks_exact(kind.bytes())
            .zip(codes.chunks_exact_mut(kind.elements()))
            .zip(scale.chunks_exact_mut(groups))
            .zip(offset.chunks_exact_mut(groups))
        {
            kind.codes(raw, codes, scale, offset);
        }
        check_finite(&file.header().file, name, scale)?;
        check_finite(&file.header().file, name, offset)
    })
}

/// How wide the codes are, and whether each 16 have a scale of their own.
fn form(kind: BlockType) -> Option<(Bits, bool)> {
    Some(match kind {
        BlockType::Q4_0 | BlockType::Q4_1 | BlockType::Q4K => (Bits::Four, false),
        BlockType::Q5_0 | BlockType::Q5_1 | BlockType::Q5K => (Bits::Five, false),
        BlockType::Q6K => (Bits::Six, true),
        BlockType::Q8_0 => (Bits::Eight, false),
        BlockType::F32 | BlockType::F16 | BlockType::Bf16 => return None,
    })
}
