//! The assessment of one set of queries against another, with predictions or without.

use std::panic::resume_unwind;
use std::path::Path;
use std::thread;

use anyhow::{Context as _, Result};
use harness_align::assess::Ceiling;
use harness_align::{
    Assessment, Comparison, Interval, MeanSd, RarefiedRatio, RarefyOptions, ScoreRow, Verdict,
    Warning, Workload, assess,
};
use serde::Serialize;

use super::scores;
use crate::cli::{AlignArgs, PairArgs};
use crate::workload::{self, Predicted};

/// All figures, as `--json` prints them: those of source and target stand at the top.
#[derive(Serialize)]
struct Figures {
    #[serde(flatten)]
    assessment: Assessment,
    /// Every score of the table; none unless all are asked for.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    scores: Vec<ScoreRow>,
    notes: Vec<String>,
}

pub fn sets(arguments: &AlignArgs) -> Result<()> {
    let Pair {
        source,
        target,
        predicted,
    } = Pair::read_with(
        &arguments.pair,
        arguments.spec.data.as_deref(),
        // The table of all scores asks for texts and questions; the assessment asks for the source's templates only.
        if arguments.all || !arguments.arrays.is_empty() {
            workload::read
        } else {
            workload::read_templates
        },
    )?;
    let rarefy = RarefyOptions {
        n: arguments.rarefy,
        draws: arguments.draws,
        resamples: arguments.resamples,
        seed: arguments.scores.seed,
    };
    let predictions = predicted.as_ref().map(|it| &it.workload);
    let options = arguments.scores.options();
    let figures = Figures {
        assessment: assess(&source, &target, predictions, &options, &rarefy)?,
        scores: if arguments.all || !arguments.arrays.is_empty() {
            scores::scores(&source, &target, predictions, &options, &arguments.arrays)?
        } else {
            Vec::new()
        },
        notes: predicted.as_ref().map(Predicted::notes).unwrap_or_default(),
    };
    if arguments.json {
        println!("{}", serde_json::to_string_pretty(&figures)?);
    } else {
        print(&figures);
    }
    Ok(())
}

/// The sets that are named on the command line.
pub struct Pair {
    pub source: Workload,
    pub target: Workload,
    pub predicted: Option<Predicted>,
}

impl Pair {
    pub fn read(arguments: &PairArgs, data: Option<&Path>) -> Result<Self> {
        Self::read_with(arguments, data, workload::read)
    }

    /// [`Self::read`] with a way of its own to read the source.
    fn read_with(
        arguments: &PairArgs,
        data: Option<&Path>,
        read_source: fn(&str, Option<&Path>) -> Result<Workload>,
    ) -> Result<Self> {
        let named = |name: &Option<String>, what| name.clone().context(what);
        let source = named(&arguments.source, "give --source")?;
        let target = named(&arguments.target, "give --target")?;
        // Both at once: reading is most of the time where the sets are large.
        let (source, target) = thread::scope(|scope| {
            let reading = scope
                .spawn(|| read_source(&source, data).with_context(|| format!("--source {source}")));
            let target =
                workload::read(&target, data).with_context(|| format!("--target {target}"));
            let source = reading.join().unwrap_or_else(|panic| resume_unwind(panic));
            (source, target)
        });
        let (source, target) = (source?, target?);
        let predicted = match &arguments.predictions {
            Some(path) => Some(workload::read_predicted(path, &target)?),
            None => None,
        };
        Ok(Self {
            source,
            target,
            predicted,
        })
    }
}

fn print(figures: &Figures) {
    let it = &figures.assessment;
    match &it.of_predictions {
        Some(own) => {
            println!("{}\n", verdict(it, &own.rarefied));
            for reason in &own.withheld {
                println!("- {reason}");
            }
            if !own.withheld.is_empty() {
                println!();
            }
        }
        None => println!("{} against {}\n", it.source, it.target),
    }
    let mut rows = vec![
        [
            "",
            "A(S,T)",
            "A(T,S)",
            "JS",
            "templates",
            "n-grams",
            "style-free",
            "queries",
            "left out",
        ]
        .map(str::to_owned),
        row(&it.source, &it.comparison, &it.style_free),
    ];
    if let Some(own) = &it.of_predictions {
        rows.push(row("predictions", &own.comparison, &own.style_free));
    }
    let ceilings = [
        ("half of the target", &it.ceilings.by_question),
        ("  no common database", &it.ceilings.by_database),
    ];
    for (name, ceiling) in ceilings {
        rows.extend(ceiling.as_ref().map(|ceiling| reference(name, ceiling)));
    }
    aligned(&rows);
    let found = &it.comparison;
    println!(
        "\nD(S,T) {:.3} of at most {:.3} nats, D(T,S) {:.3} of {:.3}; {} different n-grams",
        found.d_kl, found.c, found.d_kl_rev, found.c_rev, found.n_union
    );
    if let (Some(own), Some(ratios)) = (&it.of_predictions, &it.ratios) {
        println!();
        let rarefied = &own.rarefied;
        println!(
            "AR {:.3} as the sets are; style-free {:.3}",
            ratios.ar, own.ar_style_free
        );
        println!(
            "AR {:.3} at {} queries of each, mean of {} draws (standard deviation {:.3})",
            rarefied.ar, rarefied.n, rarefied.draws, rarefied.ar_sd
        );
        println!("   for other questions {}", interval(rarefied.interval));
        println!("   for other databases {}", by_database(rarefied));
        if let (Some(s), Some(m)) = (rarefied.a_rev_source, rarefied.a_rev_predictions) {
            println!(
                "   the other way round, A(T,S) by A(T,M): {:.3}",
                s.mean / m.mean
            );
        }
    }
    if !figures.scores.is_empty() {
        println!();
        scores::print(&figures.scores);
    }
    let warnings = match &it.of_predictions {
        Some(own) => &own.rarefied.warnings,
        None => &it.comparison.warnings,
    };
    let notes: Vec<String> = (warnings.iter().map(Warning::to_string))
        .chain(figures.notes.iter().cloned())
        .collect();
    if !notes.is_empty() {
        println!();
    }
    for note in notes {
        println!("note: {note}");
    }
}

/// The verdict in words.
fn verdict(it: &Assessment, ratio: &RarefiedRatio) -> String {
    let (source, target) = (&it.source, &it.target);
    match ratio.verdict {
        Verdict::Above => format!(
            "{source} is closer to {target} than the predictions are: fine-tuning on it should help."
        ),
        Verdict::Below => format!(
            "{source} is further from {target} than the predictions are: fine-tuning on it should not help."
        ),
        Verdict::Open => format!(
            "No verdict: {source} and the predictions are not told apart in their distance from {target}."
        ),
        Verdict::Withheld => format!("No verdict on {source} for {target}."),
    }
}

fn row(name: &str, found: &Comparison, style_free: &Comparison) -> [String; 9] {
    let left_out: usize = found.excluded_source.values().sum();
    let all = found.n_source + left_out;
    [
        name.to_owned(),
        format!("{:.4}", found.a_kl),
        format!("{:.4}", found.a_kl_rev),
        format!("{:.4}", found.js),
        percent(found.ovlp_template),
        percent(found.ovlp_ngram),
        format!("{:.4}", style_free.a_kl),
        found.n_source.to_string(),
        if left_out == 0 {
            "0".to_owned()
        } else {
            format!("{left_out} ({})", percent(left_out as f64 / all as f64))
        },
    ]
}

/// A line of reference: what the target's own queries reach.
fn reference(name: &str, ceiling: &Ceiling) -> [String; 9] {
    let MeanSd { mean, sd } = ceiling.a;
    let empty = String::new;
    [
        name.to_owned(),
        format!("{mean:.4}"),
        format!("± {sd:.3}"),
        empty(),
        empty(),
        empty(),
        empty(),
        format!("{:.0}", ceiling.n_target),
        empty(),
    ]
}

/// Prints a table: the first column to the left, all others to the right.
fn aligned(rows: &[[String; 9]]) {
    let width = |column: usize| {
        let cells = rows.iter().map(|row| row[column].chars().count());
        cells.max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..9).map(width).collect();
    for row in rows {
        let cells = row
            .iter()
            .zip(&widths)
            .enumerate()
            .map(|(column, (cell, width))| {
                let pad = " ".repeat(width - cell.chars().count());
                if column == 0 {
                    format!("{cell}{pad}")
                } else {
                    format!("  {pad}{cell}")
                }
            });
        println!("{}", cells.collect::<String>().trim_end());
    }
}

fn interval(found: Option<Interval>) -> String {
    found.map_or("no interval".to_owned(), |it| {
        format!(
            "{:.3} to {:.3} ({:.0} %)",
            it.low,
            it.high,
            100.0 * it.level
        )
    })
}

fn by_database(ratio: &RarefiedRatio) -> String {
    match (ratio.interval_by_database, ratio.databases) {
        (Some(found), n) => format!("{}, {n} databases", interval(Some(found))),
        (None, 0) => {
            "no interval: the databases of the target's questions are not known".to_owned()
        }
        (None, n) => format!("no interval: the target has {n} databases, and 5 are needed"),
    }
}

fn percent(share: f64) -> String {
    format!("{:.1} %", 100.0 * share)
}
