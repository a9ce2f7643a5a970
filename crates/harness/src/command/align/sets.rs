//! The scores of one set of queries against another, and of predictions against the same.

use anyhow::{Context as _, Result};
use harness_align::{
    Comparison, Options, RarefiedRatio, RarefyOptions, Ratios, compare, rarefied_ratio, ratios,
};
use serde::Serialize;

use crate::cli::AlignArgs;
use crate::workload;

/// All figures, as `--json` prints them: those of source and target stand at the top.
#[derive(Serialize)]
struct Figures {
    source: String,
    target: String,
    #[serde(flatten)]
    comparison: Comparison,
    style_free: Comparison,
    predictions: Option<Comparison>,
    #[serde(flatten)]
    ratios: Option<Ratios>,
    rarefied: Option<RarefiedRatio>,
    notes: Vec<String>,
}

pub fn sets(arguments: &AlignArgs) -> Result<()> {
    let data = arguments.spec.data.as_deref();
    let name = |name: &Option<String>| name.clone().context("give --source and --target");
    let source = workload::read(&name(&arguments.source)?, data)?;
    let target = workload::read(&name(&arguments.target)?, data)?;
    let predicted = match &arguments.predictions {
        Some(path) => Some(workload::read_predicted(path, &target)?),
        None => None,
    };
    let options = arguments.scores.options();
    let (s, t) = (source.templates(), target.templates());
    let comparison = compare(s, t, &options)?;
    let style_free = Options {
        style_free: true,
        ..options
    };
    let mut figures = Figures {
        source: source.name().to_owned(),
        target: target.name().to_owned(),
        style_free: compare(s, t, &style_free)?,
        comparison,
        predictions: None,
        ratios: None,
        rarefied: None,
        notes: Vec::new(),
    };
    if let Some(predicted) = &predicted {
        let of_predictions = compare(predicted.workload.templates(), t, &options)
            .context("the predictions can't be compared with the target")?;
        let rarefy = RarefyOptions {
            seed: arguments.scores.seed,
            ..RarefyOptions::default()
        };
        figures.ratios = Some(ratios(&figures.comparison, &of_predictions));
        figures.rarefied = Some(rarefied_ratio(
            s,
            predicted.workload.templates(),
            t,
            &options,
            &rarefy,
        )?);
        figures.predictions = Some(of_predictions);
        figures.notes = predicted.notes();
    }
    if arguments.json {
        println!("{}", serde_json::to_string_pretty(&figures)?);
    } else {
        print(&figures);
    }
    Ok(())
}

fn print(figures: &Figures) {
    let found = &figures.comparison;
    println!("{} against {}", figures.source, figures.target);
    println!(
        "  A(S, T) {:.4}   A(T, S) {:.4}",
        found.a_kl, found.a_kl_rev
    );
}
