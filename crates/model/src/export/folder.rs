//! A model in Hugging Face layout: `model.safetensors`, `config.json`, and the files of the tokenizer.

use std::borrow::Cow;
use std::cell::RefCell;
use std::path::Path;

use harness_kernel::Precision;
use safetensors::View;
use safetensors::tensor::Dtype;

use super::rounded::encoded;
use super::{ExportError, Merged, Progress, Source};
use crate::error::ModelError;
use crate::full::{config_json, shapes};
use crate::weights::gguf::BlockType;
use crate::weights::{Tensors as _, WeightError};

/// Makes the bytes of tensors, one at a time, and shows how far it is.
struct Maker<'a, 'p> {
    merged: Merged<'a>,
    block: BlockType,
    of: usize,
    state: RefCell<State<'a, 'p>>,
}

struct State<'a, 'p> {
    progress: &'a mut Progress<'p>,
    done: usize,
    /// The writer has no way to hand an error on, so the first one waits here.
    fault: Option<ModelError>,
}

impl Maker<'_, '_> {
    fn make(&self, name: &str, shape: &[usize]) -> Vec<u8> {
        let mut state = self.state.borrow_mut();
        if state.fault.is_some() {
            return Vec::new();
        }
        state.done += 1;
        let done = state.done;
        (state.progress)("writing tensors", done, self.of);
        let values = self.merged.tensor(name, shape);
        let made = values.and_then(|values| encoded(self.block, &values));
        made.unwrap_or_else(|error| {
            state.fault = Some(error);
            Vec::new()
        })
    }
}

/// A tensor that is made when it is written.
struct Lazy<'a> {
    maker: &'a Maker<'a, 'a>,
    dtype: Dtype,
    name: &'a str,
    shape: &'a [usize],
}

impl View for Lazy<'_> {
    fn dtype(&self) -> Dtype {
        self.dtype
    }

    fn shape(&self) -> &[usize] {
        self.shape
    }

    fn data(&self) -> Cow<'_, [u8]> {
        Cow::Owned(self.maker.make(self.name, self.shape))
    }

    fn data_len(&self) -> usize {
        self.shape.iter().product::<usize>() * self.dtype.bitsize() / 8
    }
}

pub(super) fn write(
    source: &Source<'_>,
    folder: &Path,
    precision: Precision,
    progress: &mut Progress<'_>,
) -> Result<(), ExportError> {
    std::fs::create_dir_all(folder).map_err(ExportError::io(folder))?;
    let config = source.weights.config();
    if let Some(what) = config.rope_scaling.unsayable() {
        return Err(ExportError::Unsayable {
            format: "config.json",
            what,
        });
    }
    let (dtype, block) = match precision {
        Precision::Bf16 => (Dtype::BF16, BlockType::Bf16),
        Precision::F32 => (Dtype::F32, BlockType::F32),
    };
    let all: Vec<(String, Vec<usize>)> = shapes(config).collect();
    let maker = Maker {
        merged: Merged::new(source.weights, source.adapter),
        block,
        of: all.len(),
        state: RefCell::new(State {
            progress,
            done: 0,
            fault: None,
        }),
    };
    let tensors = all.iter().map(|(name, shape)| {
        let tensor = Lazy {
            maker: &maker,
            dtype,
            name,
            shape,
        };
        (name.as_str(), tensor)
    });
    let file = folder.join("model.safetensors");
    // Readers of the Python side look for this entry.
    let header = [("format".to_owned(), "pt".to_owned())].into();
    let written = safetensors::serialize_to_file(tensors, Some(header), &file);
    if let Some(error) = maker.state.borrow_mut().fault.take() {
        return Err(error.into());
    }
    written.map_err(|e| WeightError::Malformed {
        file: file.clone(),
        format: "safetensors",
        what: e.to_string(),
    })?;
    let file = folder.join("config.json");
    let text = format!("{:#}\n", config_json(config, precision));
    std::fs::write(&file, text).map_err(ExportError::io(&file))?;
    source.tokenizer.save(folder, config, source.chat)?;
    Ok(())
}
