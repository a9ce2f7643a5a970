//! `harness train --find-lr`: which learning rates are good for a model and a training set, before hours are spent.

use std::fmt::Write as _;
use std::fs;

use anyhow::{Context as _, Result};
use harness_experiment::{Resolved, StageId, StageKind};
use harness_train::{RateRange, RateTest};
use serde::Serialize;

use crate::cli::TrainArgs;
use crate::context::Context;
use crate::files::write_json;
use crate::stage;

/// The file of the curve.
const FILE: &str = "find-lr.json";

/// Rows of the table: every so many points are shown that there are about this many.
const ROWS: usize = 20;

/// Lines of the plot, and the least and the most of its columns.
const HEIGHT: usize = 10;

#[derive(Serialize)]
struct Found<'a> {
    /// The training set.
    train_set: &'a str,
    /// The model.
    model: &'a str,
    /// Examples held out of the training set for the development loss.
    held_out: usize,
    #[serde(flatten)]
    test: &'a RateTest,
}

/// Tries rates on the training set `name`.
pub fn find_lr(arguments: &TrainArgs, spec: Resolved, name: &str) -> Result<()> {
    let context = Context::new(spec);
    stage::leaks::refuse(&context, &[StageId::new(StageKind::Train, name)])?;
    let range = RateRange {
        min: arguments.lr_min,
        max: arguments.lr_max,
        steps: arguments.lr_steps,
    };
    let (test, held_out) = stage::train::find_lr(&context, name, range)?;
    let found = Found {
        train_set: name,
        model: &context.spec.model.name,
        held_out,
        test: &test,
    };
    fs::create_dir_all(&arguments.out)
        .with_context(|| format!("cannot create {}", arguments.out.display()))?;
    write_json(&arguments.out.join(FILE), &found)?;
    if arguments.stage.json {
        println!("{}", serde_json::to_string_pretty(&found)?);
    } else {
        print!("{}", text(&found)?);
        println!("\nthe whole curve: {}", arguments.out.join(FILE).display());
    }
    Ok(())
}

fn text(found: &Found<'_>) -> Result<String> {
    let test = found.test;
    let mut out = String::new();
    writeln!(
        out,
        "learning rates for {} on {}: {} steps from {:.0e} to {:.0e}; loss in nats per token, {} examples held out\n",
        found.model,
        found.train_set,
        test.points.len(),
        test.range.min,
        test.range.max,
        found.held_out
    )?;
    writeln!(
        out,
        "  {:>8}  {:>9}  {:>9}  {:>9}",
        "rate", "loss", "smoothed", "held out"
    )?;
    let every = test.points.len().div_ceil(ROWS).max(1);
    for (index, point) in test.points.iter().enumerate() {
        let last = index + 1 == test.points.len();
        if !(last || (index + 1).is_multiple_of(every)) {
            continue;
        }
        // The held-out loss is taken at some steps alone; that of the steps since the row above is shown.
        let since = index + 1 - every.min(index + 1);
        let dev = test.points[since..=index]
            .iter()
            .rev()
            .find_map(|it| it.dev_loss);
        let dev = dev.map_or_else(|| "-".to_owned(), |loss| format!("{loss:.4}"));
        writeln!(
            out,
            "  {:>8.1e}  {:>9.4}  {:>9.4}  {dev:>9}",
            point.rate, point.loss, point.smoothed
        )?;
    }
    writeln!(out)?;
    plot(&mut out, test)?;
    writeln!(out)?;
    match test.steepest {
        Some(rate) => writeln!(out, "  the loss falls fastest at  {rate:.1e}")?,
        None => writeln!(
            out,
            "  the loss falls nowhere; try a range with higher rates, or look at the data"
        )?,
    }
    if let Some(rate) = test.least_dev_loss {
        writeln!(out, "  least loss held out at     {rate:.1e}")?;
    }
    match (test.diverged_at, test.tenth_of_divergence) {
        (Some(rate), Some(tenth)) => {
            writeln!(
                out,
                "  the loss explodes at       {rate:.1e}, a tenth of which is {tenth:.1e}"
            )?;
        }
        _ => writeln!(
            out,
            "  the loss does not explode up to {:.1e}",
            test.range.max
        )?,
    }
    if let Some(rate) = suggestion(test) {
        writeln!(
            out,
            "\n  to begin with: --set train.learning_rate={rate:.1e}  (the lower of the steepest descent and a tenth of \
             the explosion)"
        )?;
    }
    Ok(out)
}

/// The more careful of the two rules.
fn suggestion(test: &RateTest) -> Option<f64> {
    let rules = [test.steepest, test.tenth_of_divergence];
    rules.into_iter().flatten().min_by(f64::total_cmp)
}

/// The smoothed loss over the rates, a column for each point or for every second, third … of them.
fn plot(out: &mut String, test: &RateTest) -> std::fmt::Result {
    const WIDTH: usize = 60;
    let every = test.points.len().div_ceil(WIDTH).max(1);
    let losses: Vec<f64> = test
        .points
        .iter()
        .step_by(every)
        .map(|it| it.smoothed)
        .collect();
    let least = losses.iter().copied().fold(f64::INFINITY, f64::min);
    // The explosion would press all else flat; what lies above twice the first loss is drawn at the upper edge.
    let first = losses.first().copied().unwrap_or(0.0);
    let most = losses
        .iter()
        .copied()
        .fold(least, f64::max)
        .min(2.0 * first);
    let span = (most - least).max(f64::MIN_POSITIVE);
    let line_of = |loss: f64| {
        let height = ((most - loss.min(most)) / span * (HEIGHT - 1) as f64).round();
        height as usize
    };
    for line in 0..HEIGHT {
        let level = most - span * line as f64 / (HEIGHT - 1) as f64;
        let points: String = losses
            .iter()
            .map(|&loss| if line_of(loss) == line { '*' } else { ' ' })
            .collect();
        writeln!(out, "  {level:>8.3} |{}", points.trim_end())?;
    }
    let axis = "-".repeat(losses.len());
    writeln!(out, "  {:>8} +{axis}", "")?;
    if let (Some(from), Some(to)) = (test.points.first(), test.points.last()) {
        let (from, to) = (format!("{:.0e}", from.rate), format!("{:.0e}", to.rate));
        let gap = losses.len().saturating_sub(from.len() + to.len()).max(1);
        writeln!(out, "  {:>8}  {from}{}{to}", "", " ".repeat(gap))?;
    }
    Ok(())
}
