//! A frozen linear layer `y = x · Wᵀ + b`, packed for the way it is used.

use std::sync::OnceLock;

use harness_kernel::{Init, Packed, Precision, matmul};

/// Weights that are never trained. The form for the backward pass is packed when it is first asked for, so
/// that prediction does not pay for it.
#[derive(Debug)]
pub struct Linear {
    forward: Packed,
    backward: OnceLock<Packed>,
    bias: Option<Vec<f32>>,
}

impl Linear {
    /// From a row-major `[outputs, inputs]` matrix and `outputs` biases.
    ///
    /// # Panics
    /// If `weight` or `bias` has another length.
    pub fn new(
        weight: &[f32],
        outputs: usize,
        inputs: usize,
        bias: Option<Vec<f32>>,
        precision: Precision,
    ) -> Self {
        assert!(bias.as_ref().is_none_or(|bias| bias.len() == outputs));
        Self {
            forward: Packed::rows(weight, outputs, inputs, precision),
            backward: OnceLock::new(),
            bias,
        }
    }

    /// From a packed matrix, and `outputs` biases.
    ///
    /// # Panics
    /// If `bias` has another length.
    pub(crate) fn packed_with(matrix: Packed, bias: Option<Vec<f32>>) -> Self {
        assert!(
            bias.as_ref()
                .is_none_or(|bias| bias.len() == matrix.outputs())
        );
        Self {
            forward: matrix,
            backward: OnceLock::new(),
            bias,
        }
    }

    /// Number of outputs.
    pub fn outputs(&self) -> usize {
        self.forward.outputs()
    }

    /// Number of inputs.
    pub fn inputs(&self) -> usize {
        self.forward.inputs()
    }

    /// Memory of the packed weights in bytes, both forms as far as they are there.
    pub fn bytes(&self) -> usize {
        self.forward.bytes() + self.backward.get().map_or(0, Packed::bytes)
    }

    /// The matrix as rows: row `i` feeds output `i`.
    pub(crate) fn packed(&self) -> &Packed {
        &self.forward
    }

    /// `out[m, outputs] = x[m, inputs] · Wᵀ + b`.
    pub(crate) fn apply(&self, x: &[f32], m: usize, out: &mut [f32]) {
        let init = match &self.bias {
            Some(bias) => {
                for row in out.chunks_exact_mut(bias.len()) {
                    row.copy_from_slice(bias);
                }
                Init::Keep
            }
            None => Init::Zero,
        };
        matmul(x, m, &self.forward, out, init);
    }

    /// `dx[m, inputs] = dy[m, outputs] · W`.
    pub(crate) fn apply_backward(&self, dy: &[f32], m: usize, dx: &mut [f32]) {
        let weights = self.backward.get_or_init(|| self.forward.transposed());
        matmul(dy, m, weights, dx, Init::Zero);
    }
}
