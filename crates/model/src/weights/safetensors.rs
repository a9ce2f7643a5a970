//! Safetensors files, one or a set of shards with an index.
//!
//! Only the header is kept; a tensor is read by seeking to it, so no file has to fit in memory.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use half::{bf16, f16};
use rayon::prelude::*;
use safetensors::Dtype;
use safetensors::tensor::Metadata;
use serde::Deserialize;

use super::WeightError;
use crate::config::ModelConfig;

/// The length of the header, in bytes, stands in the first eight bytes.
const LENGTH_BYTES: u64 = 8;
/// The bound of the reference implementation.
const MAX_HEADER_BYTES: u64 = 100_000_000;

/// A tensor's place in a file.
#[derive(Debug, Clone)]
struct Place {
    file: usize,
    dtype: Dtype,
    shape: Vec<usize>,
    start: u64,
    bytes: usize,
}

/// Safetensors with their configuration.
#[derive(Debug, Clone)]
pub struct SafetensorsWeights {
    path: PathBuf,
    config: ModelConfig,
    config_file: PathBuf,
    tensors: Tensors,
}

impl SafetensorsWeights {
    /// Opens one file; `config.json` lies in the same folder.
    pub fn open_file(path: &Path) -> Result<Self, WeightError> {
        let folder = path.parent().unwrap_or(Path::new("."));
        Self::with_config(path, folder, Tensors::open(&[path.to_owned()])?)
    }

    /// Opens a folder as the hub lays it out: `model.safetensors`, or an index with its shards.
    pub fn open_folder(folder: &Path) -> Result<Self, WeightError> {
        let single = folder.join("model.safetensors");
        let index = folder.join("model.safetensors.index.json");
        let tensors = if single.is_file() {
            Tensors::open(&[single])?
        } else if index.is_file() {
            Tensors::open_index(folder, &index)?
        } else {
            return Err(WeightError::NotWeights {
                file: folder.to_owned(),
            });
        };
        Self::with_config(folder, folder, tensors)
    }

    fn with_config(path: &Path, folder: &Path, mut tensors: Tensors) -> Result<Self, WeightError> {
        let config = ModelConfig::from_folder(folder)?;
        if config.tied {
            // A tied checkpoint may carry the head a second time; there is one matrix only.
            tensors.places.remove("lm_head.weight");
        }
        Ok(Self {
            path: path.to_owned(),
            config,
            config_file: folder.join("config.json"),
            tensors,
        })
    }

    /// The configuration.
    pub fn config(&self) -> &ModelConfig {
        &self.config
    }

    /// The file or folder the weights were opened from.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Names of the tensors, sorted.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.tensors.names()
    }

    /// Shape of a tensor, outermost dimension first, or nothing if there is no such tensor.
    pub fn shape(&self, name: &str) -> Option<&[usize]> {
        self.tensors.shape(name)
    }

    pub(super) fn files(&self) -> impl Iterator<Item = &Path> {
        self.tensors.files.iter().map(PathBuf::as_path)
    }

    pub(super) fn config_file(&self) -> &Path {
        &self.config_file
    }

    pub(super) fn values(&self, name: &str) -> Result<Vec<f32>, WeightError> {
        self.tensors.values(name)
    }
}

/// The tensors of one or several files, without a configuration.
#[derive(Debug, Clone, Default)]
pub(crate) struct Tensors {
    files: Vec<PathBuf>,
    places: BTreeMap<String, Place>,
}

/// The part of `model.safetensors.index.json` that matters here.
#[derive(Deserialize)]
struct Index {
    weight_map: BTreeMap<String, String>,
}

impl Tensors {
    /// Reads the headers of all files.
    pub(crate) fn open(files: &[PathBuf]) -> Result<Self, WeightError> {
        let mut tensors = Self::default();
        for file in files {
            tensors.add(file)?;
        }
        Ok(tensors)
    }

    fn open_index(folder: &Path, index: &Path) -> Result<Self, WeightError> {
        let malformed = |what: String| WeightError::Malformed {
            file: index.to_owned(),
            format: "safetensors index",
            what,
        };
        let text = std::fs::read(index).map_err(|source| WeightError::Io {
            file: index.to_owned(),
            source,
        })?;
        let map: Index = serde_json::from_slice(&text).map_err(|e| malformed(e.to_string()))?;
        let shards: BTreeSet<&str> = map.weight_map.values().map(String::as_str).collect();
        if let Some(bad) = shards.iter().find(|s| !is_plain_file_name(s)) {
            return Err(malformed(format!("shard {bad:?} is not a plain file name")));
        }
        let files: Vec<PathBuf> = shards.into_iter().map(|s| folder.join(s)).collect();
        let tensors = Self::open(&files)?;
        match map
            .weight_map
            .keys()
            .find(|t| !tensors.places.contains_key(*t))
        {
            Some(tensor) => Err(WeightError::MissingTensor {
                file: folder.to_owned(),
                tensor: tensor.clone(),
            }),
            None => Ok(tensors),
        }
    }

    fn add(&mut self, path: &Path) -> Result<(), WeightError> {
        let io = |source| WeightError::Io {
            file: path.to_owned(),
            source,
        };
        let file = File::open(path).map_err(io)?;
        let total = file.metadata().map_err(io)?.len();
        let (start, metadata) = read_header(file, total, path)?;
        let number = self.files.len();
        self.files.push(path.to_owned());
        for (name, info) in metadata.tensors() {
            let (from, to) = info.data_offsets;
            let place = Place {
                file: number,
                dtype: info.dtype,
                shape: info.shape.clone(),
                start: start + from as u64,
                bytes: to - from,
            };
            if self.places.insert(name.clone(), place).is_some() {
                return Err(WeightError::Malformed {
                    file: path.to_owned(),
                    format: "safetensors",
                    what: format!("tensor {name} stands in another shard as well"),
                });
            }
        }
        Ok(())
    }

    /// Names of the tensors, sorted.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.places.keys().map(String::as_str)
    }

    /// Shape of a tensor.
    pub(crate) fn shape(&self, name: &str) -> Option<&[usize]> {
        Some(&self.places.get(name)?.shape)
    }

    /// Values of a tensor as `f32`, row-major.
    pub(crate) fn values(&self, name: &str) -> Result<Vec<f32>, WeightError> {
        let Some((place, file)) = self
            .places
            .get(name)
            .and_then(|p| Some((p, self.files.get(p.file)?)))
        else {
            return Err(WeightError::MissingTensor {
                file: self.files.first().cloned().unwrap_or_default(),
                tensor: name.to_owned(),
            });
        };
        let decode: fn(&[u8]) -> f32 = match place.dtype {
            Dtype::F32 => |b| f32::from_le_bytes([b[0], b[1], b[2], b[3]]),
            Dtype::F16 => |b| f16::from_le_bytes([b[0], b[1]]).to_f32(),
            Dtype::BF16 => |b| bf16::from_le_bytes([b[0], b[1]]).to_f32(),
            other => {
                return Err(WeightError::UnsupportedType {
                    file: file.clone(),
                    tensor: name.to_owned(),
                    found: format!("{other:?}"),
                    supported: "F32, F16, BF16",
                });
            }
        };
        let width = if place.dtype == Dtype::F32 { 4 } else { 2 };
        let mut raw = vec![0; place.bytes];
        let mut read = || {
            let mut f = File::open(file)?;
            f.seek(SeekFrom::Start(place.start))?;
            f.read_exact(&mut raw)
        };
        read().map_err(|source| WeightError::Io {
            file: file.clone(),
            source,
        })?;
        let mut out = vec![0.0; raw.len() / width];
        out.par_chunks_mut(1 << 16)
            .zip(raw.par_chunks(width << 16))
            .for_each(|(out, raw)| {
                for (y, b) in out.iter_mut().zip(raw.chunks_exact(width)) {
                    *y = decode(b);
                }
            });
        Ok(out)
    }
}

/// Reads the header of a file of `total` bytes; returns where the data begin.
/// The data of all tensors fill the rest of the file exactly.
pub(crate) fn read_header(
    mut reader: impl Read,
    total: u64,
    path: &Path,
) -> Result<(u64, Metadata), WeightError> {
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
    let metadata: Metadata =
        serde_json::from_slice(&header).map_err(|e| malformed(e.to_string()))?;
    let end = start.saturating_add(metadata.data_len() as u64);
    match end.cmp(&total) {
        std::cmp::Ordering::Equal => Ok((start, metadata)),
        std::cmp::Ordering::Greater => Err(truncated("the data", end)),
        std::cmp::Ordering::Less => Err(malformed(format!(
            "the tensors end at byte {end}, the file at {total}"
        ))),
    }
}

/// Whether a name stays in the folder it is joined to.
fn is_plain_file_name(name: &str) -> bool {
    let mut parts = Path::new(name).components();
    matches!(parts.next(), Some(std::path::Component::Normal(_))) && parts.next().is_none()
}
