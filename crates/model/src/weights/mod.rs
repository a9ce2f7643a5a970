//! Weights on disk, by their Hugging Face names, as `f32`.
//!
//! One view over GGUF files, safetensors files and folders of safetensors. It knows names, shapes and
//! number formats; it does not know what a decoder computes with them, nor devices.

mod codes;
mod error;
mod frozen;
pub mod gguf;
mod kept;
mod licence;
mod read_at;
pub(crate) mod safetensors;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

pub use error::WeightError;
pub use frozen::Base;
use harness_kernel::{Packed, Precision};
use rayon::prelude::*;

use self::gguf::GgufWeights;
pub use self::safetensors::{SafetensorsEntry, SafetensorsWeights, read_safetensors_header};
use crate::config::ModelConfig;
use crate::digest::{PartsHasher, sha256_file};
use crate::error::ModelError;
use crate::full;

/// Opened weights: names, shapes and configuration are known, values are read on demand.
#[derive(Debug, Clone)]
pub enum Weights {
    /// One GGUF file, quantised or not.
    Gguf(GgufWeights),
    /// One or several safetensors files with a `config.json` beside them.
    Safetensors(SafetensorsWeights),
}

impl Weights {
    /// Opens a `.gguf` file, a `.safetensors` file, or a folder that holds `model.safetensors`
    /// or `model.safetensors.index.json`; safetensors need `config.json` in the same folder.
    pub fn open(path: &Path) -> Result<Self, WeightError> {
        let not_weights = || WeightError::NotWeights {
            file: path.to_owned(),
        };
        if path.is_dir() {
            return Ok(Self::Safetensors(SafetensorsWeights::open_folder(path)?));
        }
        match path.extension().and_then(|e| e.to_str()) {
            Some("gguf") => Ok(Self::Gguf(GgufWeights::open(path)?)),
            Some("safetensors") => Ok(Self::Safetensors(SafetensorsWeights::open_file(path)?)),
            _ => Err(not_weights()),
        }
    }

    /// The configuration of the model.
    pub fn config(&self) -> &ModelConfig {
        match self {
            Self::Gguf(w) => w.config(),
            Self::Safetensors(w) => w.config(),
        }
    }

    /// Hugging Face names of all tensors, sorted. A tied model has no `lm_head.weight`.
    pub fn names(&self) -> Vec<&str> {
        match self {
            Self::Gguf(w) => w.names().collect(),
            Self::Safetensors(w) => w.names().collect(),
        }
    }

    /// Whether there is a tensor of this name.
    pub fn has(&self, name: &str) -> bool {
        self.shape(name).is_some()
    }

    /// Shape of a tensor, outermost dimension first, or nothing if there is no such tensor.
    pub fn shape(&self, name: &str) -> Option<&[usize]> {
        match self {
            Self::Gguf(w) => w.shape(name),
            Self::Safetensors(w) => w.shape(name),
        }
    }

    /// How a tensor is stored, or nothing if there is no such tensor: number format and bytes.
    pub fn stored(&self, name: &str) -> Option<(String, u64)> {
        match self {
            Self::Gguf(w) => w.stored(name),
            Self::Safetensors(w) => w.stored(name),
        }
    }

    /// Names of the tensors that a model of this configuration has no place for, sorted. What older programs stored of
    /// the rotary positions is no weight and not among them.
    pub fn surplus(&self) -> Vec<&str> {
        let expected: BTreeSet<String> =
            full::shapes(self.config()).map(|(name, _)| name).collect();
        let mut names = self.names();
        names.retain(|name| !expected.contains(*name) && !name.ends_with(".rotary_emb.inv_freq"));
        names
    }

    /// Fails if there is a tensor that the model has no place for.
    pub(crate) fn refuse_surplus(&self) -> Result<(), WeightError> {
        match self.surplus().first() {
            None => Ok(()),
            Some(tensor) => Err(WeightError::Surplus {
                file: self.path().to_owned(),
                tensor: (*tensor).to_owned(),
                layers: self.config().layers,
            }),
        }
    }

    /// The values of a tensor, row-major in Hugging Face layout (`[out, in]` for a linear layer).
    ///
    /// Fails if it is missing, has another shape than `shape`, or holds values that are not finite.
    /// Takes the memory of the result and, while it runs, of the tensor as stored.
    pub fn tensor(&self, name: &str, shape: &[usize]) -> Result<Vec<f32>, WeightError> {
        self.has_shape(name, shape)?;
        let values = match self {
            Self::Gguf(w) => w.values(name)?,
            Self::Safetensors(w) => w.values(name)?,
        };
        check_finite(self.path(), name, &values)?;
        Ok(values)
    }

    /// The matrix `[outputs, inputs]` of this name, packed as it is read: it is never in memory in another form.
    /// Fails as [`Self::tensor`] does.
    pub(crate) fn packed(
        &self,
        name: &str,
        outputs: usize,
        inputs: usize,
        precision: Precision,
    ) -> Result<Packed, WeightError> {
        let shape = [outputs, inputs];
        self.has_shape(name, &shape)?;
        let packed = Packed::read_rows(outputs, inputs, precision, |first, rows| {
            self.rows(name, first, rows)?;
            // Gathered without a branch.
            if rows.iter().fold(false, |any, v| any | !v.is_finite()) {
                return check_finite(self.path(), name, rows);
            }
            Ok(())
        });
        if let Err(WeightError::NonFinite { .. }) = &packed {
            // That was said of a stretch; how many there are in all, and where the first is:
            self.tensor(name, &shape)?;
        }
        packed
    }

    /// The rows of a matrix from row `first` on; `out` has room for whole rows.
    fn rows(&self, name: &str, first: usize, out: &mut [f32]) -> Result<(), WeightError> {
        match self {
            Self::Gguf(w) => w.rows(name, first, out),
            Self::Safetensors(w) => w.rows(name, first, out),
        }
    }

    fn has_shape(&self, name: &str, shape: &[usize]) -> Result<(), WeightError> {
        match self.shape(name) {
            None => Err(WeightError::MissingTensor {
                file: self.path().to_owned(),
                tensor: name.to_owned(),
            }),
            Some(found) if found != shape => Err(WeightError::WrongShape {
                file: self.path().to_owned(),
                tensor: name.to_owned(),
                expected: shape.to_vec(),
                found: found.to_vec(),
            }),
            Some(_) => Ok(()),
        }
    }

    /// The path the weights were opened from.
    pub fn path(&self) -> &Path {
        match self {
            Self::Gguf(w) => &w.header().file,
            Self::Safetensors(w) => w.path(),
        }
    }

    /// SHA-256 of what determines the model. Of a GGUF file it is the hash of the file; of safetensors the
    /// hash over the names and hashes of `config.json` and all shards. Reads every byte: about a second per GB.
    pub fn sha256(&self) -> Result<String, WeightError> {
        let hash = |file: &Path| {
            sha256_file(file).map_err(|source| WeightError::Io {
                file: file.to_owned(),
                source,
            })
        };
        match self {
            Self::Gguf(w) => hash(&w.header().file),
            Self::Safetensors(w) => {
                let mut files: Vec<PathBuf> = w.files().map(Path::to_owned).collect();
                files.push(w.config_file().to_owned());
                files.sort();
                let mut parts = PartsHasher::default();
                for file in files {
                    let name = file.file_name().unwrap_or_default().to_string_lossy();
                    parts.part(name.as_bytes()).part(hash(&file)?.as_bytes());
                }
                Ok(parts.hex())
            }
        }
    }
}

/// Tensors of a model by their Hugging Face names, wherever they come from.
pub trait Tensors: Sync {
    /// The configuration of the model.
    fn config(&self) -> &ModelConfig;

    /// The values of a tensor of this shape, row-major in Hugging Face layout.
    ///
    /// # Errors
    /// If there is none, or it can't be read or made.
    fn tensor(&self, name: &str, shape: &[usize]) -> Result<Vec<f32>, ModelError>;

    /// A matrix `[outputs, inputs]`, packed.
    ///
    /// # Errors
    /// As [`Self::tensor`].
    fn matrix(
        &self,
        name: &str,
        outputs: usize,
        inputs: usize,
        precision: Precision,
    ) -> Result<Packed, ModelError> {
        let data = self.tensor(name, &[outputs, inputs])?;
        Ok(Packed::rows(&data, outputs, inputs, precision))
    }

    /// A matrix `[outputs, inputs]` that is never trained, kept as `base` says; what is no GGUF file has no blocks.
    ///
    /// # Errors
    /// As [`Self::tensor`].
    fn frozen(
        &self,
        name: &str,
        outputs: usize,
        inputs: usize,
        precision: Precision,
        base: Base,
    ) -> Result<Packed, ModelError> {
        frozen::frozen(self, name, (outputs, inputs), precision, base)
    }
}

impl Tensors for Weights {
    fn config(&self) -> &ModelConfig {
        self.config()
    }

    fn tensor(&self, name: &str, shape: &[usize]) -> Result<Vec<f32>, ModelError> {
        Ok(self.tensor(name, shape)?)
    }

    fn matrix(
        &self,
        name: &str,
        outputs: usize,
        inputs: usize,
        precision: Precision,
    ) -> Result<Packed, ModelError> {
        Ok(self.packed(name, outputs, inputs, precision)?)
    }

    fn frozen(
        &self,
        name: &str,
        outputs: usize,
        inputs: usize,
        precision: Precision,
        base: Base,
    ) -> Result<Packed, ModelError> {
        Ok(self.kept(name, (outputs, inputs), precision, base)?)
    }
}

/// Fails if any value is infinite or not a number.
pub(crate) fn check_finite(file: &Path, tensor: &str, values: &[f32]) -> Result<(), WeightError> {
    let count = values
        .par_chunks(1 << 16)
        .map(|c| c.iter().filter(|v| !v.is_finite()).count())
        .sum();
    match values.iter().position(|v| count > 0 && !v.is_finite()) {
        None => Ok(()),
        Some(first) => Err(WeightError::NonFinite {
            file: file.to_owned(),
            tensor: tensor.to_owned(),
            count,
            first,
        }),
    }
}
