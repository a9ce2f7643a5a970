//! `harness gc`: what nobody asks for any more in the folders of an experiment.

use anyhow::Result;
use harness_experiment::store::{Garbage, Unwanted};
use harness_experiment::{Plan, Store};
use serde_json::json;

use super::made;
use crate::cli::GcArgs;
use crate::context::{Context, load_cells};
use crate::machine::bytes;

pub fn gc(arguments: &GcArgs) -> Result<()> {
    let mut found: Vec<Garbage> = Vec::new();
    for cell in load_cells(&arguments.config, &arguments.spec)? {
        let out = cell.spec.out.clone();
        if !out.exists() {
            continue;
        }
        made::ensure(&cell.spec)?;
        let plan = Plan::new(&cell.spec);
        let context = Context::new(cell.spec);
        let keys = plan.keys(&context.external(&plan)?);
        let own = Store::read(&out).garbage(&keys)?;
        // Only who removes something keeps others out.
        if arguments.delete && !own.is_empty() {
            let store = Store::open(&out)?;
            for garbage in &own {
                store.discard(garbage)?;
            }
        }
        found.extend(own);
    }
    let total: u64 = found.iter().map(|it| it.bytes).sum();
    if arguments.json {
        let told = json!({ "deleted": arguments.delete, "bytes": total, "folders": found });
        println!("{}", serde_json::to_string_pretty(&told)?);
        return Ok(());
    }
    for garbage in &found {
        println!(
            "  {:>10}  {}  {}",
            bytes(garbage.bytes),
            garbage.path.display(),
            said(&garbage.why)
        );
    }
    let what = format!("{} folders, {}", found.len(), bytes(total));
    println!(
        "{}",
        match (found.is_empty(), arguments.delete) {
            (true, _) => "nothing that the experiment does not ask for".to_owned(),
            (false, true) => format!("{what}: deleted"),
            (false, false) => format!("{what}: nothing was deleted; --delete does it"),
        }
    );
    Ok(())
}

fn said(why: &Unwanted) -> String {
    match why {
        Unwanted::NotPlanned => "the experiment has no such stage".to_owned(),
        Unwanted::Stale(difference) => difference.clone(),
        Unwanted::Interrupted => "interrupted, and not wanted any more".to_owned(),
        Unwanted::Replaced => "replaced".to_owned(),
    }
}
