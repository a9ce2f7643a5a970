//! The page of an advice, as Markdown that reads well in a terminal too.

use std::fmt::Write as _;

use harness_align::advise::{Answer, Expectation, LEAST_CELLS, LeftOut, Reading};
use harness_align::{Conclusion, Interval, Role};
use harness_record::Outcome;

use super::Page;

/// The whole page.
pub fn text(page: &Page) -> String {
    let advice = &page.advice;
    let mut out = format!(
        "# Should {} be fine-tuned for {}?\n\n",
        advice.model, advice.target
    );
    let _ = writeln!(out, "{}\n", answer(page));
    if let Some(best) = advice.candidates.first() {
        let _ = writeln!(out, "{}\n", expected(&best.name, &best.expectation));
    }
    let _ = writeln!(out, "## The training sets\n");
    table(&mut out, page);
    cautions(&mut out, page);
    lacking(&mut out, page);
    let _ = writeln!(out, "\n## What to do\n");
    for line in to_do(page) {
        let _ = writeln!(out, "- {line}");
    }
    let _ = writeln!(out, "\n## How sure\n");
    for line in how_sure(page) {
        let _ = writeln!(out, "- {line}");
    }
    out
}

/// The short answer.
fn answer(page: &Page) -> String {
    let advice = &page.advice;
    let now = page.accuracy.as_ref().map_or(String::new(), |summary| {
        summary.accuracy.map_or(String::new(), |accuracy| {
            format!(
                " Now it answers {} of {} right ({}).",
                percent(accuracy),
                summary.n,
                summary.metric
            )
        })
    });
    match &advice.answer {
        Answer::FineTune { on } => format!(
            "**Yes, on {on}.** Its queries are closer to the target's than what the model writes now.{now}"
        ),
        Answer::DoNot => format!(
            "**No.** The queries of every training set are further from the target's than what the model writes now; \
             training on them is likely to do nothing or harm.{now}"
        ),
        Answer::CannotTell => {
            format!(
                "**It cannot be told.** No training set is shown to be closer to the target than what the model \
                     writes now, and not all are shown to be further.{now}"
            )
        }
    }
}

/// What to expect of a set, in words.
fn expected(name: &str, found: &Expectation) -> String {
    let unknown =
        |why: String| format!("How many points {name} would bring cannot be said: {why}.");
    let Some(gain) = found.gain else {
        return unknown(match found.range {
            None => "a score is no gain, and no earlier runs are given (`--history`)".to_owned(),
            _ if found.cells < LEAST_CELLS => format!(
                "the earlier runs have {} different cells with {}, and {LEAST_CELLS} are needed",
                found.cells, found.score
            ),
            Some((low, high)) if found.beyond => format!(
                "its ratio of {:.2} lies outside what the earlier runs have seen ({low:.2} to {high:.2})",
                found.value
            ),
            Some(_) => "the ratio is the same in all earlier runs".to_owned(),
        });
    };
    let interval = found
        .interval
        .map_or(String::new(), |it| format!(", {}", points_interval(&it)));
    let group = match found.left_out {
        LeftOut::Target => "targets",
        LeftOut::Cell => "cells",
    };
    format!(
        "Expect {} points of {name}{interval}: the line through {} earlier cells, with {group} left out in turn. Of \
         those on this side of 1, {} of {} gained.",
        points(gain),
        found.cells,
        found.same_side_gained,
        found.same_side
    )
}

fn table(out: &mut String, page: &Page) {
    let mut rows = vec![
        [
            "set",
            "queries",
            "AR",
            "95 %",
            "A(S,T)",
            "A(T,S)",
            "JS",
            "templates",
            "reading",
            "expected",
        ]
        .map(str::to_owned),
    ];
    for it in &page.advice.candidates {
        rows.push([
            it.name.clone(),
            it.comparison.n_source.to_string(),
            format!("{:.3}", it.ratio.ar),
            it.ratio.interval.map_or("none".to_owned(), |i| {
                format!("{:.3} to {:.3}", i.low, i.high)
            }),
            format!("{:.3}", it.comparison.a_kl),
            format!("{:.3}", it.comparison.a_kl_rev),
            format!("{:.3}", it.comparison.js),
            percent(it.comparison.ovlp_template),
            it.reading.as_str().to_owned(),
            it.expectation.gain.map_or("–".to_owned(), points),
        ]);
    }
    let own = &page.advice.predictions;
    rows.push([
        format!("what {} writes", page.advice.model),
        own.n_source.to_string(),
        "1".to_owned(),
        String::new(),
        format!("{:.3}", own.a_kl),
        format!("{:.3}", own.a_kl_rev),
        format!("{:.3}", own.js),
        percent(own.ovlp_template),
        String::new(),
        String::new(),
    ]);
    aligned(out, &rows);
}

/// A Markdown table whose columns are as wide as their widest cell.
fn aligned(out: &mut String, rows: &[[String; 10]]) {
    let width = |column: usize| {
        let cells = rows.iter().map(|row| row[column].chars().count());
        cells.max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..10).map(width).collect();
    // Text to the left, figures to the right.
    let left = |column: usize| column == 0 || column == 8;
    for (number, row) in rows.iter().enumerate() {
        for (column, cell) in row.iter().enumerate() {
            let pad = " ".repeat(widths[column] - cell.chars().count());
            let _ = if left(column) {
                write!(out, "| {cell}{pad} ")
            } else {
                write!(out, "| {pad}{cell} ")
            };
        }
        out.push_str("|\n");
        if number == 0 {
            for (column, width) in widths.iter().enumerate() {
                let _ = if left(column) {
                    write!(out, "| {} ", "-".repeat(*width))
                } else {
                    write!(out, "| {}: ", "-".repeat(width - 1))
                };
            }
            out.push_str("|\n");
        }
    }
}

fn cautions(out: &mut String, page: &Page) {
    let mut said: Vec<String> = Vec::new();
    for it in &page.advice.candidates {
        let cautions = it.cautions.iter();
        said.extend(cautions.map(|caution| format!("{}: {caution}", it.name)));
        for warning in &it.ratio.warnings {
            // Target and predictions are the same for all sets.
            let text = match warning.set() {
                Role::Source => format!("{}: {warning}", it.name),
                Role::Target | Role::Predictions => capital(&warning.to_string()),
            };
            if !said.contains(&text) {
                said.push(text);
            }
        }
    }
    if !said.is_empty() {
        out.push('\n');
    }
    for text in said {
        let _ = writeln!(out, "- {text}");
    }
}

fn lacking(out: &mut String, page: &Page) {
    let advice = &page.advice;
    if advice.lacking.is_empty() {
        let _ = writeln!(
            out,
            "\nEvery template of the target is in one of the training sets."
        );
        return;
    }
    let _ = writeln!(
        out,
        "\n## What no training set has\n\n{} of the target's queries have a template that none of the sets has:\n",
        percent(advice.lacking_share)
    );
    for lack in &advice.lacking {
        let _ = writeln!(
            out,
            "- {} × `{}` ({})",
            lack.count,
            lack.template,
            lack.examples.join(", ")
        );
    }
}

fn to_do(page: &Page) -> Vec<String> {
    let advice = &page.advice;
    let best = advice.candidates.first();
    let mut lines = Vec::new();
    match &advice.answer {
        Answer::FineTune { on } => {
            lines.push(format!("Fine-tune on {on}, and measure: `harness run` with it as a training set and this target."));
            if advice.candidates.len() > 1 {
                lines.push(
                    "See whether a mixture does better than one set: `harness mix`.".to_owned(),
                );
            }
            if advice.lacking_share > 0.2 {
                lines.push("Add what is missing: `harness augment` makes examples for the templates above.".to_owned());
            }
        }
        Answer::DoNot | Answer::CannotTell => {
            let withheld = best.is_some_and(|it| it.reading == Reading::Withheld);
            if withheld {
                lines.push("Get more queries: with 500 of the target and 500 of the training set the verdict is no longer withheld.".to_owned());
            }
            lines.push("Choose from the sets what the target needs: `harness select`, or `harness mix` for weights.".to_owned());
            lines.push("Put worked examples of the target into the prompt instead (`prompt.few_shot`): this needs no training.".to_owned());
            if !advice.lacking.is_empty() {
                lines.push("Write queries for the templates above, or let `harness augment` make them on the training set's own databases.".to_owned());
            }
            lines.push("Try another base model: the ratio is by what this one writes.".to_owned());
        }
    }
    lines
}

fn how_sure(page: &Page) -> Vec<String> {
    let advice = &page.advice;
    let mut lines = vec![format!(
        "The verdict stands on {} questions of the target and as many queries of each set; an interval that contains 1 \
         is no verdict.",
        advice.n_target
    )];
    if let Some(summary) = &page.accuracy {
        let ran = summary
            .outcomes
            .get(&Outcome::Executed)
            .copied()
            .unwrap_or(0);
        let all: usize = summary.outcomes.values().sum();
        if 2 * ran < all {
            lines.push(format!(
                "Only {ran} of {all} answers run at all. Look at the prompt first (`harness data show`, `--set \
                 prompt.…`): a ratio by answers that are no SQL says little, and training may teach no more than the \
                 format."
            ));
        }
    }
    match &page.history {
        Some(history) => {
            let said = match history.conclusion {
                Conclusion::Positive => "In the earlier runs alignment did tell the gain",
                Conclusion::Negative => "In the earlier runs alignment told the contrary of the gain",
                _ => "In the earlier runs it is not shown that alignment tells the gain",
            };
            lines.push(format!("{said}: {} ({}).", history.text, history.files.join(", ")));
        }
        None => lines.push(
            "No earlier runs are given: whether a ratio above 1 brings a gain for models like this one is an assumption."
                .to_owned(),
        ),
    }
    lines.push(
        "The scores see the structure of SQL and nothing else: not whether columns, values and joins are right, nor \
         whether the questions are alike."
            .to_owned(),
    );
    lines.extend(page.notes.iter().map(|note| format!("{}.", capital(note))));
    lines
}

fn capital(text: &str) -> String {
    let mut letters = text.chars();
    letters
        .next()
        .map(|first| first.to_uppercase().chain(letters).collect())
        .unwrap_or_default()
}

fn percent(share: f64) -> String {
    format!("{:.1} %", 100.0 * share)
}

fn points(share: f64) -> String {
    format!("{:+.1}", 100.0 * share).replace('-', "−")
}

fn points_interval(interval: &Interval) -> String {
    format!(
        "{} to {} with {:.0} % confidence",
        points(interval.low),
        points(interval.high),
        100.0 * interval.level
    )
}
