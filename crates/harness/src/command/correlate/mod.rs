//! `harness correlate`: does a score tell the gain? From files of cells, or as a stage of an experiment.

mod read;
mod text;

use std::path::Path;

use anyhow::{Result, bail, ensure};
use harness_align::{Cell, CorrelateOptions, Correlation};
use harness_experiment::{StageId, StageKind};

use super::open;
use crate::cli::CorrelateArgs;
use crate::files::read_json;

pub fn correlate(arguments: &CorrelateArgs) -> Result<()> {
    let correlation = match &arguments.config {
        None => of_cells(&read::cells(&arguments.cells)?, arguments, 0)?,
        Some(config) => of_experiment(config, arguments)?,
    };
    if arguments.json {
        println!("{}", serde_json::to_string_pretty(&correlation)?);
    } else {
        print!("{}", text::text(&correlation));
    }
    Ok(())
}

fn of_experiment(config: &Path, arguments: &CorrelateArgs) -> Result<Correlation> {
    let opened = open(config, &arguments.spec)?;
    opened.run(&[StageKind::Correlate])?;
    let id = StageId::new(StageKind::Correlate, "all");
    let Some(stage) = opened.store.latest(&id)? else {
        bail!("the experiment has no target to correlate over");
    };
    let cells: Vec<Cell> = read_json(&stage.file("cells.json")?)?;
    of_cells(&cells, arguments, opened.context.spec.seed)
}

fn of_cells(cells: &[Cell], arguments: &CorrelateArgs, seed: u64) -> Result<Correlation> {
    let correlation = harness_align::correlate(
        cells,
        &CorrelateOptions {
            headline: arguments.score.clone(),
            resamples: arguments.resamples,
            permutations: arguments.resamples,
            seed: arguments.seed.unwrap_or(seed),
            ..CorrelateOptions::default()
        },
    );
    let scores = correlation.predictors.iter().filter(|p| !p.control);
    let names: Vec<&str> = scores.map(|p| p.name.as_str()).collect();
    ensure!(
        names.contains(&arguments.score.as_str()),
        "no cell has the score {}; name another with --score: {}",
        arguments.score,
        if names.is_empty() {
            "the cells have none at all".to_owned()
        } else {
            names.join(", ")
        }
    );
    Ok(correlation)
}
