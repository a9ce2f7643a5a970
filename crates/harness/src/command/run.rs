//! `harness run`, and the commands that run the stages of one kind.

use anyhow::{Context as _, Result, ensure};
use harness_experiment::spec::Cell;
use harness_experiment::store::Shared;
use harness_experiment::{StageId, StageKind};
use serde_json::{Map, Value};

use super::{Opened, open_spec, open_stage};
use crate::cli::{RunArgs, SpecArgs, StageArgs};
use crate::context::load_cells;
use crate::files::read_json;
use crate::stage;

/// All stages; prints the report. Of a matrix all cells, one after the other; what one has done another takes over. A cell that fails does
/// not stop the others.
pub fn run(arguments: &RunArgs) -> Result<()> {
    let mut cells = load_cells(&arguments.experiment, &arguments.spec)?;
    if cells.len() == 1 {
        let opened = open_spec(cells.remove(0).spec, &arguments.experiment, &arguments.spec)?;
        opened.run(&[])?;
        return print_report(&opened, arguments.json);
    }
    let mut shared = Shared::default();
    for cell in &cells {
        shared.add(&cell.spec.out);
    }
    let (count, mut failed) = (cells.len(), Vec::new());
    let mut reports = Map::new();
    for (number, Cell { name, spec }) in (1..).zip(cells) {
        eprintln!("cell {number} of {count}: {name}");
        let out = spec.out.clone();
        let arguments_of = SpecArgs {
            cell: Some(name.clone()),
            ..arguments.spec.clone()
        };
        let done = open_spec(spec, &arguments.experiment, &arguments_of)
            .and_then(|opened| opened.run_beside(&[], &shared).map(|_| opened));
        match done {
            Ok(opened) => {
                shared.add(&out);
                reports.insert(name, report(&opened)?);
            }
            // Ctrl-C is for all of them.
            Err(error) if error.is::<stage::Interrupted>() => return Err(error),
            Err(error) => {
                eprintln!("cell {name}: {error:#}");
                failed.push(name);
            }
        }
    }
    if arguments.json {
        println!("{}", serde_json::to_string_pretty(&Value::Object(reports))?);
    } else {
        for name in reports.keys() {
            println!("done: {name}");
        }
    }
    ensure!(
        failed.is_empty(),
        "{} of {count} cells failed: {}; the others are done, and the same command tries these again",
        failed.len(),
        failed.join(", ")
    );
    Ok(())
}

/// What the report of a cell holds.
fn report(opened: &Opened) -> Result<Value> {
    let id = StageId::new(StageKind::Report, "all");
    let stage = opened.store.latest(&id)?.context("there is no report")?;
    read_json(&stage.file("report.json")?)
}

/// The stages of one kind and those they need.
pub fn stages(arguments: &StageArgs, kind: StageKind) -> Result<()> {
    let opened = open_stage(arguments)?;
    opened.run(&[kind])?;
    if kind == StageKind::Report {
        return print_report(&opened, arguments.json);
    }
    let mut results = Map::new();
    for stage in opened
        .plan
        .stages
        .iter()
        .filter(|stage| stage.id.kind == kind)
    {
        if let Some(done) = opened.store.latest(&stage.id)? {
            if arguments.json {
                results.insert(stage.id.to_string(), serde_json::to_value(done.manifest())?);
            } else {
                println!("{}", done.path().display());
            }
        }
    }
    if arguments.json {
        println!("{}", serde_json::to_string_pretty(&Value::Object(results))?);
    }
    Ok(())
}

fn print_report(opened: &Opened, json: bool) -> Result<()> {
    let id = harness_experiment::StageId::new(StageKind::Report, "all");
    let Some(stage) = opened.store.latest(&id)? else {
        anyhow::bail!("there is no report");
    };
    if json {
        let report: Value = read_json(&stage.file("report.json")?)?;
        println!("{}", serde_json::to_string_pretty(&report)?);
    } else {
        let text = stage.file("report.txt")?;
        print!("{}", std::fs::read_to_string(&text)?);
        println!("\nwritten: {}", stage.file("report.md")?.display());
        println!("to open: {}", stage.file("report.html")?.display());
    }
    Ok(())
}
