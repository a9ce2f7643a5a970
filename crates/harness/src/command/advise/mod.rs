//! `harness advise`: fine-tune or not, on what, what to expect, how sure.

mod ask;
mod page;
mod subject;

use std::path::Path;

use anyhow::{Context as _, Result};
use harness_align::advise::{Advice, EXPECTED_BY, advise as look};
use harness_align::{
    Cell, Conclusion, CorrelateOptions, RarefyOptions, correlate as correlate_cells,
};
use harness_eval::Summary;
use serde::Serialize;

use crate::cli::AdviseArgs;
use crate::files::{read_json, write, write_json};
use subject::Subject;

/// Everything on the page.
#[derive(Serialize)]
struct Page {
    #[serde(flatten)]
    advice: Advice,
    /// Accuracy of the model as it is, where its answers were executed.
    accuracy: Option<Summary>,
    /// Whether alignment told the gain in the earlier runs that are given.
    history: Option<History>,
    notes: Vec<String>,
}

/// What the earlier runs say of the score itself.
#[derive(Serialize)]
struct History {
    files: Vec<String>,
    cells: usize,
    conclusion: Conclusion,
    text: String,
}

pub fn advise(arguments: &AdviseArgs) -> Result<()> {
    // What can be wrong in the question is told before the model is asked for minutes.
    let subject = Subject::new(arguments)?;
    let cells = history(arguments)?;
    let out = match &arguments.out {
        Some(out) => out.clone(),
        None => subject.folder(),
    };
    let asked = ask::ask(&subject, arguments, &out)?;
    let rarefy = RarefyOptions {
        seed: arguments.scores.seed,
        ..RarefyOptions::default()
    };
    let advice = look(
        &subject.model,
        &subject.train,
        &asked.target,
        &asked.predictions,
        &cells,
        &arguments.scores.options(),
        &rarefy,
    )?;
    let history = (!cells.is_empty()).then(|| {
        let options = CorrelateOptions {
            headline: EXPECTED_BY.to_owned(),
            ..CorrelateOptions::default()
        };
        let found = correlate_cells(&cells, &options);
        History {
            files: arguments
                .history
                .iter()
                .map(|file| file.display().to_string())
                .collect(),
            cells: cells.len(),
            conclusion: found.conclusion,
            text: found.text,
        }
    });
    let page = Page {
        advice,
        accuracy: asked.accuracy,
        history,
        notes: asked.notes,
    };
    let text = page::text(&page);
    if arguments.predictions.is_none() || arguments.out.is_some() {
        save(&out, &page, &text)?;
    }
    if arguments.json {
        println!("{}", serde_json::to_string_pretty(&page)?);
    } else {
        print!("{text}");
    }
    Ok(())
}

fn history(arguments: &AdviseArgs) -> Result<Vec<Cell>> {
    let mut cells = Vec::new();
    for file in &arguments.history {
        cells.extend(read_json::<Vec<Cell>>(file)?);
    }
    Ok(cells)
}

fn save(folder: &Path, page: &Page, text: &str) -> Result<()> {
    std::fs::create_dir_all(folder)
        .with_context(|| format!("cannot create {}", folder.display()))?;
    let path = folder.join("advice.md");
    write(&path, text.as_bytes())?;
    write_json(&folder.join("advice.json"), page)?;
    eprintln!("written: {}", path.display());
    Ok(())
}
