//! Named f32 and f64 tensors as safetensors bytes and back, bit for bit. It knows no files.

use std::collections::{BTreeMap, HashMap};

use candle_core::{DType, Device, Tensor};
use safetensors::tensor::{Dtype, SafeTensors, TensorView};

/// Why named tensors could not be written or read.
#[derive(Debug, thiserror::Error)]
pub enum TensorsError {
    /// The bytes are not a safetensors file.
    #[error("not a safetensors file: {source}")]
    Format {
        /// What the reader found.
        #[from]
        source: safetensors::SafeTensorError,
    },
    /// A tensor is of a type that is not trained in.
    #[error("tensor {name} is {found}, expected F32 or F64")]
    Dtype {
        /// Name of the tensor.
        name: String,
        /// Its type.
        found: String,
    },
    /// A tensor that is needed is not there.
    #[error("tensor {name} is missing")]
    Missing {
        /// Name of the tensor.
        name: String,
    },
    /// A tensor that nothing needs is there.
    #[error("tensor {name} belongs to no trainable variable")]
    Unexpected {
        /// Name of the tensor.
        name: String,
    },
    /// A tensor is there in another shape or type.
    #[error("tensor {name} is {found}, expected {expected}")]
    Mismatch {
        /// Name of the tensor.
        name: String,
        /// Shape and type of the variable.
        expected: String,
        /// Shape and type in the file.
        found: String,
    },
    /// An entry of the header is missing or is not a number.
    #[error("the header has no number named {key}")]
    Header {
        /// Name of the entry.
        key: &'static str,
    },
    /// The device failed to give or take the values.
    #[error("tensor {name}: {source}")]
    Tensor {
        /// Name of the tensor.
        name: String,
        /// What the device said.
        source: Box<candle_core::Error>,
    },
}

/// Name under which a count is kept in the header. One entry only: the header's map has no order, and equal
/// states are to give equal bytes.
const COUNT: &str = "step";

/// Writes `tensors` and `count` as one safetensors file. Equal arguments give equal bytes.
pub(crate) fn encode(
    tensors: &BTreeMap<String, Tensor>,
    count: u64,
) -> Result<Vec<u8>, TensorsError> {
    let mut stored = Vec::with_capacity(tensors.len());
    for (name, tensor) in tensors {
        let (dtype, bytes) = little_endian(name, tensor)?;
        stored.push((name, dtype, tensor.dims().to_vec(), bytes));
    }
    let mut views = Vec::with_capacity(stored.len());
    for (name, dtype, shape, bytes) in &stored {
        views.push((
            name.as_str(),
            TensorView::new(*dtype, shape.clone(), bytes)?,
        ));
    }
    let header = HashMap::from([(COUNT.to_owned(), count.to_string())]);
    Ok(safetensors::serialize(views, Some(header))?)
}

/// Reads what [`encode`] wrote: exactly the tensors of `like`, each in its shape and dtype, on its device.
pub(crate) fn decode(
    bytes: &[u8],
    like: &BTreeMap<String, Tensor>,
) -> Result<(BTreeMap<String, Tensor>, u64), TensorsError> {
    let file = SafeTensors::deserialize(bytes)?;
    let (_, metadata) = SafeTensors::read_metadata(bytes)?;
    let count = metadata
        .metadata()
        .as_ref()
        .and_then(|header| header.get(COUNT)?.parse().ok())
        .ok_or(TensorsError::Header { key: COUNT })?;
    let mut unexpected: Vec<&str> = file
        .names()
        .into_iter()
        .filter(|name| !like.contains_key(*name))
        .collect();
    unexpected.sort_unstable();
    if let Some(name) = unexpected.first() {
        return Err(TensorsError::Unexpected {
            name: (*name).to_owned(),
        });
    }
    let mut tensors = BTreeMap::new();
    for (name, wanted) in like {
        let view = file
            .tensor(name)
            .map_err(|_| TensorsError::Missing { name: name.clone() })?;
        let found = format!("{:?} {:?}", view.shape(), view.dtype());
        let expected = format!("{:?} {:?}", wanted.dims(), wanted.dtype());
        if found != expected {
            return Err(TensorsError::Mismatch {
                name: name.clone(),
                expected,
                found,
            });
        }
        let tensor = from_little_endian(&view, wanted.dtype(), wanted.device());
        tensors.insert(name.clone(), tensor.map_err(of_tensor(name))?);
    }
    Ok((tensors, count))
}

fn little_endian(name: &str, tensor: &Tensor) -> Result<(Dtype, Vec<u8>), TensorsError> {
    let flat = tensor.flatten_all().map_err(of_tensor(name))?;
    match tensor.dtype() {
        DType::F32 => {
            let values = flat.to_vec1::<f32>().map_err(of_tensor(name))?;
            let bytes = values.into_iter().flat_map(f32::to_le_bytes).collect();
            Ok((Dtype::F32, bytes))
        }
        DType::F64 => {
            let values = flat.to_vec1::<f64>().map_err(of_tensor(name))?;
            let bytes = values.into_iter().flat_map(f64::to_le_bytes).collect();
            Ok((Dtype::F64, bytes))
        }
        other => Err(TensorsError::Dtype {
            name: name.to_owned(),
            found: format!("{other:?}"),
        }),
    }
}

fn from_little_endian(
    view: &TensorView<'_>,
    dtype: DType,
    device: &Device,
) -> candle_core::Result<Tensor> {
    Tensor::from_raw_buffer(view.data(), dtype, view.shape(), device)
}

fn of_tensor(name: &str) -> impl FnOnce(candle_core::Error) -> TensorsError {
    let name = name.to_owned();
    move |source| TensorsError::Tensor {
        name,
        source: Box::new(source),
    }
}
