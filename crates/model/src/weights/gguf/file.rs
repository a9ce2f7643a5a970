//! Tensors of a GGUF file by their Hugging Face names and in Hugging Face layout.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::Path;
use std::sync::Arc;

use rayon::prelude::*;

use super::blocks::BlockType;
use super::header::{Header, TensorInfo};
use super::names::{EMBEDDING, OUTPUT, ROPE_FACTORS, hf_name};
use crate::config::{ModelConfig, RopeScaling};
use crate::weights::WeightError;
use crate::weights::read_at::read_exact_at;

/// Rows compared to find out whether head and embedding are one matrix.
const TIE_SAMPLE: usize = 64;
/// Two quantisations of one matrix differ by a few percent (4 % and 8 % for Qwen2.5-Coder); two matrices
/// trained apart by more than their norm.
const TIE_TOLERANCE: f64 = 0.3;

/// An opened GGUF file: header read, tensors decoded on demand.
#[derive(Debug, Clone)]
pub struct GgufWeights {
    header: Header,
    config: ModelConfig,
    /// The file, open.
    file: Arc<File>,
    /// Hugging Face name to the name in the file.
    names: BTreeMap<String, String>,
}

impl GgufWeights {
    /// Opens the file at `path`.
    ///
    /// A model whose head is its embedding may still carry both, at different precision. Such a file
    /// counts as tied, and the head's matrix (the more precise of the two) is taken for both.
    pub fn open(path: &Path) -> Result<Self, WeightError> {
        let header = Header::open(path)?;
        let mut names = BTreeMap::new();
        for gguf in header.tensors.keys().filter(|name| *name != ROPE_FACTORS) {
            let hf = hf_name(gguf).ok_or_else(|| WeightError::UnknownTensor {
                file: path.to_owned(),
                tensor: gguf.clone(),
            })?;
            names.insert(hf, gguf.clone());
        }
        let tied = match (header.tensors.get(EMBEDDING), header.tensors.get(OUTPUT)) {
            (Some(embedding), Some(output)) if embedding.shape == output.shape => {
                same_matrix(path, embedding, output)?
            }
            (_, output) => output.is_none(),
        };
        let mut config = ModelConfig::from_gguf(&header, tied)?;
        if let Some(info) = header.tensors.get(ROPE_FACTORS) {
            let expected = [config.head_dim / 2];
            if info.shape != expected {
                return Err(WeightError::WrongShape {
                    file: path.to_owned(),
                    tensor: ROPE_FACTORS.to_owned(),
                    expected: expected.to_vec(),
                    found: info.shape.clone(),
                });
            }
            let factors = one_row(path, info, 0)?;
            if let Some(bad) = factors.iter().find(|it| !(it.is_finite() && **it > 0.0)) {
                return Err(WeightError::Malformed {
                    file: path.to_owned(),
                    format: "GGUF",
                    what: format!("tensor {ROPE_FACTORS} holds {bad}, expected positive numbers"),
                });
            }
            config.rope_scaling = RopeScaling::from_factors(factors, config.rope_theta);
        }
        if tied && names.remove("lm_head.weight").is_some() {
            names.insert("model.embed_tokens.weight".into(), OUTPUT.into());
        }
        let file = File::open(path).map_err(|source| WeightError::Io {
            file: path.to_owned(),
            source,
        })?;
        Ok(Self {
            header,
            config,
            file: Arc::new(file),
            names,
        })
    }

    /// The configuration in the header.
    pub fn config(&self) -> &ModelConfig {
        &self.config
    }

    /// The header.
    pub fn header(&self) -> &Header {
        &self.header
    }

    /// Hugging Face names of the tensors, sorted.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.names.keys().map(String::as_str)
    }

    /// Shape of a tensor, outermost dimension first, or nothing if there is no such tensor.
    pub fn shape(&self, name: &str) -> Option<&[usize]> {
        Some(&self.header.tensors.get(self.names.get(name)?)?.shape)
    }

    /// Block format and bytes of a tensor, or nothing if there is no such tensor.
    pub fn stored(&self, name: &str) -> Option<(String, u64)> {
        let info = self.header.tensors.get(self.names.get(name)?)?;
        Some((info.block.name().to_owned(), info.bytes))
    }

    /// The values of a tensor whose shape has been checked, row-major.
    pub(crate) fn values(&self, name: &str) -> Result<Vec<f32>, WeightError> {
        let info = self.info(name)?;
        let row = info.shape.last().copied().unwrap_or(1).max(1);
        let count: usize = info.shape.iter().product();
        let mut out = vec![0.0; count];
        out.par_chunks_mut(row * ROWS)
            .enumerate()
            .try_for_each(|(stretch, out)| self.rows(name, stretch * ROWS, out))?;
        if info.shape.len() == 1
            && let Some(place) = row_order(&self.config, name, out.len())
        {
            // A bias: its values are what rows are of a matrix.
            out = (0..out.len()).map(|r| out[place(r)]).collect();
        }
        Ok(out)
    }

    /// The rows of a tensor from row `first` on; `out` has room for whole rows.
    pub(crate) fn rows(
        &self,
        name: &str,
        first: usize,
        out: &mut [f32],
    ) -> Result<(), WeightError> {
        let info = self.info(name)?;
        let row = info.shape.last().copied().unwrap_or(1).max(1);
        let raw = self.raw_rows(name, first, out.len() / row)?;
        info.block.decode(&raw, out);
        Ok(())
    }

    /// The block format of a tensor.
    pub(crate) fn block(&self, name: &str) -> Result<BlockType, WeightError> {
        Ok(self.info(name)?.block)
    }

    /// The blocks of a matrix, its rows in the order of the Hugging Face layout.
    pub(crate) fn raw(&self, name: &str) -> Result<Vec<u8>, WeightError> {
        let rows = self.info(name)?.shape.first().copied().unwrap_or(0);
        self.raw_rows(name, 0, rows)
    }

    /// The blocks of `count` rows from row `first` on.
    fn raw_rows(&self, name: &str, first: usize, count: usize) -> Result<Vec<u8>, WeightError> {
        let info = self.info(name)?;
        let row = info.shape.last().copied().unwrap_or(1).max(1);
        let row_bytes = row / info.block.elements() * info.block.bytes();
        let all: usize = info.shape.iter().product::<usize>() / row;
        let mut raw = vec![0; count * row_bytes];
        let read = |at: usize, raw: &mut [u8]| {
            let start = info.start + (at * row_bytes) as u64;
            read_exact_at(&self.file, raw, start).map_err(|source| WeightError::Io {
                file: self.header.file.clone(),
                source,
            })
        };
        match row_order(&self.config, name, all) {
            None => read(first, &mut raw)?,
            Some(place) => {
                for (r, raw) in raw.chunks_exact_mut(row_bytes.max(1)).enumerate() {
                    read(place(first + r), raw)?;
                }
            }
        }
        Ok(raw)
    }

    fn info(&self, name: &str) -> Result<&TensorInfo, WeightError> {
        let gguf = self.names.get(name);
        gguf.and_then(|gguf| self.header.tensors.get(gguf))
            .ok_or_else(|| WeightError::MissingTensor {
                file: self.header.file.clone(),
                tensor: name.to_owned(),
            })
    }
}

/// Rows that are read at a time.
const ROWS: usize = 32;

/// Which row of a file becomes row `r` of a tensor in Hugging Face layout; none where the order is the same.
///
/// Files of the `llama` architecture hold query and key rows interleaved for a rotation of neighbours
/// (row 2i + b of a head is row b·hd/2 + i of the Hugging Face layout, hd = head dimension).
pub(crate) fn row_order(
    config: &ModelConfig,
    name: &str,
    rows: usize,
) -> Option<impl Fn(usize) -> usize + Sync + use<>> {
    let head_dim = config.head_dim;
    let permuted = config.family.differences().gguf == "llama"
        && (name.contains(".q_proj.") || name.contains(".k_proj."))
        && rows.is_multiple_of(head_dim);
    permuted.then_some(move |r| {
        let (head, within) = (r / head_dim, r % head_dim);
        let (b, i) = (within / (head_dim / 2), within % (head_dim / 2));
        head * head_dim + 2 * i + b
    })
}

/// Whether two tensors of one shape are two roundings of one matrix, judged by evenly spaced rows:
/// ‖a − b‖ / ‖b‖ is below the tolerance.
fn same_matrix(file: &Path, a: &TensorInfo, b: &TensorInfo) -> Result<bool, WeightError> {
    let rows = a.shape.first().copied().unwrap_or(0);
    let step = (rows / TIE_SAMPLE).max(1);
    let (mut difference, mut norm) = (0.0, 0.0);
    for r in (0..rows).step_by(step) {
        for (x, y) in one_row(file, a, r)?.into_iter().zip(one_row(file, b, r)?) {
            difference += f64::from(x - y).powi(2);
            norm += f64::from(y).powi(2);
        }
    }
    Ok(difference <= TIE_TOLERANCE.powi(2) * norm)
}

fn one_row(file: &Path, info: &TensorInfo, r: usize) -> Result<Vec<f32>, WeightError> {
    let row = info.shape.last().copied().unwrap_or(1);
    let bytes = row / info.block.elements() * info.block.bytes();
    let mut raw = vec![0; bytes];
    read_at(file, info.start + (r * bytes) as u64, &mut raw)?;
    let mut out = vec![0.0; row];
    info.block.decode(&raw, &mut out);
    Ok(out)
}

fn read_at(file: &Path, start: u64, buffer: &mut [u8]) -> Result<(), WeightError> {
    let mut read = || {
        let mut f = File::open(file)?;
        f.seek(SeekFrom::Start(start))?;
        f.read_exact(buffer)
    };
    read().map_err(|source| WeightError::Io {
        file: file.to_owned(),
        source,
    })
}
