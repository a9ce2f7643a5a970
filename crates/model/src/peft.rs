//! `LoRA` adapters in the format of PEFT: `adapter_config.json` and `adapter_model.safetensors`.
//!
//! Plain arrays go in and out. It knows names, shapes and settings; it does not know what a `LoRA` layer computes.
//! What our layers would compute differently (`DoRA`, trained biases, whole modules, ...) is refused by name, since an
//! adapter read with a setting ignored gives wrong answers without an error.

mod config;
mod error;
mod target;

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};

pub use config::PeftConfig;
pub(crate) use config::Rules;
pub use error::PeftError;
use safetensors::tensor::{Dtype, TensorView};
pub use target::Modules;

use crate::weights::check_finite;
use crate::weights::safetensors::Tensors;

/// The settings' file.
const CONFIG: &str = "adapter_config.json";
/// The tensors' file.
const MODEL: &str = "adapter_model.safetensors";
/// What older versions of PEFT wrote instead; a program in disguise.
const PICKLED: &str = "adapter_model.bin";
/// What PEFT puts before the name of a module.
const PREFIX: &str = "base_model.model.";

/// A named array.
#[derive(Debug, Clone, PartialEq)]
pub struct NamedTensor {
    /// Such as `base_model.model.model.layers.0.self_attn.q_proj.lora_A.weight`.
    pub name: String,
    /// `[r, in]` for `lora_A`, `[out, r]` for `lora_B`.
    pub shape: Vec<usize>,
    /// Values, row-major.
    pub data: Vec<f32>,
}

/// An adapter as it lies in a folder.
#[derive(Debug, Clone, PartialEq)]
pub struct AdapterFile {
    /// The settings.
    pub config: PeftConfig,
    /// The tensors, sorted by name after reading.
    pub tensors: Vec<NamedTensor>,
}

/// The name PEFT gives to a `LoRA` matrix of `module` (such as `model.layers.0.self_attn.q_proj`); `matrix` is `A` or `B`.
pub fn tensor_name(module: &str, matrix: char) -> String {
    format!("{PREFIX}{module}.lora_{matrix}.weight")
}

impl AdapterFile {
    /// Writes both files into `folder`, creating it. Equal adapters give equal bytes. Each file appears whole or
    /// not at all, the settings last, so that a folder with settings has its tensors.
    pub fn write(&self, folder: &Path) -> Result<(), PeftError> {
        let model = folder.join(MODEL);
        self.check(folder)?;
        fs::create_dir_all(folder).map_err(|source| PeftError::Io {
            file: folder.to_owned(),
            source,
        })?;
        let bytes: Vec<(&NamedTensor, Vec<u8>)> = self
            .tensors
            .iter()
            .map(|t| (t, t.data.iter().flat_map(|v| v.to_le_bytes()).collect()))
            .collect();
        let mut views = Vec::new();
        for (t, bytes) in &bytes {
            let view = TensorView::new(Dtype::F32, t.shape.clone(), bytes)
                .map_err(|e| malformed(&model, e.to_string()))?;
            views.push((t.name.as_str(), view));
        }
        // Readers of the Python side look for this entry; the tensors are ordered by name by the library.
        let metadata = [("format".to_owned(), "pt".to_owned())]
            .into_iter()
            .collect();
        let file = safetensors::serialize(views, Some(metadata))
            .map_err(|e| malformed(&model, e.to_string()))?;
        write_atomically(&model, &file)?;
        let mut json = serde_json::to_vec_pretty(&self.config)
            .map_err(|e| malformed(&folder.join(CONFIG), e.to_string()))?;
        json.push(b'\n');
        write_atomically(&folder.join(CONFIG), &json)
    }

    /// Reads and checks the adapter in `folder`.
    pub fn read(folder: &Path) -> Result<Self, PeftError> {
        let config = PeftConfig::read(&folder.join(CONFIG))?;
        let model = folder.join(MODEL);
        let pickled = folder.join(PICKLED);
        if !model.exists() && pickled.exists() {
            return Err(PeftError::Pickled { file: pickled });
        }
        let file = Tensors::open(std::slice::from_ref(&model))?;
        let mut tensors = Vec::new();
        for name in file.names() {
            let data = file.values(name)?;
            check_finite(&model, name, &data)?;
            tensors.push(NamedTensor {
                name: plain_name(name),
                shape: file.shape(name).unwrap_or_default().to_vec(),
                data,
            });
        }
        tensors.sort_by(|a, b| a.name.cmp(&b.name));
        let adapter = Self { config, tensors };
        adapter.check(folder)?;
        Ok(adapter)
    }

    /// Checks names, shapes, pairs and targets.
    fn check(&self, folder: &Path) -> Result<(), PeftError> {
        let file = folder.join(MODEL);
        let rules = Rules::new(&self.config, &folder.join(CONFIG))?;
        let mut pairs: BTreeMap<&str, [bool; 2]> = BTreeMap::new();
        for t in &self.tensors {
            let Some((module, b)) = parse_name(&t.name) else {
                return Err(PeftError::UnknownTensor {
                    file,
                    tensor: t.name.clone(),
                });
            };
            let Some((r, _)) = rules.of(module) else {
                return Err(PeftError::NotATarget {
                    file,
                    tensor: t.name.clone(),
                    targets: self.config.target_modules.json().to_string(),
                });
            };
            let rank = match t.shape[..] {
                [rows, columns] => Some(if b { columns } else { rows }),
                _ => None,
            };
            if rank != Some(r) || t.shape.iter().product::<usize>() != t.data.len() {
                return Err(PeftError::WrongShape {
                    file,
                    tensor: t.name.clone(),
                    expected: if b {
                        format!("[out, {r}]")
                    } else {
                        format!("[{r}, in]")
                    },
                    found: t.shape.clone(),
                    values: t.data.len(),
                });
            }
            let seen = &mut pairs.entry(module).or_default()[usize::from(b)];
            if std::mem::replace(seen, true) {
                return Err(malformed(&file, format!("tensor {} occurs twice", t.name)));
            }
        }
        if pairs.is_empty() {
            return Err(malformed(&file, "the adapter has no tensor".into()));
        }
        match pairs.into_iter().find(|(_, pair)| *pair != [true, true]) {
            Some((module, [a, _])) => Err(PeftError::MissingTensor {
                file,
                tensor: tensor_name(module, if a { 'B' } else { 'A' }),
            }),
            None => Ok(()),
        }
    }
}

/// Module of a `LoRA` tensor, and whether it is the `B` matrix.
fn parse_name(name: &str) -> Option<(&str, bool)> {
    let rest = name.strip_prefix(PREFIX)?;
    let a = rest.strip_suffix(".lora_A.weight").map(|m| (m, false));
    a.or_else(|| rest.strip_suffix(".lora_B.weight").map(|m| (m, true)))
}

/// The name as PEFT stores it: models in memory put the adapter's name behind the matrix, and tools leave the prefix out.
fn plain_name(name: &str) -> String {
    let name = name.replacen(".default.weight", ".weight", 1);
    if name.starts_with(PREFIX) {
        name
    } else {
        format!("{PREFIX}{name}")
    }
}

fn malformed(file: &Path, what: String) -> PeftError {
    PeftError::Malformed {
        file: file.to_owned(),
        what,
    }
}

fn write_atomically(path: &Path, bytes: &[u8]) -> Result<(), PeftError> {
    static COUNTER: AtomicU64 = AtomicU64::new(0);
    let n = COUNTER.fetch_add(1, Ordering::Relaxed);
    let partial = path.with_extension(format!("{}.{n}.partial", std::process::id()));
    let result = fs::write(&partial, bytes).and_then(|()| fs::rename(&partial, path));
    result.map_err(|source| {
        let _ = fs::remove_file(&partial);
        PeftError::Io {
            file: path.to_owned(),
            source,
        }
    })
}
