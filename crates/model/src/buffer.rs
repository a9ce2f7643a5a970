//! Buffers that are used again.

/// Makes `buffer` `len` long. What it holds then is left over.
pub(crate) fn fit(buffer: &mut Vec<f32>, len: usize) -> &mut [f32] {
    buffer.resize(len, 0.0);
    buffer
}
