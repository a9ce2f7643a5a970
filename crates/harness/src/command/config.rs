//! `harness config`: check and show experiments.

use anyhow::{Result, bail};
use harness_experiment::spec::Cell;
use serde_json::json;

use crate::cli::ConfigCommand;
use crate::context::load_cells;

pub fn config(command: &ConfigCommand) -> Result<()> {
    match command {
        ConfigCommand::Check { files, spec } => {
            let mut bad = 0;
            for file in files {
                match load_cells(file, spec) {
                    Ok(cells) if is_one(&cells) => println!("{}: ok", file.display()),
                    Ok(cells) => println!("{}: ok, {} cells", file.display(), cells.len()),
                    Err(error) => {
                        bad += 1;
                        eprintln!("{error:#}");
                    }
                }
            }
            if bad > 0 {
                bail!("{bad} of {} files have faults", files.len());
            }
            Ok(())
        }
        ConfigCommand::Show { file, spec, json } => {
            let mut cells = load_cells(file, spec)?;
            if !is_one(&cells) {
                return list(&cells, *json);
            }
            let resolved = cells.remove(0).spec;
            if *json {
                println!("{}", serde_json::to_string_pretty(&resolved.to_json())?);
            } else {
                print!("{}", resolved.to_yaml());
            }
            Ok(())
        }
    }
}

/// Whether there is nothing to choose.
fn is_one(cells: &[Cell]) -> bool {
    cells.len() == 1
}

/// The cells of a matrix, and where their results go.
fn list(cells: &[Cell], json: bool) -> Result<()> {
    if json {
        let rows: Vec<_> = cells
            .iter()
            .map(|cell| json!({ "cell": cell.name, "spec": cell.spec.to_json() }))
            .collect();
        println!("{}", serde_json::to_string_pretty(&rows)?);
        return Ok(());
    }
    println!("{} cells; --cell NAME shows one", cells.len());
    for cell in cells {
        println!("  {}", cell.name);
    }
    Ok(())
}
