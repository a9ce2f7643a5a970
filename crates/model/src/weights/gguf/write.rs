//! A GGUF file (version 3, little-endian), written tensor by tensor.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;

use super::{Array, BlockType, NumberType, Value};
use crate::error::ModelError;
use crate::weights::WeightError;

/// Where the data of a tensor begins is a multiple of this.
const ALIGNMENT: u64 = 32;

/// A tensor that is to be written.
#[derive(Debug, Clone)]
pub(crate) struct Entry {
    /// Its name in the file.
    pub name: String,
    /// Shape, outermost dimension first.
    pub shape: Vec<usize>,
    /// Block format, one of those that are written.
    pub block: BlockType,
}

impl Entry {
    fn bytes(&self) -> u64 {
        let elements: usize = self.shape.iter().product();
        (elements / self.block.elements() * self.block.bytes()) as u64
    }
}

/// Writes the file at `path` and has it on the disk when it returns. `data` gives the bytes of a tensor by its place.
///
/// # Errors
/// If the file can't be written, or a tensor can't be made or has another size than it was announced with.
pub(crate) fn write(
    path: &Path,
    metadata: &[(String, Value)],
    tensors: &[Entry],
    data: &mut dyn FnMut(usize) -> Result<Vec<u8>, ModelError>,
) -> Result<(), ModelError> {
    let io = |source| WeightError::Io {
        file: path.to_owned(),
        source,
    };
    let mut out = BufWriter::new(File::create(path).map_err(io)?);
    let head = head(metadata, tensors).ok_or_else(|| ModelError::Setting {
        setting: "type",
        problem: format!("GGUF files are written with {:?}", BlockType::WRITTEN),
    })?;
    out.write_all(&head).map_err(io)?;
    for (place, tensor) in tensors.iter().enumerate() {
        let bytes = data(place)?;
        if bytes.len() as u64 != tensor.bytes() {
            return Err(WeightError::Malformed {
                file: path.to_owned(),
                format: "GGUF",
                what: format!(
                    "tensor {} was announced with {} bytes and has {}",
                    tensor.name,
                    tensor.bytes(),
                    bytes.len()
                ),
            }
            .into());
        }
        out.write_all(&bytes).map_err(io)?;
        let padding = bytes.len().next_multiple_of(ALIGNMENT as usize) - bytes.len();
        out.write_all(&vec![0; padding]).map_err(io)?;
    }
    let file = out.into_inner().map_err(|e| io(e.into_error()))?;
    file.sync_all().map_err(io)?;
    Ok(())
}

/// All before the data; `None` if a type is not written.
fn head(metadata: &[(String, Value)], tensors: &[Entry]) -> Option<Vec<u8>> {
    let mut out = b"GGUF".to_vec();
    out.extend(3_u32.to_le_bytes());
    out.extend((tensors.len() as u64).to_le_bytes());
    out.extend((metadata.len() as u64).to_le_bytes());
    for (key, value) in metadata {
        text(&mut out, key);
        write_value(&mut out, value);
    }
    let mut start: u64 = 0;
    for tensor in tensors {
        text(&mut out, &tensor.name);
        out.extend((tensor.shape.len() as u32).to_le_bytes());
        for dimension in tensor.shape.iter().rev() {
            out.extend((*dimension as u64).to_le_bytes());
        }
        out.extend(tensor.block.code()?.to_le_bytes());
        out.extend(start.to_le_bytes());
        start += tensor.bytes().next_multiple_of(ALIGNMENT);
    }
    out.resize(out.len().next_multiple_of(ALIGNMENT as usize), 0);
    Some(out)
}

fn text(out: &mut Vec<u8>, text: &str) {
    out.extend((text.len() as u64).to_le_bytes());
    out.extend(text.as_bytes());
}

/// Type number and value. Whole numbers are written in 32 bits where they fit, which readers expect of counts and ids.
fn write_value(out: &mut Vec<u8>, value: &Value) {
    let kind = |out: &mut Vec<u8>, code: u32| out.extend(code.to_le_bytes());
    match value {
        Value::Unsigned(v) => {
            if let Ok(v) = u32::try_from(*v) {
                kind(out, 4);
                out.extend(v.to_le_bytes());
            } else {
                kind(out, 10);
                out.extend(v.to_le_bytes());
            }
        }
        Value::Signed(v) => {
            if let Ok(v) = i32::try_from(*v) {
                kind(out, 5);
                out.extend(v.to_le_bytes());
            } else {
                kind(out, 11);
                out.extend(v.to_le_bytes());
            }
        }
        Value::F32(v) => {
            kind(out, 6);
            out.extend(v.to_le_bytes());
        }
        Value::F64(v) => {
            kind(out, 12);
            out.extend(v.to_le_bytes());
        }
        Value::Bool(v) => {
            kind(out, 7);
            out.push(u8::from(*v));
        }
        Value::Text(v) => {
            kind(out, 8);
            text(out, v);
        }
        Value::Array(array) => {
            kind(out, 9);
            write_array(out, array);
        }
    }
}

fn write_array(out: &mut Vec<u8>, array: &Array) {
    match array {
        Array::Texts { .. } => {
            out.extend(8_u32.to_le_bytes());
            out.extend((array.len() as u64).to_le_bytes());
            for own in array.texts().unwrap_or_default() {
                text(out, own);
            }
        }
        Array::Numbers { number, bytes } => {
            let code: u32 = match number {
                NumberType::U8 => 0,
                NumberType::I8 => 1,
                NumberType::U16 => 2,
                NumberType::I16 => 3,
                NumberType::U32 => 4,
                NumberType::I32 => 5,
                NumberType::F32 => 6,
                NumberType::U64 => 10,
                NumberType::I64 => 11,
                NumberType::F64 => 12,
            };
            out.extend(code.to_le_bytes());
            out.extend((array.len() as u64).to_le_bytes());
            out.extend(bytes);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Array, BlockType, Entry, NumberType, Value, write};
    use crate::weights::gguf::Header;

    #[test]
    fn what_is_written_is_read() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.gguf");
        let numbers = |number, bytes: &[u8]| {
            Value::Array(Array::Numbers {
                number,
                bytes: bytes.to_vec(),
            })
        };
        let metadata: Vec<(String, Value)> = [
            ("a", Value::Unsigned(7)),
            ("b", Value::Unsigned(1 << 40)),
            ("c", Value::Signed(-3)),
            ("d", Value::Signed(-(1 << 40))),
            ("e", Value::F32(0.1)),
            ("f", Value::F64(0.1)),
            ("g", Value::Bool(true)),
            ("h", Value::Text("größer".into())),
            ("i", Value::Array(Array::from_texts(["x", "", "yz"]))),
            (
                "j",
                numbers(NumberType::I32, &[1, 0, 0, 0, 255, 255, 255, 255]),
            ),
            ("k", numbers(NumberType::F32, &1.5_f32.to_le_bytes())),
        ]
        .into_iter()
        .map(|(key, value)| (key.to_owned(), value))
        .collect();
        let entry = |name: &str, shape: &[usize], block| Entry {
            name: name.into(),
            shape: shape.to_vec(),
            block,
        };
        let tensors = [
            entry("one", &[3, 5], BlockType::F16),
            entry("two", &[2, 32], BlockType::Q8_0),
        ];
        let data = [vec![1_u8; 30], vec![2; 68]];
        write(&path, &metadata, &tensors, &mut |place| {
            Ok(data[place].clone())
        })
        .unwrap();
        let header = Header::open(&path).unwrap();
        for (key, value) in &metadata {
            assert_eq!(&header.metadata[key], value, "{key}");
        }
        let file = std::fs::read(&path).unwrap();
        for (tensor, data) in tensors.iter().zip(&data) {
            let found = &header.tensors[&tensor.name];
            assert_eq!((&found.shape, found.block), (&tensor.shape, tensor.block));
            let start = found.start as usize;
            assert_eq!(&file[start..start + data.len()], data);
            assert!(start.is_multiple_of(32));
        }
        let short = write(&path, &metadata, &tensors, &mut |_| Ok(vec![0; 30])).unwrap_err();
        assert!(short.to_string().contains("two"), "{short}");
    }
}
