//! The findings for people, under 100 columns.

use std::fmt::Write as _;

use harness_align::correlate::calibration::Share;
use harness_align::correlate::decision::Decision;
use harness_align::correlate::leaderboard::{Place, Usefulness};
use harness_align::correlate::resample::Estimate;
use harness_align::correlate::worst::Miss;
use harness_align::correlate::{Coefficient, NO_CONCLUSION, NO_NUMBER, PredictorReport};
use harness_align::score::model::TABLE;
use harness_align::{Correlation, Direction, Interval};

/// Columns of running text.
const WIDTH: usize = 96;
/// Longest name in a table.
const NAME: usize = 26;
/// Longest name of a cell.
const WORST: usize = 50;

/// All findings; those on single scores are of the headline.
pub fn text(found: &Correlation) -> String {
    let mut out = String::new();
    // Writing to a text does not fail.
    let _ = write(&mut out, found);
    out
}

fn write(out: &mut String, found: &Correlation) -> std::fmt::Result {
    let headline = found.predictors.iter().find(|p| p.name == found.headline);
    writeln!(
        out,
        "Does {} tell the gain of fine-tuning?\n",
        found.headline
    )?;
    wrapped(out, "  ", &capital(&found.text))?;
    let table = &found.table;
    let count = |n: usize, what: &str| format!("{n} {what}{}", if n == 1 { "" } else { "s" });
    writeln!(
        out,
        "  {}: {}, {}, {}, {}; {}, {}",
        count(found.n, "cell"),
        count(table.models, "model"),
        count(table.train_sets, "training set"),
        count(table.targets, "target"),
        count(table.seeds, "seed"),
        count(table.gains, "gain"),
        count(table.losses, "loss").replace("losss", "losses"),
    )?;
    for note in &found.notes {
        wrapped(out, "  note: ", note)?;
    }
    leaderboard(out, found)?;
    if let Some(headline) = headline {
        sides(out, headline)?;
        // What to do is a conclusion.
        if let Some(decision) = &headline.decision
            && headline.n >= NO_CONCLUSION
        {
            decided(out, headline, decision)?;
        }
        misses(out, headline)?;
    }
    Ok(())
}

fn leaderboard(out: &mut String, found: &Correlation) -> std::fmt::Result {
    writeln!(
        out,
        "\nScores and controls (*), the best first by Spearman, turned round for distances (-)\n\n  \
         {:<NAME$} {:>3} {:>5} {:<14} {:>5} {:>4} {:>4} {:>5} {:>5} {:>6} {:>6}",
        "", "n", "rho", "interval", "p", "AUC", "bal", "LOMO", "LOTO", "within", "part."
    )?;
    for place in &found.leaderboard {
        if let Some(report) = found.predictors.iter().find(|p| p.name == place.name) {
            row(out, report)?;
        }
    }
    wrapped(
        out,
        "  ",
        "rho: Spearman's coefficient in the score's own sign, its interval the wider of resampling models and targets, and resampling cells; p: training sets \
         shuffled within model and target; bal: balanced accuracy of gain or loss at the score's threshold, for those \
         without one at the best on other targets; LOMO, LOTO: error in points (RMSE) of the line gain ~ score on a \
         model, a target left out; within: rho inside model and target; part.: rho given accuracy before; -: can't be \
         told (why: --json)",
    )?;
    let golden = found.leaderboard.iter().map(|place| place.name.as_str());
    let golden: Vec<&str> = golden
        .filter(|name| TABLE.iter().any(|it| it.name == *name && it.needs_gold))
        .collect();
    if !golden.is_empty() {
        let text = format!(
            "{} ask the model about gold queries of the target: a target without annotated examples can't have them, nor the \
             structural scores",
            golden.join(", ")
        );
        wrapped(out, "  ", &text)?;
    }
    let named = |place: &&Place| place.usefulness == Some(Usefulness::Useful);
    let useful: Vec<&str> = found
        .leaderboard
        .iter()
        .filter(named)
        .map(|p| p.name.as_str())
        .collect();
    let judged = found.leaderboard.iter().any(|p| {
        matches!(
            p.usefulness,
            Some(Usefulness::Useful | Usefulness::NotShown | Usefulness::Worse)
        )
    });
    writeln!(out)?;
    match (judged, useful.is_empty()) {
        (false, _) => wrapped(
            out,
            "  ",
            "Better than the controls: can't be told from these cells",
        ),
        (true, true) => wrapped(
            out,
            "  ",
            "Better than the best control: no score is shown to be",
        ),
        (true, false) => wrapped(
            out,
            "  ",
            &format!("Better than the best control: {}", useful.join(", ")),
        ),
    }?;
    let first = found.leaderboard.iter().find(|place| !place.control);
    let first = first.filter(|first| first.name != found.headline);
    let headline = found.leaderboard.iter().find(|p| p.name == found.headline);
    for place in headline.into_iter().chain(first) {
        differences(out, place)?;
    }
    Ok(())
}

fn row(out: &mut String, report: &PredictorReport) -> std::fmt::Result {
    let mark = match (report.control, report.direction == Direction::Distance) {
        (true, _) => '*',
        (false, true) => '-',
        (false, false) => ' ',
    };
    let balanced = report
        .balanced_accuracy
        .as_ref()
        .unwrap_or(&report.balanced_accuracy_held_out);
    writeln!(
        out,
        "{mark} {:<NAME$} {:>3} {:>5} {:<14} {:>5} {:>4} {:>4} {:>5} {:>5} {:>6} {:>6}",
        short(report.name.trim_start_matches("control:")),
        report.n,
        number(report.spearman.value, 2),
        interval(report.spearman.widest(), 1.0, 2),
        number(report.spearman.p, 3),
        number(report.auc.value, 2),
        number(balanced.value, 2),
        points(report.leave_one_model_out.rmse.value),
        points(report.leave_one_target_out.rmse.value),
        number(report.within.model_and_target.spearman.value, 2),
        number(report.partial.spearman.value, 2),
    )
}

fn differences(out: &mut String, place: &Place) -> std::fmt::Result {
    for (what, difference) in [
        ("best control", &place.less_best_control),
        ("headline", &place.less_headline),
    ] {
        if let Some(found) = difference
            && found.difference.value.is_some()
        {
            let value = number(found.difference.value, 2);
            writeln!(
                out,
                "    {} less {what} ({}): {}",
                short(&place.name),
                found.to.trim_start_matches("control:"),
                format!("{value} {}", interval(found.widest(), 1.0, 2)).trim_end()
            )?;
        }
    }
    Ok(())
}

fn sides(out: &mut String, report: &PredictorReport) -> std::fmt::Result {
    if report.n < NO_NUMBER {
        return Ok(());
    }
    writeln!(out, "\nGain along {}\n", report.name)?;
    if let Some(sides) = &report.sides {
        let (beyond, other) = if report.direction == Direction::Likeness {
            ("above", "up to")
        } else {
            ("below", "from")
        };
        share(
            out,
            &format!("{beyond} {}", sides.threshold),
            &sides.claimed,
        )?;
        share(out, &format!("{other} {}", sides.threshold), &sides.others)?;
    }
    for bin in &report.bins {
        share(
            out,
            &format!("{:.3} to {:.3}", bin.lowest, bin.highest),
            &bin.gain,
        )?;
    }
    let best = &report.best_threshold;
    if best.threshold.value.is_some() {
        writeln!(
            out,
            "  best threshold {}: balanced accuracy {} here, {} on targets left out",
            estimate(&best.threshold, 1.0, 3),
            number(best.balanced_accuracy.value, 2),
            number(report.balanced_accuracy_held_out.value, 2)
        )?;
    }
    for (what, coefficient) in [
        ("Pearson", &report.pearson),
        ("Spearman", &report.spearman),
        ("Kendall", &report.kendall),
    ] {
        plain(out, what, coefficient)?;
    }
    Ok(())
}

fn plain(out: &mut String, what: &str, found: &Coefficient) -> std::fmt::Result {
    let Some(value) = found.value else {
        return Ok(());
    };
    write!(
        out,
        "  {what:<8} {value:>5.2} {:<14}",
        interval(found.interval, 1.0, 2)
    )?;
    if found.plain_interval.is_some() {
        write!(
            out,
            "  were cells independent {}",
            interval(found.plain_interval, 1.0, 2)
        )?;
    }
    if let Some(p) = found.p {
        write!(out, "  p {p:.3}")?;
    }
    writeln!(out)
}

fn share(out: &mut String, what: &str, found: &Share) -> std::fmt::Result {
    let of = format!("{} of {}", found.gains, found.n);
    write!(out, "  {what:<18} gain in {of:<10}")?;
    if let (Some(share), Some(mean)) = (found.share, found.mean_gain) {
        write!(
            out,
            " {:>5.1} % [{:.1}, {:.1}]  mean gain {:+.1} points",
            100.0 * share,
            100.0 * found.low,
            100.0 * found.high,
            100.0 * mean
        )?;
    }
    writeln!(out)
}

fn decided(out: &mut String, report: &PredictorReport, found: &Decision) -> std::fmt::Result {
    let side = if report.direction == Direction::Likeness {
        "above"
    } else {
        "below"
    };
    writeln!(
        out,
        "\nTrain where {} is {side} {:.3}{}: {} of {} cells\n",
        report.name,
        found.threshold,
        if found.chosen_here {
            " (chosen on these cells)"
        } else {
            ""
        },
        found.trained,
        report.n
    )?;
    writeln!(
        out,
        "  mean gain in points: rule {}, all {}, none 0.0, the best choice {:.1}",
        estimate(&found.mean_gain, 100.0, 1),
        estimate(&found.mean_gain_all, 100.0, 1),
        100.0 * found.mean_gain_best
    )?;
    writeln!(
        out,
        "  rule less the better of all and none: {}\n",
        estimate(&found.advantage, 100.0, 1)
    )?;
    writeln!(
        out,
        "  {:>13}  {:>11}  {:>9}  {:>10}  {:>11}",
        "indifferent at", "rule", "train all", "train none", "rule's lead"
    )?;
    for row in found.curve.iter().step_by(2) {
        writeln!(
            out,
            "  {:>14}  {:>11}  {:>9.2}  {:>10.2}  {:>11} {}",
            format!("{:.0} %", 100.0 * row.probability),
            number(row.rule.value, 2),
            row.all,
            0.0,
            number(row.advantage.value, 2),
            interval(row.advantage.interval, 1.0, 2)
        )?;
    }
    wrapped(
        out,
        "  ",
        "net benefit, in useful trainings for each cell, at the chance of a gain at which training would just be worth \
         its cost to you",
    )
}

fn misses(out: &mut String, report: &PredictorReport) -> std::fmt::Result {
    if !report.residuals.is_empty() {
        writeln!(out, "\nFurthest from the line gain ~ {}\n", report.name)?;
        for miss in &report.residuals {
            self::miss(out, miss, true)?;
        }
    }
    if !report.sign_errors.is_empty() {
        let all = report.n_sign_errors;
        let cells = if all == 1 { "cell" } else { "cells" };
        writeln!(
            out,
            "\nOn the wrong side of the threshold: {all} {cells}, the largest first\n"
        )?;
        for miss in &report.sign_errors {
            self::miss(out, miss, false)?;
        }
    }
    Ok(())
}

fn miss(out: &mut String, miss: &Miss, expected: bool) -> std::fmt::Result {
    let name = short_to(
        &format!(
            "{}, {} → {}, seed {}",
            short_to(&miss.model, 20),
            miss.train_set,
            miss.target,
            miss.seed
        ),
        WORST,
    );
    write!(
        out,
        "  {name:<WORST$} score {:>7.3}  gain {:>+6.1}",
        miss.score,
        100.0 * miss.gain
    )?;
    if expected {
        write!(out, "  expected {:>+6.1}", 100.0 * miss.expected)?;
    }
    writeln!(out)
}

/// A value with its interval.
fn estimate(found: &Estimate, scale: f64, digits: usize) -> String {
    let value = number(found.value.map(|value| scale * value), digits);
    match found.interval {
        Some(_) => format!("{value} {}", interval(found.interval, scale, digits)),
        None => value,
    }
}

fn interval(found: Option<Interval>, scale: f64, digits: usize) -> String {
    found.map_or(String::new(), |found| {
        let (low, high) = (scale * found.low, scale * found.high);
        format!("[{low:.digits$}, {high:.digits$}]")
    })
}

fn number(found: Option<f64>, digits: usize) -> String {
    found.map_or("-".to_owned(), |found| format!("{found:.digits$}"))
}

fn points(found: Option<f64>) -> String {
    number(found.map(|share| 100.0 * share), 1)
}

fn short(name: &str) -> String {
    short_to(name, NAME)
}

fn short_to(name: &str, longest: usize) -> String {
    if name.chars().count() <= longest {
        return name.to_owned();
    }
    name.chars().take(longest - 1).chain(['…']).collect()
}

fn capital(text: &str) -> String {
    let mut letters = text.chars();
    let first = letters.next().map(|first| first.to_uppercase().to_string());
    first.unwrap_or_default() + letters.as_str()
}

/// Text broken between words; lines after the first are indented as the first is.
fn wrapped(out: &mut String, start: &str, text: &str) -> std::fmt::Result {
    let mut line = start.to_owned();
    let indent = " ".repeat(start.len());
    for word in text.split_whitespace() {
        if line.chars().count() + word.chars().count() + 1 > WIDTH && line.trim() != start.trim() {
            writeln!(out, "{}", line.trim_end())?;
            line.clone_from(&indent);
        }
        line.push_str(word);
        line.push(' ');
    }
    writeln!(out, "{}", line.trim_end())
}
