//! When is a prediction right: one file per metric, one table.
//!
//! To add a metric: write its file, add its line to [`METRICS`]. A metric compares what the two queries returned
//! ([`Kind::Results`]), how they are written ([`Kind::Text`]) or how long right ones take ([`Kind::Time`]). It does not run
//! anything itself, and it knows neither ids nor data sets.

pub(crate) mod bag;
mod bird_ex;
mod columns;
mod distinct;
mod laps;
mod ordered;
#[cfg(test)]
mod properties;
mod python;
mod r_ves;
mod soft_f1;
mod spider_exact;
mod spider_exec;
mod structural_exact;
mod value;
mod ves;

use harness_record::Schema;
pub use spider_exact::{Hardness, spider_exact_match, spider_hardness};

pub(crate) use laps::Lap;

use crate::exec::Rows;

/// The metrics there are, by the names they have in verdicts.
pub static METRICS: &[Metric] = &[
    bag::METRIC,
    bird_ex::METRIC,
    ordered::METRIC,
    soft_f1::METRIC,
    spider_exact::METRIC,
    spider_exec::METRIC,
    structural_exact::METRIC,
    ves::METRIC,
    r_ves::METRIC,
];

/// One way to say whether a prediction is right.
#[derive(Debug, Clone, Copy)]
pub struct Metric {
    /// Its name in configuration and in verdicts.
    pub name: &'static str,
    /// What it is, in a line.
    pub summary: &'static str,
    /// Whether scores lie between right and wrong too. The others are 1 or 0.
    pub graded: bool,
    /// How it is computed.
    pub(crate) kind: Kind,
}

impl Metric {
    /// Whether it measures time, so that another run gives another score.
    pub fn timed(&self) -> bool {
        matches!(self.kind, Kind::Time(_))
    }
}

/// What a metric looks at.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Kind {
    /// What the queries return.
    Results(ByResults),
    /// How they are written; `None` where nothing can be said, for want of a schema or of a gold that can be read.
    Text(fn(&Texts<'_>) -> Option<f64>),
    /// How long they take, where the prediction is right.
    Time(ByTime),
}

/// A comparison of results.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ByResults {
    /// The query as this metric runs it.
    pub rewrite: fn(&str) -> String,
    /// The score of a prediction.
    pub score: fn(gold: Executed<'_>, predicted: Executed<'_>) -> f64,
    /// The score of a prediction that returned the gold's rows and still scored 0, where the gold orders its rows;
    /// ties of that order are then broken by the columns, upwards and downwards.
    pub ties: Option<ByTies>,
    /// Whether the order of rows counts even if the gold query states none.
    pub ordered: bool,
    /// Whether the prediction has to agree on every database of the row's suite.
    pub suite: bool,
}

/// A comparison of times.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ByTime {
    /// When the prediction is right; if not, the score is 0.
    pub right: ByResults,
    /// The score of a right prediction by repeated runs; `None` without any.
    pub score: fn(&[Lap]) -> Option<f64>,
}

/// A score by the rows of the gold, of the prediction, and of the gold with ties broken both ways.
pub(crate) type ByTies = fn(&Rows, &Rows, [&Rows; 2]) -> f64;

/// A query that ran to its end.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Executed<'a> {
    /// The query as it was run.
    pub sql: &'a str,
    /// What it returned.
    pub rows: &'a Rows,
}

/// Two queries as they are written.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Texts<'a> {
    /// The gold query.
    pub gold: &'a str,
    /// The predicted query.
    pub predicted: &'a str,
    /// The tables they are about, if they are known.
    pub schema: Option<&'a Schema>,
}

/// There is no metric of that name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("there is no metric `{name}`; there are: {}", known.join(", "))]
pub struct UnknownMetric {
    /// The name that was asked for.
    pub name: String,
    /// The names there are.
    pub known: Vec<&'static str>,
}

/// The metric of a name.
pub fn metric(name: &str) -> Result<Metric, UnknownMetric> {
    let found = METRICS.iter().find(|metric| metric.name == name);
    found.copied().ok_or_else(|| UnknownMetric {
        name: name.to_owned(),
        known: METRICS.iter().map(|metric| metric.name).collect(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::exec::Value;

    /// Rows from text: `;` ends a row, blanks part its cells, which are `null`, integers, reals (with a `.`), `bad`
    /// (text that is not UTF-8) or other text.
    pub(super) fn table(text: &str) -> Rows {
        let cell = |cell: &str| match cell {
            "null" => Value::Null,
            "bad" => Value::Text(vec![0xff]),
            _ => match (cell.parse(), cell.parse()) {
                (Ok(int), _) => Value::Int(int),
                (_, Ok(real)) => Value::Real(real),
                _ => Value::Text(cell.into()),
            },
        };
        let rows: Vec<Vec<Value>> = text
            .split_terminator(';')
            .map(|row| row.split_whitespace().map(cell).collect())
            .collect();
        Rows {
            columns: rows.first().map_or(1, Vec::len),
            rows,
        }
    }

    #[test]
    fn every_metric_is_found_by_its_name_and_no_other() {
        for entry in METRICS {
            assert_eq!(metric(entry.name).unwrap().name, entry.name);
        }
        let names: Vec<&str> = METRICS.iter().map(|metric| metric.name).collect();
        assert_eq!(
            metric("ex").unwrap_err().to_string(),
            format!("there is no metric `ex`; there are: {}", names.join(", "))
        );
    }
}
