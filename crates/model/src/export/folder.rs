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

/// A tensor that is made when it is written.
struct Lazy<'a> {
    dtype: Dtype,
    shape: Vec<usize>,
    make: &'a dyn Fn() -> Vec<u8>,
}

impl View for &Lazy<'_> {
    fn dtype(&self) -> Dtype {
        self.dtype
    }

    fn shape(&self) -> &[usize] {
        &self.shape
    }

    fn data(&self) -> Cow<'_, [u8]> {
        Cow::Owned((self.make)())
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
    let merged = Merged::new(source.weights, source.adapter);
    let all: Vec<(String, Vec<usize>)> = shapes(config).collect();
    let of = all.len();
    // The writer has no way to hand an error on, so the first one waits here.
    let fault: RefCell<Option<ModelError>> = RefCell::new(None);
    let progress = RefCell::new((progress, 0));
    let make = |name: &str, shape: &[usize]| -> Vec<u8> {
        let mut step = progress.borrow_mut();
        step.1 += 1;
        let done = step.1;
        (step.0)("writing tensors", done, of);
        let made = match fault.borrow().is_some() {
            true => return Vec::new(),
            false => merged
                .tensor(name, shape)
                .and_then(|values| encoded(block, &values)),
        };
        made.unwrap_or_else(|error| {
            *fault.borrow_mut() = Some(error);
            Vec::new()
        })
    };
    let makers: Vec<Box<dyn Fn() -> Vec<u8> + '_>> = all
        .iter()
        .map(|(name, shape)| Box::new(|| make(name, shape)) as Box<dyn Fn() -> Vec<u8> + '_>)
        .collect();
    let tensors: Vec<Lazy<'_>> = all
        .iter()
        .zip(&makers)
        .map(|((_, shape), make)| Lazy {
            dtype,
            shape: shape.clone(),
            make,
        })
        .collect();
    let file = folder.join("model.safetensors");
    // Readers of the Python side look for this entry.
    let header = [("format".to_owned(), "pt".to_owned())].into();
    let views = all.iter().map(|(name, _)| name.as_str()).zip(&tensors);
    let written = safetensors::serialize_to_file(views, Some(header), &file);
    if let Some(error) = fault.take() {
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
