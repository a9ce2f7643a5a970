//! A frozen linear layer `y = x · Wᵀ + b`, packed for the way it is used.

use std::sync::OnceLock;

use harness_kernel::{Packed, Start};

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

    /// What a product with this layer's matrix is to begin with, so that `out`, `[m, outputs]`, gets the bias too, where there
    /// is one.
    pub(crate) fn start<'a>(&'a self, start: Start<'a>, out: &mut [f32]) -> Start<'a> {
        match (start, self.bias()) {
            (start, None) => start,
            (Start::Zero, Some(bias)) => Start::Row(bias),
            (start, Some(bias)) => {
                if let Start::Matrix(from) = start {
                    out.copy_from_slice(from);
                }
                for row in out.chunks_exact_mut(bias.len()) {
                    for (value, bias) in row.iter_mut().zip(bias) {
                        *value += bias;
                    }
                }
                Start::Out
            }
        }
    }
}
