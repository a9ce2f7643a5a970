//! From what the model said of two sets to scores of the one against the other.

use anyhow::{Context as _, Result, ensure};
use harness_align::score::model::{Loss, Measured};
use harness_align::{ModelScores, model_scores};
use harness_experiment::{StageDir, StageId, StageKind};

use super::{GRADIENT, LOSSES, LossRow, VECTORS, VectorRow};
use crate::files::read_lines;
use crate::stage::Inputs;

/// What a finished stage has of a set.
struct Found {
    ids: Vec<String>,
    losses: Vec<Loss>,
    vectors: Vec<Vec<f32>>,
    gradient: Vec<f32>,
}

/// The scores of a training set against a target; halves of the target are drawn by `seed`.
pub fn scores(inputs: &Inputs<'_>, train: &str, target: &str, seed: u64) -> Result<ModelScores> {
    let of_train = read(&inputs.stage(&StageId::new(StageKind::Measure, train))?)?;
    let of_target = read(&inputs.stage(&StageId::new(StageKind::Measure, target))?)?;
    let probe = inputs.stage(&StageId::new(StageKind::Probe, train))?;
    let mut after: Vec<LossRow> = read_lines(&probe.file(LOSSES)?)?;
    after.retain(|row| row.set.as_deref() == Some(target));
    let same = after.iter().map(|row| &row.id).eq(&of_target.ids);
    ensure!(
        same,
        "the probe on {train} measured other examples of {target} than were measured before it; delete its folder {}",
        probe.path().display()
    );
    let after: Vec<Loss> = after.iter().map(loss).collect();
    Ok(model_scores(
        measured(&of_train),
        measured(&of_target),
        &after,
        seed,
    )?)
}

fn measured(found: &Found) -> Measured<'_> {
    Measured {
        losses: &found.losses,
        vectors: &found.vectors,
        gradient: &found.gradient,
    }
}

fn loss(row: &LossRow) -> Loss {
    Loss {
        nats: row.nats,
        tokens: row.tokens,
    }
}

fn read(stage: &StageDir) -> Result<Found> {
    let losses: Vec<LossRow> = read_lines(&stage.file(LOSSES)?)?;
    let vectors: Vec<VectorRow> = read_lines(&stage.file(VECTORS)?)?;
    let path = stage.file(GRADIENT)?;
    let bytes = std::fs::read(&path).with_context(|| format!("cannot read {}", path.display()))?;
    let (numbers, rest) = bytes.as_chunks::<4>();
    ensure!(
        rest.is_empty(),
        "{} is cut off: {} bytes are no numbers of four",
        path.display(),
        bytes.len()
    );
    Ok(Found {
        losses: losses.iter().map(loss).collect(),
        ids: losses.into_iter().map(|row| row.id).collect(),
        vectors: vectors.into_iter().map(|row| row.vector).collect(),
        gradient: numbers.iter().map(|it| f32::from_le_bytes(*it)).collect(),
    })
}
