//! Everything of a model opened, and all that is wrong with it at once.
//!
//! A fault does not hide another: every shard is opened whatever the others are like, every tensor is read even if
//! the configuration is not usable, and the tokenizer is opened in any case.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use rayon::prelude::*;
use serde::Serialize;

use crate::chat::{ChatError, ChatTemplate};
use crate::config::{ConfigError, ModelConfig};
use crate::full;
use crate::tokenizer::{Tokenizer, TokenizerError};
use crate::weights::{WeightError, Weights, safetensors};

/// Something that is wrong with a model.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Fault {
    /// The file or folder.
    pub file: PathBuf,
    /// The tensor or key; `file` where the file as a whole is wrong.
    pub at: String,
    /// What was expected there.
    pub expected: String,
    /// What was found.
    pub found: String,
}

/// What a check read, and what was wrong.
#[derive(Debug, Default, Serialize)]
pub struct Report {
    /// Tensors whose every value was read.
    pub tensors: usize,
    /// Values that were read.
    pub values: u64,
    /// Tokens of the vocabulary; none if it could not be opened.
    pub tokens: Option<usize>,
    /// Whether there is a chat template that parses.
    pub chat: bool,
    /// The faults, in the order of files and names.
    pub faults: Vec<Fault>,
}

/// Opens everything of the model at `path` (a GGUF file, a safetensors file, or a folder) and reads every tensor.
pub fn check(path: &Path) -> Report {
    let mut report = Report::default();
    let config = match Weights::open(path) {
        Ok(weights) => {
            let names: Vec<String> = weights.names().into_iter().map(str::to_owned).collect();
            report.read(&names, &|name| {
                weights.tensor(name, weights.shape(name).unwrap_or_default())
            });
            report.compare(&weights);
            Some(weights.config().clone())
        }
        Err(error) => {
            report.without_whole(path, error);
            None
        }
    };
    report.tokenizer(path, config.as_ref());
    report.faults.sort();
    report.faults.dedup();
    report
}

type Read<'a> = dyn Fn(&str) -> Result<Vec<f32>, WeightError> + Sync + 'a;

impl Report {
    /// Reads all tensors.
    fn read(&mut self, names: &[String], values: &Read<'_>) {
        let read: Vec<Result<usize, WeightError>> = names
            .par_iter()
            .map(|name| values(name).map(|values| values.len()))
            .collect();
        for result in read {
            self.tensors += 1;
            match result {
                Ok(count) => self.values += count as u64,
                Err(error) => self.faults.push(error.into()),
            }
        }
    }

    /// Compares the tensors there are with those that the configuration asks for.
    fn compare(&mut self, weights: &Weights) {
        let config = weights.config();
        let file = weights.path().to_owned();
        let expected: BTreeMap<String, Vec<usize>> = full::shapes(config).collect();
        for (name, shape) in &expected {
            match weights.shape(name) {
                None => self.faults.push(Fault {
                    file: file.clone(),
                    at: format!("tensor {name}"),
                    expected: format!("shape {shape:?}"),
                    found: "missing".to_owned(),
                }),
                Some(found) if found != shape => self.faults.push(Fault {
                    file: file.clone(),
                    at: format!("tensor {name}"),
                    expected: format!("shape {shape:?}"),
                    found: format!("shape {found:?}"),
                }),
                Some(_) => {}
            }
        }
        let surplus = weights.surplus();
        self.faults.extend(surplus.into_iter().map(|name| {
            WeightError::Surplus {
                file: file.clone(),
                tensor: name.to_owned(),
                layers: config.layers,
            }
            .into()
        }));
    }

    /// What can be read of a folder that does not open as a whole: each of its files alone.
    fn without_whole(&mut self, path: &Path, error: WeightError) {
        let files = safetensors::files(path);
        let of_config = matches!(error, WeightError::Config(_));
        self.faults.push(error.into());
        for file in files {
            match safetensors::Tensors::open(std::slice::from_ref(&file)) {
                Err(error) => self.faults.push(error.into()),
                Ok(tensors) => {
                    let names: Vec<String> = tensors.names().map(str::to_owned).collect();
                    self.read(&names, &|name| {
                        let values = tensors.values(name)?;
                        crate::weights::check_finite(&file, name, &values)?;
                        Ok(values)
                    });
                }
            }
        }
        if path.is_dir()
            && !of_config
            && let Err(error) = ModelConfig::from_folder(path)
        {
            self.faults.push(WeightError::from(error).into());
        }
        if path.is_dir() {
            let missing = safetensors::missing_shards(path);
            self.faults.extend(missing.into_iter().map(Fault::from));
        }
    }

    /// Opens tokenizer and chat template.
    fn tokenizer(&mut self, path: &Path, config: Option<&ModelConfig>) {
        match Tokenizer::open(path) {
            Ok(tokenizer) => {
                self.tokens = Some(tokenizer.vocab_size());
                if let Some(config) = config {
                    self.fits(path, &tokenizer, config);
                }
            }
            // The header's own faults are known from the weights.
            Err(TokenizerError::Header(_)) => {}
            Err(error) => self.faults.push(Fault {
                file: path.to_owned(),
                at: "tokenizer".to_owned(),
                expected: "a tokenizer that can be built".to_owned(),
                found: error.to_string(),
            }),
        }
        match ChatTemplate::open(path) {
            Ok(_) => self.chat = true,
            // Base models have none.
            Err(ChatError::NoTemplate { .. } | ChatError::Header(_)) => {}
            Err(error) => self.faults.push(Fault {
                file: path.to_owned(),
                at: "chat template".to_owned(),
                expected: "none, or a template that parses".to_owned(),
                found: error.to_string(),
            }),
        }
    }

    /// Whether vocabulary and embedding are of one model.
    fn fits(&mut self, path: &Path, tokenizer: &Tokenizer, config: &ModelConfig) {
        let fault = |at: &str, expected: String, found: String| Fault {
            file: path.to_owned(),
            at: at.to_owned(),
            expected,
            found,
        };
        if tokenizer.check_fits(config).is_err() {
            self.faults.push(fault(
                "tokenizer",
                format!("ids below the {} rows of the embedding", config.vocab_size),
                format!("ids up to {}", tokenizer.vocab_size() - 1),
            ));
        }
        let bos = config.bos.filter(|_| config.add_bos);
        let ids = config.eos.iter().chain(&config.pad).chain(&bos);
        for id in ids.filter(|id| **id as usize >= tokenizer.vocab_size()) {
            self.faults.push(fault(
                "special token",
                format!(
                    "one of the {} ids of the vocabulary",
                    tokenizer.vocab_size()
                ),
                id.to_string(),
            ));
        }
        if config.add_bos && tokenizer.bos().is_none() {
            self.faults.push(fault(
                "bos token",
                "the token that every sequence begins with".to_owned(),
                "none in the vocabulary".to_owned(),
            ));
        }
    }
}

impl From<WeightError> for Fault {
    fn from(error: WeightError) -> Self {
        let fault = |file: PathBuf, at: String, expected: String, found: String| Self {
            file,
            at,
            expected,
            found,
        };
        let of = |tensor: String| format!("tensor {tensor}");
        match error {
            WeightError::Truncated { file, what, expected, found } => {
                let at = if what.starts_with("tensor ") { what } else { "file".to_owned() };
                fault(file, at, format!("{expected} bytes of the file"), format!("{found}"))
            }
            WeightError::MissingShard { index, shard, .. } => {
                fault(index, format!("shard {shard}"), "a file".to_owned(), "missing".to_owned())
            }
            WeightError::Twice { file, tensor, .. } => {
                fault(file, of(tensor), "once".to_owned(), "twice".to_owned())
            }
            WeightError::OtherShard { index, tensor, expected, found } => {
                fault(index, of(tensor), format!("in {expected}"), format!("in {found}"))
            }
            WeightError::Overlap { file, tensor, other, expected, found } => fault(
                file,
                of(tensor),
                format!("to begin at byte {expected} or later, where {other} ends"),
                format!("byte {found}"),
            ),
            WeightError::WrongSize { file, tensor, dtype, shape, expected, found } => fault(
                file,
                of(tensor),
                format!("{expected} bytes for {dtype} {shape:?}"),
                format!("{found} bytes"),
            ),
            WeightError::MissingTensor { file, tensor } => {
                fault(file, of(tensor), "a tensor".to_owned(), "missing".to_owned())
            }
            WeightError::Surplus { file, tensor, layers } => fault(
                file,
                of(tensor),
                format!("no such tensor in this model of {layers} layers"),
                "there".to_owned(),
            ),
            WeightError::UnknownTensor { file, tensor } => fault(
                file,
                of(tensor),
                "a tensor of a supported architecture".to_owned(),
                "another".to_owned(),
            ),
            WeightError::WrongShape { file, tensor, expected, found } => fault(
                file,
                of(tensor),
                format!("shape {expected:?}"),
                format!("shape {found:?}"),
            ),
            WeightError::UnsupportedType { file, tensor, found, supported } => {
                fault(file, of(tensor), format!("one of {supported}"), found)
            }
            WeightError::NonFinite { file, tensor, count, first } => fault(
                file,
                of(tensor),
                "finite values".to_owned(),
                format!("{count} that are not, the first at index {first}"),
            ),
            WeightError::Config(error) => error.into(),
            WeightError::Malformed { file, format, what } => {
                fault(file, "file".to_owned(), format.to_owned(), what)
            }
            WeightError::Io { file, source } => {
                fault(file, "file".to_owned(), "a file that can be read".to_owned(), source.to_string())
            }
            WeightError::NoBlocks { file } => {
                fault(file, "file".to_owned(), "a GGUF file".to_owned(), "another".to_owned())
            }
            WeightError::NotWeights { file } => fault(
                file,
                "file".to_owned(),
                "a .gguf file, a .safetensors file, or a folder with model.safetensors or its index"
                    .to_owned(),
                "none of these".to_owned(),
            ),
        }
    }
}

impl From<ConfigError> for Fault {
    fn from(error: ConfigError) -> Self {
        let fault = |file: PathBuf, at: String, expected: String, found: String| Self {
            file,
            at,
            expected,
            found,
        };
        match error {
            ConfigError::Io { file, source } => fault(
                file,
                "file".to_owned(),
                "a file that can be read".to_owned(),
                source.to_string(),
            ),
            ConfigError::Json { file, source } => fault(
                file,
                "file".to_owned(),
                "JSON".to_owned(),
                source.to_string(),
            ),
            ConfigError::MissingKey {
                file,
                key,
                expected,
            } => fault(
                file,
                format!("key {key}"),
                expected.to_owned(),
                "missing".to_owned(),
            ),
            ConfigError::WrongType {
                file,
                key,
                expected,
                found,
            } => fault(file, format!("key {key}"), expected.to_owned(), found),
            ConfigError::Contradiction {
                file,
                key,
                expected,
                found,
            } => fault(file, format!("key {key}"), expected, found),
            ConfigError::UnsupportedArchitecture {
                file,
                found,
                supported,
            } => fault(
                file,
                "architecture".to_owned(),
                format!("one of {supported}"),
                found,
            ),
            ConfigError::UnsupportedSetting { file, key, value } => fault(
                file,
                format!("key {key}"),
                "a supported value".to_owned(),
                value,
            ),
        }
    }
}
