//! The rows of a file of verdicts, written and read.
//!
//! A row has `id`, `db_id`, a field for each policy (named as the policy: its value, or null where nothing can be said),
//! `outcome`, `ms` (for which the prediction ran, by the clock), `error_class`, `error`, `unstable` (policies under which
//! the gold does not agree with itself), the queries as `gold` and `pred`, and as `gold_rows` and `pred_rows` what they
//! returned: the numbers of columns and rows, and the first rows. There numbers and null are themselves, texts are cut and
//! bytes that are not UTF-8 replaced, and a blob is a text such as `x'00ff'`.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context as _, Result, anyhow, bail};
use harness_eval::exec::Value as Cell;
use harness_eval::{Head, Judgement, Metric, Row};
use harness_record::{Outcome, Verdict};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::files::read_lines;

/// Fields that are no policies.
const FIELDS: [&str; 13] = [
    "id",
    "db_id",
    "outcome",
    "ms",
    "speed",
    "error_class",
    "error",
    "unstable",
    "gold",
    "pred",
    "gold_rows",
    "pred_rows",
    "scores",
];

/// The row of a judgement.
pub fn row(row: &Row, judgement: &Judgement, policies: &[Metric]) -> Map<String, Value> {
    let verdict = &judgement.verdict;
    let mut fields = Map::new();
    let mut put = |name: &str, value: Value| fields.insert(name.to_owned(), value);
    put("id", json!(verdict.id));
    put("db_id", json!(verdict.db_id));
    for policy in policies {
        let score = verdict.scores.get(policy.name).copied().flatten();
        let value = match score {
            Some(score) if !policy.graded => json!(u8::from(score >= 1.0)),
            other => json!(other),
        };
        put(policy.name, value);
    }
    put("outcome", json!(verdict.outcome));
    // Thousandths are beyond what a clock of a busy machine can say.
    let ms = judgement.ms.map(|ms| (ms * 1000.0).round() / 1000.0);
    put("ms", json!(ms));
    if let Some(spread) = &judgement.spread {
        put("speed", json!(spread));
    }
    put("error_class", json!(verdict.error_class));
    put("error", json!(verdict.error));
    put("unstable", json!(verdict.unstable));
    put("gold", json!(row.gold));
    put("pred", json!(row.predicted));
    put(
        "gold_rows",
        judgement.gold.as_ref().map_or(Value::Null, head),
    );
    put(
        "pred_rows",
        judgement.predicted.as_ref().map_or(Value::Null, head),
    );
    fields
}

fn head(head: &Head) -> Value {
    let first = head.first.iter();
    let first = first.map(|row| row.iter().map(cell).collect());
    json!(Returned {
        columns: head.columns,
        rows: head.rows,
        first: first.collect(),
    })
}

fn cell(cell: &Cell) -> Value {
    match cell {
        Cell::Null => Value::Null,
        Cell::Int(number) => json!(number),
        Cell::Real(number) if number.is_finite() => json!(number),
        Cell::Real(number) => json!(number.to_string()),
        Cell::Text(bytes) => json!(String::from_utf8_lossy(bytes)),
        Cell::Blob(bytes) => {
            let digits: Vec<String> = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
            json!(format!("x'{}'", digits.concat()))
        }
    }
}

/// A row that was read.
#[derive(Debug, Clone)]
pub struct Seen {
    /// What the policies said.
    pub verdict: Verdict,
    /// The gold query; absent in the verdicts of an experiment.
    pub gold: Option<String>,
    /// The predicted query, likewise.
    pub pred: Option<String>,
    /// What it returned, likewise.
    pub pred_rows: Option<Returned>,
    /// What the gold returned, likewise.
    pub gold_rows: Option<Returned>,
}

/// The beginning of a result.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Returned {
    /// Number of columns.
    pub columns: usize,
    /// Number of rows of the whole result.
    pub rows: usize,
    /// The first rows.
    pub first: Vec<Vec<Value>>,
}

/// A file of verdicts: its rows, and its policies in the order of the first row.
pub fn read(path: &Path) -> Result<(Vec<Seen>, Vec<String>)> {
    let lines: Vec<Map<String, Value>> = read_lines(path)?;
    let mut rows = Vec::with_capacity(lines.len());
    let mut policies: Vec<String> = Vec::new();
    for (number, fields) in lines.into_iter().enumerate() {
        let (row, scores) = seen(fields)
            .with_context(|| format!("{}: row {} is no verdict", path.display(), number + 1))?;
        if number == 0 {
            policies = scores;
        }
        rows.push(row);
    }
    if rows.is_empty() {
        bail!("{}: no verdict in it", path.display());
    }
    Ok((rows, policies))
}

fn seen(mut fields: Map<String, Value>) -> Result<(Seen, Vec<String>)> {
    // An experiment writes the scores in a field of their own.
    let scores = match fields.remove("scores") {
        Some(Value::Object(scores)) => scores,
        Some(_) => bail!("`scores` is no object"),
        None => {
            let is_policy = |(name, _): &(&String, &Value)| !FIELDS.contains(&name.as_str());
            let scores = fields.iter().filter(is_policy);
            scores
                .map(|(name, value)| (name.clone(), value.clone()))
                .collect()
        }
    };
    let names = scores.keys().cloned().collect();
    let mut by_name = BTreeMap::new();
    for (name, value) in scores {
        let score = match &value {
            Value::Null => None,
            Value::Number(number) => number.as_f64(),
            _ => bail!("field `{name}`: expected a number or null, as a policy has"),
        };
        by_name.insert(name, score);
    }
    let outcome = fields.remove("outcome").unwrap_or(Value::Null);
    let verdict = Verdict {
        id: text(&mut fields, "id")?.context("there is no `id`")?,
        db_id: text(&mut fields, "db_id")?.context("there is no `db_id`")?,
        outcome: Outcome::deserialize(outcome).context("field `outcome`")?,
        scores: by_name,
        error_class: text(&mut fields, "error_class")?,
        unstable: Vec::new(),
        error: text(&mut fields, "error")?,
    };
    let seen = Seen {
        verdict,
        gold: text(&mut fields, "gold")?,
        pred: text(&mut fields, "pred")?,
        gold_rows: returned(&mut fields, "gold_rows")?,
        pred_rows: returned(&mut fields, "pred_rows")?,
    };
    Ok((seen, names))
}

fn text(fields: &mut Map<String, Value>, name: &str) -> Result<Option<String>> {
    match fields.remove(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(_) => Err(anyhow!("field `{name}`: expected a text")),
    }
}

fn returned(fields: &mut Map<String, Value>, name: &str) -> Result<Option<Returned>> {
    let value = fields.remove(name).unwrap_or(Value::Null);
    Option::deserialize(value).with_context(|| format!("field `{name}`"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_policy_is_called_as_another_field() {
        for metric in harness_eval::METRICS {
            assert!(!FIELDS.contains(&metric.name), "{}", metric.name);
        }
    }

    #[test]
    fn cells_are_told_apart_as_far_as_json_can() {
        let cells = [
            Cell::Null,
            Cell::Int(i64::MAX),
            Cell::Real(1.0),
            Cell::Real(f64::NEG_INFINITY),
            Cell::Text(b"a\xff".to_vec()),
            Cell::Blob(vec![0, 255]),
        ];
        let told: Vec<_> = cells.iter().map(|it| cell(it).to_string()).collect();
        assert_eq!(
            told,
            [
                "null",
                "9223372036854775807",
                "1.0",
                "\"-inf\"",
                "\"a\u{fffd}\"",
                "\"x'00ff'\""
            ]
        );
    }
}
