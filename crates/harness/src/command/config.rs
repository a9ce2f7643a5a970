//! `harness config`: check and show experiments.

use anyhow::{Result, bail};

use crate::cli::ConfigCommand;
use crate::context::load_spec;

pub fn config(command: &ConfigCommand) -> Result<()> {
    match command {
        ConfigCommand::Check { files, spec } => {
            let mut bad = 0;
            for file in files {
                match load_spec(file, spec) {
                    Ok(_) => println!("{}: ok", file.display()),
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
            let resolved = load_spec(file, spec)?;
            if *json {
                println!("{}", serde_json::to_string_pretty(&resolved.to_json())?);
            } else {
                print!("{}", resolved.to_yaml());
            }
            Ok(())
        }
    }
}
