//! `harness plan`: the stages of an experiment and what is there of them.

use anyhow::Result;
use harness_experiment::{Plan, Store};
use serde_json::json;

use crate::cli::PlanArgs;
use crate::context::load_spec;

pub fn plan(arguments: &PlanArgs) -> Result<()> {
    let spec = load_spec(&arguments.experiment, &arguments.spec)?;
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
