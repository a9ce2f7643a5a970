//! How much memory the weights of a file will take.

use harness_kernel::{CodeForm, PANEL_OUTPUTS, Precision, Quant, STEP_INPUTS};

use super::{Base, Weights, codes};

impl Weights {
    /// Bytes of all weights once they are loaded, as `base` says: matrices in panels, vectors as `f32`. Values in `f32` that may all
    /// be bfloat16 count as they are stored.
    pub fn kept_bytes(&self, precision: Precision, base: Base) -> u64 {
        self.names()
            .into_iter()
            .map(|name| match self.shape(name) {
                Some(&[outputs, inputs]) => {
                    self.matrix_bytes(name, (outputs, inputs), precision, base)
                }
                Some(shape) => 4 * shape.iter().map(|n| *n as u64).product::<u64>(),
                None => 0,
            })
            .sum()
    }

    fn matrix_bytes(
        &self,
        name: &str,
        (outputs, inputs): (usize, usize),
        precision: Precision,
        base: Base,
    ) -> u64 {
        if base == Base::Codes
            && let Some(form) = self.code_form(name)
        {
            return Quant::bytes_of((outputs, inputs), form) as u64;
        }
        let narrow = precision == Precision::Bf16
            || self.stored(name).is_some_and(|(kind, _)| kind == "BF16");
        let outputs = outputs.next_multiple_of(PANEL_OUTPUTS) as u64;
        if narrow {
            outputs * inputs.next_multiple_of(STEP_INPUTS) as u64 * 2
        } else {
            outputs * inputs as u64 * 4
        }
    }

    /// How the codes of a matrix are meant, if it is in blocks that have some.
    fn code_form(&self, name: &str) -> Option<CodeForm> {
        match self {
            Self::Gguf(file) => codes::form(file.block(name).ok()?),
            Self::Safetensors(_) => None,
        }
    }
}
