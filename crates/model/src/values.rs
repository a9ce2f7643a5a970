//! The values of a tensor in main memory as a slice.

use candle_core::{CpuStorage, Layout, Result, Storage, Tensor};

/// Calls `read` with the values of a contiguous `f32` tensor in main memory.
pub(crate) fn with_values<T>(tensor: &Tensor, read: impl FnOnce(&[f32]) -> T) -> Result<T> {
    let tensor = tensor.contiguous()?;
    let (storage, layout) = tensor.storage_and_layout();
    match &*storage {
        Storage::Cpu(storage) => Ok(read(values(storage, layout)?)),
        _ => candle_core::bail!("this operation has a CPU form only"),
    }
}

fn values<'a>(storage: &'a CpuStorage, layout: &Layout) -> Result<&'a [f32]> {
    let data = storage.as_slice::<f32>()?;
    match layout.contiguous_offsets() {
        Some((from, to)) => Ok(&data[from..to]),
        None => candle_core::bail!("operand with shape {:?} is not contiguous", layout.shape()),
    }
}
