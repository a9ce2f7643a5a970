//! Between a run and its checkpoints: taking one over, writing one, and bringing back the best weights.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use candle_core::{Tensor, Var};

use crate::checkpoint::{self, Checkpoint, CheckpointError, Keep, Progress};
use crate::error::TrainError;
use crate::event::Event;
use crate::measure::best;
use crate::optimizer::AdamW;
use crate::tensors;

/// Takes over the newest checkpoint of `folder` that can be read, where there is one. What is damaged is told and
/// passed over, unless nothing else is there. On an error nothing has changed.
pub(crate) fn resume(
    folder: &Path,
    vars: &BTreeMap<String, Var>,
    optimizer: &mut AdamW,
    progress: &mut Progress,
    on_event: &mut dyn FnMut(Event),
) -> Result<(), TrainError> {
    let mut first = None;
    for path in checkpoint::all(folder)?.into_iter().rev() {
        match take_over(&path, vars, optimizer, progress) {
            Err(TrainError::Checkpoint(error)) if error.is_damage() => {
                on_event(Event::Damaged {
                    path,
                    reason: error.to_string(),
                });
                first.get_or_insert(error);
            }
            other => return other,
        }
    }
    first.map_or(Ok(()), |error| Err(error.into()))
}

fn take_over(
    path: &Path,
    vars: &BTreeMap<String, Var>,
    optimizer: &mut AdamW,
    progress: &mut Progress,
) -> Result<(), TrainError> {
    let checkpoint = checkpoint::read(path)?;
    progress.continues(&checkpoint.progress, path)?;
    let weights = decode(&checkpoint.weights, vars, path)?;
    optimizer
        .restore(&checkpoint.optimizer)
        .map_err(|source| CheckpointError::Optimizer {
            path: path.to_owned(),
            source,
        })?;
    put(&weights, vars)?;
    *progress = checkpoint.progress;
    Ok(())
}

/// Writes a checkpoint; those of `folder` that are neither among the newest to be kept nor the best go.
pub(crate) fn save(
    folder: &Path,
    vars: &BTreeMap<String, Var>,
    optimizer: &AdamW,
    progress: &Progress,
    on_event: &mut dyn FnMut(Event),
) -> Result<(), TrainError> {
    let weights = vars
        .iter()
        .map(|(name, var)| (name.clone(), var.as_detached_tensor()))
        .collect();
    let weights = tensors::encode(&weights, optimizer.steps()).map_err(|source| {
        CheckpointError::Weights {
            path: folder.to_owned(),
            source,
        }
    })?;
    let checkpoint = Checkpoint {
        progress: progress.clone(),
        weights,
        optimizer: optimizer.save()?,
    };
    let keep = Keep {
        newest: progress.config.keep_checkpoints,
        also: best(&progress.dev).map(|best| best.step),
    };
    let path = checkpoint::write(folder, &checkpoint, keep)?;
    on_event(Event::Checkpoint {
        step: progress.steps.len(),
        path,
    });
    Ok(())
}

/// A copy of the weights that later steps do not change.
pub(crate) fn copy(vars: &BTreeMap<String, Var>) -> Result<BTreeMap<String, Tensor>, TrainError> {
    vars.iter()
        .map(|(name, var)| Ok((name.clone(), var.copy()?.detach())))
        .collect::<candle_core::Result<_>>()
        .map_err(|source| TrainError::Tensor {
            during: "copying the weights",
            source: Box::new(source),
        })
}

/// Sets the variables to weights of their names.
pub(crate) fn put(
    weights: &BTreeMap<String, Tensor>,
    vars: &BTreeMap<String, Var>,
) -> Result<(), TrainError> {
    for (name, var) in vars {
        if let Some(weight) = weights.get(name) {
            var.set(weight).map_err(|source| TrainError::Tensor {
                during: "restoring the weights",
                source: Box::new(source),
            })?;
        }
    }
    Ok(())
}

/// Sets the variables to the weights of the checkpoint of `step` in `folder`.
pub(crate) fn go_back(
    folder: &Path,
    step: usize,
    vars: &BTreeMap<String, Var>,
) -> Result<(), TrainError> {
    let path: PathBuf = checkpoint::path_of(folder, step);
    let checkpoint = checkpoint::read(&path)?;
    put(&decode(&checkpoint.weights, vars, &path)?, vars)
}

fn decode(
    bytes: &[u8],
    vars: &BTreeMap<String, Var>,
    path: &Path,
) -> Result<BTreeMap<String, Tensor>, TrainError> {
    let like = vars
        .iter()
        .map(|(name, var)| (name.clone(), var.as_detached_tensor()))
        .collect();
    let (weights, _) =
        tensors::decode(bytes, &like).map_err(|source| CheckpointError::Weights {
            path: path.to_owned(),
            source,
        })?;
    Ok(weights)
}
