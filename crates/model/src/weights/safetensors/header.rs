//! The header of a safetensors file: a JSON object of tensors, each with number format, shape and place.
//!
//! It is read here rather than by the library's own reader, which says of a fault neither the tensor nor the figures,
//! and lets the last of two tensors of one name win.

use std::fmt;
use std::io::Read;
use std::path::Path;

use safetensors::Dtype;
use serde::Deserialize;
use serde::de::{Deserializer, IgnoredAny, MapAccess, Visitor};

use crate::weights::WeightError;

/// The length of the header, in bytes, stands in the first eight bytes.
const LENGTH_BYTES: u64 = 8;
/// The bound of the reference implementation.
const MAX_HEADER_BYTES: u64 = 100_000_000;
/// The key of what is no tensor.
const METADATA: &str = "__metadata__";

/// A tensor as the header announces it; it lies inside the file and shares no byte with another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SafetensorsEntry {
    /// Its name.
    pub name: String,
    /// Its number format.
    pub dtype: Dtype,
    /// Shape, outermost dimension first.
    pub shape: Vec<usize>,
    /// First byte in the file.
    pub start: u64,
    /// Length in bytes.
    pub bytes: u64,
}

/// Reads the header of a file of `total` bytes; its tensors in the order of their places. The data of all tensors
/// fill the rest of the file exactly. `path` names the file in errors.
///
/// # Errors
/// If the file ends too early or too late, the header is not one, or a tensor has not its size or its own place.
pub fn read_safetensors_header(
    mut reader: impl Read,
    total: u64,
    path: &Path,
) -> Result<Vec<SafetensorsEntry>, WeightError> {
    let malformed = |what: String| WeightError::Malformed {
        file: path.to_owned(),
        format: "safetensors",
        what,
    };
    let truncated = |what: &str, expected: u64| WeightError::Truncated {
        file: path.to_owned(),
        what: what.to_owned(),
        expected,
        found: total,
    };
    let io = |source| WeightError::Io {
        file: path.to_owned(),
        source,
    };
    if total < LENGTH_BYTES {
        return Err(truncated("the length of the header", LENGTH_BYTES));
    }
    let mut length = [0; LENGTH_BYTES as usize];
    reader.read_exact(&mut length).map_err(io)?;
    let length = u64::from_le_bytes(length);
    if length > MAX_HEADER_BYTES {
        return Err(malformed(format!(
            "a header of {length} bytes, at most {MAX_HEADER_BYTES} are read"
        )));
    }
    let start = LENGTH_BYTES + length;
    if start > total {
        return Err(truncated("the header", start));
    }
    let mut header = vec![0; length as usize];
    reader.read_exact(&mut header).map_err(io)?;
    let Header(mut infos) =
        serde_json::from_slice(&header).map_err(|e| malformed(e.to_string()))?;

    infos.sort_by(|a, b| a.0.cmp(&b.0));
    if let Some(pair) = infos.windows(2).find(|pair| pair[0].0 == pair[1].0) {
        return Err(WeightError::Twice {
            file: path.to_owned(),
            tensor: pair[0].0.clone(),
            other: None,
        });
    }
    infos.sort_by_key(|(_, info)| info.data_offsets);
    let mut entries: Vec<SafetensorsEntry> = Vec::with_capacity(infos.len());
    let mut end = start;
    for (name, info) in infos {
        let (from, to) = info.data_offsets;
        let size = size(&info).ok_or_else(|| {
            malformed(format!(
                "tensor {name}: {:?} of shape {:?} has no size in bytes",
                info.dtype, info.shape
            ))
        })?;
        if to.checked_sub(from) != Some(size) {
            return Err(WeightError::WrongSize {
                file: path.to_owned(),
                tensor: name,
                dtype: info.dtype.to_string(),
                shape: info.shape,
                expected: size,
                found: to.saturating_sub(from),
            });
        }
        let (from, to) = (start.saturating_add(from), start.saturating_add(to));
        if from < end {
            return Err(WeightError::Overlap {
                file: path.to_owned(),
                tensor: name,
                other: entries.last().map(|it| it.name.clone()).unwrap_or_default(),
                expected: end,
                found: from,
            });
        }
        if to > total {
            return Err(truncated(&format!("tensor {name}"), to));
        }
        if from > end {
            return Err(malformed(format!(
                "tensor {name} begins at byte {from}, expected {end}, where the data before it end"
            )));
        }
        end = to;
        entries.push(SafetensorsEntry {
            name,
            dtype: info.dtype,
            shape: info.shape,
            start: from,
            bytes: size,
        });
    }
    if end < total {
        return Err(malformed(format!(
            "the tensors end at byte {end}, the file at {total}"
        )));
    }
    Ok(entries)
}

/// What the header says of a tensor.
#[derive(Deserialize)]
struct Info {
    dtype: Dtype,
    shape: Vec<usize>,
    /// From the end of the header.
    data_offsets: (u64, u64),
}

/// Bytes of a tensor of this format and shape.
fn size(info: &Info) -> Option<u64> {
    let elements = info
        .shape
        .iter()
        .try_fold(1usize, |n, d| n.checked_mul(*d))?;
    let bits = elements.checked_mul(info.dtype.bitsize())?;
    bits.is_multiple_of(8).then_some(bits as u64 / 8)
}

/// All tensors of the object, also those of one name.
struct Header(Vec<(String, Info)>);

impl<'de> Deserialize<'de> for Header {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Entries;
        impl<'de> Visitor<'de> for Entries {
            type Value = Header;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object of tensors")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Header, A::Error> {
                let mut infos = Vec::new();
                while let Some(name) = map.next_key::<String>()? {
                    if name == METADATA {
                        map.next_value::<IgnoredAny>()?;
                    } else {
                        let info = map.next_value()?;
                        infos.push((name, info));
                    }
                }
                Ok(Header(infos))
            }
        }
        deserializer.deserialize_map(Entries)
    }
}
