//! One row: which queries have to run, and what the metrics make of their results.

use std::borrow::Cow;
use std::collections::BTreeMap;

use harness_record::{Outcome, Verdict};
use harness_sql::StatementKind;
use harness_sql::order::{is_ordered, with_all_ties_broken, with_ties_broken};

use super::runs::Runs;
use super::{Head, Judgement, Options, Row};
use crate::classify::{Results, error_class};
use crate::exec::{Failure, FailureKind, Job, Rows, Session, Stop, Value};
use crate::metric::{ByResults, Executed, Kind, Metric, Texts, bag};
use crate::stability;

/// The gold and the predicted query as a metric reads them.
struct Forms<'a> {
    gold: Cow<'a, str>,
    predicted: Cow<'a, str>,
}

pub fn judge(
    session: &mut Session<'_>,
    row: &Row,
    metrics: &[Metric],
    options: &Options,
) -> Result<Judgement, Stop> {
    let forms: Vec<Forms<'_>> = metrics
        .iter()
        .map(|metric| forms(row, metric, options))
        .collect();
    // The prediction is run even if all metrics are of texts: that it fails is worth knowing.
    let shown = metrics
        .iter()
        .position(|metric| results(metric).is_some())
        .unwrap_or(0);
    let mut runs = Runs::new(session, row);
    let jobs: Vec<Job> = metrics
        .iter()
        .zip(&forms)
        .enumerate()
        .filter(|(at, (metric, _))| *at == shown || results(metric).is_some())
        .flat_map(|(_, (_, forms))| [&forms.gold, &forms.predicted])
        .map(|sql| runs.job(0, sql))
        .collect();
    runs.all(jobs)?;
    let gold = runs.run(runs.job(0, &forms[shown].gold))?;
    let predicted = runs.run(runs.job(0, &forms[shown].predicted))?;
    let (outcome, error) = match (runs.result(gold), runs.result(predicted)) {
        (Err(failure), _) if failure.kind == FailureKind::NoDatabase => {
            (Outcome::NoDatabase, Some(failure.message.clone()))
        }
        (Err(failure), _) => (Outcome::GoldError, Some(failure.to_string())),
        (_, Err(failure)) => (outcome(failure), Some(failure.message.clone())),
        _ => (Outcome::Executed, None),
    };
    let refused = match outcome {
        Outcome::Refused | Outcome::Empty => true,
        // The engine has not seen it, or it is not what the row is about.
        Outcome::NoDatabase | Outcome::GoldError => {
            harness_sql::classify(&row.predicted) != StatementKind::Query
        }
        _ => false,
    };
    let mut scores = BTreeMap::new();
    let mut unstable = Vec::new();
    for (metric, forms) in metrics.iter().zip(&forms) {
        let score = match metric.kind {
            Kind::Text(_) if refused => Some(0.0),
            Kind::Text(score) => score(&Texts {
                gold: &forms.gold,
                predicted: &forms.predicted,
                schema: row.place.schema.as_deref(),
            }),
            // For now whether it is right; what it is worth is measured when all rows are done.
            Kind::Time(time) => compare(&mut runs, row, forms, time.right)?,
            Kind::Results(results) => {
                if options.check_gold && !agrees_with_itself(&mut runs, &forms.gold, results)? {
                    unstable.push(metric.name.to_owned());
                }
                compare(&mut runs, row, forms, results)?
            }
        };
        scores.insert(metric.name.to_owned(), score);
    }
    let wrong = scores.get(metrics[shown].name).copied().flatten();
    let results = match (runs.result(gold), runs.result(predicted)) {
        (Ok(gold), Ok(predicted)) if wrong.is_some_and(|score| score < 1.0) => Some(Results {
            gold,
            predicted,
            ordered: is_ordered(&row.gold),
        }),
        _ => None,
    };
    let class = error_class(outcome, error.as_deref(), results);
    Ok(Judgement {
        ms: (outcome != Outcome::NoDatabase).then(|| runs.ms(predicted)),
        spread: None,
        gold: runs.result(gold).ok().map(head),
        predicted: runs.result(predicted).ok().map(head),
        verdict: Verdict {
            id: row.id.clone(),
            db_id: row.db_id.clone(),
            outcome,
            scores,
            error_class: class.map(|class| class.as_str().to_owned()),
            unstable,
            error,
        },
    })
}

/// The comparison of results behind a metric, if there is one.
fn results(metric: &Metric) -> Option<ByResults> {
    match metric.kind {
        Kind::Results(results) => Some(results),
        Kind::Time(time) => Some(time.right),
        Kind::Text(_) => None,
    }
}

fn forms<'a>(row: &'a Row, metric: &Metric, options: &Options) -> Forms<'a> {
    let mut predicted = Cow::Borrowed(row.predicted.as_str());
    if options.as_script && metric.name.starts_with("spider_") {
        predicted = predicted.replace("value", "1").into();
    }
    match results(metric) {
        Some(results) => Forms {
            gold: (results.rewrite)(&row.gold).into(),
            predicted: (results.rewrite)(&predicted).into(),
        },
        None => Forms {
            gold: Cow::Borrowed(&row.gold),
            predicted,
        },
    }
}

/// The score by what the queries return: on the row's database, or the least over its suite.
fn compare(
    runs: &mut Runs<'_, '_, '_>,
    row: &Row,
    forms: &Forms<'_>,
    results: ByResults,
) -> Result<Option<f64>, Stop> {
    let files = if results.suite {
        row.place.files.len().max(1)
    } else {
        1
    };
    let mut least: Option<f64> = None;
    for file in 0..files {
        let gold = runs.run(runs.job(file, &forms.gold))?;
        let predicted = runs.run(runs.job(file, &forms.predicted))?;
        let score = match (runs.result(gold), runs.result(predicted)) {
            (Err(_), _) => return Ok(None),
            (_, Err(failure)) if failure.kind == FailureKind::NoDatabase => return Ok(None),
            (_, Err(_)) => 0.0,
            (Ok(_), Ok(_)) => {
                let gold = (forms.gold.as_ref(), gold);
                score(runs, file, results, gold, (&forms.predicted, predicted))?
            }
        };
        least = Some(least.map_or(score, |least| least.min(score)));
        // One database on which they differ is enough.
        if score == 0.0 {
            break;
        }
    }
    Ok(least)
}

/// Whether the gold query is a right answer to itself when what SQL leaves open is decided otherwise, and asks neither
/// chance nor the clock. Of one that does not run this is not asked.
fn agrees_with_itself(
    runs: &mut Runs<'_, '_, '_>,
    gold: &str,
    results: ByResults,
) -> Result<bool, Stop> {
    let once = runs.run(runs.job(0, gold))?;
    if runs.result(once).is_err() {
        return Ok(true);
    }
    if stability::asks_chance_or_clock(gold) {
        return Ok(false);
    }
    if !results.ordered && !stability::bag_may_be_open(gold) {
        return Ok(true);
    }
    let columns = runs.result(once).map_or(0, |rows| rows.columns);
    let down = with_all_ties_broken(gold, columns, true);
    let up = with_all_ties_broken(gold, columns, false);
    let reversed = Job {
        reverse: true,
        ..runs.job(0, down.as_deref().unwrap_or(gold))
    };
    let others: Vec<Job> = [reversed]
        .into_iter()
        .chain(up.map(|up| runs.job(0, &up)))
        .collect();
    runs.all(others.clone())?;
    let others = others.into_iter().map(|job| runs.run(job));
    let others = others.collect::<Result<Vec<_>, _>>()?;
    for other in others {
        // The other way round may take more than the limits allow, or be no valid query.
        if runs.result(other).is_ok() && score(runs, 0, results, (gold, once), (gold, other))? < 1.0
        {
            return Ok(false);
        }
    }
    Ok(true)
}

/// The score of a prediction by two queries that ran, each given as its text and its place among the runs.
fn score(
    runs: &mut Runs<'_, '_, '_>,
    file: usize,
    results: ByResults,
    (gold_sql, gold): (&str, usize),
    (predicted_sql, predicted): (&str, usize),
) -> Result<f64, Stop> {
    let (Ok(gold_rows), Ok(predicted_rows)) = (runs.result(gold), runs.result(predicted)) else {
        return Ok(0.0);
    };
    let once = (results.score)(
        Executed {
            sql: gold_sql,
            rows: gold_rows,
        },
        Executed {
            sql: predicted_sql,
            rows: predicted_rows,
        },
    );
    let Some(ties) = results.ties else {
        return Ok(once);
    };
    let columns = gold_rows.columns;
    let broken = |descending| with_ties_broken(gold_sql, columns, descending);
    let (Some(up), Some(down)) = (broken(false), broken(true)) else {
        return Ok(once);
    };
    if once > 0.0 || !bag::agree(gold_rows, predicted_rows) {
        return Ok(once);
    }
    let broken = [&up, &down].map(|sql| runs.job(file, sql));
    runs.all(broken.clone())?;
    let [up, down] = broken;
    let (up, down) = (runs.run(up)?, runs.run(down)?);
    Ok(
        match (
            runs.result(gold),
            runs.result(predicted),
            runs.result(up),
            runs.result(down),
        ) {
            (Ok(gold), Ok(predicted), Ok(up), Ok(down)) => ties(gold, predicted, [up, down]),
            _ => once,
        },
    )
}

fn outcome(failure: &Failure) -> Outcome {
    match failure.kind {
        FailureKind::Error => Outcome::Error,
        FailureKind::Timeout => Outcome::Timeout,
        FailureKind::TimeoutWall => Outcome::TimeoutWall,
        FailureKind::TooLarge => Outcome::TooLarge,
        FailureKind::Refused => Outcome::Refused,
        FailureKind::Empty => Outcome::Empty,
        FailureKind::NoDatabase => Outcome::NoDatabase,
    }
}

fn head(rows: &Rows) -> Head {
    let cut = |bytes: &[u8]| bytes[..bytes.len().min(Head::CELL_BYTES)].to_vec();
    let cell = |value: &Value| match value {
        Value::Text(bytes) => Value::Text(cut(bytes)),
        Value::Blob(bytes) => Value::Blob(cut(bytes)),
        number => number.clone(),
    };
    Head {
        columns: rows.columns,
        rows: rows.rows.len(),
        first: rows
            .rows
            .iter()
            .take(Head::ROWS)
            .map(|row| row.iter().map(cell).collect())
            .collect(),
    }
}
