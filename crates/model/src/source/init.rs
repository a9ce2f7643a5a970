//! A model that starts from nothing: random weights by a configuration and a seed, and a tokenizer.
//! It is written into the cache once, as a folder like any other model's.

use std::fs;
use std::path::{Path, PathBuf};

use harness_kernel::Precision;
use serde::{Deserialize, Serialize};

use super::{Progress, ResolvedModel, SourceError};
use crate::config::ModelConfig;
use crate::digest::PartsHasher;
use crate::full::FullModel;
use crate::tokenizer::Tokenizer;

/// Raised when the same configuration and seed come to give other weights.
const VERSION: &[u8] = b"1";
/// What the model's tokenizer consists of; all but the first may be absent.
const TOKENIZER: [&str; 3] = [
    "tokenizer.json",
    "tokenizer_config.json",
    "chat_template.jinja",
];

/// What determines a model that starts from nothing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct InitSource {
    /// A `config.json` as the hub has it: family and sizes.
    pub config: PathBuf,
    /// A `tokenizer.json`; what lies beside it (`tokenizer_config.json`, `chat_template.jinja`) belongs to it.
    pub tokenizer: PathBuf,
    /// Seed of the weights.
    pub seed: u64,
}

/// The folder of the model below `cache`, made if it is not there.
pub(super) fn resolve(
    init: &InitSource,
    cache: &Path,
    progress: &mut dyn FnMut(Progress<'_>),
) -> Result<ResolvedModel, SourceError> {
    let io = |path: &Path, source| SourceError::Io {
        path: path.to_owned(),
        source,
    };
    let mut hasher = PartsHasher::default();
    let config = fs::read(&init.config).map_err(|e| io(&init.config, e))?;
    hasher.part(VERSION).part(&config);
    hasher.part(&init.seed.to_le_bytes());
    let mut files = Vec::new();
    for name in TOKENIZER {
        let file = if name == TOKENIZER[0] {
            init.tokenizer.clone()
        } else {
            init.tokenizer.with_file_name(name)
        };
        if name == TOKENIZER[0] || file.is_file() {
            let bytes = fs::read(&file).map_err(|e| io(&file, e))?;
            hasher.part(name.as_bytes()).part(&bytes);
            files.push((name, bytes));
        }
    }
    let id = hasher.hex();
    let above = cache.join("init");
    let folder = above.join(&id[..16]);
    if !folder.is_dir() {
        progress(Progress::Fetching {
            item: "random weights",
            number: 1,
            of: 1,
        });
        let partial = above.join(format!("{}.{}.partial", &id[..16], std::process::id()));
        let made = make(init, &files, &partial).and_then(|()| {
            // Another process may have been faster; its folder is the same.
            match fs::rename(&partial, &folder) {
                Err(_) if folder.is_dir() => Ok(()),
                renamed => renamed.map_err(|e| io(&folder, e)),
            }
        });
        // After a success it is gone; what a failure left is of no use.
        let _ = fs::remove_dir_all(&partial);
        made?;
    }
    Ok(ResolvedModel {
        path: folder,
        origin: format!("init of seed {}", init.seed),
        sha256: None,
    })
}

fn make(init: &InitSource, files: &[(&str, Vec<u8>)], folder: &Path) -> Result<(), SourceError> {
    let fault = |path: &Path, what: String| SourceError::Init {
        path: path.to_owned(),
        what,
    };
    let config =
        ModelConfig::from_file(&init.config).map_err(|e| fault(&init.config, e.to_string()))?;
    let tokenizer =
        Tokenizer::open(&init.tokenizer).map_err(|e| fault(&init.tokenizer, e.to_string()))?;
    tokenizer
        .check_fits(&config)
        .map_err(|e| fault(&init.tokenizer, e.to_string()))?;
    FullModel::random(config, init.seed)
        .and_then(|model| model.save(folder, Precision::F32))
        .map_err(|e| fault(&init.config, e.to_string()))?;
    for (name, bytes) in files {
        let file = folder.join(name);
        fs::write(&file, bytes).map_err(|source| SourceError::Io { path: file, source })?;
    }
    Ok(())
}
