//! `harness eval diff`: what changed between two evaluations of the same examples.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;

use anyhow::{Context as _, Result, bail, ensure};
use harness_eval::{Paired, PairedOptions, paired};
use harness_record::Verdict;
use serde::Serialize;

use super::figures::{interval, word};
use super::verdicts::{Returned, Seen, read};
use crate::cli::DiffArgs;

/// Rows that are listed unless all are asked for.
const SHOWN: usize = 20;

/// Everything that changed.
#[derive(Debug, Serialize)]
struct Difference {
    /// The figures by policy.
    policies: Vec<Paired>,
    /// Rows whose gold queries differ: what is compared there are two questions.
    other_gold: Vec<String>,
    /// The rows whose score changed by one of the policies, in the order of the file after.
    changed: Vec<Changed>,
}

/// A row whose score changed.
#[derive(Debug, Serialize)]
struct Changed {
    id: String,
    db_id: String,
    /// By policy, the score before and after; null where nothing could be said.
    scores: BTreeMap<String, [Option<f64>; 2]>,
    gold: Option<String>,
    gold_rows: Option<Returned>,
    before: Side,
    after: Side,
}

/// One side of such a row.
#[derive(Debug, Serialize)]
struct Side {
    outcome: String,
    error: Option<String>,
    pred: Option<String>,
    rows: Option<Returned>,
}

pub fn diff(arguments: &DiffArgs) -> Result<()> {
    let (before, policies_before) = read(&arguments.before)?;
    let (after, policies_after) = read(&arguments.after)?;
    let policies = if arguments.policy.is_empty() {
        let both = |name: &String| policies_after.contains(name);
        policies_before
            .iter()
            .filter(|it| both(it))
            .cloned()
            .collect()
    } else {
        for (path, there) in [
            (&arguments.before, &policies_before),
            (&arguments.after, &policies_after),
        ] {
            refuse_unknown(path, there, &arguments.policy)?;
        }
        arguments.policy.clone()
    };
    ensure!(
        !policies.is_empty(),
        "the files have no policy in common: {} has {}, {} has {}",
        arguments.before.display(),
        policies_before.join(", "),
        arguments.after.display(),
        policies_after.join(", ")
    );
    let difference = compare(&before, &after, &policies).with_context(|| {
        format!(
            "before is {}, after is {}",
            arguments.before.display(),
            arguments.after.display()
        )
    })?;
    if arguments.json {
        println!("{}", serde_json::to_string_pretty(&difference)?);
    } else {
        print!("{}", text(&difference, arguments.all)?);
    }
    Ok(())
}

fn refuse_unknown(path: &Path, there: &[String], asked: &[String]) -> Result<()> {
    match asked.iter().find(|name| !there.contains(name)) {
        None => Ok(()),
        Some(name) => bail!(
            "{} has no policy `{name}`; it has {}",
            path.display(),
            there.join(", ")
        ),
    }
}

fn compare(before: &[Seen], after: &[Seen], policies: &[String]) -> Result<Difference> {
    let verdicts =
        |rows: &[Seen]| -> Vec<Verdict> { rows.iter().map(|row| row.verdict.clone()).collect() };
    let (verdicts_before, verdicts_after) = (verdicts(before), verdicts(after));
    let options = PairedOptions::default();
    let policies_paired = policies
        .iter()
        .map(|policy| paired(&verdicts_before, &verdicts_after, policy, &options))
        .collect::<Result<Vec<_>, _>>()?;
    let by_id: BTreeMap<&str, &Seen> = before
        .iter()
        .map(|row| (row.verdict.id.as_str(), row))
        .collect();
    let mut difference = Difference {
        policies: policies_paired,
        other_gold: Vec::new(),
        changed: Vec::new(),
    };
    for new in after {
        let Some(old) = by_id.get(new.verdict.id.as_str()) else {
            continue;
        };
        if let (Some(one), Some(other)) = (&old.gold, &new.gold)
            && one != other
        {
            difference.other_gold.push(new.verdict.id.clone());
        }
        let score = |row: &Seen, policy: &str| row.verdict.scores.get(policy).copied().flatten();
        let scores: BTreeMap<_, _> = policies
            .iter()
            .map(|policy| (policy.clone(), [score(old, policy), score(new, policy)]))
            .filter(|(_, [before, after])| before != after)
            .collect();
        if !scores.is_empty() {
            difference.changed.push(Changed {
                id: new.verdict.id.clone(),
                db_id: new.verdict.db_id.clone(),
                scores,
                gold: new.gold.clone(),
                gold_rows: new.gold_rows.clone(),
                before: side(old),
                after: side(new),
            });
        }
    }
    Ok(difference)
}

fn side(row: &Seen) -> Side {
    Side {
        outcome: word(row.verdict.outcome),
        error: row.verdict.error.clone(),
        pred: row.pred.clone(),
        rows: row.pred_rows.clone(),
    }
}

/// The difference for people.
fn text(difference: &Difference, all: bool) -> Result<String> {
    let mut out = String::new();
    for paired in &difference.policies {
        writeln!(
            out,
            "{}: {:.1} % -> {:.1} %, gain {:+.1} points, n {}, fixed {}, broken {}, McNemar exact p = {:.4}",
            paired.metric,
            100.0 * paired.before,
            100.0 * paired.after,
            100.0 * paired.gain,
            paired.n,
            paired.fixed,
            paired.broken,
            paired.mcnemar_p
        )?;
        let told = |found: &Option<_>| found.as_ref().map_or("unknown".to_owned(), interval);
        writeln!(
            out,
            "  gain on other questions {}, on other databases {}{}",
            told(&paired.by_question),
            told(&paired.by_database),
            match paired.unscored {
                0 => String::new(),
                rows => format!("; {rows} rows without a score on a side"),
            }
        )?;
    }
    if !difference.other_gold.is_empty() {
        writeln!(
            out,
            "warning: the gold queries of {} rows differ between the files, {} first",
            difference.other_gold.len(),
            difference.other_gold[0]
        )?;
    }
    let shown = if all { usize::MAX } else { SHOWN };
    for row in difference.changed.iter().take(shown) {
        writeln!(out, "\n{} ({}): {}", row.id, row.db_id, scores(&row.scores))?;
        if let Some(gold) = &row.gold {
            side_text(
                &mut out,
                "gold",
                Some(gold),
                &returned(row.gold_rows.as_ref()),
            )?;
        }
        for (name, side) in [("before", &row.before), ("after", &row.after)] {
            let mut became = side.outcome.clone();
            if let Some(error) = &side.error {
                became = format!("{became}: {}", one_line(error));
            } else if let Some(rows) = &side.rows {
                became = returned(Some(rows));
            }
            side_text(&mut out, name, side.pred.as_ref(), &became)?;
        }
    }
    if difference.changed.len() > shown {
        writeln!(
            out,
            "\n{} more rows changed: --all lists them",
            difference.changed.len() - shown
        )?;
    }
    Ok(out)
}

fn side_text(out: &mut String, name: &str, sql: Option<&String>, became: &str) -> std::fmt::Result {
    if let Some(sql) = sql {
        writeln!(out, "  {name:<6}  {}", one_line(sql))?;
        writeln!(out, "          {became}")
    } else {
        writeln!(out, "  {name:<6}  {became}")
    }
}

/// `bird_ex 0 -> 1, soft_f1 0.25 -> 1`.
fn scores(scores: &BTreeMap<String, [Option<f64>; 2]>) -> String {
    let told = |score: Option<f64>| score.map_or("-".to_owned(), |score| score.to_string());
    let each: Vec<_> = scores
        .iter()
        .map(|(policy, [before, after])| format!("{policy} {} -> {}", told(*before), told(*after)))
        .collect();
    each.join(", ")
}

fn returned(rows: Option<&Returned>) -> String {
    let Some(rows) = rows else {
        return "nothing known of its result".to_owned();
    };
    let first = rows.first.iter().map(|row| {
        let cells: Vec<_> = row.iter().map(|cell| one_line(&cell.to_string())).collect();
        format!("({})", cells.join(", "))
    });
    let first: Vec<_> = first.collect();
    let more = if rows.rows > first.len() { ", …" } else { "" };
    format!("{} rows: {}{more}", rows.rows, first.join(", "))
}

/// A text in a line of its own, white space as single blanks.
fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
