//! Safetensors files, one or a set of shards with an index.
//!
//! Only the header is kept; a tensor is read from its place in the file, so no file has to fit in memory.

mod header;
mod index;

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use half::f16;
pub use header::{SafetensorsEntry, read_safetensors_header};
use rayon::prelude::*;
use safetensors::Dtype;

use super::WeightError;
use super::read_at::read_exact_at;
use crate::config::ModelConfig;

/// The only file of weights.
const SINGLE: &str = "model.safetensors";
/// The index of a set of files.
const INDEX: &str = "model.safetensors.index.json";

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
        let (single, index) = (folder.join(SINGLE), folder.join(INDEX));
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

    /// Number format and bytes of a tensor, or nothing if there is no such tensor.
    pub fn stored(&self, name: &str) -> Option<(String, u64)> {
        let place = self.tensors.places.get(name)?;
        Some((place.dtype.to_string(), place.bytes as u64))
    }

    pub(super) fn files(&self) -> impl Iterator<Item = &Path> {
        self.tensors.files.iter().map(PathBuf::as_path)
    }

    pub(super) fn config_file(&self) -> &Path {
        &self.config_file
    }

    /// The rows of a matrix from row `first` on; `out` has room for whole rows.
    pub(super) fn rows(
        &self,
        name: &str,
        first: usize,
        out: &mut [f32],
    ) -> Result<(), WeightError> {
        let row = self.shape(name).and_then(<[usize]>::last).copied();
        self.tensors.decode(name, first * row.unwrap_or(0), out)
    }

    pub(super) fn values(&self, name: &str) -> Result<Vec<f32>, WeightError> {
        self.tensors.values(name)
    }
}

/// The weight files of a folder, or the file itself; of a set of shards those that are there.
pub(crate) fn files(path: &Path) -> Vec<PathBuf> {
    if path.extension().is_some_and(|e| e == "safetensors") {
        return vec![path.to_owned()];
    }
    let single = path.join(SINGLE);
    if single.is_file() {
        return vec![single];
    }
    let shards = index::read(&path.join(INDEX)).unwrap_or_default();
    let shards: BTreeSet<&String> = shards.values().collect();
    shards
        .into_iter()
        .map(|shard| path.join(shard))
        .filter(|file| file.is_file())
        .collect()
}

/// The shards of a folder's index that are not there, each with a tensor that it should hold.
pub(crate) fn missing_shards(folder: &Path) -> Vec<WeightError> {
    let index = folder.join(INDEX);
    if folder.join(SINGLE).is_file() || !index.is_file() {
        return Vec::new();
    }
    let mut missing = BTreeMap::new();
    for (tensor, shard) in index::read(&index).unwrap_or_default() {
        if !folder.join(&shard).is_file() {
            missing.entry(shard).or_insert(tensor);
        }
    }
    missing
        .into_iter()
        .map(|(shard, tensor)| WeightError::MissingShard {
            index: index.clone(),
            shard,
            tensor,
        })
        .collect()
}

/// The tensors of one or several files, without a configuration.
#[derive(Debug, Clone, Default)]
pub(crate) struct Tensors {
    files: Vec<PathBuf>,
    /// The files, open.
    open: Vec<Arc<File>>,
    places: BTreeMap<String, Place>,
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
        let map = index::read(index)?;
        let shards: BTreeSet<&String> = map.values().collect();
        if let Some((tensor, shard)) = map.iter().find(|(_, it)| !folder.join(it).is_file()) {
            return Err(WeightError::MissingShard {
                index: index.to_owned(),
                shard: shard.clone(),
                tensor: tensor.clone(),
            });
        }
        let files: Vec<PathBuf> = shards.iter().map(|shard| folder.join(shard)).collect();
        let tensors = Self::open(&files)?;
        for (tensor, shard) in &map {
            let Some(place) = tensors.places.get(tensor) else {
                return Err(WeightError::MissingTensor {
                    file: folder.join(shard),
                    tensor: tensor.clone(),
                });
            };
            if tensors.files[place.file] != folder.join(shard) {
                let found = tensors.files[place.file].file_name().unwrap_or_default();
                return Err(WeightError::OtherShard {
                    index: index.to_owned(),
                    tensor: tensor.clone(),
                    expected: shard.clone(),
                    found: found.to_string_lossy().into_owned(),
                });
            }
        }
        Ok(tensors)
    }

    fn add(&mut self, path: &Path) -> Result<(), WeightError> {
        let io = |source| WeightError::Io {
            file: path.to_owned(),
            source,
        };
        let file = File::open(path).map_err(io)?;
        let total = file.metadata().map_err(io)?.len();
        let number = self.files.len();
        for entry in read_safetensors_header(&file, total, path)? {
            let place = Place {
                file: number,
                dtype: entry.dtype,
                shape: entry.shape,
                start: entry.start,
                bytes: entry.bytes as usize,
            };
            if let Some(first) = self.places.get(&entry.name) {
                return Err(WeightError::Twice {
                    file: path.to_owned(),
                    tensor: entry.name,
                    other: self.files.get(first.file).cloned(),
                });
            }
            self.places.insert(entry.name, place);
        }
        self.files.push(path.to_owned());
        self.open.push(Arc::new(file));
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
        let (place, width) = self.place(name)?;
        let mut out = vec![0.0; place.bytes / width];
        out.par_chunks_mut(STRETCH)
            .enumerate()
            .try_for_each(|(stretch, out)| self.decode(name, stretch * STRETCH, out))?;
        Ok(out)
    }

    /// Values of a tensor from value `first` on, which are there.
    pub(super) fn decode(
        &self,
        name: &str,
        first: usize,
        out: &mut [f32],
    ) -> Result<(), WeightError> {
        let (place, width) = self.place(name)?;
        let mut raw = vec![0; out.len() * width];
        let start = place.start + (first * width) as u64;
        read_exact_at(&self.open[place.file], &mut raw, start).map_err(|source| {
            WeightError::Io {
                file: self.files[place.file].clone(),
                source,
            }
        })?;
        let (twos, fours) = (raw.as_chunks::<2>().0, raw.as_chunks::<4>().0);
        match place.dtype {
            Dtype::F32 => fill(out, fours, |b| f32::from_le_bytes(*b)),
            Dtype::F16 => fill(out, twos, |b| f16::from_le_bytes(*b).to_f32()),
            // The upper half of a float.
            _ => fill(out, twos, |b| {
                f32::from_bits(u32::from(u16::from_le_bytes(*b)) << 16)
            }),
        }
        Ok(())
    }

    /// Where a tensor is, and the bytes of one of its values.
    fn place(&self, name: &str) -> Result<(&Place, usize), WeightError> {
        let place = self
            .places
            .get(name)
            .ok_or_else(|| WeightError::MissingTensor {
                file: self.files.first().cloned().unwrap_or_default(),
                tensor: name.to_owned(),
            })?;
        match place.dtype {
            Dtype::F32 => Ok((place, 4)),
            Dtype::F16 | Dtype::BF16 => Ok((place, 2)),
            other => Err(WeightError::UnsupportedType {
                file: self.files[place.file].clone(),
                tensor: name.to_owned(),
                found: format!("{other:?}"),
                supported: "F32, F16, BF16",
            }),
        }
    }
}

/// Values that are read at a time.
const STRETCH: usize = 1 << 16;

fn fill<const N: usize>(out: &mut [f32], raw: &[[u8; N]], decode: impl Fn(&[u8; N]) -> f32) {
    for (y, b) in out.iter_mut().zip(raw) {
        *y = decode(b);
    }
}
