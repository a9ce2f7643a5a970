//! `harness mix`: how much of each set, what that gains, or that none aligns.

use anyhow::Result;
use harness_align::mix::{Fit, MixOptions, Mixture, Objective, mix as best_mixture};

use crate::cli::MixArgs;
use crate::workload;

pub fn mix(arguments: &MixArgs) -> Result<()> {
    let data = arguments.spec.data.as_deref();
    let sets = arguments
        .source
        .iter()
        .map(|name| workload::read(name, data))
        .collect::<Result<Vec<_>>>()?;
    let target = workload::read(&arguments.target, data)?;
    let predicted = match &arguments.predictions {
        Some(path) => Some(workload::read_predicted(path, &target)?),
        None => None,
    };
    let options = MixOptions {
        objective: arguments.objective.into(),
        splits: arguments.splits,
        seed: arguments.scores.seed,
        scores: arguments.scores.options(),
        ..MixOptions::default()
    };
    let predictions = predicted.as_ref().map(|it| &it.workload);
    let found = best_mixture(&sets, &target, predictions, &options)?;
    if arguments.json {
        println!("{}", serde_json::to_string_pretty(&found)?);
    } else {
        print(&found, arguments.n);
    }
    Ok(())
}

fn print(found: &Mixture, n: Option<usize>) {
    println!("{}\n", answer(found));
    let (unit, name) = match found.objective {
        Objective::Js => ("bits", "JS with the target"),
        Objective::ReverseKl => ("nats", "D(target, set)"),
    };
    let width = found
        .sets
        .iter()
        .map(|it| it.name.chars().count())
        .max()
        .unwrap_or(0)
        .max(8);
    println!("{:<width$}  n-grams  queries  {name}, {unit}", "set");
    for set in &found.sets {
        let take = n.map_or(String::new(), |n| {
            let wanted = (set.queries * n as f64).round() as usize;
            let short = if wanted > set.n {
                format!(", and it has {}", set.n)
            } else {
                String::new()
            };
            format!("   take {wanted}{short}")
        });
        println!(
            "{:<width$}  {:>6.1} %  {:>5.1} %  {:.4}{take}",
            set.name,
            100.0 * set.weight,
            100.0 * set.queries,
            set.value
        );
    }
    println!(
        "{:<width$}  {:>8}  {:>7}  {:.4}",
        "mixture", "", "", found.value
    );
    println!(
        "\nno mixture is better by more than {:.1e} {unit}",
        found.gap
    );
    let interval = found.gain_interval.map_or(String::new(), |it| {
        format!(" (95 % of halves: {:.4} to {:.4})", it.low, it.high)
    });
    println!(
        "gain over the best single set, {}, on halves of the target that were not fitted to: {:.4} {unit}{interval}",
        found.best_single, found.gain
    );
    println!(
        "JS of the mixture {:.4}; of the target's own halves {:.4} ± {:.4}{}",
        found.js,
        found.js_ceiling.0,
        found.js_ceiling.1,
        found
            .js_predictions
            .map_or(String::new(), |js| format!("; of the predictions {js:.4}"))
    );
    println!(
        "templates: {:.1} % of the target's queries have one that some set has",
        100.0 * found.overlap
    );
    if !found.lacking.is_empty() {
        println!("\nTemplates of the target that no set has:");
        for lack in &found.lacking {
            println!(
                "  {} × {} ({})",
                lack.count,
                lack.template,
                lack.examples.join(", ")
            );
        }
    }
    if found.fit != Fit::Aligns {
        println!(
            "\nWhat to do instead:\n  - put worked examples of the target into the prompt (prompt.few_shot)\n  - write queries \
             for the templates above, or make examples for them: harness augment\n  - try another base model: whether a set \
             is near is by what this one writes"
        );
    }
    if !found.warnings.is_empty() {
        println!();
    }
    for warning in &found.warnings {
        println!("note: {warning}");
    }
}

/// The short answer.
fn answer(found: &Mixture) -> String {
    let target = &found.target;
    match found.fit {
        Fit::NoneAligns => format!(
            "None aligns: the best mixture is farther from {target} than its own halves are, and has under half of its templates."
        ),
        Fit::PredictionsNearer => format!(
            "None aligns better than the model: what it writes is nearer to {target} than the best mixture is."
        ),
        Fit::Aligns if found.gain_interval.is_some_and(|it| it.low > 0.0) => {
            format!("A mixture is nearer to {target} than any single set.")
        }
        Fit::Aligns => format!(
            "{} alone will do for {target}: mixing is not shown to bring it nearer.",
            found.best_single
        ),
    }
}
