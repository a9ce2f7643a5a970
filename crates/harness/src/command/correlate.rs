//! `harness correlate`: from a file of cells, or as a stage of an experiment.

use anyhow::Result;
use harness_align::{Cell, CorrelateOptions, Correlation};
use harness_experiment::{StageId, StageKind};

use super::open;
use crate::cli::CorrelateArgs;
use crate::files::read_json;

pub fn correlate(arguments: &CorrelateArgs) -> Result<()> {
    let correlation: Correlation = match (&arguments.cells, &arguments.config) {
        (Some(cells), _) => {
            let file = cells;
            let cells: Vec<Cell> = read_json(file)?;
            anyhow::ensure!(
                !cells.is_empty(),
                "{} holds no cells; a run leaves them in correlate/all/cells.json",
                file.display()
            );
            harness_align::correlate(&cells, &CorrelateOptions::default())
        }
        (None, Some(config)) => {
            let opened = open(config, &arguments.spec)?;
            opened.run(&[StageKind::Correlate])?;
            let id = StageId::new(StageKind::Correlate, "all");
            let Some(stage) = opened.store.latest(&id)? else {
                anyhow::bail!("the experiment has no target to correlate over");
            };
            read_json(&stage.file("correlation.json")?)?
        }
        (None, None) => anyhow::bail!("give --cells or --config"),
    };
    if arguments.json {
        println!("{}", serde_json::to_string_pretty(&correlation)?);
        return Ok(());
    }
    println!("{} cells: {}", correlation.n, correlation.text);
    for predictor in &correlation.predictors {
        let value = predictor
            .spearman
            .value
            .map_or("n.a.".to_owned(), |v| format!("{v:.3}"));
        let interval = predictor
            .spearman
            .interval
            .map_or(String::new(), |i| format!(" [{:.3}, {:.3}]", i.low, i.high));
        println!(
            "  {:<28} n {:>3}  Spearman {value}{interval}",
            predictor.name, predictor.n
        );
    }
    Ok(())
}
