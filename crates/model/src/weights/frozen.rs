//! How frozen weights are kept in memory while an adapter is trained on them.

use std::sync::Arc;

use harness_kernel::{Nf4, Packed, Precision, Stored};
use serde::{Deserialize, Serialize};

use super::gguf::{BlockType, GgufWeights};
use super::{Tensors, WeightError, Weights, check_finite, codes};
use crate::error::ModelError;

/// How the projections of the layers are kept. Embedding, head, norms and biases are numbers in every case.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Base {
    /// As numbers.
    #[default]
    Plain,
    /// In four bits, rounded when they are loaded (`QLoRA`, Dettmers et al. 2023): 4.5 bits a weight.
    Nf4,
    /// As the blocks of their GGUF file. Matrices that are numbers there are kept as numbers.
    Blocks,
    /// As the codes of their GGUF file, laid out for products: for prediction. Embedding and head are kept so too. Prompts are computed in
    /// bfloat16 where the processor has a tile unit for it; all else with activations in bytes.
    Codes,
}

impl Weights {
    /// The matrix `[outputs, inputs]` of this name, kept as `base` says.
    pub(crate) fn kept(
        &self,
        name: &str,
        (outputs, inputs): (usize, usize),
        precision: Precision,
        base: Base,
    ) -> Result<Packed, WeightError> {
        match (base, self) {
            (Base::Nf4, _) => {
                self.has_shape(name, &[outputs, inputs])?;
                let matrix = Nf4::read_rows(outputs, inputs, |row, out| {
                    self.rows(name, row, out)?;
                    check_finite(self.path(), name, out)
                })?;
                Ok(Packed::stored(Arc::new(matrix)))
            }
            (Base::Blocks, Self::Gguf(file)) => {
                self.has_shape(name, &[outputs, inputs])?;
                match Blocks::read(file, name, outputs, inputs)? {
                    Some(blocks) => Ok(Packed::stored(Arc::new(blocks))),
                    None => self.packed(name, outputs, inputs, precision),
                }
            }
            (Base::Codes, Self::Gguf(file)) => {
                self.has_shape(name, &[outputs, inputs])?;
                match codes::read(file, name, outputs, inputs)? {
                    Some(codes) => Ok(Packed::stored(Arc::new(codes))),
                    None => self.packed(name, outputs, inputs, precision),
                }
            }
            (Base::Blocks | Base::Codes, Self::Safetensors(_)) => Err(WeightError::NoBlocks {
                file: self.path().to_path_buf(),
            }),
            (Base::Plain, _) => self.packed(name, outputs, inputs, precision),
        }
    }
}

/// [`Tensors::frozen`] of tensors that are in memory.
pub(super) fn frozen(
    tensors: &(impl Tensors + ?Sized),
    name: &str,
    (outputs, inputs): (usize, usize),
    precision: Precision,
    base: Base,
) -> Result<Packed, ModelError> {
    if base != Base::Nf4 {
        return tensors.matrix(name, outputs, inputs, precision);
    }
    let values = tensors.tensor(name, &[outputs, inputs])?;
    let matrix = Nf4::read_rows(outputs, inputs, |row, out| {
        out.copy_from_slice(&values[row * inputs..][..inputs]);
        Ok::<_, ModelError>(())
    })?;
    Ok(Packed::stored(Arc::new(matrix)))
}

/// A matrix as the blocks of a GGUF file.
#[derive(Debug)]
struct Blocks {
    kind: BlockType,
    outputs: usize,
    inputs: usize,
    raw: Vec<u8>,
}

impl Blocks {
    /// Reads a matrix that is quantised, and nothing of one that is not.
    fn read(
        file: &GgufWeights,
        name: &str,
        outputs: usize,
        inputs: usize,
    ) -> Result<Option<Self>, WeightError> {
        let kind = file.block(name)?;
        if kind.elements() < 32 {
            return Ok(None);
        }
        let raw = file.raw(name)?;
        let blocks = Self {
            kind,
            outputs,
            inputs,
            raw,
        };
        let mut row = vec![0f32; inputs];
        for index in 0..outputs {
            blocks.read(index, 0, &mut row);
            check_finite(&file.header().file, name, &row)?;
        }
        Ok(Some(blocks))
    }
}

impl Stored for Blocks {
    fn outputs(&self) -> usize {
        self.outputs
    }

    fn inputs(&self) -> usize {
        self.inputs
    }

    fn bytes(&self) -> usize {
        self.raw.len()
    }

    fn block(&self) -> usize {
        self.kind.elements()
    }

    fn read(&self, row: usize, first: usize, out: &mut [f32]) {
        /// Values of the largest block.
        const LARGEST: usize = 256;
        let (elements, bytes) = (self.kind.elements(), self.kind.bytes());
        let row = &self.raw[row * (self.inputs / elements * bytes)..];
        let (mut at, mut done) = (first, 0);
        while done < out.len() {
            let (block, offset) = (at / elements, at % elements);
            let raw = &row[block * bytes..][..bytes];
            let count = (elements - offset).min(out.len() - done);
            let into = &mut out[done..done + count];
            if count == elements {
                self.kind.decode(raw, into);
            } else {
                let mut whole = [0f32; LARGEST];
                self.kind.decode(raw, &mut whole[..elements]);
                into.copy_from_slice(&whole[offset..offset + count]);
            }
            (at, done) = (at + count, done + count);
        }
    }
}
