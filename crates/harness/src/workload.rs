//! Sets of queries as they are named on the command line: a data set, a file of queries, a file of predictions.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context as _, Result, ensure};
use harness_align::{Tally, Workload};
use harness_data::predictions::{identify, read_predictions};
use harness_data::{QueryPart, QueryParts, read_examples, read_queries};
use harness_record::{Example, Query};
use harness_sql::cut_runaway;

use crate::set;

/// Reads the queries that `name` names: `KIND:SPLIT[@FOLDER]` for the golds of a data set, or the path of a file of
/// JSON Lines with a field `sql`, or of one query a line. No database is opened. Without a folder a data set is looked
/// for below `data`.
pub fn read(name: &str, data: Option<&Path>) -> Result<Workload> {
    let path = Path::new(name);
    if path.is_file() || !name.contains(':') {
        return Ok(Workload::new(name, read_queries(path)?));
    }
    let set = set::parse(name, data)?;
    let examples = read_examples(&set.reference)?;
    Ok(Workload::new(
        set.name,
        examples.into_iter().map(Query::from).collect(),
    ))
}

/// [`read`] for those who ask for the scores on templates alone: a file of queries is read in one pass and its texts are
/// not kept, so that it may hold millions.
pub fn read_templates(name: &str, data: Option<&Path>) -> Result<Workload> {
    let path = Path::new(name);
    if !path.is_file() {
        return read(name, data);
    }
    let tally = Tally::of_parts(QueryParts::open(path)?, |part: QueryPart, tally| {
        part.each(|sql| tally.add(sql))
    })?;
    if tally.is_empty() {
        return read(name, data);
    }
    Ok(Workload::of_templates(name, tally.finish()))
}

/// Reads what a model wrote for the questions of `target`, in any format that `harness eval` reads, in the order of the
/// target. Queries that run on are cut where they end, as answers are before they are evaluated.
///
/// Rows are brought together with the target's by their ids, or by position where the file has none. Questions without
/// a prediction are told in a note; a prediction for a question that the target does not have is an error.
pub fn read_predicted(path: &Path, target: &Workload) -> Result<Predicted> {
    let context = || format!("in {}", path.display());
    let file = read_predictions(path, None)?;
    let examples: Vec<Example> = target.queries().iter().map(example).collect();
    let by_position = file.rows.iter().all(|row| row.id.is_none());
    let rows = identify(file, &examples, by_position).with_context(context)?;
    let mut of: BTreeMap<String, String> = BTreeMap::new();
    for row in rows {
        let twice = of.insert(row.id.clone(), row.sql).is_some();
        ensure!(
            !twice,
            "{}: two predictions for `{}`",
            path.display(),
            row.id
        );
    }
    let (mut queries, mut cut, mut missing) = (Vec::new(), 0, 0);
    for query in target.queries() {
        let Some(sql) = of.remove(&query.id) else {
            missing += 1;
            continue;
        };
        let (kept, reason) = cut_runaway(&sql);
        cut += usize::from(
            reason.is_some() && !sql[kept.len()..].trim_matches([';', ' ', '\n']).is_empty(),
        );
        queries.push(Query {
            sql: kept.to_owned(),
            ..query.clone()
        });
    }
    if let Some(id) = of.keys().next() {
        anyhow::bail!(
            "{}: {} predictions are for questions that {} does not have, such as `{id}`",
            path.display(),
            of.len(),
            target.name()
        );
    }
    Ok(Predicted {
        workload: Workload::new(path.display().to_string(), queries),
        cut,
        missing,
    })
}

/// Predictions and what was done to them.
pub struct Predicted {
    /// The predictions, in the order of the target's questions.
    pub workload: Workload,
    /// How many went on behind their end and were cut.
    pub cut: usize,
    /// How many questions of the target have none.
    pub missing: usize,
}

impl Predicted {
    /// What a reader of the figures should know.
    pub fn notes(&self) -> Vec<String> {
        let mut notes = Vec::new();
        if self.cut > 0 {
            notes.push(format!(
                "{} predictions went on behind the end of the query and were cut there",
                self.cut
            ));
        }
        if self.missing > 0 {
            notes.push(format!(
                "{} questions of the target have no prediction: figures of both are not paired",
                self.missing
            ));
        }
        notes
    }
}

/// The form in which predictions are brought together with questions.
fn example(query: &Query) -> Example {
    Example {
        id: query.id.clone(),
        db_id: query.db_id.clone().unwrap_or_default(),
        question: String::new(),
        evidence: None,
        gold: query.sql.clone(),
        difficulty: None,
    }
}
