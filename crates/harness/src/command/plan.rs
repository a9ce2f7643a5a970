//! `harness plan`: the stages of an experiment and what is there of them.

use anyhow::Result;
use harness_experiment::spec::Cell;
use harness_experiment::{Plan, Store};
use serde_json::json;

use crate::cli::PlanArgs;
use crate::context::load_cells;

pub fn plan(arguments: &PlanArgs) -> Result<()> {
    let mut cells = load_cells(&arguments.experiment, &arguments.spec)?;
    if cells.len() > 1 {
        return matrix(&cells, arguments.json);
    }
    let spec = cells.remove(0).spec;
    let plan = Plan::new(&spec);
    let store = Store::read(&spec.out);
    let mut rows = Vec::new();
    for stage in &plan.stages {
        let found = store.latest(&stage.id)?;
        rows.push((stage, found));
    }
    if arguments.json {
        let list: Vec<_> = rows
            .iter()
            .map(|(stage, found)| {
                json!({
                    "stage": stage.id.to_string(),
                    "needs": stage.needs.iter().map(ToString::to_string).collect::<Vec<_>>(),
                    "finished": found.as_ref().map(|found| &found.manifest().finished),
                    "wall_seconds": found.as_ref().map(|found| found.manifest().cost.wall_seconds),
                })
            })
            .collect();
        println!("{}", serde_json::to_string_pretty(&list)?);
        return Ok(());
    }
    println!(
        "{}: {} stages, results in {}",
        spec.name,
        plan.stages.len(),
        spec.out.display()
    );
    for (stage, found) in &rows {
        let state = match found {
            Some(found) => format!(
                "result of {}, {:.0} s",
                found.manifest().finished,
                found.manifest().cost.wall_seconds
            ),
            None => "missing".to_owned(),
        };
        println!("  {:<44} {state}", stage.id.to_string());
    }
    println!(
        "A run compares each result with what would make it now, and does again what differs."
    );
    Ok(())
}

/// The cells of a matrix, and how many of their stages have a result.
fn matrix(cells: &[Cell], json: bool) -> Result<()> {
    let mut rows = Vec::with_capacity(cells.len());
    for cell in cells {
        let plan = Plan::new(&cell.spec);
        let there = plan.stages.iter().filter(|stage| {
            let folder = cell
                .spec
                .out
                .join(stage.id.kind.as_str())
                .join(&stage.id.name);
            folder.join("manifest.json").is_file()
        });
        rows.push((cell, there.count(), plan.stages.len()));
    }
    if json {
        let list: Vec<_> = rows
            .iter()
            .map(|(cell, there, stages)| {
                json!({ "cell": cell.name, "stages": stages, "finished": there })
            })
            .collect();
        println!("{}", serde_json::to_string_pretty(&list)?);
        return Ok(());
    }
    let stages: usize = rows.iter().map(|(.., stages)| stages).sum();
    let there: usize = rows.iter().map(|(_, there, _)| there).sum();
    println!(
        "{} cells, {stages} stages, {there} with a result",
        rows.len()
    );
    for (cell, there, stages) in &rows {
        println!("  {:<60} {there:>3} of {stages}", cell.name);
    }
    println!("Stages that are the same in several cells are done once.");
    Ok(())
}
