//! Predictions for the examples of a data set.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use anyhow::{Context as _, Result};
use harness_data::predictions::{
    Identified, PredictionFile, PredictionFormat, identify, read_predictions,
};
use harness_data::{Dataset, DatasetKind, load};
use harness_eval::{Answer, Place, join, spider_hardness};
use harness_record::{Example, Schema};

use super::{Task, places, policies};
use crate::cli::ExamplesArgs;
use crate::set;

/// Reads predictions and examples and brings them together.
pub fn task(predictions: &Path, arguments: &ExamplesArgs, data: Option<&Path>) -> Result<Task> {
    let kind = DatasetKind::ALL
        .into_iter()
        .find(|kind| arguments.dataset.as_deref() == Some(kind.name()))
        .context("--dataset is missing")?;
    let split = arguments.split.as_deref().context("--split is missing")?;
    let format = PredictionFormat::ALL
        .into_iter()
        .find(|format| arguments.format.as_deref() == Some(format.name()));
    let file = read_predictions(predictions, format)?;
    let mut set = set::at(kind, split, arguments.root.as_deref(), data);
    // A gold that fails is told of its row, which is no reason not to know the row.
    set.reference.keep_refused = true;
    let dataset = load(&set.reference)?;
    let title = format!(
        "{} on {}{}",
        predictions.display(),
        set.id,
        dataset
            .notes
            .release
            .as_ref()
            .map(|release| format!(" ({release})"))
            .unwrap_or_default()
    );
    let notes = notes(&file, &dataset);
    let answers = identify(file, &dataset.examples, arguments.by_position)
        .with_context(|| format!("in {}", predictions.display()))?;
    let places = places(kind, &dataset)?;
    let answers = answers.iter().map(|answer: &Identified| Answer {
        id: &answer.id,
        db_id: answer.db_id.as_deref(),
        sql: &answer.sql,
    });
    let rows = join(answers, &dataset.examples, |db| {
        places.get(db).cloned().unwrap_or_default()
    })?;
    let levels = dataset.examples.iter().map(|example| {
        let stated = example.difficulty.clone();
        stated.or_else(|| hardness(kind, example, dataset.schemas.get(&example.db_id)?))
    });
    Ok(Task {
        title,
        levels: levels.collect(),
        rows,
        notes,
        policies: policies::usual(kind),
    })
}

/// The level by Spider's count, which goes with its questions only.
fn hardness(kind: DatasetKind, example: &Example, schema: &Schema) -> Option<String> {
    let hardness = match kind {
        DatasetKind::Spider => spider_hardness(&example.gold, schema),
        _ => None,
    };
    hardness.map(|hardness| hardness.to_string())
}

fn places(kind: DatasetKind, dataset: &Dataset) -> Result<BTreeMap<&str, Place>> {
    let mut places = BTreeMap::new();
    for (db, schema) in &dataset.schemas {
        let files = match dataset.databases.get(db) {
            // Distilled databases come in the layout of Spider.
            Some(Some(file)) if kind == DatasetKind::Spider => places::suite(file)?,
            Some(Some(file)) => vec![file.clone()],
            _ => Vec::new(),
        };
        let schema = Some(Arc::new(schema.clone()));
        places.insert(db.as_str(), Place { files, schema });
    }
    Ok(places)
}

fn notes(file: &PredictionFile, dataset: &Dataset) -> Vec<String> {
    const SHOWN: usize = 5;
    let mut notes = vec![format!("read as the format {}", file.format)];
    for (ids, what) in [
        (
            &file.not_text,
            "hold no text where the query belongs and count as empty",
        ),
        (&file.without_separator, "lack BIRD's separator"),
    ] {
        if !ids.is_empty() {
            let shown = ids[..ids.len().min(SHOWN)].join(", ");
            let more = if ids.len() > SHOWN { ", …" } else { "" };
            notes.push(format!("{} predictions {what}: {shown}{more}", ids.len()));
        }
    }
    if file.blank_lines > 0 {
        notes.push(format!("{} blank lines were passed over", file.blank_lines));
    }
    let absent = &dataset.notes.kept_without_database;
    if !absent.is_empty() {
        let rows: usize = absent.values().sum();
        notes.push(format!(
            "{rows} rows have no database here ({} databases)",
            absent.len()
        ));
    }
    notes
}
