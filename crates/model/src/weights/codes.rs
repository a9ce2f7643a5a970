//! From the blocks of a GGUF file to the codes that products read.

use harness_kernel::{Bits, CodeForm, GROUP, Quant, QuantRow};

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
    let Some(form) = form(kind) else {
        return Ok(None);
    };
    let raw = file.raw(name)?;
    let row = inputs / kind.elements() * kind.bytes();
    let shape = (outputs, inputs);
    Quant::read_rows(shape, form, |index, into| {
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

/// How the codes of a block are meant.
pub(super) fn form(kind: BlockType) -> Option<CodeForm> {
    let (bits, fine, zero) = match kind {
        BlockType::Q4_0 => (Bits::Four, false, Some(8)),
        BlockType::Q4_1 | BlockType::Q4K => (Bits::Four, false, None),
        BlockType::Q5_0 => (Bits::Five, false, Some(16)),
        BlockType::Q5_1 | BlockType::Q5K => (Bits::Five, false, None),
        BlockType::Q6K => (Bits::Six, true, Some(32)),
        BlockType::Q8_0 => (Bits::Eight, false, Some(128)),
        BlockType::F32 | BlockType::F16 | BlockType::Bf16 => return None,
    };
    Some(CodeForm { bits, fine, zero })
}
