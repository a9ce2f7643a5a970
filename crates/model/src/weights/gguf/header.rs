//! The header of a GGUF file (versions 2 and 3, little-endian).
//!
//! Nothing is allocated on the word of the header alone: every announced length is
//! first compared with the bytes the file still has.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufReader, Read};
use std::path::{Path, PathBuf};

use super::blocks::BlockType;
use super::value::{Array, NumberType, Value};
use crate::weights::WeightError;

/// Upper bound on the number of metadata keys and of tensors; real files have some dozens and some hundreds.
const MAX_ENTRIES: u64 = 65_536;
/// The format allows at most four dimensions.
const MAX_DIMENSIONS: u32 = 4;
/// Data alignment when `general.alignment` is absent.
const DEFAULT_ALIGNMENT: u64 = 32;

/// One tensor as the header announces it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TensorInfo {
    /// Shape, outermost dimension first (the file stores the reverse).
    pub shape: Vec<usize>,
    /// Block format.
    pub block: BlockType,
    /// First byte in the file.
    pub start: u64,
    /// Length in bytes.
    pub bytes: u64,
}

/// The header of a GGUF file; every tensor in it lies inside the file.
#[derive(Debug, Clone)]
pub struct Header {
    /// The file, for error messages.
    pub file: PathBuf,
    /// Metadata by key.
    pub metadata: BTreeMap<String, Value>,
    /// Tensors by their name in the file.
    pub tensors: BTreeMap<String, TensorInfo>,
}

impl Header {
    /// Reads the header of the file at `path`.
    pub fn open(path: &Path) -> Result<Self, WeightError> {
        let io = |source| WeightError::Io {
            file: path.to_owned(),
            source,
        };
        let file = File::open(path).map_err(io)?;
        let total = file.metadata().map_err(io)?.len();
        Self::read(BufReader::with_capacity(1 << 18, file), total, path)
    }

    /// Reads a header from `reader`, which begins a file of `total` bytes; `file` names it in errors.
    pub fn read(reader: impl Read, total: u64, file: &Path) -> Result<Self, WeightError> {
        let mut r = Bounded {
            reader,
            position: 0,
            total,
            file,
        };
        let magic: [u8; 4] = r.array("the magic bytes")?;
        if &magic != b"GGUF" {
            return Err(r.malformed(format!("expected the magic bytes GGUF, found {magic:02x?}")));
        }
        let version = r.u32("the version")?;
        if !(2..=3).contains(&version) {
            return Err(r.malformed(format!(
                "version {version}; versions 2 and 3, little-endian, are supported"
            )));
        }
        let tensor_count = r.count("tensors")?;
        let key_count = r.count("metadata keys")?;

        let mut metadata = BTreeMap::new();
        for _ in 0..key_count {
            let key = r.text("a metadata key")?;
            let value = r.value(&key)?;
            if metadata.insert(key.clone(), value).is_some() {
                return Err(r.malformed(format!("metadata key {key} occurs twice")));
            }
        }
        let mut infos = Vec::new();
        for _ in 0..tensor_count {
            infos.push(r.tensor_info()?);
        }

        let alignment = match metadata.get("general.alignment") {
            None => DEFAULT_ALIGNMENT,
            Some(v) => v
                .as_u64()
                .filter(|a| a.is_power_of_two() && (8..=1 << 20).contains(a))
                .ok_or_else(|| {
                    r.malformed(format!(
                        "general.alignment is {v:?}, expected a power of two"
                    ))
                })?,
        };
        let data_start = r.position.next_multiple_of(alignment);
        let mut tensors = BTreeMap::new();
        for (name, mut info) in infos {
            let end = data_start
                .checked_add(info.start)
                .and_then(|start| {
                    info.start = start;
                    start.checked_add(info.bytes)
                })
                .unwrap_or(u64::MAX);
            if end > total {
                return Err(WeightError::Truncated {
                    file: file.to_owned(),
                    what: format!("tensor {name}"),
                    expected: end,
                    found: total,
                });
            }
            if !info.start.is_multiple_of(alignment) {
                return Err(r.malformed(format!(
                    "tensor {name} begins at byte {}, expected a multiple of {alignment}",
                    info.start
                )));
            }
            if tensors.insert(name.clone(), info).is_some() {
                return Err(WeightError::Twice {
                    file: file.to_owned(),
                    tensor: name,
                    other: None,
                });
            }
        }
        no_overlap(&tensors, file)?;
        Ok(Self {
            file: file.to_owned(),
            metadata,
            tensors,
        })
    }

    /// The text of a metadata key, if present and a text.
    pub fn text(&self, key: &str) -> Option<&str> {
        self.metadata.get(key).and_then(Value::as_text)
    }
}

/// Fails if two tensors share bytes.
fn no_overlap(tensors: &BTreeMap<String, TensorInfo>, file: &Path) -> Result<(), WeightError> {
    let mut places: Vec<(&String, &TensorInfo)> = tensors.iter().collect();
    places.sort_by_key(|(_, info)| (info.start, info.bytes));
    for pair in places.windows(2) {
        let [(other, first), (tensor, second)] = pair else {
            continue;
        };
        let end = first.start + first.bytes;
        if second.start < end {
            return Err(WeightError::Overlap {
                file: file.to_owned(),
                tensor: (*tensor).clone(),
                other: (*other).clone(),
                expected: end,
                found: second.start,
            });
        }
    }
    Ok(())
}

/// A reader that knows how many bytes are left.
struct Bounded<'a, R> {
    reader: R,
    position: u64,
    total: u64,
    file: &'a Path,
}

impl<R: Read> Bounded<'_, R> {
    fn malformed(&self, what: String) -> WeightError {
        WeightError::Malformed {
            file: self.file.to_owned(),
            format: "GGUF",
            what,
        }
    }

    /// Fails unless `bytes` more bytes exist.
    fn require(&self, bytes: u64, what: &str) -> Result<(), WeightError> {
        let expected = self.position.saturating_add(bytes);
        if expected > self.total {
            return Err(WeightError::Truncated {
                file: self.file.to_owned(),
                what: format!("the header ({what})"),
                expected,
                found: self.total,
            });
        }
        Ok(())
    }

    fn fill(&mut self, buffer: &mut [u8], what: &str) -> Result<(), WeightError> {
        self.require(buffer.len() as u64, what)?;
        self.reader
            .read_exact(buffer)
            .map_err(|source| WeightError::Io {
                file: self.file.to_owned(),
                source,
            })?;
        self.position += buffer.len() as u64;
        Ok(())
    }

    fn array<const N: usize>(&mut self, what: &str) -> Result<[u8; N], WeightError> {
        let mut buffer = [0; N];
        self.fill(&mut buffer, what)?;
        Ok(buffer)
    }

    fn bytes(&mut self, n: u64, what: &str) -> Result<Vec<u8>, WeightError> {
        self.require(n, what)?;
        let mut buffer = vec![0; n as usize];
        self.fill(&mut buffer, what)?;
        Ok(buffer)
    }

    fn u32(&mut self, what: &str) -> Result<u32, WeightError> {
        Ok(u32::from_le_bytes(self.array(what)?))
    }

    fn u64(&mut self, what: &str) -> Result<u64, WeightError> {
        Ok(u64::from_le_bytes(self.array(what)?))
    }

    fn count(&mut self, what: &str) -> Result<u64, WeightError> {
        let n = self.u64(what)?;
        if n > MAX_ENTRIES {
            return Err(self.malformed(format!("{n} {what}; at most {MAX_ENTRIES} are read")));
        }
        Ok(n)
    }

    /// Texts should be UTF-8; some files hold descriptions that are not, which must not make the weights unreadable.
    fn text(&mut self, what: &str) -> Result<String, WeightError> {
        let n = self.u64(what)?;
        let bytes = self.bytes(n, what)?;
        Ok(String::from_utf8(bytes)
            .unwrap_or_else(|e| String::from_utf8_lossy(e.as_bytes()).into_owned()))
    }

    fn value(&mut self, key: &str) -> Result<Value, WeightError> {
        let code = self.u32(key)?;
        Ok(match code {
            0 => Value::Unsigned(u64::from(self.array::<1>(key)?[0])),
            1 => Value::Signed(i64::from(self.array::<1>(key)?[0].cast_signed())),
            2 => Value::Unsigned(u64::from(u16::from_le_bytes(self.array(key)?))),
            3 => Value::Signed(i64::from(i16::from_le_bytes(self.array(key)?))),
            4 => Value::Unsigned(u64::from(self.u32(key)?)),
            5 => Value::Signed(i64::from(i32::from_le_bytes(self.array(key)?))),
            6 => Value::F32(f32::from_le_bytes(self.array(key)?)),
            7 => match self.array::<1>(key)?[0] {
                0 => Value::Bool(false),
                1 => Value::Bool(true),
                other => {
                    return Err(self.malformed(format!("{key}: {other} is not a truth value")));
                }
            },
            8 => Value::Text(self.text(key)?),
            9 => Value::Array(self.array_value(key)?),
            10 => Value::Unsigned(self.u64(key)?),
            11 => Value::Signed(i64::from_le_bytes(self.array(key)?)),
            12 => Value::F64(f64::from_le_bytes(self.array(key)?)),
            other => return Err(self.malformed(format!("{key}: unknown value type {other}"))),
        })
    }

    fn array_value(&mut self, key: &str) -> Result<Array, WeightError> {
        let code = self.u32(key)?;
        let len = self.u64(key)?;
        if code == 8 {
            // Each text takes at least the 8 bytes of its length.
            self.require(len.saturating_mul(8), key)?;
            let mut joined = String::new();
            let mut ends = Vec::with_capacity(len as usize);
            for _ in 0..len {
                joined.push_str(&self.text(key)?);
                ends.push(joined.len());
            }
            return Ok(Array::Texts { joined, ends });
        }
        let number = match code {
            0 | 7 => NumberType::U8,
            1 => NumberType::I8,
            2 => NumberType::U16,
            3 => NumberType::I16,
            4 => NumberType::U32,
            5 => NumberType::I32,
            6 => NumberType::F32,
            10 => NumberType::U64,
            11 => NumberType::I64,
            12 => NumberType::F64,
            9 => return Err(self.malformed(format!("{key}: arrays of arrays are not read"))),
            other => return Err(self.malformed(format!("{key}: unknown element type {other}"))),
        };
        let bytes = self.bytes(len.saturating_mul(number.bytes() as u64), key)?;
        Ok(Array::Numbers { number, bytes })
    }

    /// One tensor entry; `start` is still relative to the data section.
    fn tensor_info(&mut self) -> Result<(String, TensorInfo), WeightError> {
        let name = self.text("a tensor name")?;
        let dimensions = self.u32(&name)?;
        if !(1..=MAX_DIMENSIONS).contains(&dimensions) {
            return Err(self.malformed(format!(
                "tensor {name} has {dimensions} dimensions, expected 1 to {MAX_DIMENSIONS}"
            )));
        }
        let mut shape = Vec::new();
        for _ in 0..dimensions {
            let n = self.u64(&name)?;
            shape
                .push(usize::try_from(n).map_err(|_| {
                    self.malformed(format!("tensor {name} has a dimension of {n}"))
                })?);
        }
        let row = shape[0];
        shape.reverse();
        let code = self.u32(&name)?;
        let start = self.u64(&name)?;
        let block = BlockType::from_code(code).ok_or_else(|| WeightError::UnsupportedType {
            file: self.file.to_owned(),
            tensor: name.clone(),
            found: format!("number {code}"),
            supported: BlockType::SUPPORTED,
        })?;
        if row % block.elements() != 0 {
            return Err(self.malformed(format!(
                "tensor {name}: rows of {row} values do not divide into {block:?} blocks of {}",
                block.elements()
            )));
        }
        let bytes = shape
            .iter()
            .try_fold(1usize, |n, &d| n.checked_mul(d))
            .and_then(|n| (n / block.elements()).checked_mul(block.bytes()))
            .ok_or_else(|| self.malformed(format!("tensor {name}: shape {shape:?} overflows")))?;
        let info = TensorInfo {
            shape,
            block,
            start,
            bytes: bytes as u64,
        };
        Ok((name, info))
    }
}
