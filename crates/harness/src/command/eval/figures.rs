//! What an evaluation found, as one document and as text.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use harness_eval::breakdown::{self, Breakdown};
use harness_eval::{Interval, Metric, Summary};
use harness_record::{Outcome, Verdict};
use serde::Serialize;

use super::Task;

/// Identifiers that a line of text names.
const SHOWN: usize = 10;

/// Groups that are listed: there are data sets with a database for every question.
const GROUPS: usize = 40;

/// All figures of an evaluation.
#[derive(Debug, Serialize)]
pub struct Figures {
    /// What was evaluated.
    title: String,
    /// What a reader should know of the input.
    notes: Vec<String>,
    /// Rows.
    rows: usize,
    /// By policy, the main one first.
    policies: Vec<Summary>,
    /// Rows by what became of the prediction.
    outcomes: BTreeMap<Outcome, usize>,
    /// Rows by what is wrong with the prediction.
    error_classes: BTreeMap<String, usize>,
    /// The main policy in groups of rows: by level, by database, by what the gold is made of.
    breakdowns: Vec<Breakdown>,
    /// Predictions that are not a single reading query: wrong by every policy, and not run.
    refused: Vec<String>,
    /// Rows whose gold does not agree with itself, with the policies it is so under.
    unstable: BTreeMap<String, Vec<String>>,
}

/// Counts.
pub fn figures(task: &Task, verdicts: Vec<Verdict>, policies: &[Metric]) -> Figures {
    let mut figures = Figures {
        title: task.title.clone(),
        notes: notes(task, policies),
        rows: verdicts.len(),
        policies: policies
            .iter()
            .map(|policy| Summary::new(&verdicts, policy.name))
            .collect(),
        outcomes: BTreeMap::new(),
        error_classes: BTreeMap::new(),
        breakdowns: breakdowns(task, &verdicts, policies),
        refused: Vec::new(),
        unstable: BTreeMap::new(),
    };
    for verdict in verdicts {
        *figures.outcomes.entry(verdict.outcome).or_default() += 1;
        if let Some(class) = verdict.error_class {
            *figures.error_classes.entry(class).or_default() += 1;
        }
        if verdict.outcome == Outcome::Refused {
            figures.refused.push(verdict.id.clone());
        }
        if !verdict.unstable.is_empty() {
            figures.unstable.insert(verdict.id, verdict.unstable);
        }
    }
    figures
}

/// What a reader should know of the input and of the policies.
pub fn notes(task: &Task, policies: &[Metric]) -> Vec<String> {
    let timing = |policy: &Metric| {
        format!(
            "{} measures time: it is another on another machine, on a busy one, and at the next run; the speed of each \
             row is in --verdicts, from the least to the greatest",
            policy.name
        )
    };
    let timed = policies.iter().filter(|policy| policy.timed());
    task.notes
        .iter()
        .cloned()
        .chain(timed.map(timing))
        .collect()
}

fn breakdowns(task: &Task, verdicts: &[Verdict], policies: &[Metric]) -> Vec<Breakdown> {
    let Some(main) = policies.first() else {
        return Vec::new();
    };
    let places: BTreeMap<&str, usize> = task
        .rows
        .iter()
        .enumerate()
        .map(|(at, row)| (row.id.as_str(), at))
        .collect();
    let at = |verdict: &Verdict| places.get(verdict.id.as_str()).copied();
    let level = |verdict: &Verdict| {
        let level = at(verdict).and_then(|at| task.levels.get(at)?.clone());
        level.into_iter().collect()
    };
    let database = |verdict: &Verdict| vec![verdict.db_id.clone()];
    let structure = |verdict: &Verdict| {
        let gold = at(verdict).map_or("", |at| task.rows[at].gold.as_str());
        let names = breakdown::structure(gold).into_iter();
        names.map(str::to_owned).collect()
    };
    let mut found = vec![
        breakdown::breakdown(verdicts, main.name, "level", level),
        breakdown::breakdown(verdicts, main.name, "database", database),
        breakdown::breakdown(verdicts, main.name, "structure", structure),
    ];
    found.retain(|one| !one.groups.is_empty());
    found
}

impl Figures {
    /// The figures for people.
    pub fn text(&self) -> String {
        let mut out = String::new();
        // Writing to a text does not fail.
        let _ = self.write(&mut out);
        out
    }

    fn write(&self, out: &mut String) -> std::fmt::Result {
        writeln!(out, "{}: {} predictions\n", self.title, self.rows)?;
        let width = self.policies.iter().map(|it| it.metric.len()).max();
        let width = width.unwrap_or(0);
        for summary in &self.policies {
            write!(out, "  {:<width$}  ", summary.metric)?;
            match (summary.accuracy, summary.interval) {
                (Some(accuracy), Some(found)) => {
                    write!(out, "{:5.1} %  n {}", 100.0 * accuracy, summary.n)?;
                    // A graded score of 1 is a mark like others.
                    if harness_eval::metric(&summary.metric).is_ok_and(|policy| !policy.graded) {
                        write!(out, "  right {}", summary.right)?;
                    }
                    write!(out, "  other questions {}", interval(&found))?;
                    if let Some(found) = &summary.by_database {
                        write!(out, "  other databases {}", interval(found))?;
                    }
                }
                (Some(accuracy), None) => {
                    write!(out, "{:5.1} %  n {}", 100.0 * accuracy, summary.n)?;
                }
                _ => write!(out, "nothing could be scored")?,
            }
            if summary.no_database > 0 {
                write!(out, "  without database {}", summary.no_database)?;
            }
            if summary.gold_error > 0 {
                write!(out, "  gold fails {}", summary.gold_error)?;
            }
            writeln!(out)?;
        }
        writeln!(out)?;
        let outcomes = self.outcomes.iter();
        let outcomes = outcomes.map(|(outcome, count)| (word(*outcome), *count));
        counts(out, "outcomes", outcomes)?;
        let classes = self.error_classes.iter();
        let classes = classes.map(|(class, count)| (class.clone(), *count));
        counts(out, "error classes", classes)?;
        for breakdown in &self.breakdowns {
            groups(out, breakdown)?;
        }
        if !self.refused.is_empty() || !self.unstable.is_empty() {
            writeln!(out)?;
        }
        ids(out, "refused", &self.refused)?;
        for policy in &self.policies {
            let under = |(_, policies): &(&String, &Vec<String>)| policies.contains(&policy.metric);
            let unstable: Vec<_> = self.unstable.iter().filter(under).collect();
            let unstable: Vec<_> = unstable.into_iter().map(|(id, _)| id.clone()).collect();
            ids(
                out,
                &format!("gold unstable under {}:", policy.metric),
                &unstable,
            )?;
        }
        Ok(())
    }
}

/// An interval in percent or points.
pub fn interval(interval: &Interval) -> String {
    format!(
        "[{:.1}, {:.1}]",
        100.0 * interval.low,
        100.0 * interval.high
    )
}

/// An outcome as files have it.
pub fn word(outcome: Outcome) -> String {
    match serde_json::to_value(outcome) {
        Ok(serde_json::Value::String(word)) => word,
        _ => format!("{outcome:?}"),
    }
}

fn counts(
    out: &mut String,
    what: &str,
    counts: impl Iterator<Item = (String, usize)>,
) -> std::fmt::Result {
    let mut counts: Vec<_> = counts.collect();
    counts.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
    if counts.is_empty() {
        return Ok(());
    }
    let counts: Vec<_> = counts
        .iter()
        .map(|(name, count)| format!("{name} {count}"))
        .collect();
    writeln!(out, "  {what}: {}", counts.join(", "))
}

fn groups(out: &mut String, breakdown: &Breakdown) -> std::fmt::Result {
    let scored = breakdown.groups.iter().filter(|group| group.n > 0);
    let scored: Vec<_> = scored.collect();
    if scored.is_empty() {
        return Ok(());
    }
    writeln!(out, "\n  {} by {}", breakdown.metric, breakdown.by)?;
    let width = scored.iter().map(|group| group.key.chars().count()).max();
    let width = width.unwrap_or(0);
    for group in scored.iter().take(GROUPS) {
        let mean = 100.0 * group.mean.unwrap_or(0.0);
        let found = group.interval.as_ref().map(interval).unwrap_or_default();
        writeln!(
            out,
            "    {:<width$}  {mean:5.1} %  n {:<4}  {found}",
            group.key, group.n
        )?;
    }
    if scored.len() > GROUPS {
        writeln!(
            out,
            "    … {} more (all with --json)",
            scored.len() - GROUPS
        )?;
    }
    Ok(())
}

fn ids(out: &mut String, what: &str, ids: &[String]) -> std::fmt::Result {
    if ids.is_empty() {
        return Ok(());
    }
    let shown = ids[..ids.len().min(SHOWN)].join(", ");
    let more = if ids.len() > SHOWN {
        ", … (all with --json)"
    } else {
        ""
    };
    writeln!(out, "  {what} {}: {shown}{more}", ids.len())
}
