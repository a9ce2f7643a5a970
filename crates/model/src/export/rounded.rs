//! Weights as a file of a certain format holds them.

use crate::config::ModelConfig;
use crate::error::ModelError;
use crate::weights::Tensors;
use crate::weights::gguf::BlockType;

/// The format in which a tensor is stored where matrices are asked for as `wanted`: what is no matrix stays exact, and
/// rows that do not divide into blocks take half the precision of f32.
pub(super) fn stored_as(wanted: BlockType, shape: &[usize]) -> BlockType {
    match shape {
        [_, row] if row.is_multiple_of(wanted.elements()) => wanted,
        [_, _] => BlockType::F16,
        _ => BlockType::F32,
    }
}

/// Tensors after they have been written in a format and read again.
pub(super) struct Rounded<'a> {
    pub tensors: &'a dyn Tensors,
    /// The format of a tensor of this shape.
    pub format: &'a (dyn Fn(&[usize]) -> BlockType + Sync),
}

impl Tensors for Rounded<'_> {
    fn config(&self) -> &ModelConfig {
        self.tensors.config()
    }

    fn tensor(&self, name: &str, shape: &[usize]) -> Result<Vec<f32>, ModelError> {
        let mut values = self.tensors.tensor(name, shape)?;
        let block = (self.format)(shape);
        let raw = encoded(block, &values)?;
        block.decode(&raw, &mut values);
        Ok(values)
    }
}

/// The bytes of a tensor.
pub(super) fn encoded(block: BlockType, values: &[f32]) -> Result<Vec<u8>, ModelError> {
    block.encode(values).ok_or_else(|| ModelError::Setting {
        setting: "type",
        problem: format!(
            "{block:?} is not written; written are {:?}",
            BlockType::WRITTEN
        ),
    })
}

#[cfg(test)]
mod tests {
    use super::stored_as;
    use crate::weights::gguf::BlockType;

    #[test]
    fn formats_by_shape() {
        assert_eq!(stored_as(BlockType::Q8_0, &[3, 64]), BlockType::Q8_0);
        assert_eq!(stored_as(BlockType::Q8_0, &[3, 48]), BlockType::F16);
        assert_eq!(stored_as(BlockType::Q8_0, &[64]), BlockType::F32);
        assert_eq!(stored_as(BlockType::F16, &[3, 5]), BlockType::F16);
    }
}
