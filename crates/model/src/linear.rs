//! A frozen linear layer `y = x · Wᵀ + b`, packed for the way it is used.

use std::sync::OnceLock;

use harness_kernel::{Init, Packed, matmul};

/// Weights that are never trained. The form for the backward pass is packed when it is first asked for, so
/// that prediction does not pay for it.
#[derive(Debug)]
pub struct Linear {
    forward: Packed,
    backward: OnceLock<Packed>,
    bias: Option<Vec<f32>>,
}

impl Linear {
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

    /// The matrix as columns, for the backward pass: from outputs to inputs.
    pub(crate) fn packed_backward(&self) -> &Packed {
        self.backward.get_or_init(|| self.forward.transposed())
    }

    /// The bias, where there is one.
    pub(crate) fn bias(&self) -> Option<&[f32]> {
        self.bias.as_deref()
    }

    /// Prepares `out`, `[m, outputs]`, for the product: the bias is put or added into each row, where there is one. Returns
    /// what the product is to begin with.
    pub(crate) fn bias_into(&self, out: &mut [f32], init: Init) -> Init {
        let Some(bias) = &self.bias else {
            return init;
        };
        for row in out.chunks_exact_mut(bias.len()) {
            if init == Init::Zero {
                row.copy_from_slice(bias);
            } else {
                for (value, bias) in row.iter_mut().zip(bias) {
                    *value += bias;
                }
            }
        }
        Init::Keep
    }

    /// `out[m, outputs] = x[m, inputs] · Wᵀ + b`.
    pub(crate) fn apply(&self, x: &[f32], m: usize, out: &mut [f32]) {
        let init = self.bias_into(out, Init::Zero);
        matmul(x, m, &self.forward, out, init);
    }
}
